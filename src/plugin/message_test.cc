// SPDX-License-Identifier: MIT
#include "plugin/message.h"

#include <gtest/gtest.h>

#include "mlos/smi_spec.h"

namespace mlos::plugin {
namespace {

struct Case {
  const char* name;
  const char* said;
  const char* shown;
};

class CleanMessageTest : public ::testing::TestWithParam<Case> {};

TEST_P(CleanMessageTest, ShowsNoPathsAndAddresses) {
  EXPECT_EQ(CleanMessage(GetParam().said, "/srv/models/bert"), GetParam().shown);
}

INSTANTIATE_TEST_SUITE_P(
    Table, CleanMessageTest,
    ::testing::Values(
        Case{"Folder", "cannot open /srv/models/bert/model.onnx", "cannot open model.onnx"},
        Case{"FolderAlone", "in /srv/models/bert: bad", "in : bad"},
        Case{"OtherPath", "see /etc/passwd.", "see (file)."},
        Case{"Quoted", "\"/opt/me/x y\"", "\"(file) y\""},
        Case{"Source", "failed:/build/x/kernel.cc:12 boom", "failed:(file):12 boom"},
        Case{"Library", "libx.so.1 => /mystery/libx.so.1 missing", "libx.so.1 => (file) missing"},
        Case{"NodeName", "node /encoder/layer.0/attention/MatMul_1 failed",
             "node /encoder/layer.0/attention/MatMul_1 failed"},
        Case{"Fraction", "1/2 and a/b and / alone", "1/2 and a/b and / alone"},
        Case{"Address", "at 0x7ffd01234567, id 0x1f", "at (address), id 0x1f"},
        Case{"Lines", " one\n\n\ttwo\r\n", "one two"}, Case{"Control", "a\x01z", "a?z"},
        Case{"NotUtf8", "a\xffz", "a?z"}, Case{"Empty", "", ""}),
    [](const auto& info) { return info.param.name; });

TEST(CleanMessage, IsBounded) { EXPECT_LT(CleanMessage(std::string(100'000, 'x')).size(), 1'010u); }

TEST(StatusOf, MeansAnotherThingForEachActivity) {
  const auto reason = [](Activity activity, int status) {
    return StatusOf(activity, status, "p", "why").reason();
  };
  EXPECT_EQ(reason(Activity::kStart, SMI_ERROR_INVALID_PARAM), Reason::kInvalidConfig);
  EXPECT_EQ(reason(Activity::kModel, SMI_ERROR_INVALID_PARAM), Reason::kInvalidModel);
  EXPECT_EQ(reason(Activity::kInference, SMI_ERROR_INVALID_PARAM), Reason::kInferenceRejected);
  EXPECT_EQ(reason(Activity::kModel, SMI_ERROR_UNSUPPORTED), Reason::kUnsupportedModel);
  EXPECT_EQ(reason(Activity::kInference, SMI_ERROR_UNSUPPORTED), Reason::kUnimplemented);
  for (const Activity activity : {Activity::kStart, Activity::kModel, Activity::kInference}) {
    EXPECT_EQ(reason(activity, SMI_ERROR_OUT_OF_MEMORY), Reason::kOutOfMemory);
    EXPECT_EQ(reason(activity, SMI_ERROR_RUNTIME), Reason::kPluginFailed);
    EXPECT_EQ(reason(activity, 12345), Reason::kPluginFailed);
  }
}

TEST(StatusOf, NamesTheInputAtFault) {
  const Status status =
      StatusOf(Activity::kInference, SMI_ERROR_INVALID_PARAM, "p", "input \"x\" is odd");
  EXPECT_EQ(status.field(), "x");
  EXPECT_EQ(status.message(), "input \"x\" is odd");
}

TEST(StatusOf, AnOptionThatIsRefusedIsNoFaultOfTheFiles) {
  const Status refused =
      StatusOf(Activity::kModel, SMI_ERROR_INVALID_PARAM, "p", "option \"depth\" is not known");
  EXPECT_EQ(refused.reason(), Reason::kInvalidField);
  EXPECT_EQ(refused.field(), "options");
  EXPECT_EQ(refused.message(), "option \"depth\" is not known");
  const Status other =
      StatusOf(Activity::kModel, SMI_ERROR_INVALID_MODEL, "p", "option \"depth\" of the file");
  EXPECT_EQ(other.reason(), Reason::kInvalidModel);
}

TEST(StatusOf, SaysSomethingForAPluginThatDoesNot) {
  EXPECT_EQ(StatusOf(Activity::kInference, SMI_ERROR_RUNTIME, "p", "").message(),
            "plugin p: no reason given (SMI status -5)");
}

}  // namespace
}  // namespace mlos::plugin
