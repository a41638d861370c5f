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

/// One thread's share of a door: its listening socket, its connections and their deadlines. No
/// state is shared with other loops, so nothing on the way of a request takes a lock. The limits on
/// connections hold for each loop's share. A door says what its connections are, and which of them
/// may be closed where others want their place.
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
  /// Nothing follows that would be adopted: a drained loop may end. From any thread.
  void EndAdopting();

  /// The connection is closed, or given to another loop.
  void Remove(Connection& connection);
  /// The time of the last tick; a quarter of a second old at most.
  SteadyClock::time_point now() const { return now_; }

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
  /// Takes the socket over. IO_ERROR.
  Status Listen(UniqueFd listening);
  /// Instead of Listen: another loop, which listens as told, accepts the connections.
  void AwaitConnections(bool listens_on_any);
  /// True where connections come in at several addresses.
  bool listens_on_any() const { return listens_on_any_; }
  /// Longest open first.
  OpenList& open() { return open_; }

  virtual std::shared_ptr<Connection> Make(Stream stream, const boost::asio::ip::address& peer) = 0;
  /// Closes a connection that nobody will miss, one of `peer`'s unless that is null. False where
  /// all are at work.
  virtual bool CloseIdle(const boost::asio::ip::address* peer) = 0;
  /// There is no place for an accepted connection; it is closed unless somebody takes it.
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

  Mutex post_mutex_;
  bool finished_ GUARDED_BY(post_mutex_) = false;
};

}  // namespace mlos::net
