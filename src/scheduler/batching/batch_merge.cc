// SPDX-License-Identifier: MIT
#include "scheduler/batching/batch_merge.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "tensor/float16.h"

namespace mlos::scheduler::batching {
namespace {

using engine::InferenceRequest;
using engine::InferenceResponse;
using tensor::DType;
using tensor::NamedTensor;
using tensor::Tensor;

// What exporters call the batch axis: PyTorch's and Optimum's dynamic_axes, tf2onnx, Keras, ONNX's
// own test models.
bool NamesBatch(std::string_view symbol) {
  constexpr std::string_view kNames[] = {"N", "n", "B", "b", "bs", "None"};
  if (std::find(std::begin(kNames), std::end(kNames), symbol) != std::end(kNames)) return true;
  std::string lower(symbol);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower.find("batch") != std::string::npos;
}

const Tensor* Find(const std::vector<NamedTensor>& tensors, std::string_view name) {
  const auto found = std::find_if(tensors.begin(), tensors.end(),
                                  [&](const NamedTensor& t) { return t.name == name; });
  return found == tensors.end() ? nullptr : &found->tensor;
}

bool SameBehindAxis(const Tensor& a, const Tensor& b) {
  return a.dtype() == b.dtype() && a.shape().size() == b.shape().size() &&
         std::equal(a.shape().begin() + 1, a.shape().end(), b.shape().begin() + 1);
}

/// Whether `a` and `b` begin with the same `count` items.
bool SameItems(const Tensor& a, const Tensor& b, std::int64_t count) {
  const auto of_all = static_cast<std::size_t>(a.shape()[0]);
  const std::size_t bytes = a.size_bytes() / of_all * static_cast<std::size_t>(count);
  return bytes == 0 || std::memcmp(a.data(), b.data(), bytes) == 0;
}

Compatibility Compare(const InferenceRequest& a, const InferenceRequest& b) {
  const std::int64_t a_items = a.inputs[0].tensor.shape()[0];
  const bool as_many = a_items == b.inputs[0].tensor.shape()[0];
  bool all_same = as_many;
  for (const NamedTensor& input : a.inputs) {
    const Tensor& other = *Find(b.inputs, input.name);
    if (all_same && SameItems(input.tensor, other, a_items)) continue;
    all_same = false;
    if (!SameItems(input.tensor, other, 1)) return Compatibility::kDifferent;
  }
  return all_same ? Compatibility::kEqual : Compatibility::kAlike;
}

Result<Tensor> Concatenate(std::span<const Tensor* const> parts) {
  tensor::Shape shape = parts[0]->shape();
  shape[0] = 0;
  for (const Tensor* part : parts) shape[0] += part->shape()[0];
  Tensor whole = MLOS_TRY(Tensor::Allocate(parts[0]->dtype(), std::move(shape)));
  auto* to = static_cast<std::byte*>(whole.data());
  for (const Tensor* part : parts) {
    std::memcpy(to, part->data(), part->size_bytes());
    to += part->size_bytes();
  }
  return whole;
}

/// Items `first` to `first + count`, over the same memory or a copy.
Result<Tensor> Slice(const Tensor& whole, std::int64_t first, std::int64_t count, bool copy) {
  const std::size_t item_bytes =
      whole.shape()[0] == 0 ? 0 : whole.size_bytes() / static_cast<std::size_t>(whole.shape()[0]);
  tensor::Shape shape = whole.shape();
  shape[0] = count;
  auto* data = static_cast<std::byte*>(whole.data()) + static_cast<std::size_t>(first) * item_bytes;
  const std::size_t bytes = static_cast<std::size_t>(count) * item_bytes;
  if (!copy) {
    return Tensor::FromBuffer(whole.dtype(), std::move(shape), tensor::Buffer::Borrow(data, bytes));
  }
  Tensor part = MLOS_TRY(Tensor::Allocate(whole.dtype(), std::move(shape)));
  if (bytes != 0) std::memcpy(part.data(), data, bytes);
  return part;
}

std::size_t OutputBytes(const InferenceResponse& response) {
  std::size_t bytes = 0;
  for (const NamedTensor& output : response.outputs) bytes += output.tensor.size_bytes();
  return bytes;
}

Status CheckItems(const InferenceResponse& response, std::int64_t total) {
  for (const NamedTensor& output : response.outputs) {
    const tensor::Shape& shape = output.tensor.shape();
    if (!shape.empty() && shape[0] == total && output.tensor.dtype() != DType::kString) continue;
    return {Reason::kPluginFailed, "output '" + output.name + "' of a batch of " +
                                       std::to_string(total) + " items has shape " +
                                       tensor::ToString(shape)};
  }
  return OkStatus();
}

// Larger parts are copied: a door holds them until their caller has read them, and one that reads
// slowly would hold the others' too.
constexpr std::size_t kBorrowedBytesMax = 4 << 10;

constexpr double kTolerance = 1e-5;
constexpr double kTolerance16 = 1e-2;

bool Near(double a, double b, double tolerance) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
  if (std::isinf(a) || std::isinf(b)) return a == b;
  return std::abs(a - b) <= tolerance * std::max({1.0, std::abs(a), std::abs(b)});
}

template <typename T, typename Decode>
bool AllNear(const Tensor& a, const Tensor& b, double tolerance, Decode decode) {
  return std::equal(a.elements<T>().begin(), a.elements<T>().end(), b.elements<T>().begin(),
                    [&](T x, T y) { return Near(decode(x), decode(y), tolerance); });
}

bool NearlyEqualTensors(const Tensor& a, const Tensor& b) {
  if (a.dtype() != b.dtype() || a.shape() != b.shape()) return false;
  const auto plain = [](auto value) { return static_cast<double>(value); };
  switch (a.dtype()) {
    case DType::kFloat32:
      return AllNear<float>(a, b, kTolerance, plain);
    case DType::kFloat64:
      return AllNear<double>(a, b, kTolerance, plain);
    case DType::kFloat16:
      return AllNear<std::uint16_t>(a, b, kTolerance16, tensor::Float16ToFloat);
    case DType::kBfloat16:
      return AllNear<std::uint16_t>(a, b, kTolerance16, tensor::Bfloat16ToFloat);
    default:
      return a.dtype() != DType::kString && std::memcmp(a.data(), b.data(), a.size_bytes()) == 0;
  }
}

}  // namespace

