// SPDX-License-Identifier: MIT
#include "api/http/wire/event_loop.h"

#include <algorithm>
#include <ctime>
#include <string>
#include <utility>

#include "api/http/wire/connection.h"

namespace mlos::api::http::wire {
namespace {

// RFC 9110, section 5.6.7: "Sun, 06 Nov 1994 08:49:37 GMT".
std::string HttpDate(std::int64_t unix_seconds) {
  constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto seconds = static_cast<std::time_t>(unix_seconds);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char rest[32];
  std::strftime(rest, sizeof(rest), " %Y %H:%M:%S GMT", &parts);
  const std::string day = std::to_string(100 + parts.tm_mday).substr(1);
  return std::string(kDays[parts.tm_wday]) + ", " + day + " " + kMonths[parts.tm_mon] + rest;
}

}  // namespace

std::shared_ptr<net::PeerConnection> EventLoop::Make(net::Stream stream,
                                                     const boost::asio::ip::address& peer) {
  return std::make_shared<Connection>(*this, std::move(stream), peer);
}

bool EventLoop::CloseIdle(const boost::asio::ip::address* peer) {
  const auto found = std::find_if(
      waiting().begin(), waiting().end(),
      [&](const WaitingConnection& waiting) { return peer == nullptr || waiting.peer() == *peer; });
  if (found == waiting().end()) return false;
  found->Close();
  return true;
}

void EventLoop::CloseOneIdle() {
  Post([self = std::static_pointer_cast<EventLoop>(shared_from_this())] {
    self->CloseIdleOfLargest();
  });
}

void EventLoop::OnTick() {
  const std::int64_t seconds = UnixSecondsNow();
  if (seconds == date_seconds_) return;
  date_seconds_ = seconds;
  set_date(HttpDate(seconds));
}

}  // namespace mlos::api::http::wire
