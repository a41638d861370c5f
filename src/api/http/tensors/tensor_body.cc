// SPDX-License-Identifier: MIT
#include "api/http/tensors/tensor_body.h"

#include <algorithm>
#include <utility>

namespace mlos::api::http::tensors {

TensorBody::TensorBody(net::ByteBuffer text, std::vector<Gap> gaps,
                       engine::InferenceResponse& response)
    : response_(std::move(response)), text_(std::move(text)), gaps_(std::move(gaps)) {
  bool all_binary = true;
  for (const Gap& gap : gaps_) {
    if (gap.form) {
      all_binary = false;
    } else {
      binary_bytes_ += tensor::RawBytes::Size(*gap.tensor);
    }
  }
  if (all_binary) length_ = text_.size() + binary_bytes_;
}

Result<std::unique_ptr<TensorBody>> TensorBody::Create(net::ByteBuffer text, std::vector<Gap> gaps,
                                                       engine::InferenceResponse& response,
                                                       resource::ByteBudget& budget) {
  std::unique_ptr<TensorBody> body(new TensorBody(std::move(text), std::move(gaps), response));
  MLOS_TRY(body->Reserve(budget));
  return body;
}

Status TensorBody::Reserve(resource::ByteBudget& budget) {
  std::uint64_t bytes = kPieceBytes;
  for (const auto& output : response_.outputs) bytes += tensor::RawBytes::Size(output.tensor);
  MLOS_TRY(net::RaiseReservation(budget, held_, bytes));
  if (piece_.Prepare(kPieceBytes) == nullptr) return piece_.status();
  return OkStatus();
}

void TensorBody::Measure() {
  if (length_) return;
  std::uint64_t length = text_.size() + binary_bytes_;
  for (const Gap& gap : gaps_) {
    if (!gap.form) continue;
    TensorText text(*gap.tensor, *gap.form);
    for (bool ended = false; !ended;) {
      piece_.Clear();
      ended = text.Append(piece_, kPieceBytes);
      length += piece_.size();
    }
  }
  length_ = length;
}

Result<bool> TensorBody::Begin(std::size_t bytes_max, resource::ByteBudget& budget) {
  first_ = net::ByteBuffer(budget);
  if (first_.Prepare(bytes_max) == nullptr) return first_.status();
  begun_ = true;
  return Fill(first_, bytes_max);
}

std::string_view TensorBody::Next() {
  if (std::exchange(begun_, false) && !first_.empty()) return first_.view();
  first_ = net::ByteBuffer();
  piece_.Clear();
  Fill(piece_, kPieceBytes);
  return piece_.empty() ? std::exchange(rest_, {}) : piece_.view();
}

bool TensorBody::Fill(net::ByteBuffer& piece, std::size_t bytes_max) {
  while (TakeIn(piece, bytes_max)) {
    if (!Advance()) return true;
  }
  return false;
}

bool TensorBody::TakeIn(net::ByteBuffer& piece, std::size_t bytes_max) {
  // What is that large goes from where it is.
  if (rest_.size() >= kPieceBytes) return false;
  const std::string_view part = rest_.substr(0, bytes_max - piece.size());
  piece.Append(part);
  rest_.remove_prefix(part.size());
  if (!rest_.empty() || (json_ && !json_->Append(piece, bytes_max))) return false;
  json_.reset();
  return true;
}

bool TensorBody::Advance() {
  if (raw_ && !raw_->ended()) {
    rest_ = raw_->Next();
    return true;
  }
  raw_.reset();
  const bool behind_all = next_gap_ == gaps_.size();
  const std::size_t text_end = behind_all ? text_.size() : gaps_[next_gap_].at;
  if (text_done_ != text_end) {
    rest_ = text_.view().substr(text_done_, text_end - text_done_);
    text_done_ = text_end;
    return true;
  }
  if (behind_all) return false;
  const Gap& gap = gaps_[next_gap_++];
  if (gap.form) {
    json_.emplace(*gap.tensor, *gap.form);
  } else {
    raw_.emplace(*gap.tensor);
  }
  return true;
}

void BodyWriter::Value(const tensor::Tensor& tensor, Form form) {
  net::ByteBuffer& out = json_.StartRaw();
  TensorText text(tensor, form);
  if (out.size() + text.size_max() <= whole_bytes_max_) {
    text.Append(out, TensorText::kNoLimit);
  } else {
    gaps_.push_back({out.size(), &tensor, form});
  }
}

void BodyWriter::Binary(const tensor::Tensor& tensor) {
  if (!std::exchange(binary_, true)) json_end_ = text_.size();
  if (text_.size() + tensor::RawBytes::Size(tensor) <= whole_bytes_max_) {
    tensor::AppendRaw(text_, tensor);
  } else {
    gaps_.push_back({text_.size(), &tensor, std::nullopt});
  }
}

Result<BodyWriter::Body> BodyWriter::Finish(engine::InferenceResponse& response) && {
  MLOS_TRY(text_.status());
  Body body;
  body.json_bytes = binary_ ? json_end_ : text_.size();
  if (gaps_.empty()) {
    body.whole = std::move(text_);
    return body;
  }
  const std::size_t binary_text_bytes = text_.size() - body.json_bytes;
  auto source = MLOS_TRY(TensorBody::Create(std::move(text_), std::move(gaps_), response, budget_));
  if (binary_) {
    // A caller is told the length of the JSON before it.
    source->Measure();
    body.json_bytes = *source->length() - source->binary_bytes() - binary_text_bytes;
  } else if (MLOS_TRY(source->Begin(kWholeBytesMax, budget_))) {
    body.whole = source->TakeFirst();
    return body;
  }
  body.source = std::move(source);
  return body;
}

}  // namespace mlos::api::http::tensors
