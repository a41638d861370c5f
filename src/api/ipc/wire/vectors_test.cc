// SPDX-License-Identifier: MIT
// The vectors of docs/IPC-PROTOCOL.md, which Core must write, and read to the same values.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <map>
#include <sstream>
#include <string>

#include "api/ipc/wire/frame.h"
#include "api/ipc/wire/inference.h"

namespace mlos::api::ipc::wire {
namespace {

using tensor::DType;
using Vectors = std::map<std::string, std::string>;

std::string Bytes(const std::string& hex) {
  std::istringstream words(hex);
  std::string bytes;
  for (std::string word; words >> word;) {
    bytes += static_cast<char>(std::stoi(word, nullptr, 16));
  }
  return bytes;
}

Vectors ReadPage() {
  std::ifstream page("docs/IPC-PROTOCOL.md");
  Vectors vectors;
  std::string name;
  std::string hex;
  for (std::string line; std::getline(page, line);) {
    if (line.starts_with("```hex ")) {
      name = line.substr(7);
      hex.clear();
    } else if (line == "```" && !name.empty()) {
      vectors[name] = Bytes(hex);
      name.clear();
    } else if (!name.empty()) {
      hex += line + " ";
    }
  }
  return vectors;
}

/// A frame without a body of its own.
ByteBuffer Plain(FrameType type, std::uint64_t id, std::string_view body = {}) {
  ByteBuffer out;
  StartFrame(out, type, id);
  out.Append(body);
  return out;
}

template <typename Write>
ByteBuffer Made(const Write& write) {
  ByteBuffer out;
  write(out);
  return out;
}

/// Puts zeros and the four floats of the page behind the entries.
void AppendFloats(ByteBuffer& out) {
  const float values[] = {1, 2, 3, 4};
  FieldWriter writer(out);
  writer.Zeros(AlignUp(out.size() - kHeaderBytes, kTensorAlignment) + kHeaderBytes - out.size());
  out.Append({reinterpret_cast<const char*>(values), sizeof(values)});
}

TensorEntry Floats(std::string_view name, std::uint32_t region, std::uint64_t offset) {
  return {name, DType::kFloat32, {1, 4}, region, offset, 16};
}

const InferMessage kInfer = {
    .model_id = "demo", .timeout_us = 250000, .inputs = {Floats("x", 0, 128)}};
const InferMessage kInRegions = {
    .model_id = "demo",
    .fit = true,
    .inputs = {Floats("x", 1, 64)},
    .outputs = {{.name = "y", .region_id = 2, .offset = 0, .size_bytes = 4096}}};
const InferMessage kInSequence = {.model_id = "demo",
                                  .sequence_id = "call 7",
                                  .sequence_start = true,
                                  .inputs = {Floats("x", 1, 64)}};
const ResultMessage kResult = {"1", 3, 40, {Floats("y", 0, 128)}};

ByteBuffer MapRegionFrame() {
  return Made([](ByteBuffer& out) {
    StartFrame(out, FrameType::kMapRegion, 4, 1);
    FieldWriter writer(out);
    writer.Write(std::uint32_t{1});
    writer.Write(static_cast<std::uint32_t>(Access::kRead));
  });
}

ByteBuffer WithFloats(const std::function<void(ByteBuffer&)>& write) {
  ByteBuffer out = Made(write);
  AppendFloats(out);
  return out;
}

std::map<std::string, ByteBuffer> Written() {
  std::map<std::string, ByteBuffer> frames;
  frames["hello"] = Made([](ByteBuffer& out) { EncodeHello(out, 1, {}); });
  frames["hello_ok"] = Made([](ByteBuffer& out) {
    EncodeHelloOk(out, 1,
                  {.requests_max = 256,
                   .regions_max = 64,
                   .region_bytes_max = 8ULL << 30,
                   .server_version = "1.0.0"});
  });
  frames["health"] = Plain(FrameType::kHealth, 2);
  frames["get_model"] = Plain(FrameType::kGetModel, 3, "ns/name@1");
  frames["map_region"] = MapRegionFrame();
  frames["region"] = Made([](ByteBuffer& out) { EncodeRegionReply(out, 4, {1, true, 1 << 20}); });
  frames["infer"] = WithFloats([](ByteBuffer& out) { EncodeInfer(out, 5, kInfer); });
  frames["infer_in_regions"] = Made([](ByteBuffer& out) { EncodeInfer(out, 6, kInRegions); });
  frames["infer_in_sequence"] = Made([](ByteBuffer& out) { EncodeInfer(out, 7, kInSequence); });
  frames["result"] = WithFloats([](ByteBuffer& out) { EncodeResult(out, 5, kResult); });
  frames["error"] = Made([](ByteBuffer& out) {
    EncodeError(out, 5, Status(Reason::kDtypeMismatch, "float64, not float32").WithField("x"));
  });
  frames["cancel"] = Plain(FrameType::kCancel, 5);
  frames["attach_ring"] =
      Made([](ByteBuffer& out) { EncodeRingForm(out, FrameType::kAttachRing, 7, {16, 4096}); });
  frames["ring"] =
      Made([](ByteBuffer& out) { EncodeRingForm(out, FrameType::kRing, 7, {16, 4096}); });
  return frames;
}

TEST(VectorsTest, CoreWritesWhatThePageSays) {
  const Vectors page = ReadPage();
  std::map<std::string, ByteBuffer> written = Written();
  ASSERT_EQ(page.size(), written.size());
  for (auto& [name, frame] : written) {
    ASSERT_TRUE(FinishFrame(frame).ok()) << name;
    ASSERT_TRUE(page.contains(name)) << name;
    EXPECT_EQ(frame.view(), page.at(name)) << name;
  }
}

TEST(VectorsTest, HeadersAreRead) {
  for (const auto& [name, bytes] : ReadPage()) {
    const auto header = DecodeHeader(std::string_view(bytes).substr(0, kHeaderBytes));
    ASSERT_TRUE(header.ok()) << name << header.status();
    EXPECT_EQ(header->frame_bytes, bytes.size()) << name;
    EXPECT_EQ(header->descriptors, name == "map_region" || name == "attach_ring" ? 1 : 0) << name;
  }
}

void ExpectFloats(const TensorEntry& entry, std::string_view name, std::uint32_t region,
                  std::uint64_t offset) {
  EXPECT_EQ(entry.name, name);
  EXPECT_EQ(entry.dtype, DType::kFloat32);
  EXPECT_EQ(entry.shape, (tensor::Shape{1, 4}));
  EXPECT_EQ(entry.region_id, region);
  EXPECT_EQ(entry.offset, offset);
  EXPECT_EQ(entry.size_bytes, 16U);
}

class BodiesTest : public testing::Test {
 protected:
  std::string_view Body(const std::string& name) const {
    return std::string_view(page_.at(name)).substr(kHeaderBytes);
  }
  const Vectors page_ = ReadPage();
};

TEST_F(BodiesTest, Inferences) {
  const auto infer = DecodeInfer(Body("infer"));
  ASSERT_TRUE(infer.ok()) << infer.status();
  EXPECT_EQ(infer->model_id, "demo");
  EXPECT_EQ(infer->timeout_us, 250000U);
  EXPECT_FALSE(infer->fit);
  ASSERT_EQ(infer->inputs.size(), 1U);
  EXPECT_TRUE(infer->outputs.empty());
  ExpectFloats(infer->inputs[0], "x", 0, 128);

  const auto placed = DecodeInfer(Body("infer_in_regions"));
  ASSERT_TRUE(placed.ok()) << placed.status();
  EXPECT_TRUE(placed->fit);
  ExpectFloats(placed->inputs.at(0), "x", 1, 64);
  EXPECT_EQ(placed->outputs.at(0).name, "y");
  EXPECT_EQ(placed->outputs.at(0).region_id, 2U);
  EXPECT_EQ(placed->outputs.at(0).size_bytes, 4096U);

  const auto step = DecodeInfer(Body("infer_in_sequence"));
  ASSERT_TRUE(step.ok()) << step.status();
  EXPECT_EQ(step->sequence_id, "call 7");
  EXPECT_TRUE(step->sequence_start);
  EXPECT_FALSE(step->sequence_end);
  ExpectFloats(step->inputs.at(0), "x", 1, 64);

  const auto result = DecodeResult(Body("result"));
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->model_version, "1");
  EXPECT_EQ(result->queue_time_us, 3);
  EXPECT_EQ(result->inference_time_us, 40);
  ExpectFloats(result->outputs.at(0), "y", 0, 128);
}

TEST_F(BodiesTest, Others) {
  EXPECT_TRUE(DecodeHello(Body("hello")).ok());
  const HelloOk hello = DecodeHelloOk(Body("hello_ok")).value();
  EXPECT_EQ(hello.server_version, "1.0.0");
  EXPECT_EQ(hello.region_bytes_max, 8ULL << 30);
  const Error error = DecodeError(Body("error")).value();
  EXPECT_EQ(error.code, static_cast<int>(StatusCode::kInvalidArgument));
  EXPECT_EQ(error.reason, "DTYPE_MISMATCH");
  EXPECT_EQ(error.field, "x");
  EXPECT_EQ(error.message, "float64, not float32");
  const MapRegion map = DecodeMapRegion(Body("map_region")).value();
  EXPECT_EQ(map.region_id, 1U);
  EXPECT_EQ(map.access, Access::kRead);
  const RegionReply region = DecodeRegionReply(Body("region")).value();
  EXPECT_TRUE(region.in_place);
  EXPECT_EQ(region.size_bytes, 1U << 20);
  EXPECT_EQ(DecodeRingForm(Body("attach_ring"))->slot_bytes, 4096U);
}

// Whatever is cut off, the rest is refused, never read beyond.
TEST_F(BodiesTest, CutAnywhere) {
  using Read = std::function<bool(std::string_view)>;
  const std::map<std::string, Read> reads = {
      {"hello", [](auto body) { return DecodeHello(body).ok(); }},
      {"hello_ok", [](auto body) { return DecodeHelloOk(body).ok(); }},
      {"infer", [](auto body) { return DecodeInfer(body).ok(); }},
      {"infer_in_regions", [](auto body) { return DecodeInfer(body).ok(); }},
      {"infer_in_sequence", [](auto body) { return DecodeInfer(body).ok(); }},
      {"result", [](auto body) { return DecodeResult(body).ok(); }},
      {"error", [](auto body) { return DecodeError(body).ok(); }},
      {"map_region", [](auto body) { return DecodeMapRegion(body).ok(); }},
      {"region", [](auto body) { return DecodeRegionReply(body).ok(); }},
      {"attach_ring", [](auto body) { return DecodeRingForm(body).ok(); }},
  };
  for (const auto& [name, read] : reads) {
    const std::string_view body = Body(name);
    EXPECT_TRUE(read(body)) << name;
    for (std::size_t size = 0; size < body.size(); ++size) {
      // A copy of that size, so that a sanitizer sees what is read beyond it.
      const std::string cut(body.substr(0, size));
      EXPECT_FALSE(read(cut)) << name << " " << size;
    }
  }
}

TEST(StringsTest, RoundTrip) {
  tensor::StringTensorBuilder builder;
  const std::string texts[] = {"", "a", std::string("\0b", 2), std::string(300, 'c')};
  for (const std::string& text : texts) builder.Add(text);
  const tensor::Tensor tensor = builder.Build({2, 2}).value();
  std::string bytes(EncodedStringsBytes(tensor), '?');
  EncodeStrings(tensor, bytes.data());
  const auto back = DecodeStrings(bytes, {2, 2}, "x");
  ASSERT_TRUE(back.ok()) << back.status();
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(back->elements<tensor::StringRef>()[i].view(), texts[i]);
  }
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(DecodeStrings(bytes.substr(0, size), {2, 2}, "x").status().field(), "x");
  }
  EXPECT_FALSE(DecodeStrings(bytes, {1, 2}, "x").ok());
  EXPECT_FALSE(DecodeStrings(bytes, {2, 2, 2}, "x").ok());
}

}  // namespace
}  // namespace mlos::api::ipc::wire
