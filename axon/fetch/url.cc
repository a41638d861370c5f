// SPDX-License-Identifier: MIT
#include "axon/fetch/url.h"

#include <curl/curl.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <optional>

namespace axon::fetch {
namespace {

using mlos::Reason;
using mlos::Result;
using mlos::Status;

constexpr std::size_t kUrlBytesMax = 8192;

struct HandleDeleter {
  void operator()(CURLU* handle) const { curl_url_cleanup(handle); }
};
using Handle = std::unique_ptr<CURLU, HandleDeleter>;

std::optional<std::string> Part(CURLU* handle, CURLUPart part, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(handle, part, &text, flags) != CURLUE_OK) return std::nullopt;
  std::string copy(text);
  curl_free(text);
  return copy;
}

Status Invalid(std::string_view text, std::string_view why) {
  constexpr std::size_t kShownBytes = 200;
  // The part before an @ may be a secret, also in an address that a server sends back.
  text.remove_prefix(text.rfind('@') + 1);
  return {Reason::kInvalidField, "'" + std::string(text.substr(0, kShownBytes)) +
                                     "' is not a usable address: " + std::string(why)};
}

bool IsPlain(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

}  // namespace

Result<Url> Url::Parse(std::string_view text) {
  if (text.empty() || text.size() > kUrlBytesMax) return Invalid(text, "its length");
  if (!IsPlain(text)) return Invalid(text, "it holds characters that must be percent-encoded");
  const Handle handle(curl_url());
  const std::string copy(text);
  constexpr unsigned kFlags = CURLU_DISALLOW_USER | CURLU_NON_SUPPORT_SCHEME;
  const CURLUcode code = curl_url_set(handle.get(), CURLUPART_URL, copy.c_str(), kFlags);
  if (code != CURLUE_OK) return Invalid(text, curl_url_strerror(code));
  curl_url_set(handle.get(), CURLUPART_FRAGMENT, nullptr, 0);
  Url url;
  url.scheme_ = Part(handle.get(), CURLUPART_SCHEME).value_or("");
  if (url.scheme_ != "http" && url.scheme_ != "https")
    return Invalid(text, "expected http or https");
  url.host_ = Part(handle.get(), CURLUPART_HOST).value_or("");
  if (url.host_.starts_with('[')) url.host_ = url.host_.substr(1, url.host_.size() - 2);
  std::transform(url.host_.begin(), url.host_.end(), url.host_.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (url.host_.find(':') == std::string::npos) {
    curl_url_set(handle.get(), CURLUPART_HOST, url.host_.c_str(), 0);
  }
  const std::string port = Part(handle.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT).value_or("0");
  std::from_chars(port.data(), port.data() + port.size(), url.port_);
  url.text_ = Part(handle.get(), CURLUPART_URL).value_or("");
  if (url.host_.empty() || url.port_ == 0) return Invalid(text, "host or port is missing");
  return url;
}

Result<Url> Url::Resolve(std::string_view reference) const {
  if (reference.empty() || reference.size() > kUrlBytesMax || !IsPlain(reference)) {
    return Invalid(reference, "it holds characters that must be percent-encoded");
  }
  const Handle handle(curl_url());
  const std::string copy(reference);
  curl_url_set(handle.get(), CURLUPART_URL, text_.c_str(), 0);
  const CURLUcode code =
      curl_url_set(handle.get(), CURLUPART_URL, copy.c_str(), CURLU_NON_SUPPORT_SCHEME);
  if (code != CURLUE_OK) return Invalid(reference, curl_url_strerror(code));
  return Parse(Part(handle.get(), CURLUPART_URL).value_or(""));
}

std::string Url::Origin() const {
  const bool bracketed = host_.find(':') != std::string::npos;
  return scheme_ + "://" + (bracketed ? "[" + host_ + "]" : host_) + ":" + std::to_string(port_);
}

std::string Url::Shown() const { return text_.substr(0, text_.find('?')); }

std::string PercentEncode(std::string_view text, bool keep_slashes) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    const bool alphanumeric =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    const bool unreserved = std::string_view("-._~").find(c) != std::string_view::npos;
    if (alphanumeric || unreserved || (keep_slashes && c == '/')) {
      encoded.push_back(c);
    } else {
      encoded.push_back('%');
      encoded.push_back(kDigits[static_cast<unsigned char>(c) >> 4]);
      encoded.push_back(kDigits[static_cast<unsigned char>(c) & 15]);
    }
  }
  return encoded;
}

}  // namespace axon::fetch
