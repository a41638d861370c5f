// SPDX-License-Identifier: MIT
#include "sequence/state_pairs.h"

#include <algorithm>
#include <initializer_list>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.h"

namespace mlos::sequence {
namespace {

using tensor::Dim;
using tensor::TensorSpec;

bool IsSameOrDynamic(const Dim& a, const Dim& b) {
  return a.dynamic() || b.dynamic() || a.size == b.size;
}

/// Whether what the output gives may be given to the input again.
bool Fits(const TensorSpec& input, const TensorSpec& output) {
  const bool numbers =
      input.dtype != tensor::DType::kUndefined && input.dtype != tensor::DType::kString;
  if (!numbers || input.dtype != output.dtype) return false;
  if (!input.has_shape || !output.has_shape) return true;
  return std::equal(input.dims.begin(), input.dims.end(), output.dims.begin(), output.dims.end(),
                    IsSameOrDynamic);
}

bool IsWithin(std::string_view text, std::initializer_list<std::string_view> texts) {
  return std::find(texts.begin(), texts.end(), text) != texts.end();
}

/// What is left of `name` without one of the endings or beginnings that mark a value that goes in.
std::vector<std::string_view> Stems(std::string_view name) {
  std::vector<std::string_view> stems = {name};
  for (const std::string_view ending : {"_in", "_input", "_prev", "_0", "0"}) {
    if (name.ends_with(ending)) stems.push_back(name.substr(0, name.size() - ending.size()));
  }
  for (const std::string_view beginning : {"in_", "input_", "prev_", "old_"}) {
    if (name.starts_with(beginning)) stems.push_back(name.substr(beginning.size()));
  }
  return stems;
}

/// Whether `output` is `stem` with a mark of a value that comes out.
bool IsNext(std::string_view stem, std::string_view output) {
  if (stem.empty()) return false;
  if (output.starts_with(stem)) {
    return IsWithin(output.substr(stem.size()),
                    {"N", "n", "_N", "_n", "_out", "_output", "_new", "_next"});
  }
  return output.ends_with(stem) && IsWithin(output.substr(0, output.size() - stem.size()),
                                            {"new_", "next_", "out_", "output_"});
}

bool BelongTogether(const TensorSpec& input, const TensorSpec& output) {
  const std::vector<std::string_view> stems = Stems(input.name);
  return std::any_of(stems.begin(), stems.end(),
                     [&](std::string_view stem) { return IsNext(stem, output.name); });
}

Status Refused(std::string message) {
  return Status(Reason::kInvalidField, std::move(message)).WithField("state_pairs");
}

Status CheckPair(const std::string& input, const std::string& output,
                 const engine::ModelSchema& schema) {
  const TensorSpec* in = schema.FindInput(input);
  const TensorSpec* out = schema.FindOutput(output);
  if (in == nullptr) return Refused("the model declares no input '" + Excerpt(input) + "'");
  if (out == nullptr) return Refused("the model declares no output '" + Excerpt(output) + "'");
  if (Fits(*in, *out)) return OkStatus();
  return Refused("output '" + output + "' of " + std::string(Name(out->dtype)) + " " +
                 ToString(*out) + " cannot be the next value of input '" + input + "' of " +
                 std::string(Name(in->dtype)) + " " + ToString(*in));
}

}  // namespace

StatePairs DetectStatePairs(const engine::ModelSchema& schema) {
  StatePairs pairs;
  std::set<std::string_view> outputs;
  std::size_t named = 0;
  for (const TensorSpec& input : schema.inputs) {
    for (const TensorSpec& output : schema.outputs) {
      if (!BelongTogether(input, output)) continue;
      ++named;
      if (!Fits(input, output)) continue;
      const bool lone = pairs.emplace(input.name, output.name).second;
      if (!lone || !outputs.insert(output.name).second) return {};
    }
  }
  const bool rest = named < schema.inputs.size() && named < schema.outputs.size();
  return rest ? pairs : StatePairs();
}

Result<StatePairs> ResolveStatePairs(const StatePairs& declared,
                                     const engine::ModelSchema& schema) {
  if (declared.empty()) return DetectStatePairs(schema);
  std::set<std::string_view> outputs;
  for (const auto& [input, output] : declared) {
    MLOS_TRY(CheckPair(input, output, schema));
    if (outputs.insert(output).second) continue;
    return Refused("output '" + output + "' is the next value of several inputs");
  }
  return declared;
}

}  // namespace mlos::sequence
