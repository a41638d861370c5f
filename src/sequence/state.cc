// SPDX-License-Identifier: MIT
#include "sequence/state.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <utility>

namespace mlos::sequence {
namespace {

using tensor::Dim;
using tensor::NamedTensor;
using tensor::Shape;
using tensor::Tensor;
using tensor::TensorSpec;

const Tensor* Find(const std::vector<NamedTensor>& tensors, std::string_view name) {
  const auto found = std::find_if(tensors.begin(), tensors.end(),
                                  [&](const NamedTensor& t) { return t.name == name; });
  return found == tensors.end() ? nullptr : &found->tensor;
}

/// What the tensors given tell of sizes that the model leaves open.
class OpenSizes {
 public:
  OpenSizes(const engine::ModelSchema& schema, const std::vector<NamedTensor>& inputs) {
    for (const NamedTensor& input : inputs) {
      const TensorSpec* spec = schema.FindInput(input.name);
      const bool told =
          spec != nullptr && spec->has_shape && spec->dims.size() == input.tensor.shape().size();
      if (told) Learn(spec->dims, input.tensor.shape());
    }
  }

  std::optional<std::int64_t> Of(const Dim& dim) const {
    if (!dim.dynamic()) return dim.size;
    if (dim.symbol.empty()) return batch_;
    const auto known = by_symbol_.find(dim.symbol);
    return known == by_symbol_.end() ? std::nullopt : std::optional(known->second);
  }

 private:
  void Learn(const std::vector<Dim>& dims, const Shape& shape) {
    for (std::size_t i = 0; i < dims.size(); ++i) {
      if (!dims[i].symbol.empty()) by_symbol_.emplace(dims[i].symbol, shape[i]);
    }
    if (!dims.empty() && dims[0].dynamic() && !batch_) batch_ = shape[0];
  }

