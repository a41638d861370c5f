// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "api/door/executor.h"

namespace mlos::api::door {

/// What may be asked for. The routes of HTTP, the methods of gRPC and the frames of IPC each name
/// one of these; what holds for an operation holds at every door.
enum class Operation : std::uint8_t {
  kInfer,
  kReadHealth,
  kReadStats,
  kReadInterface,
  kListModels,
  kReadModel,
  kRegisterModel,
  kLoadModel,
  kUnloadModel,
  kRemoveModel,
  kListPlugins,
  kReadPlugin,
  kRegisterPlugin,
  kRemovePlugin,
  kShareMemory,
};

/// An operation as a verb on a resource, and where it is done.
struct OperationRow {
  Operation operation;
  std::string_view verb;
  std::string_view resource;
  Executor executor;
};

/// One row for each operation, in their order.
inline constexpr OperationRow kOperations[] = {
    {Operation::kInfer, "infer", "model", Executor::kEventThread},
    {Operation::kReadHealth, "read", "health", Executor::kEventThread},
    {Operation::kReadStats, "read", "stats", Executor::kWorker},
    {Operation::kReadInterface, "read", "interface", Executor::kEventThread},
    {Operation::kListModels, "list", "model", Executor::kWorker},
    {Operation::kReadModel, "read", "model", Executor::kEventThread},
    // Goes on to a loader if it is not known yet (door/registration.h).
    {Operation::kRegisterModel, "register", "model", Executor::kManager},
    {Operation::kLoadModel, "load", "model", Executor::kLoader},
    {Operation::kUnloadModel, "unload", "model", Executor::kManager},
    {Operation::kRemoveModel, "remove", "model", Executor::kManager},
    {Operation::kListPlugins, "list", "plugin", Executor::kWorker},
    {Operation::kReadPlugin, "read", "plugin", Executor::kWorker},
    {Operation::kRegisterPlugin, "register", "plugin", Executor::kLoader},
    {Operation::kRemovePlugin, "remove", "plugin", Executor::kManager},
    {Operation::kShareMemory, "share", "memory", Executor::kEventThread},
};

constexpr const OperationRow& RowOf(Operation operation) {
  return kOperations[static_cast<std::size_t>(operation)];
}

static_assert([] {
  std::size_t number = 0;
  for (const OperationRow& row : kOperations) {
    if (static_cast<std::size_t>(row.operation) != number++) return false;
  }
  return number == static_cast<std::size_t>(Operation::kShareMemory) + 1;
}());

}  // namespace mlos::api::door
