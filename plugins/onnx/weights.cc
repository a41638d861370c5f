// SPDX-License-Identifier: MIT
#include "onnx/weights.h"

#include <fcntl.h>
#include <onnxruntime_session_options_config_keys.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cstdint>
#include <map>
#include <utility>

#include "base/unique_fd.h"
#include "package/onnx/slim_graph.h"

namespace mlos::onnx {
namespace {

// A smaller graph may have copies.
constexpr std::uint64_t kWorthBytes = 1 << 20;

/// Types that ONNX numbers as ONNX Runtime does and whose elements are whole bytes.
bool IsPlain(std::int64_t data_type) {
  switch (data_type) {
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT:
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE:
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16:
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16:
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT8:
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8:
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32:
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64:
      return true;
    default:
      return false;
  }
}

bool IsWorthIt(const std::vector<package::onnx::Weight>& weights) {
  std::uint64_t bytes = 0;
  for (const package::onnx::Weight& weight : weights) bytes += weight.data.size_bytes;
  return bytes >= kWorthBytes;
}

}  // namespace

void Weights::Unmap::operator()(std::byte* bytes) const { ::munmap(bytes, size_bytes); }

Weights::Mapping Weights::MapFile(const std::filesystem::path& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat info{};
  if (!fd.valid() || ::fstat(fd.get(), &info) != 0 || info.st_size <= 0) return {};
  const auto size_bytes = static_cast<std::size_t>(info.st_size);
  void* const bytes = ::mmap(nullptr, size_bytes, PROT_READ, MAP_PRIVATE, fd.get(), 0);
  if (bytes == MAP_FAILED) return {};
  return {static_cast<std::byte*>(bytes), Unmap{size_bytes}};
}

bool Weights::Add(const package::onnx::Weight& weight, const Mapping& mapping) {
  const std::uint64_t there = mapping == nullptr ? 0 : mapping.get_deleter().size_bytes;
  const auto [offset_bytes, size_bytes] = weight.data;
  if (offset_bytes > there || size_bytes > there - offset_bytes) return false;
  if (!IsPlain(weight.data_type)) return true;
  const auto memory = Ort::MemoryInfo::CreateCpu(OrtDeviceAllocator, OrtMemTypeDefault);
  names_.push_back(weight.name);
  values_.push_back(Ort::Value::CreateTensor(
      memory, mapping.get() + offset_bytes, size_bytes, weight.dims.data(), weight.dims.size(),
      static_cast<ONNXTensorElementDataType>(weight.data_type)));
  return true;
}

std::unique_ptr<Weights> Weights::Map(const std::filesystem::path& path,
                                      const package::onnx::Model& model) {
  if (!IsWorthIt(model.weights)) return nullptr;
  std::unique_ptr<Weights> mapped(new Weights);
  mapped->folder_ = path.parent_path();
  mapped->files_.push_back(MapFile(path));
  std::map<std::string, std::size_t> places = {{"", 0}};
  for (const package::onnx::Weight& weight : model.weights) {
    const auto [place, is_new] = places.try_emplace(weight.location, mapped->files_.size());
    if (is_new) mapped->files_.push_back(MapFile(mapped->folder_ / weight.location));
    if (!mapped->Add(weight, mapped->files_[place->second])) return nullptr;
  }
  const Mapping& file = mapped->files_.front();
  if (file == nullptr) return nullptr;
  mapped->graph_ = package::onnx::WithoutWeights(
      model, {reinterpret_cast<const char*>(file.get()), file.get_deleter().size_bytes},
      path.filename().native());
  return mapped;
}

Ort::Session Weights::Open(Ort::Env& env, const Ort::SessionOptions& options) const {
  Ort::SessionOptions with_weights = options.Clone();
  // Constants that are computed beforehand are read from the files.
  with_weights.AddConfigEntry(kOrtSessionOptionsModelExternalInitializersFileFolderPath,
                              folder_.c_str());
  for (std::size_t i = 0; i < names_.size(); ++i) {
    with_weights.AddInitializer(names_[i].c_str(), values_[i]);
  }
  Ort::Session session(env, graph_.data(), graph_.size(), with_weights);
  // What only the load has read; a run that needs it reads it again.
  for (const Mapping& mapping : files_) {
    ::madvise(mapping.get(), mapping.get_deleter().size_bytes, MADV_DONTNEED);
  }
  return session;
}

}  // namespace mlos::onnx
