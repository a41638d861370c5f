// SPDX-License-Identifier: MIT
#include "onnx/signature.h"

#include <algorithm>
#include <array>
#include <utility>

#include "onnx/error.h"

namespace mlos::onnx {
namespace {

struct DTypeRow {
  smi_dtype_t dtype;
  std::size_t size;
  std::string_view name;
};

constexpr std::array<DTypeRow, 14> kDTypes = {{
    {SMI_DTYPE_FLOAT32, 4, "float32"},
    {SMI_DTYPE_UINT8, 1, "uint8"},
    {SMI_DTYPE_INT8, 1, "int8"},
    {SMI_DTYPE_UINT16, 2, "uint16"},
    {SMI_DTYPE_INT16, 2, "int16"},
    {SMI_DTYPE_INT32, 4, "int32"},
    {SMI_DTYPE_INT64, 8, "int64"},
    {SMI_DTYPE_STRING, sizeof(smi_string_t), "string"},
    {SMI_DTYPE_BOOL, 1, "bool"},
    {SMI_DTYPE_FLOAT16, 2, "float16"},
    {SMI_DTYPE_FLOAT64, 8, "float64"},
    {SMI_DTYPE_UINT32, 4, "uint32"},
    {SMI_DTYPE_UINT64, 8, "uint64"},
    {SMI_DTYPE_BFLOAT16, 2, "bfloat16"},
}};
// SMI and ONNX Runtime both number element types as ONNX does.
static_assert(static_cast<int>(SMI_DTYPE_STRING) == ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING);
static_assert(static_cast<int>(SMI_DTYPE_FLOAT64) == ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE);
static_assert(static_cast<int>(SMI_DTYPE_BFLOAT16) == ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16);

const DTypeRow* FindDType(int dtype) {
  const auto row = std::find_if(kDTypes.begin(), kDTypes.end(), [&](const DTypeRow& candidate) {
    return candidate.dtype == dtype;
  });
  return row == kDTypes.end() ? nullptr : &*row;
}

std::string Name(smi_dtype_t dtype) {
  const DTypeRow* row = FindDType(dtype);
  return row == nullptr ? "undefined" : std::string(row->name);
}

std::string_view KindName(ONNXType kind) {
  switch (kind) {
    case ONNX_TYPE_SEQUENCE:
      return "a sequence";
    case ONNX_TYPE_MAP:
      return "a map";
    case ONNX_TYPE_OPTIONAL:
      return "an optional";
    case ONNX_TYPE_SPARSETENSOR:
      return "a sparse tensor";
    default:
      return "no tensor";
  }
}

// What ZipMap makes of a classifier's scores.
bool IsSequenceOfMaps(const Ort::TypeInfo& type) {
  return type.GetONNXType() == ONNX_TYPE_SEQUENCE &&
         type.GetSequenceTypeInfo().GetSequenceElementType().GetONNXType() == ONNX_TYPE_MAP;
}

Spec ReadSpec(std::string_view what, std::string name, const Ort::TypeInfo& type,
              const std::set<std::string, std::less<>>& unranked) {
  const auto refuse = [&](const std::string& why) {
    throw Error(SMI_ERROR_UNSUPPORTED, std::string(what) + " \"" + name + "\" is " + why);
  };
  if (type.GetONNXType() != ONNX_TYPE_TENSOR) {
    refuse(std::string(KindName(type.GetONNXType())) + "; only tensors are supported");
  }
  const auto tensor = type.GetTensorTypeAndShapeInfo();
  const DTypeRow* row = FindDType(tensor.GetElementType());
  if (row == nullptr) {
    refuse("of ONNX element type " + std::to_string(tensor.GetElementType()) +
           ", which is not supported");
  }
  Spec spec{.name = std::move(name), .dtype = row->dtype, .dims = tensor.GetShape()};
  spec.ranked = !spec.dims.empty() || !unranked.contains(spec.name);
  std::vector<const char*> symbols(spec.dims.size());
  tensor.GetSymbolicDimensions(symbols.data(), symbols.size());
  for (const char* symbol : symbols) spec.symbols.emplace_back(symbol == nullptr ? "" : symbol);
  return spec;
}

std::string Shape(const std::int64_t* dims, std::size_t rank) {
  std::string text = "[";
  for (std::size_t i = 0; i < rank; ++i) text += (i > 0 ? "," : "") + std::to_string(dims[i]);
  return text + "]";
}

std::string Shape(const Spec& spec) {
  std::string text = "[";
  for (std::size_t i = 0; i < spec.dims.size(); ++i) {
    if (i > 0) text += ',';
    text += spec.symbols[i].empty() ? std::to_string(spec.dims[i]) : spec.symbols[i];
  }
  return text + "]";
}

bool ShapeFits(const Spec& spec, const smi_tensor_t& input) {
  if (!spec.ranked) return true;
  if (input.rank != spec.dims.size()) return false;
  for (std::size_t i = 0; i < spec.dims.size(); ++i) {
    if (spec.dims[i] >= 0 && spec.dims[i] != input.shape[i]) return false;
  }
  return true;
}

const smi_tensor_t* FindInput(const smi_request_t& request, std::string_view name) {
  for (std::size_t i = 0; i < request.input_count; ++i) {
    if (request.inputs[i].name == name) return &request.inputs[i];
  }
  return nullptr;
}

std::string Misfit(const Spec& spec, const smi_tensor_t* input) {
  const std::string start = "input \"" + spec.name + "\" ";
  if (input == nullptr) return spec.optional ? "" : start + "is missing";
  if (input->dtype != spec.dtype) {
    return start + "is " + Name(input->dtype) + "; expected " + Name(spec.dtype);
  }
  if (ShapeFits(spec, *input)) return "";
  return start + "has shape " + Shape(input->shape, input->rank) + "; expected " + Shape(spec);
}

}  // namespace

std::size_t ElementSize(smi_dtype_t dtype) {
  const DTypeRow* row = FindDType(dtype);
  return row == nullptr ? 0 : row->size;
}

Signature::Signature(Ort::Session& session, const std::set<std::string, std::less<>>& unranked) {
  Ort::AllocatorWithDefaultOptions allocator;
  for (std::size_t i = 0; i < session.GetInputCount(); ++i) {
    inputs_.push_back(ReadSpec("input", session.GetInputNameAllocated(i, allocator).get(),
                               session.GetInputTypeInfo(i), unranked));
  }
  for (std::size_t i = 0; i < session.GetOverridableInitializerCount(); ++i) {
    inputs_.push_back(ReadSpec("input",
                               session.GetOverridableInitializerNameAllocated(i, allocator).get(),
                               session.GetOverridableInitializerTypeInfo(i), unranked));
    inputs_.back().optional = true;
  }
  std::string maps;
  for (std::size_t i = 0; i < session.GetOutputCount(); ++i) {
    std::string name = session.GetOutputNameAllocated(i, allocator).get();
    const Ort::TypeInfo type = session.GetOutputTypeInfo(i);
    if (IsSequenceOfMaps(type)) {
      maps = std::move(name);
    } else {
      outputs_.push_back(ReadSpec("output", std::move(name), type, unranked));
    }
  }
  if (outputs_.empty() && !maps.empty()) {
    throw Error(SMI_ERROR_UNSUPPORTED,
                "output \"" + maps +
                    "\" is a sequence of maps, and there is no other; only tensors are supported. "
                    "Export the model without ZipMap: options={'zipmap': False} in skl2onnx");
  }
  shown_inputs_ = ToSmi(inputs_);
  shown_outputs_ = ToSmi(outputs_);
}

Signature::Shown Signature::ToSmi(const std::vector<Spec>& specs) {
  Shown shown;
  for (const Spec& spec : specs) {
    std::vector<const char*> names;
    for (const std::string& symbol : spec.symbols) {
      names.push_back(symbol.empty() ? nullptr : symbol.c_str());
    }
    shown.dim_names.push_back(std::move(names));
    smi_tensor_spec_t smi{};
    smi.struct_size = sizeof(smi);
    smi.name = spec.name.c_str();
    smi.dtype = spec.dtype;
    smi.rank = spec.ranked ? static_cast<std::uint32_t>(spec.dims.size()) : SMI_RANK_UNKNOWN;
    smi.dims = spec.dims.data();
    smi.dim_names = shown.dim_names.back().data();  // stays when the vector around it moves
    smi.optional = spec.optional ? 1 : 0;
    shown.specs.push_back(smi);
  }
  return shown;
}

void Signature::Show(smi_model_info_t* info) const {
  info->inputs = shown_inputs_.specs.data();
  info->input_count = shown_inputs_.specs.size();
  info->outputs = shown_outputs_.specs.data();
  info->output_count = shown_outputs_.specs.size();
}

std::string Signature::Misfit(const smi_request_t& request) const {
  for (const Spec& spec : inputs_) {
    std::string misfit = onnx::Misfit(spec, FindInput(request, spec.name));
    if (!misfit.empty()) return misfit;
  }
  for (std::size_t i = 0; i < request.input_count; ++i) {
    const char* name = request.inputs[i].name;
    const bool known = std::any_of(inputs_.begin(), inputs_.end(),
                                   [&](const Spec& spec) { return spec.name == name; });
    if (!known) return "input \"" + std::string(name) + "\" is unknown to the model";
  }
  return "";
}

}  // namespace mlos::onnx