bool HasBatchAxis(const engine::ModelSchema& schema) {
  if (!schema.declared || schema.inputs.empty() || schema.outputs.empty()) return false;
  if (schema.inputs[0].dims.empty()) return false;
  const std::string& symbol = schema.inputs[0].dims[0].symbol;
  const auto begins_with_it = [&](const tensor::TensorSpec& spec) {
    return !spec.dims.empty() && spec.dims[0].dynamic() && spec.dims[0].symbol == symbol;
  };
  return NamesBatch(symbol) &&
         std::all_of(schema.inputs.begin(), schema.inputs.end(), begins_with_it) &&
         std::all_of(schema.outputs.begin(), schema.outputs.end(), begins_with_it);
}

std::int64_t BatchItems(const InferenceRequest& request) {
  if (request.inputs.empty() || request.inputs[0].tensor.shape().empty()) return 0;
  const std::int64_t items = request.inputs[0].tensor.shape()[0];
  for (const NamedTensor& input : request.inputs) {
    const tensor::Shape& shape = input.tensor.shape();
    if (shape.empty() || shape[0] != items || input.tensor.dtype() == DType::kString) return 0;
  }
  return items;
}

bool CanMerge(const InferenceRequest& a, const InferenceRequest& b) {
  if (a.inputs.size() != b.inputs.size() || a.requested_outputs != b.requested_outputs) {
    return false;
  }
  return std::all_of(a.inputs.begin(), a.inputs.end(), [&](const NamedTensor& input) {
    const Tensor* other = Find(b.inputs, input.name);
    return other != nullptr && SameBehindAxis(input.tensor, *other);
  });
}

Compatibility Compare(std::span<const InferenceRequest* const> requests) {
  Compatibility compatibility = Compatibility::kEqual;
  for (const InferenceRequest* request : requests.subspan(1)) {
    compatibility = std::max(compatibility, Compare(*requests[0], *request));
    if (compatibility == Compatibility::kDifferent) break;
  }
  return compatibility;
}

std::uint64_t InputBytes(const InferenceRequest& request) {
  std::uint64_t bytes = 0;
  for (const NamedTensor& input : request.inputs) bytes += input.tensor.size_bytes();
  return bytes;
}

Result<InferenceRequest> Merge(std::span<const InferenceRequest* const> requests) {
  InferenceRequest merged;
  merged.requested_outputs = requests[0]->requested_outputs;
  for (const NamedTensor& input : requests[0]->inputs) {
    std::vector<const Tensor*> parts;
    parts.reserve(requests.size());
    for (const InferenceRequest* request : requests) {
      parts.push_back(Find(request->inputs, input.name));
    }
    merged.inputs.push_back({input.name, MLOS_TRY(Concatenate(parts))});
  }
  return merged;
}

Result<std::vector<InferenceResponse>> Split(InferenceResponse merged,
                                             std::span<const std::int64_t> items) {
  std::int64_t total = 0;
  for (const std::int64_t count : items) total += count;
  MLOS_TRY(CheckItems(merged, total));
  const auto whole = std::make_shared<const InferenceResponse>(std::move(merged));
  const bool copy = OutputBytes(*whole) > kBorrowedBytesMax * items.size();
  std::vector<InferenceResponse> parts;
  std::int64_t first = 0;
  for (const std::int64_t count : items) {
    InferenceResponse part;
    if (!copy) part.keepalive = whole;
    for (const NamedTensor& output : whole->outputs) {
      part.outputs.push_back({output.name, MLOS_TRY(Slice(output.tensor, first, count, copy))});
    }
    parts.push_back(std::move(part));
    first += count;
  }
  return parts;
}

bool NearlyEqual(const InferenceResponse& a, const InferenceResponse& b) {
  return std::equal(a.outputs.begin(), a.outputs.end(), b.outputs.begin(), b.outputs.end(),
                    [](const NamedTensor& x, const NamedTensor& y) {
                      return x.name == y.name && NearlyEqualTensors(x.tensor, y.tensor);
                    });
}

}  // namespace mlos::scheduler::batching
