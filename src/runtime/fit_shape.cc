// SPDX-License-Identifier: MIT
#include <algorithm>
#include <optional>
#include <string>

#include "runtime/fit.h"

namespace mlos::runtime {
namespace {

using tensor::Dim;
using tensor::Shape;
using tensor::TensorSpec;
using Sizes = std::span<const std::int64_t>;
using Dims = std::span<const Dim>;

bool Matches(const Dim& dim, std::int64_t size) { return dim.dynamic() || dim.size == size; }

std::int64_t DynamicCount(Dims dims) {
  return std::count_if(dims.begin(), dims.end(), [](const Dim& dim) { return dim.dynamic(); });
}

/// What one way to read the data comes to.
struct Reading {
  enum class Outcome { kNone, kOne, kSeveral };
  Outcome outcome = Outcome::kNone;
  Shape shape = {};

  static Reading None() { return {}; }
  static Reading Several() { return {Outcome::kSeveral}; }
};

/// Product of the fixed sizes; nothing where it cannot be counted.
std::optional<std::int64_t> FixedProduct(Dims dims) {
  std::int64_t product = 1;
  for (const Dim& dim : dims) {
    if (!dim.dynamic() && __builtin_mul_overflow(product, dim.size, &product)) return std::nullopt;
  }
  return product;
}

/// The sizes of `dims` where a run of `count` elements fills them.
Reading SplitRun(Dims dims, std::int64_t count) {
  const std::int64_t dynamic_count = DynamicCount(dims);
  const std::optional<std::int64_t> fixed = FixedProduct(dims);
  if (!fixed.has_value()) return Reading::None();
  std::int64_t size_of_dynamic = 1;
  if (dynamic_count == 0) {
    if (*fixed != count) return Reading::None();
  } else if (*fixed == 0) {
    return count == 0 ? Reading::Several() : Reading::None();
  } else {
    if (count % *fixed != 0) return Reading::None();
    size_of_dynamic = count / *fixed;
    // Sizes of which the product is 1 are all 1; any other product has several factorisations.
    if (dynamic_count > 1 && size_of_dynamic != 1) return Reading::Several();
  }
  Reading reading{Reading::Outcome::kOne};
  for (const Dim& dim : dims) {
    reading.shape.push_back(dim.dynamic() ? size_of_dynamic : dim.size);
  }
  return reading;
}

/// Reads `sizes` with `lacking` leading dimensions left out and the last size as a run.
Reading Read(Dims dims, Sizes sizes, std::size_t lacking) {
  Reading reading{Reading::Outcome::kOne};
  for (const Dim& dim : dims.first(lacking)) {
    if (!Matches(dim, 1)) return Reading::None();
    reading.shape.push_back(1);
  }
  const Dims present = dims.subspan(lacking);
  const Sizes kept = sizes.first(sizes.size() - 1);
  for (std::size_t i = 0; i < kept.size(); ++i) {
    if (!Matches(present[i], kept[i])) return Reading::None();
    reading.shape.push_back(kept[i]);
  }
  const Reading run = SplitRun(present.subspan(kept.size()), sizes.back());
  reading.outcome = run.outcome;
  reading.shape.append(run.shape.begin(), run.shape.end());
  return reading;
}

/// Rule 3: the one shape that all readings come to.
Reading ReadInEveryWay(Dims dims, Sizes sizes) {
  // A flat list with a first dimension that the data decides, and others beside it: the first is 1,
  // which is the reading that lacks it.
  const bool flat = sizes.size() == 1;
  const std::size_t lacking_min = flat && dims.front().dynamic() && DynamicCount(dims) > 1 ? 1 : 0;
  Reading result;
  for (std::size_t lacking = lacking_min; lacking + sizes.size() <= dims.size(); ++lacking) {
    Reading reading = Read(dims, sizes, lacking);
    if (reading.outcome == Reading::Outcome::kNone) continue;
    const bool first = result.outcome == Reading::Outcome::kNone;
    if (reading.outcome == Reading::Outcome::kSeveral ||
        (!first && reading.shape != result.shape)) {
      return Reading::Several();
    }
    result = std::move(reading);
  }
  return result;
}

Reading ReadLowerRank(const TensorSpec& spec, Sizes sizes) {
  const Dims dims = spec.dims;
  if (dims.size() == sizes.size() + 1 && Matches(dims.front(), 1)) {
    if (std::equal(sizes.begin(), sizes.end(), dims.begin() + 1,
                   [](std::int64_t size, const Dim& dim) { return Matches(dim, size); })) {
      Reading batch_of_one{Reading::Outcome::kOne, {1}};
      batch_of_one.shape.append(sizes.begin(), sizes.end());
      return batch_of_one;
    }
  }
  constexpr std::int64_t kOneElement[] = {1};
  return ReadInEveryWay(dims, sizes.empty() ? Sizes(kOneElement) : sizes);
}

Status Mismatch(const TensorSpec& spec, Sizes shape, std::string_view why) {
  return Status(Reason::kShapeMismatch, "input '" + spec.name + "' wants the shape " +
                                            ToString(spec) + ", and " + tensor::ToString(shape) +
                                            " " + std::string(why))
      .WithField(spec.name);
}

}  // namespace

Result<Shape> FitShape(const TensorSpec& spec, Sizes shape) {
  Shape as_given(shape.begin(), shape.end());
  if (Accepts(spec, shape)) return as_given;
  if (spec.dims.empty() && shape.size() == 1 && shape[0] == 1) return Shape();
  if (shape.size() >= spec.dims.size()) return Mismatch(spec, shape, "does not match it");
  Reading reading = ReadLowerRank(spec, shape);
  switch (reading.outcome) {
    case Reading::Outcome::kOne:
      return std::move(reading.shape);
    case Reading::Outcome::kSeveral:
      return Mismatch(spec, shape, "fits it in several ways; give the data in its full shape");
    default:
      return Mismatch(spec, shape, "does not fit it");
  }
}

}  // namespace mlos::runtime
