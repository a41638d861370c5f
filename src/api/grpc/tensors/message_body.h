// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/inference.h"
#include "net/body_source.h"
#include "net/byte_buffer.h"
#include "tensor/raw_bytes.h"
#include "tensor/tensor.h"

namespace mlos::api::grpc::tensors {

/// A message with tensors: what is serialized, and the elements where they are. Borrows the
/// tensors; thread-compatible.
class MessageBytes {
 public:
  MessageBytes() = default;

  /// What comes before the next tensor is appended here.
  net::ByteBuffer& text() { return text_; }
  /// The elements as tensor::RawBytes has them.
  void AddRaw(const tensor::Tensor& tensor);
  /// The elements of a string tensor, each as a field `number`.
  void AddStrings(const tensor::Tensor& tensor, std::uint8_t number);
  /// What comes before all, once everything else is added.
  void Lead(std::string lead) { lead_ = std::move(lead); }

  std::size_t size() const { return lead_.size() + text_.size() + elements_size_; }
  /// The next bytes, which stay until the next call; empty at the end.
  std::string_view Next();
  /// Appends all of them. A lack of memory is in the status of `out`.
  void AppendTo(net::ByteBuffer& out) &&;

 private:
  struct Gap {
    std::size_t at;  ///< bytes of the text before it
    const tensor::Tensor* tensor;
    std::uint8_t number;  ///< of the field that each string is; 0: raw
  };

  std::string_view NextElements();
  std::string_view NextString();

  std::string lead_;
  net::ByteBuffer text_;
  std::vector<Gap> gaps_;
  std::size_t elements_size_ = 0;

  bool lead_done_ = false;
  std::size_t text_done_ = 0;
  std::size_t next_gap_ = 0;
  const Gap* gap_ = nullptr;  ///< whose elements are given
  std::optional<tensor::RawBytes> raw_;
  std::size_t next_string_ = 0;
  bool in_string_ = false;  ///< the head of the field was given
  net::ByteBuffer field_head_;
};

/// The same as a message of a reply, which is sent from where the elements are. Holds the answer
/// that they belong to, and counts it. Thread-compatible.
class MessageBody final : public net::BodySource {
 public:
  /// Takes `response` over. OVERLOADED or PAYLOAD_TOO_LARGE if there is no room for it.
  static Result<std::unique_ptr<MessageBody>> Create(MessageBytes bytes,
                                                     engine::InferenceResponse& response,
                                                     resource::ByteBudget& budget);

  std::optional<std::uint64_t> length() const override { return length_; }
  std::string_view Next() override { return bytes_.Next(); }

 private:
  MessageBody(MessageBytes bytes, engine::InferenceResponse& response);

  // Declared first: outputs die before what counts them.
  resource::Reservation held_;
  const engine::InferenceResponse response_;
  MessageBytes bytes_;
  const std::uint64_t length_;
};

}  // namespace mlos::api::grpc::tensors
