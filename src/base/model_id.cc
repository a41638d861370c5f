// SPDX-License-Identifier: MIT
#include "base/model_id.h"

#include <algorithm>

#include "base/text.h"

namespace mlos {
namespace {

bool IsAlphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/// `text` is named as the caller gave it, unless it is empty.
Status Invalid(std::string_view text, std::string_view why) {
  const std::string shown = text.empty() ? std::string() : "'" + Excerpt(text) + "' ";
  return Status(Reason::kInvalidModelId,
                "the model id " + shown + std::string(why) +
                    "; a model id is namespace/name[@version] of segments that start with a letter "
                    "or digit and go on with letters, digits, '.', '_' or '-'")
      .WithField("model_id");
}

}  // namespace

bool IsModelIdSegment(std::string_view segment) {
  if (segment.empty() || segment.size() > kModelIdSegmentBytesMax) return false;
  if (!IsAlphanumeric(segment.front())) return false;
  return std::all_of(segment.begin(), segment.end(),
                     [](char c) { return IsAlphanumeric(c) || c == '.' || c == '_' || c == '-'; });
}

Result<ModelId> ModelId::Parse(std::string_view text) {
  if (text.empty()) return Invalid(text, "is empty");
  if (text.size() > kModelIdBytesMax) return Invalid(text, "is longer than 512 bytes");
  const std::size_t at = text.find('@');
  if (at != std::string_view::npos && !IsModelIdSegment(text.substr(at + 1))) {
    return Invalid(text, "has a version after '@' that is not a valid segment");
  }
  std::string_view path = text.substr(0, at);
  while (true) {
    const std::size_t slash = path.find('/');
    if (!IsModelIdSegment(path.substr(0, slash)))
      return Invalid(text, "has a segment that is not valid");
    if (slash == std::string_view::npos) return ModelId(text);
    path.remove_prefix(slash + 1);
  }
}

std::string_view ModelId::name_space() const {
  const std::string_view path = std::string_view(text_).substr(0, text_.find('@'));
  const std::size_t slash = path.find('/');
  return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
}

std::string_view ModelId::name() const {
  const std::string_view path = std::string_view(text_).substr(0, text_.find('@'));
  const std::size_t slash = path.find('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

std::string_view ModelId::version() const {
  const std::size_t at = text_.find('@');
  return at == std::string::npos ? std::string_view() : std::string_view(text_).substr(at + 1);
}

}  // namespace mlos
