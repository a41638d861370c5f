// SPDX-License-Identifier: MIT
#include "package/onnx/other_format.h"

#include <gmock/gmock.h>

#include <string>

#include "package/onnx/model.h"
#include "package/onnx/test_model.h"
#include "package/test_folder.h"

namespace mlos::package::onnx {
namespace {

using namespace std::string_literals;
using testing::AllOf;
using testing::HasSubstr;

struct Other {
  const char* name;
  std::string bytes;
  const char* said;
};

class OtherFormatTest : public FolderTest, public testing::WithParamInterface<Other> {};

TEST_P(OtherFormatTest, IsNamedAsWhatItIs) {
  Write("model.onnx", GetParam().bytes);
  const Status refused = ReadModel(folder() / "model.onnx").status();
  EXPECT_EQ(refused.reason(), Reason::kInvalidModel);
  EXPECT_THAT(std::string(refused.message()),
              AllOf(HasSubstr("model.onnx is no ONNX model: it "), HasSubstr(GetParam().said)));
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, OtherFormatTest,
    testing::Values(Other{"Empty", "", "is empty"},
                    Other{"Lfs",
                          "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n",
                          "git lfs pull"},
                    Other{"Zip", "PK\x03\x04\x14\0\0\0"s, "zip archive"},
                    Other{"Gguf", "GGUF\x03\0\0\0"s, "GGUF"},
                    Other{"Gzip", "\x1f\x8b\x08\0\0"s, "gzip"},
                    Other{"Zstd", "\x28\xb5\x2f\xfd\0"s, "zstd"},
                    Other{"Tar", std::string(257, 'a') + "ustar\0"s, "tar archive"},
                    Other{"Hdf5", "\x89HDF\r\n\x1a\n\0\0"s, "HDF5"},
                    Other{"TfLite", "\x1c\0\0\0TFL3\0\0"s, "TensorFlow Lite"},
                    Other{"Pickle", "\x80\x02}q\0."s, "pickle"},
                    Other{"Html", "\n <!DOCTYPE html><html><body>Sign in</body>", "web page"},
                    Other{"OldHtml", "<HTML><head>", "web page"},
                    Other{"Safetensors", "\x02\0\0\0\0\0\0\0{}"s, "safetensors"}),
    [](const auto& info) { return info.param.name; });

TEST(DescribeOther, WhatIsOfNoKindIsNotGuessed) {
  EXPECT_EQ(DescribeOther("nothing known", 13), std::nullopt);
  EXPECT_EQ(DescribeOther("\xff\0\0\0\0\0\0\0{}"s, 10), std::nullopt) << "a longer header";
  const std::string model = test::ModelOf(test::IdentityGraph()).bytes();
  EXPECT_EQ(DescribeOther(model, model.size()), std::nullopt);
}

}  // namespace
}  // namespace mlos::package::onnx
