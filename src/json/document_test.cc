// SPDX-License-Identifier: MIT
#include "json/document.h"

#include <gtest/gtest.h>

#include "json/json_writer.h"
#include "net/byte_buffer.h"

namespace mlos::json {
namespace {

Result<Document> Parse(std::string_view text) {
  net::ByteBuffer body;
  body.Append(text);
  body.Pad(net::kBodyPaddingBytes);
  return Document::Parse(body);
}

TEST(DocumentTest, GivesMembersByName) {
  const Document document =
      Parse(R"({"id": "a\u00e9", "none": null, "on": true, "config": { "b": [1, 2] }, "new": 1})")
          .value();
  EXPECT_EQ(document.Text("id").value(), "aé");
  EXPECT_EQ(document.Text("none").value(), "");
  EXPECT_EQ(document.Text("missing").value(), "");
  EXPECT_TRUE(document.Flag("on", false).value());
  EXPECT_TRUE(document.Flag("missing", true).value());
  EXPECT_EQ(document.Object("config").value(), R"({"b":[1,2]})");
  EXPECT_EQ(document.Object("missing").value(), "");
}

TEST(DocumentTest, NamesTheMemberOfAnotherType) {
  const Document document = Parse(R"({"id": 1, "on": "yes", "config": []})").value();
  EXPECT_EQ(document.Text("id").status().field(), "id");
  EXPECT_EQ(document.Flag("on", false).status().field(), "on");
  EXPECT_EQ(document.Object("config").status().reason(), Reason::kInvalidField);
}

TEST(DocumentTest, RefusesWhatIsNoObject) {
  const std::string deep(500'000, '[');
  const struct {
    std::string text;
    Reason reason;
  } cases[] = {
      {"", Reason::kMalformedJson},
      {"[]", Reason::kMalformedJson},
      {"1", Reason::kMalformedJson},
      {"{", Reason::kMalformedJson},
      {"{} {}", Reason::kMalformedJson},
      {"{\"a\": 01}", Reason::kMalformedJson},
      {"{\"ignored\": [1 2]}", Reason::kMalformedJson},
      {"{\"a\": \"\xff\"}", Reason::kMalformedJson},
      {"{\"a\": 1, \"a\": 1}", Reason::kInvalidField},
      {"{\"ignored\": " + deep + std::string(500'000, ']') + "}", Reason::kNestingTooDeep},
  };
  for (const auto& c : cases) {
    const auto parsed = Parse(c.text);
    ASSERT_FALSE(parsed.ok()) << c.text.substr(0, 40);
    EXPECT_EQ(parsed.status().reason(), c.reason) << parsed.status();
  }
}

TEST(JsonWriterTest, WritesDocuments) {
  net::ByteBuffer out;
  JsonWriter writer(out);
  writer.StartObject();
  writer.Text("a", "\"b\"");
  writer.Integer("n", -1);
  writer.Number("none", 1.0 / 0.0);
  writer.Key("raw");
  writer.StartRaw().Append("[1,2]");
  writer.Key("list");
  writer.StartArray();
  writer.Text("x");
  writer.Count(2);
  writer.EndArray();
  writer.Flag("last", true);
  writer.EndObject();
  EXPECT_EQ(out.view(),
            R"({"a":"\"b\"","n":-1,"none":null,"raw":[1,2],"list":["x",2],"last":true})");
}

}  // namespace
}  // namespace mlos::json
