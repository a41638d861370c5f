// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <map>
#include <optional>
#include <string>

#include "base/files.h"
#include "base/text.h"
#include "package/onnx/model.h"
#include "package/onnx/other_format.h"
#include "package/onnx/walker.h"

namespace mlos::package::onnx {
namespace {

constexpr int kBlockBytes = 64 << 10;

/// Reads a file from its beginning; skipped parts are not read.
class FileStream final : public google::protobuf::io::CopyingInputStream {
 public:
  FileStream(int fd, int size_bytes) : fd_(fd), size_bytes_(size_bytes) {}

  int Read(void* buffer, int size) override {
    while (true) {
      const ssize_t count = ::pread(fd_, buffer, static_cast<std::size_t>(size), offset_);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) error_ = errno;
      if (count > 0) offset_ += count;
      return static_cast<int>(count);
    }
  }

  int Skip(int count) override {
    const int skipped = static_cast<int>(std::min<off_t>(count, size_bytes_ - offset_));
    offset_ += skipped;
    return skipped;
  }

  /// errno of a failed read, 0 without one.
  int error() const { return error_; }

 private:
  const int fd_;
  const off_t size_bytes_;
  off_t offset_ = 0;
  int error_ = 0;
};

Result<int> ModelSize(std::uint64_t size_bytes) {
  if (size_bytes <= static_cast<std::uint64_t>(std::numeric_limits<int>::max())) {
    return static_cast<int>(size_bytes);
  }
  return Status(Reason::kInvalidModel,
                "an ONNX file has at most 2 GiB; larger weights belong into external data");
}

/// Size of the regular file behind `fd`.
Result<std::uint64_t> RegularSize(int fd, const std::string& name) {
  struct stat info{};
  if (::fstat(fd, &info) != 0) return ErrnoStatus(errno, "cannot read " + name);
  if (S_ISREG(info.st_mode)) return static_cast<std::uint64_t>(info.st_size);
  return Status(Reason::kInvalidModel, name + " is not a regular file");
}

std::string Beginning(int fd) {
  std::string bytes(kBeginningBytes, '\0');
  const ssize_t count = ::pread(fd, bytes.data(), bytes.size(), 0);
  bytes.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
  return bytes;
}

Result<Model> ReadOpenModel(int fd, const std::string& name) {
  const int size_bytes = MLOS_TRY(ModelSize(MLOS_TRY(RegularSize(fd, name))));
  FileStream file(fd, size_bytes);
  google::protobuf::io::CopyingInputStreamAdaptor stream(&file, kBlockBytes);
  WireReader wire(&stream, size_bytes);
  auto model = ModelWalker(wire).Walk();
  if (file.error() != 0) return ErrnoStatus(file.error(), "cannot read " + name);
  if (model.ok()) return model;
  const std::optional<std::string> other =
      DescribeOther(Beginning(fd), static_cast<std::uint64_t>(size_bytes));
  if (other) return Status(Reason::kInvalidModel, name + " is no ONNX model: it " + *other);
  return model;
}

Status InvalidReference(const ExternalData& data, std::string_view problem) {
  return {Reason::kInvalidModel, "tensor '" + Excerpt(data.tensor) + "' needs the file '" +
                                     Excerpt(data.location) + "', " + std::string(problem)};
}

Result<std::uint64_t> SizeOfExternalFile(const ExternalData& data,
                                         const std::filesystem::path& graph_directory,
                                         const FileOpener& open) {
  const auto fd = open(graph_directory, data.location);
  if (fd.ok()) return RegularSize(fd->get(), Excerpt(data.location));
  switch (fd.status().reason()) {
    case Reason::kFileNotFound:
      return InvalidReference(data, "which does not exist");
    case Reason::kUnsafePath:
      return InvalidReference(data, "which leads through a symbolic link or outside");
    default:
      return fd.status();
  }
}

Status CheckRange(const ExternalData& data, std::uint64_t file_bytes) {
  const std::uint64_t offset = data.offset_bytes;
  if (offset > file_bytes) {
    return InvalidReference(data, "which ends before its offset " + std::to_string(offset));
  }
  const std::uint64_t there = file_bytes - offset;
  const std::uint64_t length = data.length_bytes.value_or(there);
  const std::uint64_t wanted = std::max(length, data.tensor_bytes.value_or(0));
  if (wanted > there) {
    return InvalidReference(data, "which has " + std::to_string(there) +
                                      " bytes at its offset, not " + std::to_string(wanted));
  }
  if (data.length_bytes && data.tensor_bytes.value_or(0) > length) {
    return InvalidReference(data, "of which it takes " + std::to_string(length) + " bytes, not " +
                                      std::to_string(*data.tensor_bytes));
  }
  return OkStatus();
}

}  // namespace

std::vector<std::string> Model::ExternalFiles() const {
  std::vector<std::string> files;
  files.reserve(external_data.size());
  for (const ExternalData& data : external_data) files.push_back(data.location);
  std::sort(files.begin(), files.end());
  files.erase(std::unique(files.begin(), files.end()), files.end());
  return files;
}

Result<Model> ParseModel(std::string_view bytes) {
  const int size_bytes = MLOS_TRY(ModelSize(bytes.size()));
  google::protobuf::io::ArrayInputStream stream(bytes.data(), size_bytes);
  WireReader wire(&stream, size_bytes);
  return ModelWalker(wire).Walk();
}

Result<Model> ReadModel(const std::filesystem::path& path) {
  const std::string name = path.filename().string();
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd.valid()) return ErrnoStatus(errno, "cannot open " + name);
  return ReadOpenModel(fd.get(), name);
}

Status CheckExternalData(const Model& model, const std::filesystem::path& graph_directory,
                         const FileOpener& open) {
  std::map<std::string_view, std::uint64_t> sizes;
  for (const ExternalData& data : model.external_data) {
    auto known = sizes.find(data.location);
    if (known == sizes.end()) {
      const std::uint64_t size_bytes = MLOS_TRY(SizeOfExternalFile(data, graph_directory, open));
      known = sizes.emplace(data.location, size_bytes).first;
    }
    MLOS_TRY(CheckRange(data, known->second));
  }
  return OkStatus();
}

Result<Model> CheckModel(const std::filesystem::path& directory, std::string_view graph,
                         const FileOpener& open) {
  const UniqueFd fd = MLOS_TRY(open(directory, graph));
  Model model = MLOS_TRY(ReadOpenModel(fd.get(), std::string(graph)));
  const std::filesystem::path folder = std::filesystem::path(graph).parent_path();
  const FileOpener beside = [&](const std::filesystem::path& /*graph_directory*/,
                                std::string_view location) {
    return open(directory, (folder / location).native());
  };
  MLOS_TRY(CheckExternalData(model, directory / folder, beside));
  return model;
}

}  // namespace mlos::package::onnx
