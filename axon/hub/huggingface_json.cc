// SPDX-License-Identifier: MIT
#include "axon/hub/huggingface_json.h"

#include <simdjson.h>

#include <algorithm>

#include "base/files.h"

namespace axon::hub {
namespace {

using fetch::ExpectedContent;
using mlos::Reason;
using mlos::Result;
using mlos::Status;
using simdjson::SUCCESS;
using simdjson::dom::element;

constexpr std::size_t kDepthMax = 64;
constexpr std::size_t kTextBytesMax = 4096;
constexpr std::size_t kTagsMax = 200;

Status Malformed(std::string_view what) {
  return {Reason::kMalformedJson, "the hub's answer is not as documented: " + std::string(what)};
}

/// A parsed document and the memory it lies in.
struct Document {
  simdjson::dom::parser parser;
  element root;
};

Status ParseInto(std::string_view json, Document& document) {
  if (document.parser.allocate(json.size() + 1, kDepthMax) != SUCCESS) {
    return Malformed("it is too large");
  }
  const simdjson::error_code error =
      document.parser.parse(json.data(), json.size()).get(document.root);
  return error == SUCCESS ? mlos::OkStatus() : Malformed(simdjson::error_message(error));
}

/// A text field; empty if it is absent or something else.
std::string TextOf(element object, std::string_view key) {
  std::string_view text;
  if (object[key].get(text) != SUCCESS || text.size() > kTextBytesMax) return {};
  return std::string(text);
}

bool IsHex(std::string_view text, std::size_t digits) {
  return text.size() == digits && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

bool IsGated(element object) {
  element gated;
  if (object["gated"].get(gated) != SUCCESS) return false;
  bool truth = false;
  return gated.is_string() || (gated.get(truth) == SUCCESS && truth);
}

void ReadTags(element object, RemoteModel& model) {
  simdjson::dom::array tags;
  if (object["tags"].get(tags) != SUCCESS) return;
  for (const element tag : tags) {
    std::string_view text;
    if (tag.get(text) != SUCCESS || text.size() > kTextBytesMax) continue;
    if (model.tags.size() == kTagsMax) return;
    model.tags.emplace_back(text);
  }
}

/// The licence is in the card, and in a tag if the card is not shown.
std::string LicenseOf(element object, const RemoteModel& model) {
  constexpr std::string_view kPrefix = "license:";
  element card;
  if (object["cardData"].get(card) == SUCCESS && card.is_object()) {
    const std::string license = TextOf(card, "license");
    if (!license.empty()) return license;
  }
  for (const std::string& tag : model.tags) {
    if (tag.starts_with(kPrefix)) return tag.substr(kPrefix.size());
  }
  return {};
}

Result<ExpectedContent> ContentOf(element entry) {
  ExpectedContent content;
  element lfs;
  const bool is_lfs = entry["lfs"].get(lfs) == SUCCESS && lfs.is_object();
  const element& holder = is_lfs ? lfs : entry;
  content.kind = is_lfs ? ExpectedContent::Kind::kSha256 : ExpectedContent::Kind::kGitBlobSha1;
  content.hex = TextOf(holder, "oid");
  if (!IsHex(content.hex, is_lfs ? 64 : 40)) return Malformed("a file has no digest");
  if (holder["size"].get(content.size_bytes) != SUCCESS) return Malformed("a file has no size");
  if (content.size_bytes > std::uint64_t{1} << 50) return Malformed("a file's size is absurd");
  return content;
}

}  // namespace

Result<RemoteModel> ParseModelInfo(std::string_view json) {
  Document document;
  MLOS_TRY(ParseInto(json, document));
  if (!document.root.is_object()) return Malformed("expected an object");
  RemoteModel model;
  model.hub = "huggingface";
  model.repository = TextOf(document.root, "id");
  model.commit = TextOf(document.root, "sha");
  if (!IsHex(model.commit, 40)) return Malformed("'sha' is not a commit");
  const mlos::Result<mlos::ModelId> id = mlos::ModelId::Parse("hf/" + model.repository);
  if (!id.ok()) return Malformed("'id' is not a repository");
  model.library = TextOf(document.root, "library_name");
  model.gated = IsGated(document.root);
  ReadTags(document.root, model);
  model.license = LicenseOf(document.root, model);
  const std::string task = TextOf(document.root, "pipeline_tag");
  model.description = "Model of Hugging Face: " + model.repository;
  if (!task.empty() && task != "other") model.description += ", " + task;
  return model;
}

Status ParseTreePage(std::string_view json, std::vector<RemoteFile>& files) {
  Document document;
  MLOS_TRY(ParseInto(json, document));
  simdjson::dom::array entries;
  if (document.root.get(entries) != SUCCESS) return Malformed("expected a list of files");
  for (const element entry : entries) {
    if (!entry.is_object()) return Malformed("a file is not an object");
    if (TextOf(entry, "type") != "file") continue;
    RemoteFile file{.path = TextOf(entry, "path")};
    if (!mlos::IsSafeRelativePath(file.path)) {
      return {Reason::kUnsafePath, "the repository lists a file with the unsafe name '" +
                                       file.path.substr(0, 200) + "'"};
    }
    file.content = MLOS_TRY(ContentOf(entry));
    files.push_back(std::move(file));
  }
  return mlos::OkStatus();
}

std::string_view NextLink(std::string_view header) {
  while (true) {
    const std::size_t open = header.find('<');
    const std::size_t close = header.find('>', open == std::string_view::npos ? 0 : open);
    if (open == std::string_view::npos || close == std::string_view::npos) return {};
    const std::string_view target = header.substr(open + 1, close - open - 1);
    header.remove_prefix(close + 1);
    const std::string_view parameters = header.substr(0, header.find('<'));
    if (parameters.find("rel=\"next\"") != std::string_view::npos) return target;
  }
}

}  // namespace axon::hub
