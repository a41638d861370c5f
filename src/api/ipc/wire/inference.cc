// SPDX-License-Identifier: MIT
#include "api/ipc/wire/inference.h"

#include <utility>

#include "api/ipc/wire/frame.h"

namespace mlos::api::ipc::wire {
namespace {

constexpr std::size_t kEntryBytes = 24;
constexpr std::size_t kInferBytes = 16;
constexpr std::size_t kResultBytes = 24;
constexpr std::size_t kSequenceBytes = 8;

Result<TensorEntry> ReadEntry(FieldReader& reader) {
  TensorEntry entry;
  const auto name_bytes = MLOS_TRY(reader.Read<std::uint16_t>());
  entry.dtype = static_cast<tensor::DType>(MLOS_TRY(reader.Read<std::uint8_t>()));
  const auto rank = MLOS_TRY(reader.Read<std::uint8_t>());
  entry.region_id = MLOS_TRY(reader.Read<std::uint32_t>());
  entry.offset = MLOS_TRY(reader.Read<std::uint64_t>());
  entry.size_bytes = MLOS_TRY(reader.Read<std::uint64_t>());
  if (rank > tensor::kRankMax) return Malformed("a tensor has at most 64 dimensions");
  for (std::size_t i = 0; i < rank; ++i) {
    entry.shape.push_back(MLOS_TRY(reader.Read<std::int64_t>()));
  }
  entry.name = MLOS_TRY(reader.Text(name_bytes));
  return entry;
}

Result<std::vector<TensorEntry>> ReadEntries(FieldReader& reader, std::size_t count) {
  // Each takes that much at least: a count alone makes nobody allocate.
  if (count > reader.left() / kEntryBytes) {
    return Malformed("the frame is shorter than what it announces");
  }
  std::vector<TensorEntry> entries;
  entries.reserve(count);
  for (std::size_t i = 0; i < count; ++i) entries.push_back(MLOS_TRY(ReadEntry(reader)));
  return entries;
}

void WriteEntry(FieldWriter& writer, const TensorEntry& entry) {
  writer.Write(static_cast<std::uint16_t>(entry.name.size()));
  writer.Write(static_cast<std::uint8_t>(entry.dtype));
  writer.Write(static_cast<std::uint8_t>(entry.shape.size()));
  writer.Write(entry.region_id);
  writer.Write(entry.offset);
  writer.Write(entry.size_bytes);
  for (const std::int64_t size : entry.shape) writer.Write(size);
  writer.Text(entry.name);
}

std::uint64_t EntriesBytes(const std::vector<TensorEntry>& entries) {
  std::uint64_t bytes = 0;
  for (const TensorEntry& entry : entries) {
    bytes += kEntryBytes + entry.shape.size() * sizeof(std::int64_t) +
             AlignUp(entry.name.size(), kFieldAlignment);
  }
  return bytes;
}

Status CheckPlace(const TensorEntry& entry, std::uint64_t head_bytes, std::uint64_t body_bytes) {
  if (entry.offset % kTensorAlignment != 0) {
    return Status(Reason::kInvalidField, "its bytes start at a multiple of 64")
        .WithField(entry.name);
  }
  if (entry.region_id != kInline) return OkStatus();
  const bool within = entry.offset <= body_bytes && entry.size_bytes <= body_bytes - entry.offset;
  if (!within || (entry.size_bytes != 0 && entry.offset < head_bytes)) {
    return Status(Reason::kInvalidField, "its bytes do not lie in the frame behind its entries")
        .WithField(entry.name);
  }
  return OkStatus();
}

Status CheckSize(const TensorEntry& entry) {
  if (!tensor::IsSupported(entry.dtype)) {
    return Status(Reason::kDtypeMismatch,
                  "there is no dtype " + std::to_string(static_cast<int>(entry.dtype)))
        .WithField(entry.name);
  }
  Result<std::size_t> size_bytes = tensor::ByteSize(entry.dtype, entry.shape);
  if (!size_bytes.ok()) return std::move(size_bytes).status().WithField(entry.name);
  if (entry.dtype == tensor::DType::kString || *size_bytes == entry.size_bytes) return OkStatus();
  return Status(Reason::kShapeMismatch, "shape " + tensor::ToString(entry.shape) + " of " +
                                            std::string(tensor::Name(entry.dtype)) + " takes " +
                                            std::to_string(*size_bytes) + " bytes, not " +
                                            std::to_string(entry.size_bytes))
      .WithField(entry.name);
}

Status CheckInputs(const InferMessage& message, std::uint64_t head_bytes,
                   std::uint64_t body_bytes) {
  for (const TensorEntry& input : message.inputs) {
    MLOS_TRY(CheckSize(input));
    MLOS_TRY(CheckPlace(input, head_bytes, body_bytes));
  }
  return OkStatus();
}

Status CheckWanted(const std::vector<TensorEntry>& outputs) {
  for (const TensorEntry& output : outputs) {
    const bool placed = output.region_id != kInline;
    if (output.dtype != tensor::DType::kUndefined || !output.shape.empty() ||
        (!placed && (output.offset != 0 || output.size_bytes != 0))) {
      return Status(Reason::kInvalidField,
                    "an output that is asked for has a name and, with a region, a place")
          .WithField(output.name);
    }
    if (placed) MLOS_TRY(CheckPlace(output, 0, 0));
  }
  return OkStatus();
}

std::uint16_t FlagsOf(const InferMessage& message) {
  std::uint16_t flags = message.fit ? kFlagFit : 0;
  if (!message.sequence_id.empty()) flags |= kFlagSequence;
  if (message.sequence_start) flags |= kFlagSequenceStart;
  if (message.sequence_end) flags |= kFlagSequenceEnd;
  return flags;
}

}  // namespace

Result<InferMessage> DecodeInfer(std::string_view body) {
  FieldReader reader(body);
  InferMessage message;
  const auto id_bytes = MLOS_TRY(reader.Read<std::uint16_t>());
  const auto input_count = MLOS_TRY(reader.Read<std::uint16_t>());
  const auto output_count = MLOS_TRY(reader.Read<std::uint16_t>());
  const auto flags = MLOS_TRY(reader.Read<std::uint16_t>());
  message.timeout_us = MLOS_TRY(reader.Read<std::uint64_t>());
  if ((flags & ~(kFlagFit | kFlagSequence | kFlagSequenceStart | kFlagSequenceEnd)) != 0) {
    return Status(Reason::kInvalidField, "a flag is not known").WithField("flags");
  }
  message.fit = (flags & kFlagFit) != 0;
  message.sequence_start = (flags & kFlagSequenceStart) != 0;
  message.sequence_end = (flags & kFlagSequenceEnd) != 0;
  message.model_id = MLOS_TRY(reader.Text(id_bytes));
  if ((flags & kFlagSequence) != 0) {
    const auto sequence_id_bytes = MLOS_TRY(reader.Read<std::uint32_t>());
    MLOS_TRY(reader.Read<std::uint32_t>());
    message.sequence_id = MLOS_TRY(reader.Text(sequence_id_bytes));
    if (message.sequence_id.empty()) {
      return Status(Reason::kInvalidField, "the id of the sequence is empty")
          .WithField("sequence_id");
    }
  }
  message.inputs = MLOS_TRY(ReadEntries(reader, input_count));
  message.outputs = MLOS_TRY(ReadEntries(reader, output_count));
  MLOS_TRY(CheckInputs(message, reader.position(), body.size()));
  MLOS_TRY(CheckWanted(message.outputs));
  return message;
}

void EncodeInfer(ByteBuffer& out, std::uint64_t request_id, const InferMessage& message) {
  StartFrame(out, FrameType::kInfer, request_id);
  FieldWriter writer(out);
  writer.Write(static_cast<std::uint16_t>(message.model_id.size()));
  writer.Write(static_cast<std::uint16_t>(message.inputs.size()));
  writer.Write(static_cast<std::uint16_t>(message.outputs.size()));
  writer.Write(FlagsOf(message));
  writer.Write(message.timeout_us);
  writer.Text(message.model_id);
  if (!message.sequence_id.empty()) {
    writer.Write(static_cast<std::uint32_t>(message.sequence_id.size()));
    writer.Write(std::uint32_t{0});
    writer.Text(message.sequence_id);
  }
  for (const TensorEntry& input : message.inputs) WriteEntry(writer, input);
  for (const TensorEntry& output : message.outputs) WriteEntry(writer, output);
}

Result<ResultMessage> DecodeResult(std::string_view body) {
  FieldReader reader(body);
  ResultMessage message;
  const auto version_bytes = MLOS_TRY(reader.Read<std::uint16_t>());
  const auto output_count = MLOS_TRY(reader.Read<std::uint16_t>());
  MLOS_TRY(reader.Read<std::uint32_t>());
  message.queue_time_us = MLOS_TRY(reader.Read<std::int64_t>());
  message.inference_time_us = MLOS_TRY(reader.Read<std::int64_t>());
  message.model_version = MLOS_TRY(reader.Text(version_bytes));
  message.outputs = MLOS_TRY(ReadEntries(reader, output_count));
  for (const TensorEntry& output : message.outputs) {
    MLOS_TRY(CheckSize(output));
    MLOS_TRY(CheckPlace(output, reader.position(), body.size()));
  }
  return message;
}

void EncodeResult(ByteBuffer& out, std::uint64_t request_id, const ResultMessage& message) {
  StartFrame(out, FrameType::kResult, request_id);
  FieldWriter writer(out);
  writer.Write(static_cast<std::uint16_t>(message.model_version.size()));
  writer.Write(static_cast<std::uint16_t>(message.outputs.size()));
  writer.Write(std::uint32_t{0});
  writer.Write(message.queue_time_us);
  writer.Write(message.inference_time_us);
  writer.Text(message.model_version);
  for (const TensorEntry& output : message.outputs) WriteEntry(writer, output);
}

std::uint64_t ResultHeadBytes(const ResultMessage& message) {
  return AlignUp(kResultBytes + AlignUp(message.model_version.size(), kFieldAlignment) +
                     EntriesBytes(message.outputs),
                 kTensorAlignment);
}

std::uint64_t InferHeadBytes(const InferMessage& message) {
  const std::uint64_t sequence_bytes =
      message.sequence_id.empty()
          ? 0
          : kSequenceBytes + AlignUp(message.sequence_id.size(), kFieldAlignment);
  return AlignUp(kInferBytes + AlignUp(message.model_id.size(), kFieldAlignment) + sequence_bytes +
                     EntriesBytes(message.inputs) + EntriesBytes(message.outputs),
                 kTensorAlignment);
}

Result<tensor::Tensor> DecodeStrings(std::string_view bytes, tensor::Shape shape,
                                     std::string_view name) {
  const auto wrong = [&] {
    return Status(Reason::kShapeMismatch,
                  "the strings do not fill shape " + tensor::ToString(shape) + " exactly")
        .WithField(name);
  };
  const std::int64_t count = MLOS_TRY(tensor::ElementCount(shape));
  tensor::StringTensorBuilder builder;
  while (!bytes.empty()) {
    std::uint32_t size = 0;
    if (bytes.size() < sizeof(size)) return wrong();
    std::memcpy(&size, bytes.data(), sizeof(size));
    bytes.remove_prefix(sizeof(size));
    if (size > bytes.size() || static_cast<std::int64_t>(builder.size()) == count) return wrong();
    builder.Add(bytes.substr(0, size));
    bytes.remove_prefix(size);
  }
  if (static_cast<std::int64_t>(builder.size()) != count) return wrong();
  return builder.Build(std::move(shape));
}

std::uint64_t EncodedStringsBytes(const tensor::Tensor& tensor) {
  std::uint64_t bytes = 0;
  for (const tensor::StringRef& text : tensor.elements<tensor::StringRef>()) {
    bytes += sizeof(std::uint32_t) + text.size;
  }
  return bytes;
}

void EncodeStrings(const tensor::Tensor& tensor, char* out) {
  for (const tensor::StringRef& text : tensor.elements<tensor::StringRef>()) {
    const auto size = static_cast<std::uint32_t>(text.size);
    std::memcpy(out, &size, sizeof(size));
    out += sizeof(size);
    if (size != 0) std::memcpy(out, text.data, size);
    out += size;
  }
}

}  // namespace mlos::api::ipc::wire
