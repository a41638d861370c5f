// SPDX-License-Identifier: MIT
#include "axon/config/keys.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "axon/fetch/url.h"

namespace axon::config {
namespace {

using mlos::Reason;
using mlos::Status;

constexpr std::array kKeys = {
    Key{"home_dir", KeyType::kPath, "AXON_HOME", "~/.axon", "where axon keeps everything"},
    Key{"cache_dir", KeyType::kPath, "AXON_CACHE_DIR", "<home_dir>/cache",
        "where models are installed"},
    Key{"published_dir", KeyType::kPath, "AXON_PUBLISHED_DIR", "/var/lib/mlos",
        "its models/ holds packages for all users; `axon register` looks there first"},
    Key{"registry.huggingface_endpoint", KeyType::kUrl, "HF_ENDPOINT", "https://huggingface.co",
        "the Hugging Face hub, or a mirror of it"},
    Key{"registry.huggingface_token", KeyType::kSecret, "HF_TOKEN", "",
        "sent only to that endpoint"},
    Key{"download.parallel", KeyType::kCount, "AXON_PARALLEL", "4",
        "files fetched at once; more helps only if one does not fill the line", 1, 32},
    Key{"download.max_retries", KeyType::kCount, "AXON_MAX_RETRIES", "5",
        "tries after a failure without progress; raise it for an unreliable line", 0, 100},
    Key{"download.connect_timeout", KeyType::kSeconds, "AXON_CONNECT_TIMEOUT", "20",
        "seconds until a server must accept a connection; raise it for a distant hub", 1, 3600},
    Key{"download.stall_timeout", KeyType::kSeconds, "AXON_STALL_TIMEOUT", "30",
        "seconds below 256 B/s after which a transfer starts again; too few restart slow ones", 1,
        3600},
    Key{"core.endpoint", KeyType::kUrl, "MLOS_CORE_ENDPOINT", "http://localhost:8080",
        "the MLOS Core that `axon register` talks to"},
};

Status Wanted(const Key& key, std::string_view value, std::string_view wanted) {
  // A secret that is malformed is still a secret.
  const std::string shown =
      key.type == KeyType::kSecret ? "the value" : "'" + std::string(value) + "'";
  return {Reason::kInvalidConfig,
          std::string(key.name) + ": " + shown + " is not " + std::string(wanted)};
}

Status CheckNumber(const Key& key, std::string_view value) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error == std::errc() && end == value.data() + value.size() && number >= key.min &&
      number <= key.max) {
    return mlos::OkStatus();
  }
  return Wanted(
      key, value,
      "a whole number from " + std::to_string(key.min) + " to " + std::to_string(key.max));
}

Status CheckSecret(const Key& key, std::string_view value) {
  constexpr std::size_t kSecretBytesMax = 4096;
  const bool plain =
      std::all_of(value.begin(), value.end(), [](char c) { return c > 0x20 && c < 0x7f; });
  if (plain && value.size() <= kSecretBytesMax) return mlos::OkStatus();
  return Wanted(key, value, "a token: printable characters without spaces");
}

}  // namespace

std::span<const Key> Keys() { return kKeys; }

const Key* FindKey(std::string_view name) {
  const auto found =
      std::find_if(kKeys.begin(), kKeys.end(), [&](const Key& key) { return key.name == name; });
  return found == kKeys.end() ? nullptr : &*found;
}

Status CheckValue(const Key& key, std::string_view value) {
  switch (key.type) {
    case KeyType::kCount:
    case KeyType::kSeconds:
      return CheckNumber(key, value);
    case KeyType::kUrl:
      if (fetch::Url::Parse(value).ok()) return mlos::OkStatus();
      return Wanted(key, value, "an http or https address");
    case KeyType::kSecret:
      return CheckSecret(key, value);
    case KeyType::kPath:
      if (!value.empty()) return mlos::OkStatus();
      return Wanted(key, value, "a path");
    case KeyType::kText:
      return mlos::OkStatus();
  }
  return mlos::OkStatus();
}

}  // namespace axon::config
