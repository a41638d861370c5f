// SPDX-License-Identifier: MIT
#include "plugin/schema.h"

#include <cstring>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "plugin/smi_tensor.h"

namespace mlos::plugin {
namespace {

constexpr std::size_t kTensorsMax = 4'096;
constexpr std::size_t kSymbolBytesMax = 256;

Status Wrong(const std::string& what) {
  return {Reason::kPluginFailed, "the plugin declares " + what};
}

Result<tensor::Dim> ReadDim(const smi_tensor_spec_t& spec, std::size_t index) {
  const std::int64_t size = spec.dims[index];
  if (size < SMI_DYNAMIC_SIZE) return Wrong("a dimension of size " + std::to_string(size));
  tensor::Dim dim{.size = size};
  const char* symbol = spec.dim_names == nullptr ? nullptr : spec.dim_names[index];
  if (symbol != nullptr) dim.symbol.assign(symbol, ::strnlen(symbol, kSymbolBytesMax));
  return dim;
}

Status ReadDims(const smi_tensor_spec_t& from, tensor::TensorSpec& spec) {
  spec.has_shape = from.rank != SMI_RANK_UNKNOWN;
  if (!spec.has_shape || from.rank == 0) return OkStatus();
  if (from.rank > SMI_RANK_MAX) return Wrong("rank " + std::to_string(from.rank));
  if (from.dims == nullptr) return Wrong("a rank but no dims");
  spec.dims.reserve(from.rank);
  for (std::size_t i = 0; i < from.rank; ++i) spec.dims.push_back(MLOS_TRY(ReadDim(from, i)));
  return OkStatus();
}

Result<tensor::TensorSpec> ReadSpec(const smi_tensor_spec_t& from) {
  tensor::TensorSpec spec;
  spec.name = MLOS_TRY(TensorName(from.name));
  spec.dtype = RawDType(from.dtype);
  if (!tensor::IsSupported(spec.dtype)) {
    return Wrong("\"" + spec.name + "\" with element type " +
                 std::to_string(static_cast<int>(spec.dtype)));
  }
  MLOS_TRY(ReadDims(from, spec).WithContext("\"" + spec.name + "\""));
  spec.required = from.optional == 0;
  return spec;
}

Result<std::vector<tensor::TensorSpec>> ReadSpecs(std::string_view what,
                                                  const smi_tensor_spec_t* specs,
                                                  std::size_t count) {
  if (count > kTensorsMax) return Wrong(std::to_string(count) + " " + std::string(what));
  if (count > 0 && specs == nullptr) return Wrong("no list of its " + std::string(what));
  std::vector<tensor::TensorSpec> result;
  std::set<std::string, std::less<>> names;
  result.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    result.push_back(MLOS_TRY(ReadSpec(specs[i])));
    if (!names.insert(result.back().name).second) {
      return Wrong("\"" + result.back().name + "\" twice among its " + std::string(what));
    }
  }
  return result;
}

}  // namespace

Result<engine::ModelSchema> ReadSchema(const smi_model_info_t& info) {
  engine::ModelSchema schema;
  schema.inputs = MLOS_TRY(ReadSpecs("inputs", info.inputs, info.input_count));
  schema.outputs = MLOS_TRY(ReadSpecs("outputs", info.outputs, info.output_count));
  return schema;
}

}  // namespace mlos::plugin
