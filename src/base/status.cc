// SPDX-License-Identifier: MIT
#include "base/status.h"

#include <array>
#include <utility>

#include "base/check.h"

namespace mlos {
namespace {

struct ReasonEntry {
  std::string_view name;
  StatusCode code;
};

constexpr ReasonEntry kReasons[] = {
#define MLOS_REASON_ENTRY(enumerator, name, code) {name, StatusCode::code},
    MLOS_REASONS(MLOS_REASON_ENTRY)
#undef MLOS_REASON_ENTRY
};

constexpr std::array<std::string_view, 17> kCodeNames = {
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
};

}  // namespace

std::string_view ToString(StatusCode code) { return kCodeNames[static_cast<std::size_t>(code)]; }

std::string_view ToString(Reason reason) { return kReasons[static_cast<std::size_t>(reason)].name; }

StatusCode CodeOf(Reason reason) { return kReasons[static_cast<std::size_t>(reason)].code; }

Status::Status(Reason reason, std::string message)
    : rep_(new Rep{reason, std::move(message), {}}) {}

Status::Status(const Status& other) : rep_(other.ok() ? nullptr : new Rep(*other.rep_)) {}

void Status::Free::operator()(Rep* rep) const { delete rep; }

Status& Status::operator=(const Status& other) {
  if (this != &other) rep_.reset(other.ok() ? nullptr : new Rep(*other.rep_));
  return *this;
}

StatusCode Status::code() const { return ok() ? StatusCode::kOk : CodeOf(rep_->reason); }

Reason Status::reason() const {
  MLOS_CHECK(!ok(), "reason() of a successful status");
  return rep_->reason;
}

std::string_view Status::message() const {
  return ok() ? std::string_view() : std::string_view(rep_->message);
}

std::string_view Status::field() const {
  return ok() ? std::string_view() : std::string_view(rep_->field);
}

Status Status::WithField(std::string_view field) && {
  if (!ok()) rep_->field = field;
  return std::move(*this);
}

Status Status::WithContext(std::string_view context) && {
  if (!ok()) rep_->message.insert(0, std::string(context) + ": ");
  return std::move(*this);
}

std::string Status::ToString() const {
  if (ok()) return "OK";
  std::string text(mlos::ToString(code()));
  text.append("/").append(mlos::ToString(rep_->reason));
  if (!rep_->field.empty()) text.append(" (field ").append(rep_->field).append(")");
  return text.append(": ").append(rep_->message);
}

std::ostream& operator<<(std::ostream& out, const Status& status) {
  return out << status.ToString();
}

}  // namespace mlos
