// SPDX-License-Identifier: MIT
#include "api/http/tensors/tensor_reader.h"

#include "api/http/tensors/array_reader.h"

namespace mlos::api::http::tensors {
namespace {

using tensor::DType;

template <typename Sink, typename From>
Result<tensor::Tensor> ReadInto(From from, const TensorReadOptions& options,
                                RequestMemory& memory) {
  Sink sink(options.count_hint, memory);
  ArrayReader<Sink> reader(sink, options.outer_depth);
  MLOS_TRY(reader.Read(from));
  return sink.Finish(reader.shape());
}

template <typename T, DType kType, typename From>
Result<tensor::Tensor> ReadIntegers(From from, const TensorReadOptions& options,
                                    RequestMemory& memory) {
  return ReadInto<NumberSink<IntegerCodec<T, kType>>>(from, options, memory);
}

template <typename From>
Result<tensor::Tensor> Read(From from, const TensorReadOptions& options, RequestMemory& memory) {
  switch (options.dtype) {
    case DType::kFloat32:
      return ReadInto<NumberSink<Float32Codec>>(from, options, memory);
    case DType::kFloat64:
      return ReadInto<NumberSink<Float64Codec>>(from, options, memory);
    case DType::kFloat16:
      return ReadInto<NumberSink<Float16Codec>>(from, options, memory);
    case DType::kBfloat16:
      return ReadInto<NumberSink<Bfloat16Codec>>(from, options, memory);
    case DType::kInt8:
      return ReadIntegers<std::int8_t, DType::kInt8>(from, options, memory);
    case DType::kInt16:
      return ReadIntegers<std::int16_t, DType::kInt16>(from, options, memory);
    case DType::kInt32:
      return ReadIntegers<std::int32_t, DType::kInt32>(from, options, memory);
    case DType::kInt64:
      return ReadIntegers<std::int64_t, DType::kInt64>(from, options, memory);
    case DType::kUint8:
      return ReadIntegers<std::uint8_t, DType::kUint8>(from, options, memory);
    case DType::kUint16:
      return ReadIntegers<std::uint16_t, DType::kUint16>(from, options, memory);
    case DType::kUint32:
      return ReadIntegers<std::uint32_t, DType::kUint32>(from, options, memory);
    case DType::kUint64:
      return ReadIntegers<std::uint64_t, DType::kUint64>(from, options, memory);
    case DType::kBool:
      return ReadInto<NumberSink<BoolCodec>>(from, options, memory);
    case DType::kString:
      return ReadInto<StringSink>(from, options, memory);
    case DType::kUndefined:
      break;
  }
  return Status(Reason::kDtypeMismatch, "JSON cannot carry the dtype of this input");
}

}  // namespace

Result<tensor::Tensor> ReadTensor(simdjson::ondemand::value from, const TensorReadOptions& options,
                                  RequestMemory& memory) {
  return Read(from, options, memory);
}

Result<tensor::Tensor> ReadTensor(simdjson::ondemand::array from, const TensorReadOptions& options,
                                  RequestMemory& memory) {
  return Read(from, options, memory);
}

}  // namespace mlos::api::http::tensors
