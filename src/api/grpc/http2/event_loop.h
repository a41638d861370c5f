// SPDX-License-Identifier: MIT
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/intrusive/list.hpp>
#include <functional>
#include <memory>
#include <unordered_map>
#include <utility>

#include "api/grpc/http2/connection.h"
#include "api/grpc/http2/connection_host.h"
#include "base/mutex.h"
#include "base/unique_fd.h"
#include "net/listener.h"

namespace mlos::api::grpc::http2 {

/// One thread's share of the server: its listening socket, its connections and their deadlines. No
/// state is shared with other loops, so nothing on the way of a request takes a lock. The limits on
/// connections hold for each loop's share.
///
/// Run, Post, RunsHere, Drain, Stop and Finish may be called from any thread; the rest belongs to
/// the thread in Run.
class EventLoop : public ConnectionHost,
                  public net::Loop,
                  public std::enable_shared_from_this<EventLoop> {
 public:
  static Result<std::shared_ptr<EventLoop>> Create(UniqueFd listening, const Limits& limits,
                                                   std::shared_ptr<Acceptor> acceptor);
  void Run() override;
  void Drain() override;
  void Stop() override;
  void Finish() override;

  void Post(std::function<void()> task) override;
  bool RunsHere() override { return io_.get_executor().running_in_this_thread(); }
  void Remove(Connection& connection) override;

 private:
  EventLoop(const Limits& limits, std::shared_ptr<Acceptor> acceptor);

  using Tcp = boost::asio::ip::tcp;
  void Accept();
  void OnAccept(const boost::system::error_code& error, Tcp::socket socket);
  void Add(Tcp::socket socket);
  bool MakeRoom(const boost::asio::ip::address& peer);
  bool CloseIdle(const boost::asio::ip::address* peer);
  void Tick();
  void EndWhenEmpty();

  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  Tcp::acceptor listening_;
  boost::asio::steady_timer timer_;
  boost::asio::steady_timer accept_pause_;
  bool draining_ = false;

  /// Longest open first.
  boost::intrusive::list<Connection, boost::intrusive::base_hook<OpenHook>> open_;
  std::unordered_map<boost::asio::ip::address, unsigned> open_per_peer_;

  Mutex post_mutex_;
  bool finished_ GUARDED_BY(post_mutex_) = false;
};

}  // namespace mlos::api::grpc::http2
