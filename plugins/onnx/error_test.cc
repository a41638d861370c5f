// SPDX-License-Identifier: MIT
#include "onnx/error.h"

#include <gtest/gtest.h>

#include <string_view>

namespace mlos::onnx {
namespace {

struct Case {
  const char* name;
  const char* said;
  const char* shown;
};

class CleanMessageTest : public ::testing::TestWithParam<Case> {};

TEST_P(CleanMessageTest, KeepsOnlyWhatCallersNeed) {
  EXPECT_EQ(CleanMessage(GetParam().said), GetParam().shown);
}

INSTANTIATE_TEST_SUITE_P(
    Table, CleanMessageTest,
    ::testing::Values(
        Case{"Signature",
             "Load model from m.onnx failed:/onnxruntime_src/onnxruntime/core/graph/model.cc:180 "
             "onnxruntime::Model::Model(onnx::ModelProto&&, const onnxruntime::PathString&) "
             "Unsupported model IR version: 99, max supported IR version: 11\n",
             "Load model from m.onnx failed:Unsupported model IR version: 99, max supported IR "
             "version: 11"},
        Case{"NodeAndCondition",
             "Non-zero status code returned while running Reshape node. Name:'r1' Status Message: "
             "/src/onnxruntime/core/providers/cpu/tensor/reshape_helper.h:44 "
             "onnxruntime::ReshapeHelper::ReshapeHelper(const onnxruntime::TensorShape&, bool) "
             "size == 3 was false. The input tensor cannot be reshaped.\n",
             "node Reshape \"r1\": The input tensor cannot be reshaped."},
        Case{"PassedOnCode",
             "Non-zero status code returned while running Reshape node. Name:'' Status Message:  : "
             "2 : INVALID_ARGUMENT : The output is odd",
             "node Reshape: The output is odd"},
        Case{"TemplateArguments", "a: b.cc:12 T f(int) const [with T = int]: bad", "a: : bad"},
        Case{"Nothing", "plain: nothing at 12:30 (or so)", "plain: nothing at 12:30 (or so)"},
        Case{"Unbalanced", "x.cc:1 ) f(", ") f("}, Case{"Empty", "", ""}),
    [](const auto& info) { return info.param.name; });

TEST(LoadError, NamesTheLocaleThatIsMissing) {
  const Error error = LoadError(Ort::Exception(
      "Exception during initialization: /src/core/providers/cpu/text/string_normalizer.cc:235 "
      "onnxruntime::StringNormalizer::Locale::Locale(const std::string&)::<lambda()> Failed to "
      "construct locale with name:en_US.UTF-8:locale::facet::_S_create_c_locale name not "
      "valid:Please, install necessary language-pack-XX and configure locales\n",
      ORT_FAIL));
  EXPECT_EQ(error.status(), SMI_ERROR_UNSUPPORTED);
  EXPECT_TRUE(std::string_view(error.what())
                  .starts_with("the locale en_US.UTF-8 is missing on this machine; "))
      << error.what();
}

TEST(RunError, KnowsMemoryByItsWords) {
  const auto status = [](const char* message, OrtErrorCode code) {
    return RunError(Ort::Exception(message, code)).status();
  };
  EXPECT_EQ(status("Available memory of 0 is smaller than requested bytes of 4000", ORT_FAIL),
            SMI_ERROR_OUT_OF_MEMORY);
  EXPECT_EQ(status("std::bad_alloc", ORT_RUNTIME_EXCEPTION), SMI_ERROR_OUT_OF_MEMORY);
  EXPECT_EQ(status("indices element out of data bounds", ORT_INVALID_ARGUMENT),
            SMI_ERROR_INVALID_PARAM);
  EXPECT_EQ(status("no kernel", ORT_NOT_IMPLEMENTED), SMI_ERROR_UNSUPPORTED);
}

}  // namespace
}  // namespace mlos::onnx
