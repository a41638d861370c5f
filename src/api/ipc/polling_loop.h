// SPDX-License-Identifier: MIT
#pragma once

#include "api/ipc/socket/spin.h"
#include "net/event_loop.h"

namespace mlos::api::ipc {

/// A connection that can be asked whether something has come.
class Polled : public net::Connection {
 public:
  /// Takes what has come, and says so to NoteReceived.
  virtual void ReadSome() = 0;
};

/// An event loop that polls for a while before it sleeps.
class PollingLoop : public net::EventLoop {
 public:
  // For its connections, on its thread.

  /// Bytes came: whoever sends is likely to be the next.
  void NoteReceived(Polled& connection) {
    latest_ = &connection;
    received_ = true;
  }
  void Remove(Polled& connection) {
    if (latest_ == &connection) latest_ = nullptr;
    Forget(connection);
  }

 protected:
  PollingLoop() : net::EventLoop("ipc"), spin_(socket::SpinLimitNs()) {}

 private:
  void Serve() override;
  bool Poll();

  socket::SpinPolicy spin_;
  Polled* latest_ = nullptr;  ///< received last
  bool received_ = false;     ///< by any connection, since it was last cleared
  unsigned polls_ = 0;        ///< since the last look at all of them
};

}  // namespace mlos::api::ipc
