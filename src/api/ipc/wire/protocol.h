// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>

// The numbers of the IPC protocol, version 1: docs/IPC-PROTOCOL.md is the reference, and a test
// checks its vectors against this code.
namespace mlos::api::ipc::wire {

/// "MLOS" in memory.
inline constexpr std::uint32_t kMagic = 0x534F4C4D;
inline constexpr std::uint16_t kVersion = 1;

inline constexpr std::size_t kHeaderBytes = 16;
/// Of a frame, header included: what is larger goes through a region.
inline constexpr std::uint32_t kFrameBytesMax = 16U << 20;
/// Of the tensors in a frame or a region.
inline constexpr std::uint64_t kTensorAlignment = 64;
/// Of names and other fields in a frame.
inline constexpr std::size_t kFieldAlignment = 8;
/// Descriptors that may travel with one frame.
inline constexpr std::size_t kDescriptorsMax = 4;

enum class FrameType : std::uint8_t {
  kHello = 0x01,
  kHealth = 0x02,
  kReadiness = 0x03,
  kRegisterModel = 0x10,
  kListModels = 0x11,
  kGetModel = 0x12,
  kLoadModel = 0x13,
  kUnloadModel = 0x14,
  kRemoveModel = 0x15,
  kRegisterPlugin = 0x18,
  kListPlugins = 0x19,
  kGetPlugin = 0x1A,
  kRemovePlugin = 0x1B,
  kMapRegion = 0x30,
  kUnmapRegion = 0x31,
  kAttachRing = 0x32,
  kInfer = 0x40,
  kCancel = 0x41,
  // Answers.
  kHelloOk = 0x81,
  kDocument = 0x82,
  kRegion = 0x83,
  kRing = 0x84,
  kResult = 0x85,
  kError = 0xFF,
};

/// What Core may do with a region.
enum class Access : std::uint32_t {
  kRead = 1,   ///< inputs lie in it
  kWrite = 2,  ///< outputs are written into it
};

/// Flags of an inference.
inline constexpr std::uint16_t kFlagFit = 1;  ///< fit shapes to the model's, as plain HTTP does
inline constexpr std::uint16_t kFlagSequence = 2;  ///< the id of its sequence follows the model's
inline constexpr std::uint16_t kFlagSequenceStart = 4;
inline constexpr std::uint16_t kFlagSequenceEnd = 8;

/// A region's number in a tensor entry that lies in the frame itself.
inline constexpr std::uint32_t kInline = 0;

}  // namespace mlos::api::ipc::wire
