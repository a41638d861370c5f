// SPDX-License-Identifier: MIT
#include "settings/json_object.h"

#include <simdjson.h>

#include <cstddef>
#include <set>
#include <string>

#include "base/text.h"

namespace mlos::settings {
namespace {

using simdjson::dom::element;

constexpr std::size_t kObjectBytesMax = std::size_t{64} << 10;
constexpr int kObjectDepthMax = 16;

/// What is wrong with `value`, an object or array at `depth` or what is in one; empty for nothing.
std::string FaultOf(const element& value, int depth = 1) {
  simdjson::dom::array items;
  simdjson::dom::object members;
  const bool is_array = value.get(items) == simdjson::SUCCESS;
  const bool is_object = value.get(members) == simdjson::SUCCESS;
  if (!is_array && !is_object) return {};
  if (depth > kObjectDepthMax) {
    return "is nested deeper than " + std::to_string(kObjectDepthMax) + " levels";
  }
  std::string fault;
  if (is_array) {
    for (const element item : items) {
      if (fault = FaultOf(item, depth + 1); !fault.empty()) break;
    }
    return fault;
  }
  std::set<std::string_view> names;
  for (const auto member : members) {
    if (!names.insert(member.key).second) {
      return "has the member '" + Excerpt(member.key) + "' twice";
    }
    if (fault = FaultOf(member.value, depth + 1); !fault.empty()) break;
  }
  return fault;
}

}  // namespace

Status CheckObject(std::string_view name, std::string_view text) {
  std::string fault;
  simdjson::dom::parser parser;
  element root;
  if (text.size() > kObjectBytesMax) {
    fault = "has " + std::to_string(text.size()) + " bytes; at most " +
            std::to_string(kObjectBytesMax) + " are taken";
  } else if (parser.parse(text.data(), text.size()).get(root) != simdjson::SUCCESS ||
             !root.is_object()) {
    fault = "is not a JSON object";
  } else {
    fault = FaultOf(root);
  }
  if (fault.empty()) return OkStatus();
  return Status(Reason::kInvalidField, std::string(name) + " " + fault).WithField(name);
}

}  // namespace mlos::settings
