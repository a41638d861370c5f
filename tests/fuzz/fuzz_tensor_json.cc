// SPDX-License-Identifier: MIT
// Any bytes are refused, or are JSON, but for bare NaN and infinities, by another parser's
// judgement too and become tensors that come back the same when they are written and read again;
// the budget is whole afterwards.
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "api/http/tensors/input_reader.h"
#include "api/http/tensors/tensor_writer.h"
#include "api/http/wire/message.h"
#include "base/check.h"
#include "json/json_writer.h"

namespace {

namespace json = mlos::json;
namespace net = mlos::net;
namespace tensors = mlos::api::http::tensors;
using mlos::tensor::DType;
using Inputs = std::vector<mlos::tensor::NamedTensor>;

constexpr std::uint64_t kBudgetBytes = 16 << 20;

const mlos::engine::ModelSchema& Schema() {
  static const mlos::engine::ModelSchema schema = [] {
    mlos::engine::ModelSchema made;
    for (const DType dtype :
         {DType::kFloat32, DType::kFloat64, DType::kFloat16, DType::kBfloat16, DType::kInt8,
          DType::kInt64, DType::kUint8, DType::kUint64, DType::kBool, DType::kString}) {
      made.inputs.push_back({std::string(mlos::tensor::Name(dtype)), dtype, {{}, {}}});
    }
    return made;
  }();
  return schema;
}

/// `kFurther` are flags of RapidJSON.
template <unsigned kFurther = rapidjson::kParseNoFlags>
bool IsJson(std::string_view text) {
  rapidjson::MemoryStream stream(text.data(), text.size());
  rapidjson::Reader reader;
  rapidjson::BaseReaderHandler<> handler;
  constexpr unsigned kFlags =
      rapidjson::kParseValidateEncodingFlag | rapidjson::kParseIterativeFlag | kFurther;
  const auto result = reader.Parse<kFlags>(stream, handler);
  // RapidJSON looks at the exponent only, and finds 0e1000 too large.
  return !result.IsError() || result.Code() == rapidjson::kParseErrorNumberTooBig;
}

mlos::net::ByteBuffer Write(const Inputs& inputs) {
  mlos::net::ByteBuffer out;
  json::JsonWriter writer(out);
  writer.StartObject();
  for (const auto& input : inputs) {
    writer.Key(input.name);
    tensors::AppendTensor(writer.StartRaw(), input.tensor, tensors::Form::kNested);
  }
  writer.EndObject();
  MLOS_CHECK(out.Pad(net::kBodyPaddingBytes), "no memory to write");
  return out;
}

bool HasEmptyTensor(const Inputs& inputs) {
  for (const auto& input : inputs) {
    if (input.tensor.element_count() == 0) return true;
  }
  return false;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  mlos::net::ByteBuffer body;
  body.Append(text);
  if (!body.Pad(net::kBodyPaddingBytes)) return 0;
  mlos::resource::ByteBudget budget(kBudgetBytes);
  tensors::RequestMemory memory(budget);
  const auto read = tensors::ReadInputs(body, Schema(), memory);
  if (!read.ok()) return 0;
  MLOS_CHECK(IsJson<rapidjson::kParseNanAndInfFlag>(text), "what is read is JSON");

  const mlos::net::ByteBuffer written = Write(*read);
  MLOS_CHECK(IsJson(written.view()), "what is written is JSON");
  // Shapes without elements can be more than nested arrays can say.
  if (HasEmptyTensor(*read)) return 0;
  tensors::RequestMemory more_memory(budget);
  const auto again = tensors::ReadInputs(written, Schema(), more_memory);
  MLOS_CHECK(again.ok(), again.status().ToString());
  MLOS_CHECK(Write(*again).view() == written.view(), "what is read again is the same");
  return 0;
}
