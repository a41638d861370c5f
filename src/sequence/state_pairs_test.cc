// SPDX-License-Identifier: MIT
#include "sequence/state_pairs.h"

#include <gtest/gtest.h>

#include <initializer_list>

namespace mlos::sequence {
namespace {

using tensor::DType;
using tensor::TensorSpec;

TensorSpec Spec(const std::string& name, std::initializer_list<std::int64_t> sizes,
                DType dtype = DType::kFloat32) {
  TensorSpec spec{.name = name, .dtype = dtype};
  for (const std::int64_t size : sizes) spec.dims.push_back({size, ""});
  return spec;
}

TensorSpec Unranked(const std::string& name) {
  return {.name = name, .dtype = DType::kFloat32, .has_shape = false};
}

engine::ModelSchema SileroVad() {
  return {.inputs = {Spec("input", {-1, -1}), Spec("state", {2, -1, 128}),
                     Spec("sr", {}, DType::kInt64)},
          .outputs = {Spec("output", {-1, 1}), Spec("stateN", {-1, -1, -1})}};
}

/// A model of one state beside an input and an output that are none.
engine::ModelSchema WithState(const TensorSpec& input, const TensorSpec& output) {
  return {.inputs = {Spec("data", {-1, 8}), input}, .outputs = {Spec("score", {-1, 3}), output}};
}

TEST(DetectStatePairsTest, FindsNamesThatBelongTogether) {
  const std::pair<const char*, const char*> names[] = {
      {"state", "stateN"},    {"h", "hn"},          {"h0", "hn"},
      {"h_0", "h_n"},         {"x", "x_out"},       {"x_in", "x_out"},
      {"x", "new_x"},         {"prev_x", "next_x"}, {"in_cache", "out_cache"},
      {"cache", "cache_new"}, {"h_prev", "h_next"}, {"state", "output_state"},
  };
  for (const auto& [input, output] : names) {
    const StatePairs expected = {{input, output}};
    EXPECT_EQ(DetectStatePairs(WithState(Spec(input, {1, 4}), Spec(output, {1, 4}))), expected)
        << input << " " << output;
  }
}

TEST(DetectStatePairsTest, FindsSileroVadsStateAndAnLstmsTwo) {
  EXPECT_EQ(DetectStatePairs(SileroVad()), (StatePairs{{"state", "stateN"}}));
  const engine::ModelSchema lstm = {
      .inputs = {Spec("x", {-1, 4}), Spec("h0", {1, -1, 8}), Spec("c0", {1, -1, 8})},
      .outputs = {Spec("y", {-1, 4}), Spec("hn", {1, -1, 8}), Spec("cn", {1, -1, 8})}};
  EXPECT_EQ(DetectStatePairs(lstm), (StatePairs{{"h0", "hn"}, {"c0", "cn"}}));
}

TEST(DetectStatePairsTest, FindsNothingWhereItCouldBeSomethingElse) {
  const std::pair<const char*, engine::ModelSchema> cases[] = {
      {"other names", WithState(Spec("h", {1, 4}), Spec("g", {1, 4}))},
      {"another dtype", WithState(Spec("h", {1, 4}), Spec("hn", {1, 4}, DType::kFloat16))},
      {"strings", WithState(Spec("h", {1}, DType::kString), Spec("hn", {1}, DType::kString))},
      {"another rank", WithState(Spec("h", {1, 4}), Spec("hn", {4}))},
      {"another size", WithState(Spec("h", {1, 4}), Spec("hn", {1, 5}))},
      {"two next values",
       {.inputs = {Spec("x", {4}), Spec("h", {4})},
        .outputs = {Spec("y", {4}), Spec("hn", {4}), Spec("h_out", {4})}}},
      {"two values before",
       {.inputs = {Spec("x", {4}), Spec("h", {4}), Spec("h0", {4})},
        .outputs = {Spec("y", {4}), Spec("hn", {4})}}},
      {"every input comes back",
       {.inputs = {Spec("image", {4})}, .outputs = {Spec("image_out", {4}), Spec("y", {4})}}},
      {"every input comes back, one of them strings",
       {.inputs = {Spec("t", {4}, DType::kString), Spec("x", {4})},
        .outputs = {Spec("t_out", {4}, DType::kString), Spec("x_out", {4})}}},
      {"every output was an input",
       {.inputs = {Spec("x", {4}), Spec("h", {4})}, .outputs = {Spec("hn", {4})}}},
      {"nothing is declared", {.declared = false}},
  };
  for (const auto& [what, schema] : cases) EXPECT_TRUE(DetectStatePairs(schema).empty()) << what;
}

TEST(ResolveStatePairsTest, ADeclarationComesFirst) {
  const engine::ModelSchema schema = {.inputs = {Spec("a", {4}), Spec("h", {4}), Unranked("u")},
                                      .outputs = {Spec("b", {4}), Spec("hn", {4}), Unranked("v")}};
  EXPECT_EQ(ResolveStatePairs({}, schema).value(), (StatePairs{{"h", "hn"}}));
  for (const StatePairs& declared :
       {StatePairs{{"a", "b"}}, StatePairs{{"h", "b"}}, StatePairs{{"u", "hn"}, {"a", "v"}}}) {
    EXPECT_EQ(ResolveStatePairs(declared, schema).value(), declared);
  }
}

TEST(ResolveStatePairsTest, ADeclarationThatCannotBeIsRefused) {
  const std::pair<const char*, StatePairs> cases[] = {
      {"no such input", {{"nothing", "stateN"}}},        {"no such output", {{"state", "nothing"}}},
      {"an output for an input", {{"stateN", "state"}}}, {"another dtype", {{"sr", "stateN"}}},
      {"another rank", {{"input", "stateN"}}},
  };
  for (const auto& [what, declared] : cases) {
    const Result<StatePairs> pairs = ResolveStatePairs(declared, SileroVad());
    ASSERT_FALSE(pairs.ok()) << what;
    EXPECT_EQ(pairs.status().reason(), Reason::kInvalidField) << what;
    EXPECT_EQ(pairs.status().field(), "state_pairs") << what;
  }
  const engine::ModelSchema twice = {.inputs = {Spec("g", {4}), Spec("h", {4})},
                                     .outputs = {Spec("y", {4})}};
  EXPECT_EQ(ResolveStatePairs({{"g", "y"}, {"h", "y"}}, twice).status().field(), "state_pairs");
}

}  // namespace
}  // namespace mlos::sequence