  std::map<std::string, std::int64_t, std::less<>> by_symbol_;
  std::optional<std::int64_t> batch_;
};

/// The shape of the zeros that a sequence begins with.
Result<Shape> ZeroShape(const TensorSpec& spec, const OpenSizes& sizes) {
  Shape shape;
  const auto open = std::count_if(spec.dims.begin(), spec.dims.end(), [](const Dim& dim) {
    return dim.dynamic() && dim.symbol.empty();
  });
  for (const Dim& dim : spec.dims) {
    const std::optional<std::int64_t> size = sizes.Of(dim);
    // Of several without a name, nothing tells which one is the batch.
    const bool known = size && (!dim.dynamic() || !dim.symbol.empty() || open == 1);
    if (known) shape.push_back(*size);
  }
  if (spec.has_shape && shape.size() == spec.dims.size()) return shape;
  return Status(Reason::kMissingInput,
                "the zeros that the state '" + spec.name + "' " + ToString(spec) +
                    " begins with have a shape that the other inputs do not tell; give the input "
                    "with the request that starts the sequence")
      .WithField(spec.name);
}

/// The same elements, which stay their owner's.
Result<Tensor> Borrow(const Tensor& tensor) {
  return Tensor::FromBuffer(tensor.dtype(), tensor.shape(),
                            tensor::Buffer::Borrow(tensor.data(), tensor.size_bytes()));
}

void Copy(const Tensor& from, const Tensor& to) {
  // A model may give back the very memory it was given.
  if (from.size_bytes() != 0) std::memmove(to.data(), from.data(), from.size_bytes());
}

bool SameForm(const Tensor& a, const Tensor& b) {
  return a.dtype() == b.dtype() && a.shape() == b.shape();
}

bool IsState(const StatePairs& pairs, std::string_view output) {
  return std::any_of(pairs.begin(), pairs.end(),
                     [&](const auto& pair) { return pair.second == output; });
}

/// The state output `name`, which its input must take.
Result<const Tensor*> NextValue(const engine::InferenceResponse& response, const std::string& name,
                                const TensorSpec& input) {
  const Tensor* next = Find(response.outputs, name);
  if (next == nullptr) return Status(Reason::kPluginFailed, "the model gave no '" + name + "'");
  if (next->dtype() == input.dtype && (!input.has_shape || Accepts(input, next->shape()))) {
    return next;
  }
  return Status(Reason::kShapeMismatch,
                "output '" + name + "' came as " + std::string(Name(next->dtype())) + " " +
                    tensor::ToString(next->shape()) + ", which the state '" + input.name + "' " +
                    ToString(input) + " cannot be")
      .WithField(name);
}

}  // namespace

Status State::Zero(const std::vector<NamedTensor>& inputs) {
  const OpenSizes sizes(*schema_, inputs);
  std::vector<Shape> shapes(pairs_->size());
  std::vector<bool> wanted(pairs_->size());
  std::uint64_t bytes = 0;
  std::size_t i = 0;
  for (const auto& [name, output] : *pairs_) {
    const TensorSpec& spec = *schema_->FindInput(name);
    wanted[i] = spec.required && Find(inputs, name) == nullptr;
    if (wanted[i]) {
      shapes[i] = MLOS_TRY(ZeroShape(spec, sizes));
      bytes += MLOS_TRY(tensor::ByteSize(spec.dtype, shapes[i]));
    }
    ++i;
  }
  held_ = MLOS_TRY(budget_->Reserve(bytes));
  i = 0;
  for (const auto& [name, output] : *pairs_) {
    if (wanted[i]) {
      tensors_[i] =
          MLOS_TRY(Tensor::Allocate(schema_->FindInput(name)->dtype, std::move(shapes[i])));
      if (tensors_[i].size_bytes() != 0) {
        std::memset(tensors_[i].data(), 0, tensors_[i].size_bytes());
      }
    }
    ++i;
  }
  return OkStatus();
}

Result<engine::InferenceRequest> State::Complete(const engine::InferenceRequest& asked) const {
  engine::InferenceRequest request;
  request.deadline = asked.deadline;
  request.cancellation = asked.cancellation;
  for (const NamedTensor& input : asked.inputs) {
    request.inputs.push_back({input.name, MLOS_TRY(Borrow(input.tensor))});
  }
  request.requested_outputs = asked.requested_outputs;
  if (asked.requested_outputs.empty()) {
    for (const TensorSpec& output : schema_->outputs) {
      if (!IsState(*pairs_, output.name)) request.requested_outputs.push_back(output.name);
    }
  }
  auto own = tensors_.begin();
  for (const auto& [input, output] : *pairs_) {
    const bool given = Find(asked.inputs, input) != nullptr;
    if (!given && own->dtype() != tensor::DType::kUndefined) {
      request.inputs.push_back({input, MLOS_TRY(Borrow(*own))});
    }
    const auto& names = asked.requested_outputs;
    if (std::find(names.begin(), names.end(), output) == names.end()) {
      request.requested_outputs.push_back(output);
    }
    ++own;
  }
  return request;
}

Status State::Keep(const engine::InferenceResponse& response) {
  std::vector<const Tensor*> next;
  std::uint64_t bytes = 0;
  bool same_form = true;
  for (const auto& [input, output] : *pairs_) {
    next.push_back(MLOS_TRY(NextValue(response, output, *schema_->FindInput(input))));
    same_form = same_form && SameForm(*next.back(), tensors_[next.size() - 1]);
    bytes += next.back()->size_bytes();
  }
  if (!same_form) {
    resource::Reservation reserved = MLOS_TRY(budget_->Reserve(bytes));
    std::vector<Tensor> tensors;
    for (const Tensor* tensor : next) {
      tensors.push_back(MLOS_TRY(Tensor::Allocate(tensor->dtype(), tensor->shape())));
    }
    tensors_ = std::move(tensors);
    held_ = std::move(reserved);
  }
  for (std::size_t i = 0; i < next.size(); ++i) Copy(*next[i], tensors_[i]);
  return OkStatus();
}

std::size_t CountWanted(const engine::InferenceRequest& asked, const StatePairs& pairs,
                        const engine::ModelSchema& schema) {
  return asked.requested_outputs.empty() ? schema.outputs.size() - pairs.size()
                                         : asked.requested_outputs.size();
}

}  // namespace mlos::sequence
