// SPDX-License-Identifier: MIT
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/intrusive/list.hpp>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"
#include "base/unique_fd.h"
#include "net/byte_buffer.h"
#include "net/connection.h"
#include "net/listener.h"
#include "net/stream.h"
#include "net/tls_server.h"

namespace mlos::net {

/// One thread's share of a door: its listening socket, its connections and their deadlines. Loops
/// share no state, so requests pass without a lock. Each loop enforces its share of the limits on
/// connections. A door derives its own loop, which makes the connections and chooses which of them
/// may be closed to make room.
///
/// Life of a loop:
///
///     Run ──► serving ──Drain──► draining ──last connection closed──► ended ──► Finish
///                │                  │                                   ▲
///                └──────Stop────────┴── drops requests in progress ─────┘
///
/// Run, Post, RunsHere, Drain, Stop and Finish may be called from any thread; the rest belongs to
/// the thread in Run.
class EventLoop : public Loop, public std::enable_shared_from_this<EventLoop> {
 public:
  void Run() final;
  void Drain() final;
  void Stop() final;
  void Finish() final;

  /// Runs `task` on the loop's thread, soon; never once the loop is finished.
  template <typename Task>
  void Post(Task task) {
    const MutexLock lock(post_mutex_);
    if (!finished_) boost::asio::post(io_, std::move(task));
  }
  bool RunsHere() { return io_.get_executor().running_in_this_thread(); }

  /// Serves a connection that another loop has accepted, and of which it has read `received`. From
  /// any thread; for loops that AwaitConnections.
  void Adopt(UniqueFd socket, ByteBuffer received);
  /// No more connections will be handed over, so that a drained loop may end. From any thread.
  void EndAdopting();

  /// Takes the socket over, on which it will accept. Before Run. IO_ERROR.
  Status Listen(UniqueFd listening);
  /// Instead of Listen: another loop, which listens as told, accepts the connections.
  void AwaitConnections(bool listens_on_any);

  /// Forgets a connection that was closed or given to another loop.
  void Remove(Connection& connection);
  /// The time of the last tick; a quarter of a second old at most.
  SteadyClock::time_point now() const { return now_; }
  /// True if connections come in at several addresses.
  bool listens_on_any() const { return listens_on_any_; }
  /// Where bytes that nobody wants are read to.
  static constexpr std::size_t kScratchBytes = 16 << 10;
  char* scratch() { return scratch_; }

 protected:
  using Tcp = boost::asio::ip::tcp;
  using OpenList = boost::intrusive::list<Connection, boost::intrusive::base_hook<OpenHook>>;

  struct Share {
    std::string_view door;  ///< as the log calls it; of static lifetime
    unsigned connections_max = 0;
    unsigned connections_per_peer_max = 0;
    std::shared_ptr<TlsServer> tls;           ///< null: plain TCP
    const TlsProtocols* protocols = nullptr;  ///< spoken over TLS; of static lifetime
  };

  explicit EventLoop(Share share);
  /// Longest open first.
  OpenList& open() { return open_; }

  virtual std::shared_ptr<Connection> Make(Stream stream, const boost::asio::ip::address& peer) = 0;
  /// Closes an idle connection, one of `peer`'s unless that is null. False if all are busy.
  virtual bool CloseIdle(const boost::asio::ip::address* peer) = 0;
  /// There is no room for an accepted connection. It is closed unless an override keeps it.
  virtual void OnNoRoom(UniqueFd /*socket*/) {}
  /// The process has no file descriptor left for another connection.
  virtual void OnNoDescriptor() { CloseIdle(nullptr); }
  /// The last connection of the drained loop is gone.
  virtual void OnDrained() {}
  /// Every quarter second, before the connections' deadlines.
  virtual void OnTick() {}

 private:
  void Accept();
  void OnAccept(const boost::system::error_code& error, Tcp::socket socket);
  void Add(Tcp::socket socket, ByteBuffer received = {});
  bool MakeRoom(const boost::asio::ip::address& peer);
  void Tick();
  void EndWhenEmpty();

  const Share share_;
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  Tcp::acceptor acceptor_;
  boost::asio::steady_timer timer_;
  boost::asio::steady_timer accept_pause_;
  SteadyClock::time_point now_ = SteadyClock::now();
  bool listens_on_any_ = false;
  bool draining_ = false;
  bool adopting_ = false;  ///< connections may come from another loop

  OpenList open_;
  std::unordered_map<boost::asio::ip::address, unsigned> open_per_peer_;

  char scratch_[kScratchBytes];

  Mutex post_mutex_;
  bool finished_ GUARDED_BY(post_mutex_) = false;
};

}  // namespace mlos::net
