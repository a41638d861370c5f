// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/plugin/support.h"

namespace mlos::plugin {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Lie {
  const char* model;
  const char* says;
};

/// Handed-over outputs that contradict themselves are refused, and given back all the same.
class OutputLie : public ::testing::TestWithParam<Lie> {};

TEST_P(OutputLie, IsRefusedAndReleasedOnce) {
  const auto engine = MustLoad(Fixture("liar"));
  const auto model = MustLoadModel(*engine, GetParam().model);
  const auto response = model->Infer({}, nullptr);
  ASSERT_FALSE(response.ok());
  EXPECT_EQ(response.status().reason(), Reason::kPluginFailed);
  EXPECT_THAT(std::string(response.status().message()), HasSubstr(GetParam().says));
  EXPECT_EQ(MetricOf(*engine, "releases"), 1);
}

INSTANTIATE_TEST_SUITE_P(
    Table, OutputLie,
    ::testing::Values(Lie{"size_bytes", "size_bytes 4096 for shape [2], which needs 8"},
                      Lie{"rank", "rank 2147483648"}, Lie{"null_shape", "a rank but no shape"},
                      Lie{"dtype", "element type 77"}, Lie{"negative", "-2"},
                      Lie{"overflow", "9223372036854775807"}, Lie{"null_data", "no data"},
                      Lie{"null_string", "a string without data"},
                      Lie{"no_name", "a name that is not of 1 to 1,024 bytes"}),
    [](const auto& info) { return std::string(info.param.model); });

TEST(Outputs, AreReleasedOnceWhenTheResponseDies) {
  const auto engine = MustLoad(Fixture("liar"));
  const auto model = MustLoadModel(*engine, "honest");
  {
    const auto response = model->Infer({}, nullptr);
    ASSERT_TRUE(response.ok()) << response.status();
    EXPECT_EQ(response->outputs[0].name, "y");
    EXPECT_THAT(FloatsOf(response->outputs[0].tensor), ElementsAre(1, 2));
    EXPECT_EQ(MetricOf(*engine, "releases"), -1);
  }
  EXPECT_EQ(MetricOf(*engine, "releases"), 1);
}

TEST(Outputs, KeepTheirPluginMappedUntilTheyDie) {
  auto engine = MustLoad(Fixture("liar"));
  auto model = MustLoadModel(*engine, "honest");
  auto response = model->Infer({}, nullptr);
  ASSERT_TRUE(response.ok()) << response.status();
  model.reset();
  engine.reset();
  EXPECT_TRUE(IsMapped("fixtures/liar.so"));
  EXPECT_THAT(FloatsOf(response->outputs[0].tensor), ElementsAre(1, 2));
  *response = {};
  EXPECT_FALSE(IsMapped("fixtures/liar.so"));
}

TEST(Outputs, OfAModelThatDeclaresNothingAreNamedByTheCallerOrThePlugin) {
  const auto engine = MustLoad(Fixture("liar"));
  const auto model = MustLoadModel(*engine, "honest");
  EXPECT_FALSE(model->schema().declared);
  engine::InferenceRequest request;
  request.requested_outputs = {"mine"};
  const auto response = model->Infer(request, nullptr);
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->outputs[0].name, "mine");
  request.requested_outputs = {std::string("a\0b", 3)};
  EXPECT_EQ(model->Infer(request, nullptr).status().field(), "outputs");
}

TEST(Outputs, NobodyGaveAreNone) {
  const auto engine = MustLoad(Fixture("liar"));
  const auto response = MustLoadModel(*engine, "nothing")->Infer({}, nullptr);
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_TRUE(response->outputs.empty());
}

TEST(PreallocatedOutputs, AreWrittenInPlaceOrDeclined) {
  const auto engine = MustLoad(Fixture("liar_declared"));
  const auto in_place = MustLoadModel(*engine, "in_place")->Infer({}, nullptr);
  ASSERT_TRUE(in_place.ok()) << in_place.status();
  EXPECT_THAT(FloatsOf(in_place->outputs[0].tensor), ElementsAre(1, 1));
  const auto declined = MustLoadModel(*engine, "honest")->Infer({}, nullptr);
  ASSERT_TRUE(declined.ok()) << declined.status();
  EXPECT_THAT(FloatsOf(declined->outputs[0].tensor), ElementsAre(1, 2));
}

TEST(PreallocatedOutputs, MayNotBeMeddledWith) {
  const auto engine = MustLoad(Fixture("liar_declared"));
  const auto response = MustLoadModel(*engine, "in_place meddles")->Infer({}, nullptr);
  ASSERT_FALSE(response.ok());
  EXPECT_EQ(response.status().reason(), Reason::kPluginFailed);
}

TEST(DeclaredOutputs, MustBeGivenAndOfTheirType) {
  const auto engine = MustLoad(Fixture("liar_declared"));
  EXPECT_THAT(
      std::string(
          MustLoadModel(*engine, "shapeless nothing")->Infer({}, nullptr).status().message()),
      HasSubstr("output \"y\": the plugin has not given it"));
  EXPECT_THAT(
      std::string(
          MustLoadModel(*engine, "shapeless other_type")->Infer({}, nullptr).status().message()),
      HasSubstr("int32 where float32 is declared"));
  engine::InferenceRequest request;
  request.requested_outputs = {"z"};
  const auto unknown = MustLoadModel(*engine, "honest")->Infer(request, nullptr);
  EXPECT_EQ(unknown.status().reason(), Reason::kInvalidField);
  EXPECT_EQ(unknown.status().field(), "z");
}

class SchemaLie : public ::testing::TestWithParam<const char*> {};

TEST_P(SchemaLie, IsRefusedAtLoad) {
  const auto engine = MustLoad(Fixture("liar_declared"));
  const auto model = engine->Load({.model_id = GetParam(), .path = "none"});
  ASSERT_FALSE(model.ok());
  EXPECT_EQ(model.status().reason(), Reason::kPluginFailed);
  EXPECT_THAT(std::string(model.status().message()), HasSubstr("the plugin declares"));
}

INSTANTIATE_TEST_SUITE_P(Table, SchemaLie,
                         ::testing::Values("spec_rank", "spec_dims", "spec_negative", "spec_name",
                                           "spec_dtype", "spec_count", "spec_null"),
                         [](const auto& info) { return std::string(info.param); });

TEST(Failures, CarryThePluginsWordsWithoutPathsAndAddresses) {
  const auto engine = MustLoad(Fixture("liar"));
  const auto failed = MustLoadModel(*engine, "status")->Infer({}, nullptr);
  EXPECT_EQ(failed.status().reason(), Reason::kInferenceRejected);
  EXPECT_EQ(failed.status().field(), "x");
  EXPECT_EQ(failed.status().message(), "input \"x\" is odd; see (file) at (address)");
  EXPECT_EQ(MustLoadModel(*engine, "strange")->Infer({}, nullptr).status().reason(),
            Reason::kPluginFailed);
  const auto refused = engine->Load({.model_id = "refused", .path = "none"});
  EXPECT_EQ(refused.status().reason(), Reason::kInvalidModel);
  EXPECT_EQ(refused.status().message(), "the file is not mine");
}

}  // namespace
}  // namespace mlos::plugin
