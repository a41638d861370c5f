// SPDX-License-Identifier: MIT
#include "plugin/call_error.h"

#include <cstring>

namespace mlos::plugin {
namespace {

constexpr std::size_t kBytesMax = 4'096;

thread_local std::string last_error;

}  // namespace

void CallError::Clear() { last_error.clear(); }

void CallError::Set(const char* message) {
  last_error.assign(message == nullptr ? "" : message,
                    message == nullptr ? 0 : ::strnlen(message, kBytesMax));
}

const std::string& CallError::Last() { return last_error; }

}  // namespace mlos::plugin
