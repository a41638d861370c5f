// SPDX-License-Identifier: MIT
#include "package/yaml/fields.h"

#include <charconv>
#include <cmath>

#include "base/text.h"
#include "package/yaml/json.h"

namespace mlos::package::yaml {
namespace {

/// "ExecutionFormat" and "execution_format" both become "executionformat".
std::string Fold(std::string_view key) {
  std::string folded;
  for (const char c : key) {
    if (c != '_') folded.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
  }
  return folded;
}

template <typename T>
std::optional<T> ParseNumber(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<std::int64_t> ParseInteger(const Node& node, std::int64_t min, std::int64_t max) {
  const auto value = ParseNumber<std::int64_t>(node.text);
  return value && *value >= min && *value <= max ? value : std::nullopt;
}

std::optional<double> ParseFinite(const Node& node, double min, double max) {
  const auto value = ParseNumber<double>(node.text);
  return value && std::isfinite(*value) && *value >= min && *value <= max ? value : std::nullopt;
}

std::string Wanted(std::string_view what, const Node& node) {
  return "expected " + std::string(what) + ", got '" + Excerpt(node.text) + "'";
}

std::string WholeNumber(std::int64_t min, std::int64_t max) {
  return "a whole number from " + std::to_string(min) + " to " + std::to_string(max);
}

std::string At(int line, std::string_view field, std::string_view problem) {
  std::string text = "line " + std::to_string(line) + ": ";
  if (!field.empty()) text.append(field).append(": ");
  return text.append(problem);
}

}  // namespace

void Reading::Fail(int line, std::string_view field, std::string_view problem) {
  if (error_.ok()) error_ = Status(style_.reason, At(line, field, problem)).WithField(field);
}

void Reading::Warn(int line, std::string_view field, std::string_view problem) {
  constexpr std::size_t kWarningsMax = 100;
  if (warnings_.size() < kWarningsMax) warnings_.push_back(At(line, field, problem));
}

Fields::Fields(Reading& reading, const Node& node, std::string path)
    : reading_(reading), node_(node), path_(std::move(path)), known_(node.keys.size()) {
  if (node.IsMap() || node.kind == Node::Kind::kNull) return;
  reading_.Fail(node.line, path_, "expected a map of fields");
}

std::string Fields::PathOf(std::string_view key) const {
  return path_.empty() ? std::string(key) : path_ + "." + std::string(key);
}

const Node* Fields::Find(std::string_view key) {
  const bool fold = reading_.style().fold_keys;
  const std::string wanted = fold ? Fold(key) : std::string(key);
  const Node* found = nullptr;
  for (std::size_t i = 0; i < node_.keys.size(); ++i) {
    if ((fold ? Fold(node_.keys[i]) : node_.keys[i]) != wanted) continue;
    if (found != nullptr) reading_.Fail(node_.items[i].line, PathOf(key), "is there twice");
    known_[i] = true;
    found = &node_.items[i];
  }
  return found == nullptr || found->kind == Node::Kind::kNull ? nullptr : found;
}

bool Fields::ScalarFits(const Node& node, const std::string& path, std::size_t bytes_max) {
  if (node.kind != Node::Kind::kScalar) {
    reading_.Fail(node.line, path, "expected one value");
    return false;
  }
  if (node.text.size() <= bytes_max) return true;
  reading_.Fail(node.line, path, "longer than " + std::to_string(bytes_max) + " bytes");
  return false;
}

const Node* Fields::FindScalar(std::string_view key) {
  const Node* node = Find(key);
  return node != nullptr && ScalarFits(*node, PathOf(key), kStringBytesMax) ? node : nullptr;
}

const Node* Fields::FindSequence(std::string_view key) {
  const Node* node = Find(key);
  if (node == nullptr) return nullptr;
  if (node->kind != Node::Kind::kSequence) {
    reading_.Fail(node->line, PathOf(key), "expected a list");
    return nullptr;
  }
  if (node->items.size() <= kItemsMax) return node;
  reading_.Fail(node->line, PathOf(key), "more than " + std::to_string(kItemsMax) + " elements");
  return nullptr;
}

std::string Fields::String(std::string_view key, std::size_t bytes_max) {
  const Node* node = Find(key);
  return node != nullptr && ScalarFits(*node, PathOf(key), bytes_max) ? node->text : std::string();
}

std::string Fields::RequiredString(std::string_view key) {
  std::string text = String(key);
  if (text.empty()) Fail(key, "is missing");
  return text;
}

std::optional<std::int64_t> Fields::OptionalInteger(std::string_view key, std::int64_t min,
                                                    std::int64_t max) {
  const Node* node = FindScalar(key);
  if (node == nullptr) return std::nullopt;
  const auto value = ParseInteger(*node, min, max);
  if (!value) Fail(key, Wanted(WholeNumber(min, max), *node));
  return value;
}

std::int64_t Fields::Integer(std::string_view key, std::int64_t min, std::int64_t max) {
  return OptionalInteger(key, min, max).value_or(0);
}

double Fields::Number(std::string_view key, double min, double max) {
  const Node* node = FindScalar(key);
  if (node == nullptr) return 0;
  const auto value = ParseFinite(*node, min, max);
  if (!value) Fail(key, Wanted("a number within bounds", *node));
  return value.value_or(0);
}

bool Fields::Bool(std::string_view key) {
  const Node* node = FindScalar(key);
  if (node == nullptr) return false;
  const bool truth = node->text == "true" || node->text == "True";
  if (!truth && node->text != "false" && node->text != "False") {
    Fail(key, Wanted("true or false", *node));
  }
  return truth;
}

std::vector<std::string> Fields::Strings(std::string_view key) {
  std::vector<std::string> strings;
  const Node* list = FindSequence(key);
  if (list == nullptr) return strings;
  for (const Node& item : list->items) {
    if (ScalarFits(item, PathOf(key), kStringBytesMax)) strings.push_back(item.text);
  }
  return strings;
}

std::optional<std::vector<std::int64_t>> Fields::Integers(std::string_view key, std::int64_t min,
                                                          std::int64_t max) {
  const Node* list = FindSequence(key);
  if (list == nullptr) return std::nullopt;
  std::vector<std::int64_t> numbers;
  for (const Node& item : list->items) {
    const auto value = ParseInteger(item, min, max);
    if (!value) reading_.Fail(item.line, PathOf(key), Wanted(WholeNumber(min, max), item));
    numbers.push_back(value.value_or(0));
  }
  return numbers;
}

std::vector<double> Fields::Numbers(std::string_view key) {
  constexpr double kMagnitudeMax = 1e300;
  std::vector<double> numbers;
  const Node* list = FindSequence(key);
  if (list == nullptr) return numbers;
  for (const Node& item : list->items) {
    const auto value = ParseFinite(item, -kMagnitudeMax, kMagnitudeMax);
    if (!value) reading_.Fail(item.line, PathOf(key), Wanted("a finite number", item));
    numbers.push_back(value.value_or(0));
  }
  return numbers;
}

std::map<std::string, std::string> Fields::StringMap(std::string_view key) {
  std::map<std::string, std::string> texts;
  const Node* node = Find(key);
  if (node == nullptr) return texts;
  const std::string path = PathOf(key);
  if (!node->IsMap() || node->items.size() > kItemsMax) {
    reading_.Fail(node->line, path, "expected a map of values");
    return texts;
  }
  for (std::size_t i = 0; i < node->items.size(); ++i) {
    const Node& item = node->items[i];
    const std::string name = path + "." + Excerpt(node->keys[i]);
    if (item.kind == Node::Kind::kNull) continue;
    if (ScalarFits(item, name, kStringBytesMax)) texts.emplace(node->keys[i], item.text);
  }
  return texts;
}

std::string Fields::Object(std::string_view key) {
  const Node* node = Find(key);
  if (node == nullptr) return {};
  if (node->IsMap()) return ToJson(*node);
  reading_.Fail(node->line, PathOf(key), "expected a map of fields");
  return {};
}

bool Fields::Map(std::string_view key, const Each& read) {
  const Node* node = Find(key);
  if (node == nullptr) return false;
  Fields fields(reading_, *node, PathOf(key));
  read(fields);
  fields.Finish();
  return true;
}

void Fields::Sequence(std::string_view key, const Each& read,
                      const std::function<void(const std::string&)>& bare) {
  const Node* list = FindSequence(key);
  if (list == nullptr) return;
  for (std::size_t i = 0; i < list->items.size() && reading_.ok(); ++i) {
    const Node& item = list->items[i];
    const std::string path = PathOf(key) + "[" + std::to_string(i) + "]";
    if (bare && item.kind == Node::Kind::kScalar) {
      if (ScalarFits(item, path, kStringBytesMax)) bare(item.text);
      continue;
    }
    Fields fields(reading_, item, path);
    read(fields);
    fields.Finish();
  }
}

void Fields::Fail(std::string_view key, std::string_view problem) {
  const Node* node = Find(key);
  reading_.Fail(node == nullptr ? node_.line : node->line, PathOf(key), problem);
}

void Fields::Finish() {
  for (std::size_t i = 0; i < known_.size(); ++i) {
    if (known_[i]) continue;
    const std::string path = PathOf(Excerpt(node_.keys[i]));
    if (reading_.style().strict) {
      reading_.Fail(node_.items[i].line, path, "is not a known field");
    } else {
      reading_.Warn(node_.items[i].line, path, "is not a known field");
    }
  }
}

}  // namespace mlos::package::yaml
