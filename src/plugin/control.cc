// SPDX-License-Identifier: MIT
#include "plugin/control.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <utility>

#include "base/log.h"
#include "plugin/call_error.h"

namespace mlos::plugin {
namespace {

const smi_control_t* FindControl(const smi_plugin_interface_t& smi) {
  if (smi.get_extension == nullptr) return nullptr;
  try {
    return static_cast<const smi_control_t*>(smi.get_extension(SMI_CONTROL_EXTENSION));
  } catch (...) {
    return nullptr;
  }
}

}  // namespace

std::unique_ptr<Control> Control::Ask(const smi_plugin_interface_t& smi) {
  const smi_control_t* found = FindControl(smi);
  if (found == nullptr) return nullptr;
  const std::size_t known = found->struct_size == 0 ? sizeof(smi_control_t) : found->struct_size;
  smi_control_t control{};
  std::memcpy(&control, found, std::min(known, sizeof(control)));
  return std::unique_ptr<Control>(new Control(control));
}

Control::Control(const smi_control_t& smi) : smi_(smi), thread_([this] { Run(); }) {}

Control::~Control() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
    changed_.NotifyAll();
  }
  thread_.join();
}

void Control::Tell(Function function, const Target& target) {
  if (function == nullptr) return;
  const MutexLock lock(mutex_);
  messages_.push_back({function, target});
  changed_.NotifyAll();
}

void Control::Forget(std::uint64_t request_id) {
  const MutexLock lock(mutex_);
  std::erase_if(messages_,
                [&](const Message& message) { return message.target.request_id == request_id; });
}

void Control::Drain(const ExecutedModel* owner) {
  const MutexLock lock(mutex_);
  std::erase_if(messages_, [&](const Message& message) { return message.target.owner == owner; });
  while (told_ == owner) changed_.Wait(mutex_);
}

bool Control::Next(Message* message) {
  const MutexLock lock(mutex_);
  while (messages_.empty() && !stopping_) changed_.Wait(mutex_);
  if (messages_.empty()) return false;
  *message = messages_.front();
  messages_.pop_front();
  told_ = message->target.owner;
  return true;
}

void Control::Run() {
  for (Message message; Next(&message);) {
    // A plugin may answer a request from here, and what it has said before was of another.
    CallError::Clear();
    try {
      message.function(message.target.model, message.target.request_id);
    } catch (...) {
      Log(LogLevel::kWarning, "a C++ exception left the control extension of a plugin");
    }
    const MutexLock lock(mutex_);
    told_ = nullptr;
    changed_.NotifyAll();
  }
}

}  // namespace mlos::plugin
