// SPDX-License-Identifier: MIT
#include "axon/fetch/backoff.h"

#include <curl/curl.h>

#include <algorithm>
#include <charconv>
#include <ctime>
#include <string>

namespace axon::fetch {

std::optional<std::chrono::seconds> ParseRetryAfter(std::string_view value) {
  if (value.empty()) return std::nullopt;
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), seconds);
  if (error == std::errc() && end == value.data() + value.size()) {
    return std::chrono::seconds(std::max<std::int64_t>(seconds, 0));
  }
  const std::time_t date = curl_getdate(std::string(value).c_str(), nullptr);
  if (date < 0) return std::nullopt;
  return std::chrono::seconds(std::max<std::int64_t>(date - std::time(nullptr), 0));
}

std::optional<std::chrono::milliseconds> Backoff::Next(std::string_view retry_after) {
  if (retries_ >= retries_max_) return std::nullopt;
  const std::chrono::milliseconds ceiling =
      std::min(kLongest, kFirst * (1 << std::min(retries_, 10)));
  ++retries_;
  std::uniform_int_distribution<std::int64_t> jitter(ceiling.count() / 2, ceiling.count());
  const std::chrono::milliseconds wait(jitter(random_));
  const std::optional<std::chrono::seconds> asked = ParseRetryAfter(retry_after);
  if (!asked.has_value()) return wait;
  if (*asked > kRetryAfterMax) return std::nullopt;
  return std::max<std::chrono::milliseconds>(wait, *asked);
}

}  // namespace axon::fetch
