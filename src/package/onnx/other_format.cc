// SPDX-License-Identifier: MIT
#include "package/onnx/other_format.h"

#include <algorithm>

namespace mlos::package::onnx {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kExport = "export the model to ONNX and register that file";

struct Kind {
  std::size_t offset;
  std::string_view mark;  ///< the bytes there
  std::string_view what;  ///< "is …"
  std::string_view todo;
};

constexpr Kind kKinds[] = {
    {0, "version https://git-lfs.github.com/spec/"sv,
     "is a Git LFS pointer, which stands for a file that has not been fetched",
     "fetch it with `git lfs pull`"},
    {0, "PK\x03\x04"sv, "is a zip archive, as PyTorch and Keras write them", kExport},
    {0, "GGUF"sv, "is a GGUF model, which ONNX Runtime does not run", kExport},
    {0, "\x1f\x8b"sv, "is compressed with gzip", "decompress it first"},
    {0, "\x28\xb5\x2f\xfd"sv, "is compressed with zstd", "decompress it first"},
    {257, "ustar"sv, "is a tar archive", "unpack it, or install it with axon"},
    {0, "\x89HDF\r\n"sv, "is an HDF5 file, as Keras writes them", kExport},
    {4, "TFL3"sv, "is a TensorFlow Lite model", kExport},
};

/// Of protocol 2 to 5.
bool BeginsLikePickle(std::string_view beginning) {
  return beginning.size() > 2 && beginning[0] == '\x80' && beginning[1] >= 2 && beginning[1] <= 5;
}

/// After white space, whatever its case.
bool BeginsLikeHtml(std::string_view beginning) {
  beginning.remove_prefix(std::min(beginning.find_first_not_of(" \t\r\n"), beginning.size()));
  std::string tag(beginning.substr(0, 9));
  std::transform(tag.begin(), tag.end(), tag.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return tag == "<!doctype" || tag.starts_with("<html");
}

/// The size of a JSON object in eight bytes, least first, then the object.
bool BeginsLikeSafetensors(std::string_view beginning, std::uint64_t size_bytes) {
  constexpr std::size_t kPrefixBytes = 8;
  if (beginning.size() <= kPrefixBytes || beginning[kPrefixBytes] != '{') return false;
  std::uint64_t header_bytes = 0;
  for (std::size_t i = kPrefixBytes; i-- > 0;) {
    header_bytes = header_bytes << 8 | static_cast<unsigned char>(beginning[i]);
  }
  return header_bytes >= 2 && header_bytes <= size_bytes - kPrefixBytes;
}

std::string Sentence(std::string_view what, std::string_view todo) {
  return std::string(what) + "; " + std::string(todo);
}

}  // namespace

std::optional<std::string> DescribeOther(std::string_view beginning, std::uint64_t size_bytes) {
  if (size_bytes == 0) return Sentence("is empty", "copy or download it again");
  for (const Kind& kind : kKinds) {
    if (beginning.size() < kind.offset) continue;
    if (beginning.substr(kind.offset).starts_with(kind.mark)) return Sentence(kind.what, kind.todo);
  }
  if (BeginsLikePickle(beginning)) {
    return Sentence("is a Python pickle, as PyTorch and scikit-learn write them", kExport);
  }
  if (BeginsLikeHtml(beginning)) {
    return Sentence("is a web page, as servers answer in place of a file",
                    "check the address, and whether it wants a login, and download it again");
  }
  if (BeginsLikeSafetensors(beginning, size_bytes)) {
    return Sentence("has weights without a graph (safetensors)", kExport);
  }
  return std::nullopt;
}

}  // namespace mlos::package::onnx
