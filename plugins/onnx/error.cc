// SPDX-License-Identifier: MIT
#include "onnx/error.h"

#include <algorithm>
#include <array>

namespace mlos::onnx {
namespace {

constexpr std::string_view kBlanks = " \n";

// ONNX Runtime has no error code for memory: its arena and std::bad_alloc say it in words.
constexpr std::array<std::string_view, 4> kMemoryTexts = {
    "Available memory of", "Failed to allocate memory", "bad_alloc", "Allocation of"};
// Nor one for graphs of a future ONNX, which are INVALID_GRAPH or FAIL.
constexpr std::array<std::string_view, 6> kUnsupportedTexts = {
    "nsupported model IR version",
    "is under development",
    "Could not find an implementation",
    "is not a registered function/op",
    "No Op registered for",
    "is not currently registered or supported"};

template <std::size_t N>
bool ContainsAny(std::string_view text, const std::array<std::string_view, N>& parts) {
  return std::any_of(parts.begin(), parts.end(),
                     [&](std::string_view part) { return text.find(part) != text.npos; });
}

// The end of a "name.cc:123 " or "name.h:45 " that contains the colon at `colon`, or npos.
std::size_t LocationEnd(std::string_view text, std::size_t colon) {
  const std::string_view before = text.substr(0, colon);
  if (!before.ends_with(".cc") && !before.ends_with(".h") && !before.ends_with(".cpp") &&
      !before.ends_with(".hpp") && !before.ends_with(".inl")) {
    return text.npos;
  }
  const std::size_t end = text.find_first_not_of("0123456789", colon + 1);
  return end == colon + 1 || end == text.npos || text[end] != ' ' ? text.npos : end + 1;
}

// The end of the C++ signature that `text` begins with: its parameter list is the last balanced
// pair of parentheses before a blank, "const" and "[with T = …]" may follow. 0 where there is none.
std::size_t SignatureEnd(std::string_view text) {
  int depth = 0;
  std::size_t end = 0;
  for (std::size_t i = 0; i < text.size() && end == 0; ++i) {
    if (text[i] == '(') ++depth;
    if (text[i] == ')' && --depth < 0) return 0;
    const bool closes = text[i] == ')' && depth == 0;
    if (closes && (i + 1 == text.size() || text[i + 1] == ' ')) end = i + 1;
  }
  if (end == 0) return 0;
  for (const std::string_view word : {std::string_view(" const"), std::string_view(" noexcept")}) {
    if (text.substr(end).starts_with(word)) end += word.size();
  }
  if (text.substr(end).starts_with(" [")) {
    const std::size_t close = text.find(']', end);
    if (close != text.npos) end = close + 1;
  }
  return end;
}

// What to skip at the start of `text`, which follows a location: the signature, a broken condition
// ("a == b was false.") and blanks.
std::size_t NoiseEnd(std::string_view text) {
  constexpr std::string_view kCondition = " was false.";
  std::size_t end = SignatureEnd(text);
  const std::size_t condition = text.find(kCondition, end);
  if (condition != text.npos && text.find(".cc:", end) > condition &&
      text.find_first_not_of(" \n", condition + kCondition.size()) != text.npos) {
    end = condition + kCondition.size();
  }
  return std::min(text.find_first_not_of(' ', end), text.size());
}

// Without "…/file.cc:12 ReturnType Class::Function(Parameters) ".
std::string WithoutLocations(std::string_view text) {
  std::string result;
  std::size_t from = 0;
  for (std::size_t colon = text.find(':'); colon != text.npos; colon = text.find(':', from)) {
    const std::size_t location_end = LocationEnd(text, colon);
    const std::string_view before = text.substr(from, colon + 1 - from);
    if (location_end == text.npos) {
      result += before;
      from = colon + 1;
      continue;
    }
    // The file's name may follow another word without a blank: "failed:/src/model.cc:180".
    result += before.substr(0, before.find_last_of(" '\"\n(") + 1);
    from = location_end + NoiseEnd(text.substr(location_end));
  }
  result += text.substr(from);
  return result;
}

// Without ": 2 : INVALID_ARGUMENT : ", which ONNX Runtime puts before a message that it passes on.
std::string WithoutCodes(std::string text) {
  for (std::size_t at = text.find(": "); at != text.npos; at = text.find(": ", at + 1)) {
    const std::size_t digits_end = text.find_first_not_of("0123456789", at + 2);
    if (digits_end == at + 2 || text.compare(digits_end, 3, " : ") != 0) continue;
    const std::size_t word_end =
        text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ_", digits_end + 3);
    if (word_end == digits_end + 3 || text.compare(word_end, 3, " : ") != 0) continue;
    text.erase(at, word_end + 3 - at);
  }
  return text;
}

// What lies between `open` and `close` in `text`, from `*at`, which moves behind it; false if
// absent.
bool Between(std::string_view text, std::string_view open, std::string_view close, std::size_t* at,
             std::string_view* found) {
  const std::size_t start = text.find(open, *at);
  if (start == text.npos) return false;
  const std::size_t end = text.find(close, start + open.size());
  if (end == text.npos) return false;
  *found = text.substr(start + open.size(), end - start - open.size());
  *at = end + close.size();
  return true;
}

std::string WithNodeFirst(const std::string& text) {
  std::size_t at = 0;
  std::string_view op;
  std::string_view name;
  if (!Between(text, "returned while running ", " node.", &at, &op) ||
      !Between(text, "Name:'", "' Status Message: ", &at, &name)) {
    return text;
  }
  std::string result = "node " + std::string(op);
  if (!name.empty()) result += " \"" + std::string(name) + "\"";
  return result + ": " + text.substr(std::min(text.find_first_not_of(' ', at), text.size()));
}

/// The locale that StringNormalizer could not have; empty if `what` tells of something else.
std::string_view MissingLocale(std::string_view what) {
  std::size_t at = 0;
  std::string_view name;
  return Between(what, "Failed to construct locale with name:", ":", &at, &name) ? name : "";
}

}  // namespace

std::string CleanMessage(std::string_view message) {
  const std::string text = WithoutCodes(WithNodeFirst(WithoutLocations(message)));
  const std::size_t start = text.find_first_not_of(kBlanks);
  return start == text.npos ? "" : text.substr(start, text.find_last_not_of(kBlanks) + 1 - start);
}

Error LoadError(const Ort::Exception& exception) {
  const std::string_view what = exception.what();
  if (const std::string locale(MissingLocale(what)); !locale.empty()) {
    return {SMI_ERROR_UNSUPPORTED,
            "the locale " + locale +
                " is missing on this machine; StringNormalizer needs it. Install it (on Debian: "
                "the package locales, then locale-gen) and register the model again"};
  }
  smi_status_t status = SMI_ERROR_INVALID_MODEL;
  if (ContainsAny(what, kMemoryTexts)) {
    status = SMI_ERROR_OUT_OF_MEMORY;
  } else if (exception.GetOrtErrorCode() == ORT_NOT_IMPLEMENTED ||
             ContainsAny(what, kUnsupportedTexts)) {
    status = SMI_ERROR_UNSUPPORTED;
  } else if (exception.GetOrtErrorCode() == ORT_NO_SUCHFILE) {
    status = SMI_ERROR_NOT_FOUND;
  }
  return {status, CleanMessage(what)};
}

Error RunError(const Ort::Exception& exception) {
  const std::string_view what = exception.what();
  if (ContainsAny(what, kMemoryTexts)) {
    return {SMI_ERROR_OUT_OF_MEMORY, "the model needs more memory than it is granted"};
  }
  const bool unsupported = exception.GetOrtErrorCode() == ORT_NOT_IMPLEMENTED;
  return {unsupported ? SMI_ERROR_UNSUPPORTED : SMI_ERROR_INVALID_PARAM, CleanMessage(what)};
}

}  // namespace mlos::onnx
