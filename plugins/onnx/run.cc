// SPDX-License-Identifier: MIT
#include "onnx/run.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <memory_resource>
#include <utility>
#include <vector>

#include "onnx/error.h"
#include "onnx/stoppable.h"

namespace mlos::onnx {
namespace {

ONNXTensorElementDataType OrtType(smi_dtype_t dtype) {
  return static_cast<ONNXTensorElementDataType>(dtype);  // see signature.cc
}

// ONNX Runtime owns its strings, so these are the one kind of tensor that is copied.
Ort::Value StringInput(const smi_tensor_t& input) {
  Ort::AllocatorWithDefaultOptions allocator;
  Ort::Value value = Ort::Value::CreateTensor(allocator, input.shape, input.rank,
                                              ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING);
  const auto* strings = static_cast<const smi_string_t*>(input.data);
  const std::size_t count = input.size_bytes / sizeof(smi_string_t);
  for (std::size_t i = 0; i < count; ++i) {
    char* bytes = value.GetResizedStringTensorElementBuffer(i, strings[i].size);
    if (strings[i].size > 0) std::memcpy(bytes, strings[i].data, strings[i].size);
  }
  return value;
}

// A value over memory of the host: an input, or an output that the host has allocated.
Ort::Value OverHostMemory(const Engine& engine, const smi_tensor_t& tensor) {
  return Ort::Value::CreateTensor(engine.memory_info(), tensor.data, tensor.size_bytes,
                                  tensor.shape, tensor.rank, OrtType(tensor.dtype));
}

// What is handed over as the context of an output's release.
struct HandedValue {
  Ort::Value value;
  std::vector<std::int64_t> shape;
  // Of a string tensor: the smi_string_t and then their bytes.
  std::unique_ptr<char[]> strings;
};

void ReleaseHandedValue(void* context, void* /*data*/) {
  delete static_cast<HandedValue*>(context);
}

smi_string_t* MakeStrings(HandedValue& handed, std::size_t count) {
  const std::size_t bytes = count == 0 ? 0 : handed.value.GetStringTensorDataLength();
  const std::size_t table_bytes = count * sizeof(smi_string_t);
  handed.strings = std::make_unique_for_overwrite<char[]>(table_bytes + bytes);
  if (count == 0) return nullptr;
  char* text = handed.strings.get() + table_bytes;
  std::vector<std::size_t> offsets(count);
  handed.value.GetStringTensorContent(text, bytes, offsets.data(), count);
  auto* strings = reinterpret_cast<smi_string_t*>(handed.strings.get());
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t end = i + 1 < count ? offsets[i + 1] : bytes;
    strings[i] = {text + offsets[i], end - offsets[i]};
  }
  return strings;
}

// Everything that can fail comes before the output is touched.
void HandOver(Ort::Value value, smi_tensor_t& output) {
  const auto info = value.GetTensorTypeAndShapeInfo();
  auto handed = std::make_unique<HandedValue>(std::move(value), info.GetShape());
  const auto dtype = static_cast<smi_dtype_t>(info.GetElementType());
  const std::size_t count = info.GetElementCount();
  void* data = dtype == SMI_DTYPE_STRING ? MakeStrings(*handed, count)
                                         : handed->value.GetTensorMutableRawData();
  output.dtype = dtype;
  output.rank = static_cast<std::uint32_t>(handed->shape.size());
  output.shape = handed->shape.data();
  output.data = data;
  output.size_bytes = count * ElementSize(dtype);
  output.release = &ReleaseHandedValue;
  output.release_context = handed.release();
}

bool IsPreallocated(const smi_tensor_t& output) { return output.data != nullptr; }

/// One run: the arrays that ONNX Runtime wants, in memory that small models need not allocate.
class Call {
 public:
  Call(const Engine& engine, const smi_request_t& request, const smi_response_t& response,
       bool use_preallocated)
      : input_names_(&memory_), inputs_(&memory_), output_names_(&memory_), outputs_(&memory_) {
    input_names_.reserve(request.input_count);
    inputs_.reserve(request.input_count);
    for (const smi_tensor_t* input = request.inputs; input_names_.size() < request.input_count;
         ++input) {
      input_names_.push_back(input->name);
      inputs_.push_back(input->dtype == SMI_DTYPE_STRING ? StringInput(*input)
                                                         : OverHostMemory(engine, *input));
    }
    output_names_.reserve(response.output_count);
    outputs_.reserve(response.output_count);
    for (const smi_tensor_t* output = response.outputs;
         output_names_.size() < response.output_count; ++output) {
      output_names_.push_back(output->name);
      outputs_.push_back(use_preallocated && IsPreallocated(*output)
                             ? OverHostMemory(engine, *output)
                             : Ort::Value(nullptr));
    }
  }

  void Run(const Ort::RunOptions& options, Session& session) {
    session.ort().Run(options, input_names_.data(), inputs_.data(), inputs_.size(),
                      output_names_.data(), outputs_.data(), outputs_.size());
  }

  Ort::Value& output(std::size_t index) { return outputs_[index]; }

