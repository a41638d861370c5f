// SPDX-License-Identifier: MIT
#include "plugin/marshal.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "base/text.h"
#include "plugin/smi_tensor.h"

namespace mlos::plugin {
namespace {

// The room for outputs that only the plugin can name.
constexpr std::size_t kUnnamedOutputs = 16;
// Larger outputs are the plugin's to allocate, whose memory is limited and accounted.
constexpr std::size_t kPreallocatedBytesMax = std::size_t{16} << 20;

std::uint64_t NextRequestId() {
  static std::atomic<std::uint64_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

// steady_clock is CLOCK_MONOTONIC, and so is the deadline of a request.
std::uint64_t DeadlineNs(Deadline deadline) {
  if (deadline == kNoDeadline) return 0;
  const auto since =
      std::chrono::duration_cast<std::chrono::nanoseconds>(deadline.time_since_epoch());
  return static_cast<std::uint64_t>(std::max<std::int64_t>(since.count(), 1));
}

Status CheckName(const std::string& name, std::string_view field) {
  if (name.find('\0') == std::string::npos) return OkStatus();
  return Status(Reason::kInvalidField, "a name holds a NUL byte").WithField(field);
}

OutputSlot PlanOutput(const tensor::TensorSpec& spec) {
  OutputSlot slot{.name = spec.name, .dtype = spec.dtype};
  const bool fixed = spec.has_shape && spec.dtype != tensor::DType::kString &&
                     std::none_of(spec.dims.begin(), spec.dims.end(),
                                  [](const tensor::Dim& dim) { return dim.dynamic(); });
  if (!fixed) return slot;
  for (const tensor::Dim& dim : spec.dims) slot.shape.push_back(dim.size);
  const Result<std::size_t> size_bytes = tensor::ByteSize(slot.dtype, slot.shape);
  slot.preallocated = size_bytes.ok() && *size_bytes <= kPreallocatedBytesMax;
  return slot;
}

const OutputSlot* FindSlot(const std::vector<OutputSlot>& slots, const std::string& name) {
  const auto slot = std::find_if(slots.begin(), slots.end(), [&](const OutputSlot& candidate) {
    return candidate.name == name;
  });
  return slot == slots.end() ? nullptr : &*slot;
}

std::size_t OutputCount(const std::vector<OutputSlot>* slots,
                        const std::vector<std::string>& requested) {
  if (!requested.empty()) return requested.size();
  return slots != nullptr ? slots->size() : kUnnamedOutputs;
}

}  // namespace

std::vector<OutputSlot> PlanOutputs(const engine::ModelSchema& schema) {
  std::vector<OutputSlot> slots;
  slots.reserve(schema.outputs.size());
  for (const tensor::TensorSpec& spec : schema.outputs) slots.push_back(PlanOutput(spec));
  return slots;
}

Status RequestView::Check(const engine::InferenceRequest& request) {
  for (const tensor::NamedTensor& input : request.inputs) {
    MLOS_TRY(CheckName(input.name, "inputs"));
  }
  if (request.sequence == nullptr) return OkStatus();
  return CheckName(request.sequence->id, "sequence_id");
}

RequestView::RequestView(const engine::InferenceRequest& request, const std::uint32_t* cancelled)
    : inputs_(request.inputs.size()) {
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    inputs_[i] = AsInput(request.inputs[i].name.c_str(), request.inputs[i].tensor);
  }
  smi_.struct_size = sizeof(smi_);
  smi_.inputs = inputs_.data();
  smi_.input_count = inputs_.size();
  smi_.request_id = NextRequestId();
  smi_.deadline_ns = DeadlineNs(request.deadline);
  smi_.cancelled = cancelled;
  if (request.sequence == nullptr) return;
  sequence_number_ = request.sequence->number;
  smi_.sequence_id = request.sequence->id.c_str();
  smi_.sequence_flags = (request.sequence->start ? SMI_SEQUENCE_START : 0) |
                        (request.sequence->end ? SMI_SEQUENCE_END : 0);
}

ResponseView::ResponseView(const std::vector<OutputSlot>* slots,
                           const engine::InferenceRequest& request)
    : slots_(slots),
      requested_(request.requested_outputs),
      plugin_names_(slots == nullptr && requested_.empty()),
      outputs_(OutputCount(slots, requested_)) {
  smi_.struct_size = sizeof(smi_);
  smi_.outputs = outputs_.data();
  smi_.output_count = outputs_.size();
}

const OutputSlot* ResponseView::SlotOf(std::size_t index) const {
  if (slots_ == nullptr) return nullptr;
  return requested_.empty() ? &(*slots_)[index] : FindSlot(*slots_, requested_[index]);
}

Status ResponseView::Prepare() {
  tensors_.resize(outputs_.size());
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    outputs_[i] = {};
    outputs_[i].struct_size = sizeof(smi_tensor_t);
    if (plugin_names_) continue;
    if (const OutputSlot* slot = SlotOf(i); slot != nullptr) {
      MLOS_TRY(PrepareSlot(i, *slot));
    } else {
      MLOS_TRY(PrepareUndeclared(i));
    }
  }
  return OkStatus();
}

