// SPDX-License-Identifier: MIT
#include "api/http/oip/messages/infer_request.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

#include "api/http/wire/message.h"

namespace mlos::api::http::oip::messages {
namespace {

using tensor::DType;

class InferRequestTest : public testing::Test {
 protected:
  Result<InferRequest> Read(std::string_view json, std::string_view binary = {}) {
    body_ = net::ByteBuffer();
    body_.Append(json);
    body_.Append(binary);
    body_.Pad(net::kBodyPaddingBytes);
    return ReadInferRequest(body_, json.size(), memory_);
  }
  /// "REASON field".
  std::string Refusal(std::string_view json, std::string_view binary = {}) {
    const auto read = Read(json, binary);
    if (read.ok()) return "OK";
    return std::string(ToString(read.status().reason())) + " " + std::string(read.status().field());
  }

  resource::ByteBudget budget_{64 << 20};
  tensors::RequestMemory memory_{budget_};
  net::ByteBuffer body_;
};

std::string WithInput(std::string_view members) {
  return R"({"inputs":[{)" + std::string(members) + "}]}";
}

TEST_F(InferRequestTest, ANullIsAnOptionalMemberThatIsMissing) {
  const InferRequest request =
      Read(R"({"id": null, "outputs": null, "parameters": null, "own": null,
      "inputs": [{"name": "x", "shape": [1], "datatype": "FP32", "data": [1],
                  "parameters": null}]})")
          .value();
  EXPECT_TRUE(request.id.empty());
  EXPECT_TRUE(request.outputs.empty());
  EXPECT_EQ(request.timeout_us, 0);
  EXPECT_EQ(request.inputs.size(), 1U);
  const auto inner = Read(R"({"parameters": {"timeout": null, "sequence_id": null},
      "outputs": [{"name": "y", "parameters": null},
                  {"name": "z", "parameters": {"binary_data": null}}],
      "inputs": []})")
                         .value();
  EXPECT_EQ(inner.timeout_us, 0);
  EXPECT_EQ(inner.sequence, nullptr);
  EXPECT_EQ(inner.outputs.size(), 2U);
  EXPECT_EQ(Read(R"({"id": nul, "inputs": []})").status().reason(), Reason::kMalformedJson);
}

TEST_F(InferRequestTest, ReadsJson) {
  const InferRequest request = Read(R"( {"id": "7\u0041", "ignored": [{"a": [1, null, true, "x"]}],
               "parameters": {"timeout": 5, "own": "v", "other": 1.5, "binary_data_output": true},
               "inputs": [
                 {"name": "x", "shape": [1, 3], "datatype": "FP32", "data": [1, 2.5, "NaN"]},
                 {"data": [[1, 2], [3, 4]], "extra": {}, "shape": [2, 2], "datatype": "INT8",
                  "parameters": {"mine": true}, "name": "n"},
                 {"name": "s", "datatype": "BYTES", "shape": [], "data": ["é"]}],
               "outputs": [{"name": "y", "parameters": {"binary_data": false, "own": 1}}]} )")
                                   .value();
  EXPECT_EQ(request.id, "7A");
  EXPECT_EQ(request.timeout_us, 5);
  EXPECT_TRUE(request.binary_outputs);
  EXPECT_FALSE(request.IsBinary("y"));
  ASSERT_EQ(request.inputs.size(), 3);
  EXPECT_EQ(request.inputs[0].tensor.shape(), (tensor::Shape{1, 3}));
  EXPECT_EQ(request.inputs[0].tensor.elements<float>()[1], 2.5F);
  EXPECT_EQ(request.inputs[1].name, "n");
  EXPECT_EQ(request.inputs[1].tensor.dtype(), DType::kInt8);
  EXPECT_EQ(request.inputs[1].tensor.elements<std::int8_t>()[3], 4);
  EXPECT_EQ(request.inputs[2].tensor.elements<tensor::StringRef>()[0].view(), "é");
  EXPECT_TRUE(request.inputs[2].tensor.shape().empty());
}

