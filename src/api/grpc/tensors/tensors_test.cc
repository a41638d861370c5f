// SPDX-License-Identifier: MIT
// Tensors of messages, in every dtype and both ways to write them.
#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "api/grpc/tensors/mlos_reader.h"
#include "api/grpc/tensors/mlos_writer.h"
#include "api/grpc/tensors/oip_reader.h"
#include "api/grpc/tensors/oip_writer.h"
#include "api/grpc/tensors/wire.h"
#include "api/oip/datatype.h"
#include "tensor/raw_bytes.h"

namespace mlos::api::grpc::tensors {
namespace {

using inference::ModelInferRequest;
using tensor::DType;

constexpr DType kDTypes[] = {
    DType::kBool,    DType::kUint8,   DType::kUint16,   DType::kUint32, DType::kUint64,
    DType::kInt8,    DType::kInt16,   DType::kInt32,    DType::kInt64,  DType::kFloat16,
    DType::kFloat32, DType::kFloat64, DType::kBfloat16, DType::kString,
};

class TensorsTest : public testing::Test {
 protected:
  resource::ByteBudget budget_{1 << 20};
  TensorMemory memory_{budget_};

  Result<std::vector<tensor::NamedTensor>> Read(const ModelInferRequest& request) {
    return ReadOipInputs(request, memory_);
  }
  Reason ReasonOf(const ModelInferRequest& request) {
    const auto inputs = Read(request);
    EXPECT_FALSE(inputs.ok());
    return inputs.ok() ? Reason::kInternal : inputs.status().reason();
  }
};

/// Two elements of `dtype` as raw contents.
ModelInferRequest Raw(DType dtype, std::string bytes) {
  ModelInferRequest request;
  auto* input = request.add_inputs();
  input->set_name("x");
  input->set_datatype(std::string(oip::DatatypeName(dtype)));
  input->add_shape(2);
  request.add_raw_input_contents(std::move(bytes));
  return request;
}

std::string TwoElements(DType dtype) {
  if (dtype == DType::kString) return std::string("\1\0\0\0a\0\0\0\0", 9);
  return std::string(2 * tensor::ElementSize(dtype), '\1');
}

ModelInferRequest Typed(const char* datatype) {
  ModelInferRequest request = Raw(DType::kFloat32, "");
  request.clear_raw_input_contents();
  request.mutable_inputs(0)->set_datatype(datatype);
  return request;
}

TEST_F(TensorsTest, NamesGoBothWays) {
  for (const DType dtype : kDTypes) EXPECT_EQ(oip::ParseDatatype(oip::DatatypeName(dtype)), dtype);
  EXPECT_EQ(oip::ParseDatatype("float32"), std::nullopt);
  EXPECT_EQ(oip::ParseDatatype(""), std::nullopt);
}

TEST_F(TensorsTest, RawContentsAreBorrowedInEveryDtype) {
  for (const DType dtype : kDTypes) {
    const std::string bytes = TwoElements(dtype);
    const ModelInferRequest request = Raw(dtype, bytes);
    const auto inputs = Read(request).value();
    ASSERT_EQ(inputs.size(), 1);
    EXPECT_EQ(inputs[0].tensor.element_count(), 2) << oip::DatatypeName(dtype);
    EXPECT_EQ(tensor::RawBytes::Size(inputs[0].tensor), bytes.size());
    net::ByteBuffer out;
    tensor::AppendRaw(out, inputs[0].tensor);
    EXPECT_EQ(out.view(), bytes) << oip::DatatypeName(dtype);
    if (dtype == DType::kString) continue;
    EXPECT_EQ(inputs[0].tensor.data(), request.raw_input_contents(0).data())
        << oip::DatatypeName(dtype);
  }
}

TEST_F(TensorsTest, RawContentsOfAnotherSizeAreRefused) {
  for (const DType dtype : kDTypes) {
    std::string longer = TwoElements(dtype) + '\1';
    std::string shorter = TwoElements(dtype);
    shorter.pop_back();
    for (const std::string& bytes : {longer, shorter, std::string()}) {
      const auto inputs = Read(Raw(dtype, bytes));
      EXPECT_EQ(inputs.status().code(), StatusCode::kInvalidArgument) << oip::DatatypeName(dtype);
      EXPECT_EQ(inputs.status().field(), "x");
    }
  }
  EXPECT_EQ(ReasonOf(Raw(DType::kBool, "\1\2")), Reason::kValueOutOfRange);
}

TEST_F(TensorsTest, ShapesAreCheckedBeforeAnythingIsTaken) {
  for (const std::vector<std::int64_t>& shape : {std::vector<std::int64_t>{-1},
                                                 {1LL << 32, 1LL << 32},
                                                 {std::int64_t{1} << 62, 16},
                                                 std::vector<std::int64_t>(65, 1)}) {
    for (const DType dtype : {DType::kFloat32, DType::kString}) {
      ModelInferRequest request = Raw(dtype, TwoElements(dtype));
      request.mutable_inputs(0)->mutable_shape()->Assign(shape.begin(), shape.end());
      EXPECT_EQ(ReasonOf(request), Reason::kShapeMismatch);
    }
  }
  EXPECT_EQ(budget_.used(), 0);
}

TEST_F(TensorsTest, TypedContentsAreNarrowedWithinTheirRange) {
  ModelInferRequest request = Typed("INT8");
  auto* contents = request.mutable_inputs(0)->mutable_contents();
  contents->add_int_contents(-128);
  contents->add_int_contents(127);
  const auto inputs = Read(request).value();
  EXPECT_EQ(inputs[0].tensor.elements<std::int8_t>()[0], -128);
  EXPECT_EQ(inputs[0].tensor.elements<std::int8_t>()[1], 127);
  contents->set_int_contents(1, 128);
  EXPECT_EQ(ReasonOf(request), Reason::kValueOutOfRange);
  contents->add_int_contents(1);
  EXPECT_EQ(ReasonOf(request), Reason::kShapeMismatch);
}

TEST_F(TensorsTest, ContentsOfOtherTypesAreRefused) {
  ModelInferRequest request = Typed("FP32");
  auto* contents = request.mutable_inputs(0)->mutable_contents();
  contents->add_fp32_contents(1);
  contents->add_fp32_contents(2);
  EXPECT_EQ(Read(request).value()[0].tensor.elements<float>()[1], 2);
  contents->add_bool_contents(true);
  EXPECT_EQ(ReasonOf(request), Reason::kInvalidField);
  for (const char* datatype : {"FP16", "BF16", "", "fp32"}) {
    EXPECT_EQ(ReasonOf(Typed(datatype)), Reason::kInvalidField) << datatype;
  }
}

TEST_F(TensorsTest, RawContentsBelongToAllInputsOrNone) {
  ModelInferRequest request = Raw(DType::kUint8, "\1\1");
  request.add_raw_input_contents("\1\1");
  EXPECT_EQ(ReasonOf(request), Reason::kInvalidField);
  request = Raw(DType::kUint8, "\1\1");
  request.mutable_inputs(0)->mutable_contents()->add_uint_contents(1);
  EXPECT_EQ(ReasonOf(request), Reason::kInvalidField);
}

TEST_F(TensorsTest, TensorsCountAgainstTheBudget) {
  ModelInferRequest request = Typed("UINT8");
  auto* input = request.mutable_inputs(0);
  input->set_shape(0, 2 << 20);
  input->mutable_contents()->mutable_uint_contents()->Resize(2 << 20, 1);
  EXPECT_EQ(ReasonOf(request), Reason::kPayloadTooLarge);
}

engine::InferenceResponse ResponseOf(const std::vector<tensor::NamedTensor>& inputs) {
  engine::InferenceResponse response;
  for (const auto& input : inputs) {
    auto bytes = tensor::Buffer::Borrow(input.tensor.data(), input.tensor.size_bytes());
    response.outputs.push_back(
        {"y",
         tensor::Tensor::FromBuffer(input.tensor.dtype(), input.tensor.shape(), std::move(bytes))
             .value()});
  }
  return response;
}

TEST_F(TensorsTest, WrittenResponsesAreWhatProtobufReads) {
  for (const DType dtype : kDTypes) {
    const ModelInferRequest request = Raw(dtype, TwoElements(dtype));
    const auto inputs = Read(request).value();
    const engine::InferenceResponse response = ResponseOf(inputs);
    inference::ModelInferResponse head;
    head.set_id("7");
    MessageBytes oip = OipResponse(head, response);
    const std::size_t size = oip.size();
    net::ByteBuffer plain;
    net::ByteBuffer streamed;
    std::move(oip).AppendTo(plain);
    OipStreamedResponse(head, response).AppendTo(streamed);
    inference::ModelInferResponse read;
    inference::ModelStreamInferResponse read_streamed;
    ASSERT_TRUE(read.ParseFromString(std::string(plain.view())));
    ASSERT_TRUE(read_streamed.ParseFromString(std::string(streamed.view())));
    EXPECT_EQ(plain.size(), size);
    EXPECT_EQ(read.id(), "7");
    EXPECT_EQ(read.raw_output_contents(0), TwoElements(dtype));
    EXPECT_EQ(read.SerializeAsString(), read_streamed.infer_response().SerializeAsString());

    v1::InferBidiResponse envelope;
    envelope.set_id("8");
    net::ByteBuffer bidi;
    MlosResponse({}, response, envelope).AppendTo(bidi);
    ASSERT_TRUE(envelope.ParseFromString(std::string(bidi.view())));
    const v1::Tensor& output = envelope.response().outputs(0);
    EXPECT_EQ(output.dtype(), tensor::Name(dtype));
    if (dtype == DType::kString) {
      EXPECT_EQ(output.strings(0), "a");
      EXPECT_EQ(output.strings_size(), 2);
    } else {
      EXPECT_EQ(output.data(), TwoElements(dtype));
    }
  }
}

TEST_F(TensorsTest, LargeResponsesGoFromWhereTheirElementsAre) {
  engine::InferenceResponse response;
  const auto held = std::make_shared<int>();
  response.keepalive = held;
  tensor::StringTensorBuilder strings;
  for (const std::string_view text : {"a", "", "bcd"}) strings.Add(text);
  response.outputs.push_back({"s", strings.Build({3}).value()});
  response.outputs.push_back({"n", tensor::Tensor::Allocate(DType::kUint8, {300'000}).value()});
  response.outputs.push_back({"none", tensor::Tensor::Allocate(DType::kString, {0}).value()});
  std::memset(response.outputs[1].tensor.data(), 7, 300'000);
  const void* const data = response.outputs[1].tensor.data();
  net::ByteBuffer whole;
  MlosResponse({}, response).AppendTo(whole);
  auto body = MessageBody::Create(MlosResponse({}, response), response, budget_).value();
  EXPECT_GE(budget_.used(), 300'000);
  std::string sent;
  bool in_place = false;
  for (std::string_view bytes = body->Next(); !bytes.empty(); bytes = body->Next()) {
    in_place = in_place || bytes.data() == data;
    sent += bytes;
  }
  EXPECT_TRUE(in_place);
  EXPECT_EQ(body->length(), sent.size());
  EXPECT_EQ(sent, whole.view());
  response = engine::InferenceResponse();
  EXPECT_EQ(held.use_count(), 2);
  body.reset();
  EXPECT_EQ(held.use_count(), 1);
  EXPECT_EQ(budget_.used(), 0);
}

TEST_F(TensorsTest, MlosInputsHaveTheDtypeOfTheSchemaWhereTheySayNone) {
  engine::ModelSchema schema;
  schema.inputs.push_back({.name = "x", .dtype = DType::kInt16});
  v1::InferRequest request;
  auto* input = request.add_inputs();
  input->set_name("x");
  input->add_shape(1);
  input->set_data("\1\0", 2);
  EXPECT_EQ(ReadInputs(request, schema, memory_).value()[0].tensor.elements<std::int16_t>()[0], 1);
  input->set_dtype("int8");
  EXPECT_EQ(ReadInputs(request, schema, memory_).status().reason(), Reason::kShapeMismatch);
  input->set_dtype("INT8");
  EXPECT_EQ(ReadInputs(request, schema, memory_).status().reason(), Reason::kInvalidField);
  input->set_dtype("string");
  EXPECT_EQ(ReadInputs(request, schema, memory_).status().reason(), Reason::kInvalidField);
  input->clear_dtype();
  input->set_name("z");
  EXPECT_EQ(ReadInputs(request, schema, memory_).status().reason(), Reason::kUnknownInput);
}

TEST(CostTest, WhatSwellsCostsMoreThanItsBytes) {
  const auto cost_of = [](const ModelInferRequest& request) {
    return messages::MemoryCost(request.SerializeAsString(), kOipRequestCost);
  };
  ModelInferRequest raw;
  raw.add_raw_input_contents(std::string(1 << 20, 'x'));
  EXPECT_LT(cost_of(raw), (1 << 20) + 1024);
  ModelInferRequest inputs;
  for (int i = 0; i < 1000; ++i) inputs.add_inputs();
  EXPECT_GT(cost_of(inputs), 1000 * sizeof(ModelInferRequest::InferInputTensor));
  ModelInferRequest numbers;
  auto* contents = numbers.add_inputs()->mutable_contents();
  contents->mutable_int64_contents()->Resize(1000, 1);
  EXPECT_GT(cost_of(numbers), 1000 * sizeof(std::int64_t));
  ModelInferRequest strings;
  for (int i = 0; i < 1000; ++i) strings.add_inputs()->mutable_contents()->add_bytes_contents();
  EXPECT_GT(cost_of(strings), 1000 * (sizeof(std::string) + sizeof(void*)));
}

TEST(CostTest, WhatIsNoProtobufEndsTheCount) {
  for (const std::string& bytes :
       {std::string("\xff\xff\xff"), std::string(100, '\xff'), std::string(100, '\x2a'),
        std::string("\x2a\xff\xff\xff\xff\x0f"), std::string(1000, '\x0b')}) {
    EXPECT_LT(messages::MemoryCost(bytes, kOipRequestCost), 100'000);
  }
}

TEST(WireTest, VarintsHaveTheSizeProtobufGivesThem) {
  for (const std::uint64_t value : {0ULL, 127ULL, 128ULL, 16'383ULL, 16'384ULL, ~0ULL >> 1}) {
    net::ByteBuffer out;
    AppendFieldHead(out, 6, value);
    EXPECT_EQ(out.size(), 1 + VarintSize(value)) << value;
  }
}

}  // namespace
}  // namespace mlos::api::grpc::tensors
