// SPDX-License-Identifier: MIT
#include "plugin/smi_tensor.h"

#include <cstddef>
#include <cstring>
#include <utility>

#include "tensor/string_ref.h"

namespace mlos::plugin {
namespace {

constexpr std::size_t kNameBytesMax = 1'024;

// The numbers and layouts of SMI are those of the tensor layer, so that nothing is converted.
static_assert(static_cast<int>(tensor::DType::kFloat32) == SMI_DTYPE_FLOAT32);
static_assert(static_cast<int>(tensor::DType::kUint8) == SMI_DTYPE_UINT8);
static_assert(static_cast<int>(tensor::DType::kInt8) == SMI_DTYPE_INT8);
static_assert(static_cast<int>(tensor::DType::kUint16) == SMI_DTYPE_UINT16);
static_assert(static_cast<int>(tensor::DType::kInt16) == SMI_DTYPE_INT16);
static_assert(static_cast<int>(tensor::DType::kInt32) == SMI_DTYPE_INT32);
static_assert(static_cast<int>(tensor::DType::kInt64) == SMI_DTYPE_INT64);
static_assert(static_cast<int>(tensor::DType::kString) == SMI_DTYPE_STRING);
static_assert(static_cast<int>(tensor::DType::kBool) == SMI_DTYPE_BOOL);
static_assert(static_cast<int>(tensor::DType::kFloat16) == SMI_DTYPE_FLOAT16);
static_assert(static_cast<int>(tensor::DType::kFloat64) == SMI_DTYPE_FLOAT64);
static_assert(static_cast<int>(tensor::DType::kUint32) == SMI_DTYPE_UINT32);
static_assert(static_cast<int>(tensor::DType::kUint64) == SMI_DTYPE_UINT64);
static_assert(static_cast<int>(tensor::DType::kBfloat16) == SMI_DTYPE_BFLOAT16);
static_assert(sizeof(tensor::StringRef) == sizeof(smi_string_t));
static_assert(offsetof(tensor::StringRef, data) == offsetof(smi_string_t, data));
static_assert(offsetof(tensor::StringRef, size) == offsetof(smi_string_t, size));
static_assert(tensor::kRankMax == SMI_RANK_MAX);

// What an empty tensor without an address of its own points to: engines refuse null data.
alignas(64) std::byte no_elements[64];

smi_tensor_t View(const char* name, const tensor::Tensor& tensor) {
  smi_tensor_t view{};
  view.struct_size = sizeof(smi_tensor_t);
  view.name = name;
  view.dtype = static_cast<smi_dtype_t>(tensor.dtype());
  view.rank = static_cast<std::uint32_t>(tensor.shape().size());
  view.shape = tensor.shape().data();
  view.data = tensor.data() != nullptr ? tensor.data() : no_elements;
  view.size_bytes = tensor.size_bytes();
  return view;
}

Status Contradiction(const std::string& what) {
  return {Reason::kPluginFailed, "the plugin hands over " + what};
}

Status CheckStrings(const tensor::Tensor& tensor) {
  for (const tensor::StringRef& element : tensor.elements<tensor::StringRef>()) {
    if (element.data == nullptr && element.size > 0) return Contradiction("a string without data");
  }
  return OkStatus();
}

}  // namespace

tensor::DType RawDType(const smi_dtype_t& dtype) {
  std::int32_t raw;
  std::memcpy(&raw, &dtype, sizeof(raw));
  return static_cast<tensor::DType>(raw);
}

Result<std::string> TensorName(const char* name) {
  const std::size_t size = name == nullptr ? 0 : ::strnlen(name, kNameBytesMax + 1);
  if (size == 0 || size > kNameBytesMax) {
    return Status(Reason::kPluginFailed,
                  "the plugin declares a name that is not of 1 to 1,024 bytes");
  }
  return std::string(name, size);
}

smi_tensor_t AsInput(const char* name, const tensor::Tensor& tensor) { return View(name, tensor); }

smi_tensor_t AsPreallocated(const char* name, const tensor::Tensor& tensor) {
  smi_tensor_t view = View(name, tensor);
  view.capacity_bytes = view.size_bytes;
  return view;
}

Result<tensor::Tensor> Adopt(const smi_tensor_t& output) {
  // From here on the data is ours to release, whatever else is wrong.
  tensor::Buffer buffer =
      tensor::Buffer::Adopt(output.data, output.size_bytes, output.release, output.release_context);
  const tensor::DType dtype = RawDType(output.dtype);
  if (!tensor::IsSupported(dtype)) {
    return Contradiction("element type " + std::to_string(static_cast<int>(dtype)));
  }
  if (output.rank > SMI_RANK_MAX) return Contradiction("rank " + std::to_string(output.rank));
  if (output.rank > 0 && output.shape == nullptr) return Contradiction("a rank but no shape");
  tensor::Shape shape(output.shape, output.shape + output.rank);
  const Result<std::size_t> size_bytes = tensor::ByteSize(dtype, shape);
  if (!size_bytes.ok()) return Contradiction(std::string(size_bytes.status().message()));
  if (*size_bytes != output.size_bytes) {
    return Contradiction("size_bytes " + std::to_string(output.size_bytes) + " for shape " +
                         tensor::ToString(shape) + ", which needs " + std::to_string(*size_bytes));
  }
  if (output.data == nullptr && *size_bytes > 0) return Contradiction("no data");
  tensor::Tensor tensor =
      MLOS_TRY(tensor::Tensor::FromBuffer(dtype, std::move(shape), std::move(buffer)));
  if (dtype == tensor::DType::kString) MLOS_TRY(CheckStrings(tensor));
  return tensor;
}

}  // namespace mlos::plugin
