// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/intrusive/list.hpp>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>

#include "api/http/wire/connection.h"
#include "api/http/wire/connection_host.h"
#include "base/mutex.h"
#include "base/unique_fd.h"
#include "net/listener.h"

namespace mlos::api::http::wire {

/// One thread's share of the server: its listening socket, its connections and their deadlines. No
/// state is shared with other loops, so nothing on the way of a request takes a lock. The limits on
/// connections hold for each loop's share.
///
/// Run, Deliver, Wake, Drain, Stop and Finish may be called from any thread; the rest belongs to
/// the thread in Run.
class EventLoop : public ConnectionHost,
                  public net::Loop,
                  public std::enable_shared_from_this<EventLoop> {
 public:
  static Result<std::shared_ptr<EventLoop>> Create(UniqueFd listening, const Limits& limits,
                                                   std::shared_ptr<Handler> handler);
  void Run() override;
  void Drain() override;
  void Stop() override;
  void Finish() override;

  bool RunsHere() override { return io_.get_executor().running_in_this_thread(); }
  void Deliver(std::shared_ptr<Connection> connection, std::uint64_t number, Reply reply) override;
  void Wake(std::shared_ptr<Connection> connection, std::uint64_t number) override;
  void EnterWaiting(Connection& connection) override;
  void LeaveWaiting(Connection& connection) override;
  void Remove(Connection& connection) override;

 private:
  EventLoop(const Limits& limits, std::shared_ptr<Handler> handler);

  using Tcp = boost::asio::ip::tcp;
  void Accept();
  void OnAccept(const boost::system::error_code& error, Tcp::socket socket);
  void Add(Tcp::socket socket);
  bool MakeRoom(const boost::asio::ip::address& peer);
  bool CloseLongestWaiting(const boost::asio::ip::address* peer);
  void Tick();
  void UpdateTime();
  void EndWhenEmpty();

  /// Runs `task` on the loop's thread, soon; never once the loop is finished.
  template <typename Task>
  void Post(Task task) {
    const MutexLock lock(post_mutex_);
    if (!finished_) boost::asio::post(io_, std::move(task));
  }

  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  Tcp::acceptor acceptor_;
  boost::asio::steady_timer timer_;
  boost::asio::steady_timer accept_pause_;
  bool draining_ = false;

  boost::intrusive::list<Connection, boost::intrusive::base_hook<OpenHook>> open_;
  /// Longest waiting first.
  boost::intrusive::list<Connection, boost::intrusive::base_hook<WaitingHook>> waiting_;
  std::unordered_map<boost::asio::ip::address, unsigned> open_per_peer_;

  std::int64_t date_seconds_ = 0;

  Mutex post_mutex_;
  bool finished_ GUARDED_BY(post_mutex_) = false;
};

}  // namespace mlos::api::http::wire