TEST_F(InferRequestTest, SpecialFloatsMayBeBareInDataOnly) {
  const InferRequest request = Read(WithInput(R"("data": [[NaN, 1], [-Infinity, Infinity]],
                        "name": "x", "shape": [2, 2], "datatype": "FP64")"))
                                   .value();
  const auto numbers = request.inputs[0].tensor.elements<double>();
  EXPECT_TRUE(std::isnan(numbers[0]));
  EXPECT_EQ(numbers[2], -std::numeric_limits<double>::infinity());
  EXPECT_EQ(numbers[3], std::numeric_limits<double>::infinity());
  const std::string head = R"("name": "x", "shape": [1], "datatype": )";
  EXPECT_EQ(Refusal(WithInput(head + R"("INT32", "data": [NaN])")), "DTYPE_MISMATCH x");
  EXPECT_EQ(Refusal(WithInput(head + R"("FP32", "data": NaN)")), "MALFORMED_JSON x");
  EXPECT_EQ(Refusal(WithInput(head + R"("FP32", "data": [1], "extra": NaN)")), "MALFORMED_JSON x");
  EXPECT_EQ(Refusal(R"({"inputs": [], "parameters": {"timeout": Infinity}})"), "MALFORMED_JSON ");
}

TEST_F(InferRequestTest, TakesBinaryDataInTheOrderOfTheInputs) {
  const InferRequest request =
      Read(R"({"inputs":[)"
           R"({"name":"a","shape":[2],"datatype":"INT16","parameters":{"binary_data_size":4}},)"
           R"({"name":"j","shape":[1],"datatype":"INT16","data":[9]},)"
           R"({"name":"b","shape":[3],"datatype":"UINT8","parameters":{"binary_data_size":3}}]})",
           std::string_view("\1\0\2\0abc", 7))
          .value();
  EXPECT_EQ(request.inputs[0].tensor.elements<std::int16_t>()[1], 2);
  EXPECT_EQ(request.inputs[1].tensor.elements<std::int16_t>()[0], 9);
  EXPECT_EQ(request.inputs[2].tensor.elements<std::uint8_t>()[2], 'c');
}

TEST_F(InferRequestTest, ReadsTheSequence) {
  const struct {
    std::string parameters;
    std::string id;
    bool start;
    bool end;
  } cases[] = {
      {R"("sequence_id":7)", "7", false, false},
      {R"("sequence_id":18446744073709551615,"sequence_start":true)", "18446744073709551615", true,
       false},
      {R"("sequence_end":true,"sequence_id":"a b","sequence_start":false)", "a b", false, true},
      {R"("sequence_id":0,"sequence_start":false)", "", false, false},
      {R"("sequence_id":"")", "", false, false},
  };
  for (const auto& c : cases) {
    const Result<InferRequest> request =
        Read(R"({"inputs":[],"parameters":{)" + c.parameters + "}}");
    ASSERT_TRUE(request.ok()) << request.status();
    const engine::SequenceStep* step = request->sequence.get();
    EXPECT_EQ(step == nullptr ? "" : step->id, c.id) << c.parameters;
    if (step == nullptr) continue;
    EXPECT_EQ(step->start, c.start) << c.parameters;
    EXPECT_EQ(step->end, c.end) << c.parameters;
  }
}

TEST_F(InferRequestTest, RefusesRequestsWithTheField) {
  const struct {
    std::string json;
    std::string refusal;
  } cases[] = {
      {"", "MALFORMED_JSON "},
      {"{", "MALFORMED_JSON "},
      {"[]", "MALFORMED_JSON "},
      {"1", "MALFORMED_JSON "},
      {"{} {}", "MALFORMED_JSON "},
      {"{\"inputs\":[],}", "MALFORMED_JSON "},
      {"{\"x\":\xff}", "MALFORMED_JSON "},
      {"{}", "MISSING_FIELD inputs"},
      {R"({"inputs":{}})", "INVALID_FIELD inputs"},
      {R"({"inputs":null})", "INVALID_FIELD inputs"},
      {R"({"inputs":[1]})", "INVALID_FIELD inputs"},
      {R"({"inputs":[],"inputs":[]})", "INVALID_FIELD inputs"},
      {R"({"inputs":[],"id":1})", "INVALID_FIELD id"},
      {R"({"inputs":[],"parameters":[]})", "INVALID_FIELD parameters"},
      {R"({"inputs":[],"parameters":{"a":{}}})", "INVALID_FIELD parameters.a"},
      {R"({"inputs":[],"parameters":{"a":1,"a":1}})", "INVALID_FIELD parameters.a"},
      {R"({"inputs":[],"parameters":{"timeout":-1}})", "INVALID_FIELD parameters.timeout"},
      {R"({"inputs":[],"parameters":{"timeout":1e3}})", "INVALID_FIELD parameters.timeout"},
      {R"({"inputs":[],"parameters":{"a":123456789012345678901234567890}})",
       "INVALID_FIELD parameters.a"},
      {R"({"inputs":[],"parameters":{"binary_data_output":1}})",
       "INVALID_FIELD parameters.binary_data_output"},
      {R"({"inputs":[],"parameters":{"sequence_id":-3}})", "INVALID_FIELD parameters.sequence_id"},
      {R"({"inputs":[],"parameters":{"sequence_id":1.5}})", "INVALID_FIELD parameters.sequence_id"},
      {R"({"inputs":[],"parameters":{"sequence_id":true}})",
       "INVALID_FIELD parameters.sequence_id"},
      {R"({"inputs":[],"parameters":{"sequence_id":1,"sequence_start":1}})",
       "INVALID_FIELD parameters.sequence_start"},
      {R"({"inputs":[],"parameters":{"sequence_id":1,"sequence_end":"yes"}})",
       "INVALID_FIELD parameters.sequence_end"},
      {R"({"inputs":[],"parameters":{"sequence_start":true}})", "INVALID_FIELD sequence_start"},
      {R"({"inputs":[],"parameters":{"sequence_id":0,"sequence_end":true}})",
       "INVALID_FIELD sequence_end"},
      {R"({"inputs":[],"parameters":{"sequence_id":")" + std::string(129, 'x') + "\"}}",
       "INVALID_FIELD sequence_id"},
      {R"({"inputs":[],"parameters":{"timeout":18446744073709551615}})",
       "INVALID_FIELD parameters.timeout"},
      {R"({"inputs":[],"outputs":[{}]})", "MISSING_FIELD outputs.name"},
      {R"({"inputs":[],"outputs":[{"name":"y","parameters":{"classification":2}}]})",
       "UNIMPLEMENTED outputs.parameters.classification"},
      {R"({"inputs":[],"outputs":[{"name":"y","parameters":{"shared_memory_region":"r"}}]})",
       "UNIMPLEMENTED outputs.parameters.shared_memory_region"},
  };
  for (const auto& c : cases) EXPECT_EQ(Refusal(c.json), c.refusal) << c.json.substr(0, 120);
}

