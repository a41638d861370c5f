// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "api/oip/description.h"
#include "api/oip/statistics.h"

namespace mlos::api::oip {
namespace {

TEST(OipTest, AFormatHasItsPlatform) {
  for (const auto& [format, platform] :
       {std::pair{"onnx", "onnxruntime_onnx"}, std::pair{"count", "mlos_count"}}) {
    catalog::ModelInfo model;
    model.execution_format = format;
    EXPECT_EQ(Platform(model), platform);
  }
}

TEST(OipTest, AnUnknownRankIsOneDimensionOfAnySize) {
  using Sizes = std::vector<std::int64_t>;
  tensor::TensorSpec spec;
  spec.has_shape = true;
  EXPECT_EQ(SizesOf(spec), Sizes());
  spec.dims = {{.size = tensor::kDynamicSize, .symbol = "n"}, {.size = 3, .symbol = ""}};
  EXPECT_EQ(SizesOf(spec), (Sizes{-1, 3}));
  spec.dims.clear();
  spec.has_shape = false;
  EXPECT_EQ(SizesOf(spec), Sizes{-1});
}

TEST(OipTest, StatisticsAreInNanoseconds) {
  metrics::ModelStats counted;
  counted.model_id = "m";
  counted.success_count = 2;
  counted.queue_time.count = 2;
  counted.queue_time.sum_us = 10;
  counted.run_time.count = 2;
  counted.run_time.sum_us = 30;
  counted.failure_time_us = 7;
  counted.errors = {{Reason::kInternal, 1}, {Reason::kOverloaded, 2}};
  const InferenceStatistics told = StatisticsOf(CountsOf("m", {{}, counted}));
  EXPECT_EQ(told.success.count, 2);
  EXPECT_EQ(told.success.ns, 40'000);
  EXPECT_EQ(told.fail.count, 3);
  EXPECT_EQ(told.fail.ns, 7'000);
  EXPECT_EQ(told.queue.ns, 10'000);
  EXPECT_EQ(told.compute_infer.ns, 30'000);
  EXPECT_EQ(StatisticsOf(CountsOf("other", {counted})).success.count, 0);
}

}  // namespace
}  // namespace mlos::api::oip
