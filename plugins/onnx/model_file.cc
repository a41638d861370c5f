// SPDX-License-Identifier: MIT
#include "onnx/model_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <optional>
#include <string_view>

#include "onnx/error.h"

namespace mlos::onnx {
namespace {

// A file's bytes, mapped: weights are not read, only skipped.
class MappedFile {
 public:
  explicit MappedFile(const std::filesystem::path& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    struct stat entry{};
    if (fd < 0 || ::fstat(fd, &entry) != 0) {
      if (fd >= 0) ::close(fd);
      throw Error(SMI_ERROR_NOT_FOUND, "the model file cannot be read");
    }
    size_ = static_cast<std::size_t>(entry.st_size);
    if (size_ > 0) data_ = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, fd, 0);
    ::close(fd);
    if (size_ > 0 && data_ == MAP_FAILED) {
      throw Error(SMI_ERROR_OUT_OF_MEMORY, "the model file cannot be mapped");
    }
  }
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile() {
    if (size_ > 0) ::munmap(data_, size_);
  }
  std::string_view bytes() const { return {static_cast<const char*>(data_), size_}; }

 private:
  void* data_ = nullptr;
  std::size_t size_ = 0;
};

struct Field {
  std::uint32_t number = 0;
  std::string_view bytes;  // of a length-delimited field; empty for others
};

// Walks the fields of a protobuf message (https://protobuf.dev/programming-guides/encoding/).
class Fields {
 public:
  explicit Fields(std::string_view message) : rest_(message) {}

  // Nothing at the end, and where the bytes stop making sense.
  std::optional<Field> Next() {
    const std::optional<std::uint64_t> tag = rest_.empty() ? std::nullopt : Varint();
    if (!tag) return std::nullopt;
    Field field{.number = static_cast<std::uint32_t>(*tag >> 3), .bytes = {}};
    switch (*tag & 7) {
      case 0:
        return Varint() ? std::optional(field) : std::nullopt;
      case 1:
        return Skip(8) ? std::optional(field) : std::nullopt;
      case 5:
        return Skip(4) ? std::optional(field) : std::nullopt;
      case 2: {
        const std::optional<std::uint64_t> size = Varint();
        if (!size || *size > rest_.size()) return std::nullopt;
        field.bytes = rest_.substr(0, *size);
        rest_.remove_prefix(*size);
        return field;
      }
      default:
        return std::nullopt;
    }
  }

 private:
  std::optional<std::uint64_t> Varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
      const auto byte = static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
      value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    return std::nullopt;
  }
  bool Skip(std::size_t size) {
    if (size > rest_.size()) return false;
    rest_.remove_prefix(size);
    return true;
  }

  std::string_view rest_;
};

// The last length-delimited field `number` of `message`, as protobuf has it.
std::optional<std::string_view> Find(std::string_view message, std::uint32_t number) {
  std::optional<std::string_view> found;
  Fields fields(message);
  while (const auto field = fields.Next()) {
    if (field->number == number) found = field->bytes;
  }
  return found;
}

// Numbers of fields in onnx.proto.
constexpr std::uint32_t kModelGraph = 7;
constexpr std::uint32_t kGraphInput = 11;
constexpr std::uint32_t kGraphOutput = 12;
constexpr std::uint32_t kValueInfoName = 1;
constexpr std::uint32_t kValueInfoType = 2;
constexpr std::uint32_t kTypeTensor = 1;
constexpr std::uint32_t kTensorTypeShape = 2;

bool HasShape(std::string_view value_info) {
  const auto type = Find(value_info, kValueInfoType);
  const auto tensor = type ? Find(*type, kTypeTensor) : std::nullopt;
  return tensor && Find(*tensor, kTensorTypeShape);
}

std::set<std::string, std::less<>> UnrankedNames(std::string_view model) {
  std::set<std::string, std::less<>> names;
  Fields fields(Find(model, kModelGraph).value_or(std::string_view()));
  while (const auto field = fields.Next()) {
    const bool value = field->number == kGraphInput || field->number == kGraphOutput;
    if (value && !HasShape(field->bytes)) {
      names.emplace(Find(field->bytes, kValueInfoName).value_or(std::string_view()));
    }
  }
  return names;
}

enum class Message : std::uint8_t {
  kModel,
  kTraining,
  kFunction,
  kGraph,
  kNode,
  kAttribute,
  kSparseTensor,
  kTensor,
  kExternalData,
};

// The messages of onnx.proto in which tensors may be: field `number` of an `outer` is an `inner`.
struct Part {
  Message outer;
  std::uint32_t number;
  Message inner;
};
constexpr Part kParts[] = {
    {Message::kModel, 7, Message::kGraph},
    {Message::kModel, 20, Message::kTraining},
    {Message::kModel, 25, Message::kFunction},
    {Message::kTraining, 1, Message::kGraph},
    {Message::kTraining, 2, Message::kGraph},
    {Message::kFunction, 7, Message::kNode},
    {Message::kGraph, 1, Message::kNode},
    {Message::kGraph, 5, Message::kTensor},
    {Message::kGraph, 15, Message::kSparseTensor},
    {Message::kNode, 5, Message::kAttribute},
    {Message::kAttribute, 5, Message::kTensor},
    {Message::kAttribute, 6, Message::kGraph},
    {Message::kAttribute, 10, Message::kTensor},
    {Message::kAttribute, 11, Message::kGraph},
    {Message::kAttribute, 22, Message::kSparseTensor},
    {Message::kAttribute, 23, Message::kSparseTensor},
    {Message::kSparseTensor, 1, Message::kTensor},
    {Message::kSparseTensor, 2, Message::kTensor},
    {Message::kTensor, 13, Message::kExternalData},
};

// The names of the files that tensors lie in. Weights are stepped over: reading all of them would
// take as long as loading them.
class ExternalFiles {
 public:
  explicit ExternalFiles(std::string_view model) { Walk(Message::kModel, model, 0); }
  const std::set<std::string, std::less<>>& names() const { return names_; }

 private:
  // As deep as protobuf's own parsers go.
  static constexpr int kDepthMax = 100;

  void Walk(Message outer, std::string_view bytes, int depth) {
    if (outer == Message::kExternalData) return TakeLocation(bytes);
    if (depth > kDepthMax) return;
    Fields fields(bytes);
    while (const auto field = fields.Next()) {
      for (const Part& part : kParts) {
        if (part.outer == outer && part.number == field->number) {
          Walk(part.inner, field->bytes, depth + 1);
        }
      }
    }
  }

  // StringStringEntryProto {key: "location", value: the other file}.
  void TakeLocation(std::string_view entry) {
    if (Find(entry, 1) != "location") return;
    if (const auto file = Find(entry, 2)) names_.emplace(*file);
  }

  std::set<std::string, std::less<>> names_;
};

}  // namespace

ModelFile ReadModelFile(const std::filesystem::path& path) {
  const MappedFile file(path);
  ModelFile model{.size_bytes = file.bytes().size(), .unranked = UnrankedNames(file.bytes())};
  const ExternalFiles external(file.bytes());
  for (const std::string& name : external.names()) {
    std::error_code error;
    const std::uintmax_t size = std::filesystem::file_size(path.parent_path() / name, error);
    if (!error) model.size_bytes += size;
  }
  return model;
}

}  // namespace mlos::onnx
