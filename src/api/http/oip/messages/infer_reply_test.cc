// SPDX-License-Identifier: MIT
#include "api/http/oip/messages/infer_reply.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace mlos::api::http::oip::messages {
namespace {

using tensor::DType;
using tensor::Tensor;

engine::InferenceResponse TwoOutputs() {
  engine::InferenceResponse response;
  Tensor numbers = Tensor::Allocate(DType::kFloat32, {2, 2}).value();
  const float values[] = {1, -0.0F, 0.1F, std::numeric_limits<float>::infinity()};
  std::copy(std::begin(values), std::end(values), numbers.elements<float>().begin());
  tensor::StringTensorBuilder builder;
  builder.Add("a\"b");
  builder.Add("");
  response.outputs.push_back({"y", std::move(numbers)});
  response.outputs.push_back({"s", builder.Build({2, 1}).value()});
  return response;
}

class InferReplyTest : public testing::Test {
 protected:
  wire::Reply Write(const InferRequest& request) {
    engine::InferenceResponse response = TwoOutputs();
    return WriteInferReply(request, "ns/m", "3", response, budget_).value();
  }
  resource::ByteBudget budget_{1 << 20};
};

TEST_F(InferReplyTest, WritesFlatJson) {
  InferRequest request;
  request.id = "a\nb";
  const wire::Reply reply = Write(request);
  EXPECT_EQ(reply.content_type, "application/json");
  EXPECT_FALSE(reply.inference_header_length);
  EXPECT_EQ(reply.body.view(),
            R"({"id":"a\nb","model_name":"ns/m","model_version":"3","outputs":[)"
            R"({"name":"y","datatype":"FP32","shape":[2,2],"data":[1,-0.0,0.1,"Infinity"]},)"
            R"({"name":"s","datatype":"BYTES","shape":[2,1],"data":["a\"b",""]}]})");
}

TEST_F(InferReplyTest, WritesBinaryBehindTheJson) {
  InferRequest request;
  request.binary_outputs = true;
  const wire::Reply reply = Write(request);
  const std::string json =
      R"({"model_name":"ns/m","model_version":"3","outputs":[)"
      R"({"name":"y","datatype":"FP32","shape":[2,2],"parameters":{"binary_data_size":16}},)"
      R"({"name":"s","datatype":"BYTES","shape":[2,1],"parameters":{"binary_data_size":11}}]})";
  EXPECT_EQ(reply.content_type, "application/octet-stream");
  EXPECT_EQ(reply.inference_header_length, json.size());
  EXPECT_EQ(reply.body.view().substr(0, json.size()), json);
  EXPECT_EQ(reply.body.size(), json.size() + 16 + 11);
  EXPECT_EQ(reply.body.view().substr(json.size() + 16),
            std::string_view("\3\0\0\0a\"b\0\0\0\0", 11));
}

TEST_F(InferReplyTest, EachOutputMayBeEither) {
  InferRequest request;
  request.binary_outputs = true;
  request.outputs = {{"y", false}, {"s", std::nullopt}};
  EXPECT_FALSE(request.IsBinary("y"));
  EXPECT_TRUE(request.IsBinary("s"));
  const wire::Reply reply = Write(request);
  EXPECT_EQ(reply.body.size(), *reply.inference_header_length + 11);
}

// The length of the JSON stands in the head, before either of them is written.
TEST_F(InferReplyTest, LargeJsonInFrontOfLargeBytesIsMeasured) {
  engine::InferenceResponse response;
  Tensor numbers = Tensor::Allocate(DType::kInt32, {40'000}).value();
  std::fill_n(static_cast<std::int32_t*>(numbers.data()), 40'000, 7);
  response.outputs.push_back({"y", std::move(numbers)});
  response.outputs.push_back({"z", Tensor::Allocate(DType::kUint8, {100 << 10}).value()});
  InferRequest request;
  request.outputs = {{"y", false}, {"z", true}};
  const wire::Reply reply = WriteInferReply(request, "m", "1", response, budget_).value();
  ASSERT_NE(reply.source, nullptr);
  std::string body;
  for (std::string_view piece = reply.source->Next(); !piece.empty();) {
    body += piece;
    piece = reply.source->Next();
  }
  EXPECT_EQ(body.size(), reply.source->length());
  EXPECT_EQ(body.size(), *reply.inference_header_length + (100 << 10));
  EXPECT_EQ(body.substr(*reply.inference_header_length - 4, 4), "}}]}");
}

TEST_F(InferReplyTest, HoldsToTheBudget) {
  resource::ByteBudget small{20 << 10};
  engine::InferenceResponse response;
  response.outputs.push_back({"y", Tensor::Allocate(DType::kUint8, {100 << 10}).value()});
  InferRequest request;
  request.binary_outputs = true;
  EXPECT_EQ(WriteInferReply(request, "m", "1", response, small).status().reason(),
            Reason::kPayloadTooLarge);
}

}  // namespace
}  // namespace mlos::api::http::oip::messages
