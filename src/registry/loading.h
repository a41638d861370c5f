// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "base/log.h"
#include "registry/registry.h"

namespace mlos::registry {

/// An entry in the journal of what is being loaded, for a scope. That it cannot be written is
/// logged and no reason not to load: a disk that filled up must not keep registered models from
/// being served. Borrows its arguments.
class Loading {
 public:
  Loading(Registry& registry, LoadKind kind, std::string_view id, std::string_view content)
      : registry_(registry), kind_(kind), id_(id) {
    Report(registry_.BeginLoading(kind_, id_, content));
  }
  Loading(const Loading&) = delete;
  Loading& operator=(const Loading&) = delete;
  ~Loading() { Report(registry_.EndLoading(kind_, id_)); }

 private:
  void Report(const Status& status) const {
    if (!status.ok())
      Log(LogLevel::kWarning, "journal not written", {{"id", id_}, LogField(status)});
  }

  Registry& registry_;
  const LoadKind kind_;
  const std::string_view id_;
};

}  // namespace mlos::registry
