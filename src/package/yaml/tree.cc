// SPDX-License-Identifier: MIT
#include "package/yaml/tree.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <exception>
#include <sstream>
#include <unordered_set>
#include <utility>

#include "base/text.h"

namespace mlos::package::yaml {
namespace {

/// Builds the tree from yaml-cpp's events. Refused input builds nothing: an alias or a tag ends the
/// parse with an exception of the library's own type, which the caller of the library catches.
class TreeBuilder final : public YAML::EventHandler {
 public:
  explicit TreeBuilder(int depth_max) : depth_max_(depth_max) {}

  Node TakeRoot() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (std::exchange(started_, true)) {
      throw YAML::ParserException(mark, "a second document begins here; only one is allowed");
    }
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    RefuseAnchor(mark, anchor);
    Add(mark, Leaf(mark, Node::Kind::kNull));
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    throw YAML::ParserException(mark, "aliases are not allowed");
  }

  void OnAnchor(const YAML::Mark& mark, const std::string&) override {
    throw YAML::ParserException(mark, "anchors are not allowed");
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    RefuseAnchor(mark, anchor);
    RefuseTag(mark, tag);
    if (!std::all_of(value.begin(), value.end(), IsTextByte)) {
      throw YAML::ParserException(mark, "control characters are not allowed");
    }
    if (AwaitsKey()) return AddKey(mark, tag, value);
    Node node = Leaf(mark, Node::Kind::kScalar);
    node.text = value;
    node.quoted = tag == "!";
    Add(mark, std::move(node));
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value style) override {
    Open(mark, tag, anchor, style, Node::Kind::kSequence);
  }
  void OnSequenceEnd() override { Close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override {
    Open(mark, tag, anchor, style, Node::Kind::kMap);
  }
  void OnMapEnd() override { Close(); }

 private:
  /// A collection whose end has not come yet.
  struct OpenNode {
    Node node;
    std::unordered_set<std::string> keys;
  };

  static bool IsTextByte(char c) {
    return static_cast<unsigned char>(c) >= 0x20 ? c != 0x7f : c == '\n' || c == '\t' || c == '\r';
  }

  static Node Leaf(const YAML::Mark& mark, Node::Kind kind) {
    Node node;
    node.kind = kind;
    node.line = mark.line + 1;
    return node;
  }

  static void RefuseAnchor(const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (anchor != 0) throw YAML::ParserException(mark, "anchors are not allowed");
  }

  /// yaml-cpp says "?" of a plain node and "!" of a quoted one.
  static void RefuseTag(const YAML::Mark& mark, const std::string& tag) {
    if (tag.empty() || tag == "?" || tag == "!") return;
    throw YAML::ParserException(mark, "tags are not allowed");
  }

  bool AwaitsKey() const {
    if (open_.empty() || !open_.back().node.IsMap()) return false;
    return open_.back().node.keys.size() == open_.back().node.items.size();
  }

  void AddKey(const YAML::Mark& mark, const std::string& tag, const std::string& key) {
    if (key == "<<" && tag != "!") throw YAML::ParserException(mark, "merge keys are not allowed");
    if (!open_.back().keys.insert(key).second) {
      throw YAML::ParserException(mark, "the key '" + Excerpt(key) + "' is there twice");
    }
    open_.back().node.keys.push_back(key);
  }

  void Open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
            YAML::EmitterStyle::value style, Node::Kind kind) {
    RefuseAnchor(mark, anchor);
    RefuseTag(mark, tag);
    if (open_.size() >= static_cast<std::size_t>(depth_max_)) {
      throw YAML::ParserException(mark, "nested more than " + std::to_string(depth_max_) + " deep");
    }
    if (AwaitsKey()) throw YAML::ParserException(mark, "a key must be a plain word or a string");
    Node node = Leaf(mark, kind);
    node.flow = style == YAML::EmitterStyle::Flow;
    open_.push_back({std::move(node), {}});
  }

  void Close() {
    Node node = std::move(open_.back().node);
    open_.pop_back();
    Add(YAML::Mark::null_mark(), std::move(node));
  }

  void Add(const YAML::Mark& mark, Node node) {
    if (AwaitsKey()) throw YAML::ParserException(mark, "a key is missing");
    (open_.empty() ? root_ : open_.back().node.items.emplace_back()) = std::move(node);
  }

  const int depth_max_;
  bool started_ = false;
  Node root_;
  std::vector<OpenNode> open_;
};

/// yaml-cpp also reads UTF-16 and UTF-32; a manifest is UTF-8, which has no NUL in it.
Status CheckText(std::string_view text, const Limits& limits) {
  if (text.size() > limits.bytes_max) {
    return {limits.reason, "the document has " + std::to_string(text.size()) + " bytes; at most " +
                               std::to_string(limits.bytes_max) + " are read"};
  }
  if (text.find('\0') != std::string_view::npos || !IsValidUtf8(text)) {
    return {limits.reason, "the document is not UTF-8 text"};
  }
  return OkStatus();
}

}  // namespace

Result<Node> Parse(std::string_view text, const Limits& limits) {
  MLOS_TRY(CheckText(text, limits));
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    TreeBuilder builder(limits.depth_max);
    while (parser.HandleNextDocument(builder)) {
    }
    return builder.TakeRoot();
  } catch (const YAML::Exception& e) {
    return Status(limits.reason,
                  "line " + std::to_string(e.mark.line + 1) + ": " + Excerpt(e.msg, 200));
  } catch (const std::exception&) {
    return Status(limits.reason, "the document is not YAML");
  }
}

}  // namespace mlos::package::yaml
