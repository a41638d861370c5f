// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "api/http/tensors/tensor_writer.h"
#include "base/result.h"
#include "engine/inference.h"
#include "json/json_writer.h"
#include "net/body_source.h"
#include "net/byte_buffer.h"
#include "tensor/raw_bytes.h"
#include "tensor/tensor.h"

namespace mlos::api::http::tensors {

/// A place in the text of a body where a tensor belongs.
struct Gap {
  std::size_t at;  ///< so many bytes of the text come before it
  const tensor::Tensor* tensor;
  std::optional<Form> form;  ///< nothing: in binary
};

/// A body whose tensors are written while it is sent. Holds the answer that they belong to, and
/// counts it. Thread-compatible.
class TensorBody final : public net::BodySource {
 public:
  /// A slow reader costs a piece, beside the outputs and what a connection takes; the first piece
  /// may be as large as a body that is whole.
  static constexpr std::size_t kPieceBytes = 48 << 10;

  /// `gaps`, in the order of the text, are of outputs of `response`, which is taken over.
  /// OVERLOADED or PAYLOAD_TOO_LARGE, and OUT_OF_MEMORY, if there is no room for the outputs and a
  /// piece.
  static Result<std::unique_ptr<TensorBody>> Create(net::ByteBuffer text, std::vector<Gap> gaps,
                                                    engine::InferenceResponse& response,
                                                    resource::ByteBudget& budget);

  /// Known if all tensors are in binary, or once Measure has been called.
  std::optional<std::uint64_t> length() const override { return length_; }
  std::string_view Next() override;
  /// Finds the length by writing everything once more than needed. Before Next.
  void Measure();
  /// Bytes of the tensors that are in binary.
  std::uint64_t binary_bytes() const { return binary_bytes_; }
  /// Writes the first piece, of up to `bytes_max`, into a buffer of `budget`. True if it is the
  /// whole body, which TakeFirst gives. Before Next. OVERLOADED, PAYLOAD_TOO_LARGE, OUT_OF_MEMORY.
  Result<bool> Begin(std::size_t bytes_max, resource::ByteBudget& budget);
  net::ByteBuffer TakeFirst() { return std::exchange(first_, net::ByteBuffer()); }

 private:
  TensorBody(net::ByteBuffer text, std::vector<Gap> gaps, engine::InferenceResponse& response);
  Status Reserve(resource::ByteBudget& budget);
  /// Fills `piece` up to `bytes_max`; true if nothing is left.
  bool Fill(net::ByteBuffer& piece, std::size_t bytes_max);
  /// Takes what is at hand into it; false if that has no room for all of it.
  bool TakeIn(net::ByteBuffer& piece, std::size_t bytes_max);
  /// Goes on to what comes after. False at the end.
  bool Advance();

  // Declared first: outputs die before what counts them.
  resource::Reservation held_;
  engine::InferenceResponse response_;
  const net::ByteBuffer text_;
  const std::vector<Gap> gaps_;  ///< of tensors that stay where they are while the response moves
  std::uint64_t binary_bytes_ = 0;
  std::optional<std::uint64_t> length_;

  std::size_t next_gap_ = 0;
  std::size_t text_done_ = 0;
  std::string_view rest_;  ///< goes next, from where it is; then:
  std::optional<TensorText> json_;
  std::optional<tensor::RawBytes> raw_;
  net::ByteBuffer first_;  ///< until it was sent
  net::ByteBuffer piece_;
  bool begun_ = false;  ///< the first piece is still to be given
};

/// Writes a body of JSON with tensors in it, and of tensors in binary behind it. Tensors that are
/// small are written at once; larger ones leave a gap for a TensorBody. Thread-compatible.
class BodyWriter {
 public:
  /// Larger bodies come in pieces.
  static constexpr std::size_t kWholeBytesMax = 64 << 10;

  /// The body is counted against `budget`, and is whole up to about `whole_bytes_max`.
  explicit BodyWriter(resource::ByteBudget& budget, std::size_t whole_bytes_max = kWholeBytesMax)
      : budget_(budget), whole_bytes_max_(whole_bytes_max), text_(budget), json_(text_) {}

  json::JsonWriter& json() { return json_; }
  net::ByteBuffer& text() { return text_; }
  /// `tensor` as the next value.
  void Value(const tensor::Tensor& tensor, Form form);
  /// `tensor` behind all JSON.
  void Binary(const tensor::Tensor& tensor);

  struct Body {
    net::ByteBuffer whole;
    std::unique_ptr<net::BodySource> source;  ///< in its place if the body is large
    std::size_t json_bytes = 0;               ///< in front of binary tensors
  };
  /// The body. It takes `response`, to which the tensors belong, unless it is small. Fails as
  /// TensorBody::Create, or as its text has no room.
  Result<Body> Finish(engine::InferenceResponse& response) &&;

 private:
  resource::ByteBudget& budget_;
  const std::size_t whole_bytes_max_;
  net::ByteBuffer text_;
  json::JsonWriter json_;
  std::vector<Gap> gaps_;
  bool binary_ = false;
  std::size_t json_end_ = 0;  ///< in the text, once there is something binary
};

}  // namespace mlos::api::http::tensors
