// SPDX-License-Identifier: MIT
#include "plugin/call_error.h"

#include <atomic>
#include <cstring>

namespace mlos::plugin {
namespace {

constexpr std::size_t kBytesMax = 4'096;

// Both sides add to it: only then is the order of two threads the one in which they did.
std::atomic<CallError::Moment> moments{0};

thread_local std::string last_error;
thread_local CallError::Moment last_moment = 0;

}  // namespace

CallError::Moment CallError::Now() { return moments.fetch_add(1, std::memory_order_relaxed); }

void CallError::Clear() { last_error.clear(); }

void CallError::ClearBefore(Moment moment) {
  if (last_moment < moment) Clear();
}

void CallError::Set(const char* message) {
  last_moment = Now();
  last_error.assign(message == nullptr ? "" : message,
                    message == nullptr ? 0 : ::strnlen(message, kBytesMax));
}

const std::string& CallError::Last() { return last_error; }

}  // namespace mlos::plugin
