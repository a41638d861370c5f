// SPDX-License-Identifier: MIT
#include "api/grpc/tensors/message_body.h"

#include <utility>

#include "api/grpc/tensors/wire.h"
#include "tensor/string_ref.h"

namespace mlos::api::grpc::tensors {

using tensor::StringRef;

void MessageBytes::AddRaw(const tensor::Tensor& tensor) {
  gaps_.push_back({text_.size(), &tensor, 0});
  elements_size_ += tensor::RawBytes::Size(tensor);
}

void MessageBytes::AddStrings(const tensor::Tensor& tensor, std::uint8_t number) {
  gaps_.push_back({text_.size(), &tensor, number});
  for (const StringRef& element : tensor.elements<StringRef>()) {
    elements_size_ += FieldSize(element.size);
  }
}

std::string_view MessageBytes::Next() {
  if (!std::exchange(lead_done_, true) && !lead_.empty()) return lead_;
  while (true) {
    if (const std::string_view elements = NextElements(); !elements.empty()) return elements;
    const bool behind_all = next_gap_ == gaps_.size();
    const std::size_t text_end = behind_all ? text_.size() : gaps_[next_gap_].at;
    if (text_done_ != text_end) {
      const std::size_t from = std::exchange(text_done_, text_end);
      return text_.view().substr(from, text_end - from);
    }
    if (behind_all) return {};
    gap_ = &gaps_[next_gap_++];
    if (gap_->number == 0) raw_.emplace(*gap_->tensor);
    next_string_ = 0;
  }
}

// Empty behind the last of a tensor.
std::string_view MessageBytes::NextElements() {
  if (gap_ == nullptr) return {};
  std::string_view bytes;
  if (gap_->number != 0) {
    bytes = NextString();
  } else {
    while (bytes.empty() && !raw_->ended()) bytes = raw_->Next();
  }
  if (bytes.empty()) gap_ = nullptr;
  return bytes;
}

std::string_view MessageBytes::NextString() {
  const auto strings = gap_->tensor->elements<StringRef>();
  if (std::exchange(in_string_, false)) {
    const std::string_view content = strings[next_string_++].view();
    if (!content.empty()) return content;
  }
  if (next_string_ == strings.size()) return {};
  field_head_.Clear();
  AppendFieldHead(field_head_, gap_->number, strings[next_string_].size);
  in_string_ = true;
  return field_head_.view();
}

void MessageBytes::AppendTo(net::ByteBuffer& out) && {
  if (out.Prepare(size()) == nullptr) return;
  for (std::string_view bytes = Next(); !bytes.empty(); bytes = Next()) out.Append(bytes);
}

MessageBody::MessageBody(MessageBytes bytes, engine::InferenceResponse& response)
    : response_(std::move(response)), bytes_(std::move(bytes)), length_(bytes_.size()) {}

Result<std::unique_ptr<MessageBody>> MessageBody::Create(MessageBytes bytes,
                                                         engine::InferenceResponse& response,
                                                         resource::ByteBudget& budget) {
  std::unique_ptr<MessageBody> body(new MessageBody(std::move(bytes), response));
  MLOS_TRY(net::RaiseReservation(budget, body->held_, body->length_));
  return body;
}

}  // namespace mlos::api::grpc::tensors