 private:
  std::array<std::byte, 1024> place_;
  std::pmr::monotonic_buffer_resource memory_{place_.data(), place_.size()};
  std::pmr::vector<const char*> input_names_;
  std::pmr::vector<Ort::Value> inputs_;
  std::pmr::vector<const char*> output_names_;
  std::pmr::vector<Ort::Value> outputs_;
};

bool IsString(const Ort::Value& value) {
  return value.GetTensorTypeAndShapeInfo().GetElementType() == ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING;
}

/// A graph may give an input as an output, just as it came: that is the host's memory, which goes
/// with the request.
bool IsInputOf(const smi_request_t& request, const Ort::Value& value) {
  if (IsString(value)) return false;  // its elements are ONNX Runtime's own
  const void* const data = value.GetTensorRawData();
  return std::any_of(request.inputs, request.inputs + request.input_count,
                     [&](const smi_tensor_t& input) { return input.data == data; });
}

Ort::Value CopyOf(const Ort::Value& value) {
  const auto info = value.GetTensorTypeAndShapeInfo();
  const std::vector<std::int64_t> shape = info.GetShape();
  Ort::AllocatorWithDefaultOptions allocator;
  Ort::Value copy =
      Ort::Value::CreateTensor(allocator, shape.data(), shape.size(), info.GetElementType());
  const std::size_t size =
      info.GetElementCount() * ElementSize(static_cast<smi_dtype_t>(info.GetElementType()));
  if (size != 0) std::memcpy(copy.GetTensorMutableRawData(), value.GetTensorRawData(), size);
  return copy;
}

// Calls hand_over(index, output) for all outputs; takes all of them back where one cannot be.
template <typename HandOverOne>
void HandOverAll(smi_response_t& response, const HandOverOne& hand_over) {
  std::size_t done = 0;
  try {
    for (; done < response.output_count; ++done) hand_over(done, response.outputs[done]);
  } catch (...) {
    while (done-- > 0) {
      smi_tensor_t& output = response.outputs[done];
      if (output.release != nullptr) output.release(output.release_context, output.data);
    }
    throw;
  }
}

// ONNX Runtime refuses to write an output of another shape than the memory it is given for it; its
// releases word that differently.
bool IsFalseDeclaration(const Ort::Exception& exception) {
  return std::strstr(exception.what(), "shape verification failed") != nullptr ||
         std::strstr(exception.what(), "The output OrtValue provided for output") != nullptr;
}

// False where nothing is prepared for such a request.
bool RunPrepared(const Ort::RunOptions& options, Session& session, const smi_request_t& request,
                 smi_response_t& response) {
  std::unique_ptr<PreparedRun> prepared = session.TakePrepared();
  if (prepared == nullptr || !prepared->Fits(request, response)) return false;
  if (!prepared->Run(session.ort(), options, request)) {
    session.set_declares_falsely();
    return false;
  }
  HandOverAll(response,
              [&](std::size_t index, smi_tensor_t& output) { prepared->HandOver(index, output); });
  session.PutPrepared(std::move(prepared));
  return true;
}

// FNV-1a (http://www.isthe.com/chongo/tech/comp/fnv), 64 bits, a number at a time.
std::uint64_t HashShapes(const smi_request_t& request) {
  constexpr std::uint64_t kPrime = 0x100000001b3;
  std::uint64_t hash = 0xcbf29ce484222325;
  for (std::size_t i = 0; i < request.input_count; ++i) {
    const smi_tensor_t& input = request.inputs[i];
    hash = (hash ^ input.rank) * kPrime;
    for (std::uint32_t axis = 0; axis < input.rank; ++axis) {
      hash = (hash ^ static_cast<std::uint64_t>(input.shape[axis])) * kPrime;
    }
  }
  return hash;
}

// Where a small model is run with the same shapes again and again.
void PrepareNext(const Engine& engine, Session& session, const smi_request_t& request,
                 const smi_response_t& response) {
  if (!PreparedRun::IsWorthIt(request, response) || !session.SeenTwice(HashShapes(request))) return;
  try {
    session.PutPrepared(
        std::make_unique<PreparedRun>(session.ort(), engine.memory_info(), request, response));
  } catch (const Ort::Exception&) {
    // Runs go on as they have.
  }
}

void RunOnce(const Engine& engine, const Ort::RunOptions& options, Session& session,
             const smi_request_t& request, smi_response_t& response) {
  const bool declares_truly = session.declares_truly();
  if (declares_truly && RunPrepared(options, session, request, response)) return;
  Call call(engine, request, response, declares_truly);
  call.Run(options, session);
  HandOverAll(response, [&](std::size_t index, smi_tensor_t& output) {
    Ort::Value& value = call.output(index);
    const bool written = IsPreallocated(output) && value.GetTensorMutableRawData() == output.data;
    if (written) return;
    HandOver(IsInputOf(request, value) ? CopyOf(value) : std::move(value), output);
  });
  if (declares_truly) PrepareNext(engine, session, request, response);
}

// Whether what made a run fail has been put right, so that it may be tried again.
bool PutRight(const Engine& engine, Session& session, const Ort::Exception& exception) {
  if (session.declares_truly() && IsFalseDeclaration(exception)) {
    session.set_declares_falsely();
    return true;
  }
  if (RunError(exception).status() != SMI_ERROR_OUT_OF_MEMORY) return false;
  engine.ShrinkArena();
  return true;
}

}  // namespace

void Run(const Engine& engine, Session& session, const smi_request_t& request,
         smi_response_t& response) {
  const RunOptionsLease lease(engine.run_options(), engine.stoppable_runs(), request);
  try {
    try {
      RunOnce(engine, lease.options(), session, request, response);
    } catch (const Ort::Exception& exception) {
      if (lease.cancelled() || !PutRight(engine, session, exception)) throw;
      RunOnce(engine, lease.options(), session, request, response);
    }
  } catch (const Ort::Exception& exception) {
    // ONNX Runtime has no code for it; whatever else is wrong, nobody waits to be told.
    if (lease.cancelled()) throw Error(SMI_ERROR_CANCELLED, "the run was stopped");
    const std::string misfit = session.signature()->Misfit(request);
    if (!misfit.empty()) throw Error(SMI_ERROR_INVALID_PARAM, misfit);
    throw RunError(exception);
  }
}

}  // namespace mlos::onnx
