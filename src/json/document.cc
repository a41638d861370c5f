// SPDX-License-Identifier: MIT
#include "json/document.h"

#include <set>

#include "json/json_error.h"

namespace mlos::json {
namespace {

Status WrongType(std::string_view name, std::string_view wanted) {
  return Status(Reason::kInvalidField, std::string(name) + " is not " + std::string(wanted))
      .WithField(name);
}

}  // namespace

Result<Document> Document::Parse(const net::ByteBuffer& body) {
  if (body.empty()) return JsonError(simdjson::EMPTY);
  Document document;
  if (const auto error = document.parser_->allocate(body.size(), kDepthMax)) {
    return JsonError(error);
  }
  simdjson::dom::element root;
  if (const auto error = document.parser_->parse(body.data(), body.size(), false).get(root)) {
    return JsonError(error);
  }
  if (root.get(document.object_) != simdjson::SUCCESS) {
    return Status(Reason::kMalformedJson, "the body is not a JSON object");
  }
  std::set<std::string_view> names;
  for (const auto member : document.object_) {
    if (names.insert(member.key).second) continue;
    return Status(Reason::kInvalidField, "the member " + Quote(member.key) + " is there twice")
        .WithField(member.key);
  }
  return document;
}

std::optional<simdjson::dom::element> Document::Find(std::string_view name) const {
  simdjson::dom::element found;
  if (object_[name].get(found) != simdjson::SUCCESS || found.is_null()) return std::nullopt;
  return found;
}

Result<std::string> Document::Text(std::string_view name) const {
  const auto found = Find(name);
  if (!found) return std::string();
  std::string_view text;
  if (found->get(text) != simdjson::SUCCESS) return WrongType(name, "a string");
  return std::string(text);
}

Result<bool> Document::Flag(std::string_view name, bool otherwise) const {
  const auto found = Find(name);
  if (!found) return otherwise;
  bool flag = false;
  if (found->get(flag) != simdjson::SUCCESS) return WrongType(name, "true or false");
  return flag;
}

Result<std::vector<std::string>> Document::MemberNames(std::string_view name) const {
  std::vector<std::string> names;
  const auto found = Find(name);
  if (!found) return names;
  simdjson::dom::object object;
  if (found->get(object) != simdjson::SUCCESS) return WrongType(name, "an object");
  for (const auto member : object) names.emplace_back(member.key);
  return names;
}

Result<std::string> Document::Object(std::string_view name) const {
  const auto found = Find(name);
  if (!found) return std::string();
  if (!found->is_object()) return WrongType(name, "an object");
  return simdjson::minify(*found);
}

}  // namespace mlos::json