Status ResponseView::PrepareUndeclared(std::size_t index) {
  const std::string& name = requested_[index];
  if (slots_ != nullptr) {
    return Status(Reason::kInvalidField, "the model has no output '" + Excerpt(name) + "'")
        .WithField(name);
  }
  MLOS_TRY(CheckName(name, "outputs"));
  tensors_[index].name = name;
  outputs_[index].name = name.c_str();
  return OkStatus();
}

Status ResponseView::PrepareSlot(std::size_t index, const OutputSlot& slot) {
  tensor::NamedTensor& output = tensors_[index];
  output.name = slot.name;
  outputs_[index].name = slot.name.c_str();
  if (!slot.preallocated) return OkStatus();
  output.tensor = MLOS_TRY(tensor::Tensor::Allocate(slot.dtype, slot.shape));
  outputs_[index] = AsPreallocated(slot.name.c_str(), output.tensor);
  return OkStatus();
}

Result<std::vector<tensor::NamedTensor>> ResponseView::Collect() {
  Status first;
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    Status taken =
        tensors_[i].tensor.data() != nullptr && outputs_[i].data == tensors_[i].tensor.data()
            ? CheckUnchanged(i)
            : Take(i);
    if (first.ok() && !taken.ok()) {
      first = std::move(taken).WithContext("output \"" + tensors_[i].name + "\"");
    }
  }
  MLOS_TRY(std::move(first));
  if (plugin_names_)
    std::erase_if(tensors_, [](const auto& output) { return output.name.empty(); });
  return std::move(tensors_);
}

Status ResponseView::CheckUnchanged(std::size_t index) const {
  const smi_tensor_t& output = outputs_[index];
  const tensor::Tensor& tensor = tensors_[index].tensor;
  if (RawDType(output.dtype) == tensor.dtype() && output.rank == tensor.shape().size() &&
      output.shape == tensor.shape().data() && output.size_bytes == tensor.size_bytes() &&
      output.release == nullptr) {
    return OkStatus();
  }
  return {Reason::kPluginFailed, "the plugin has changed the members of a preallocated output"};
}

Status ResponseView::Take(std::size_t index) {
  const smi_tensor_t& output = outputs_[index];
  const bool untouched = output.data == nullptr && output.release == nullptr &&
                         RawDType(output.dtype) == tensor::DType::kUndefined;
  if (untouched && plugin_names_ && output.name == nullptr) return OkStatus();
  if (untouched) return {Reason::kPluginFailed, "the plugin has not given it"};
  tensor::NamedTensor& taken = tensors_[index];
  taken.tensor = MLOS_TRY(Adopt(output));
  if (plugin_names_) taken.name = MLOS_TRY(TensorName(output.name));
  const OutputSlot* slot = SlotOf(index);
  if (slot == nullptr || slot->dtype == taken.tensor.dtype()) return OkStatus();
  return {Reason::kPluginFailed, "the plugin hands over " +
                                     std::string(tensor::Name(taken.tensor.dtype())) + " where " +
                                     std::string(tensor::Name(slot->dtype)) + " is declared"};
}

Result<std::vector<tensor::NamedTensor>> PickOutputs(const std::vector<OutputSlot>* slots,
                                                     const engine::InferenceRequest& request,
                                                     std::vector<tensor::NamedTensor> given) {
  if (slots == nullptr && request.requested_outputs.empty()) return given;
  std::vector<tensor::NamedTensor> picked;
  const auto pick = [&](const std::string& name) -> Status {
    const auto found = std::find_if(given.begin(), given.end(),
                                    [&](const auto& output) { return output.name == name; });
    if (found == given.end()) {
      return {Reason::kPluginFailed, "the plugin has not given output \"" + name + "\""};
    }
    picked.push_back(std::move(*found));
    return OkStatus();
  };
  if (!request.requested_outputs.empty()) {
    for (const std::string& name : request.requested_outputs) MLOS_TRY(pick(name));
  } else {
    for (const OutputSlot& slot : *slots) MLOS_TRY(pick(slot.name));
  }
  return picked;
}

}  // namespace mlos::plugin