TEST_F(InferRequestTest, RefusesInputsWithTheField) {
  const std::string good = R"("name":"x","shape":[2],"datatype":"FP32","data":[1,2])";
  ASSERT_EQ(Refusal(WithInput(good)), "OK");
  const struct {
    std::string json;
    std::string refusal;
  } cases[] = {
      {WithInput(""), "MISSING_FIELD name"},
      {WithInput(R"("name":"x")"), "MISSING_FIELD x"},
      {WithInput(R"("name":"x","shape":[2],"datatype":"FP32")"), "MISSING_FIELD x"},
      {WithInput(R"("name":7)"), "INVALID_FIELD inputs.name"},
      {WithInput(good + R"(,"data":[1,2])"), "INVALID_FIELD x"},
      {WithInput(R"("name":"x","shape":[2],"datatype":"FP31","data":[1,2])"), "DTYPE_MISMATCH x"},
      {WithInput(R"("name":"x","shape":[2],"datatype":"FP32","data":[1])"), "SHAPE_MISMATCH x"},
      {WithInput(R"("name":"x","shape":[2],"datatype":"FP32","data":[1,[2]])"), "SHAPE_MISMATCH x"},
      {WithInput(R"("name":"x","shape":[1,2],"datatype":"FP32","data":[[1],[2]])"),
       "SHAPE_MISMATCH x"},
      {WithInput(R"("name":"x","shape":[2],"datatype":"FP32","data":[1,"a"])"), "DTYPE_MISMATCH x"},
      {WithInput(R"("name":"x","shape":[1],"datatype":"INT8","data":[128])"),
       "VALUE_OUT_OF_RANGE x"},
      {WithInput(R"("name":"x","shape":[1],"datatype":"FP32","data":1)"), "INVALID_FIELD x"},
      {WithInput(R"("name":"x","shape":[-1],"datatype":"FP32","data":[])"), "SHAPE_MISMATCH x"},
      {WithInput(R"("name":"x","shape":[1.5],"datatype":"FP32","data":[])"), "DTYPE_MISMATCH x"},
      {WithInput(R"("name":"x","shape":4,"datatype":"FP32","data":[])"), "INVALID_FIELD x"},
      {WithInput(R"("name":"x","shape":[4294967296,4294967296],"datatype":"FP32","data":[])"),
       "SHAPE_MISMATCH x"},
      {WithInput(R"("name":"x","shape":[2],"datatype":"FP32",)"
                 R"("parameters":{"shared_memory_region":"r"})"),
       "UNIMPLEMENTED x"},
      {WithInput(R"("name":"x","shape":[2],"datatype":"FP32",)"
                 R"("parameters":{"binary_data_size":8})"),
       "INVALID_FIELD x"},
      {WithInput(good + R"(,"parameters":{"binary_data_size":0})"), "INVALID_FIELD x"},
      {WithInput(R"("name":"x","shape":[2],"datatype":"FP32",)"
                 R"("parameters":{"binary_data_size":-8})"),
       "INVALID_FIELD x"},
      {R"({"inputs":[)" + WithInput(good) + "]}", "MISSING_FIELD name"},
      {R"({"a":)" + std::string(100'000, '['), "MALFORMED_JSON "},
      {R"({"a":)" + std::string(1000, '[') + std::string(1000, ']') + "}", "NESTING_TOO_DEEP "},
      {R"({"inputs":[{"a":)" + std::string(70, '[') + std::string(70, ']') + "}]}",
       "NESTING_TOO_DEEP "},
  };
  for (const auto& c : cases) EXPECT_EQ(Refusal(c.json), c.refusal) << c.json.substr(0, 120);
}

TEST_F(InferRequestTest, RefusesBinaryDataThatDoesNotFit) {
  const std::string json =
      WithInput(R"("name":"x","shape":[2],"datatype":"FP32","parameters":{"binary_data_size":8})");
  EXPECT_EQ(Refusal(json, "12345678"), "OK");
  EXPECT_EQ(Refusal(json, "1234567"), "INVALID_FIELD x");
  EXPECT_EQ(Refusal(json, "123456789"), "INVALID_FIELD binary_data_size");
  EXPECT_EQ(Refusal(R"({"inputs":[]})", "1"), "INVALID_FIELD binary_data_size");
}

TEST_F(InferRequestTest, AShapeAloneTakesNoMemory) {
  EXPECT_EQ(Refusal(WithInput(R"("name":"x","shape":[1000000000],"datatype":"FP64","data":[1])")),
            "SHAPE_MISMATCH x");
  EXPECT_LT(budget_.used(), 1 << 20);
}

}  // namespace
}  // namespace mlos::api::http::oip::messages
