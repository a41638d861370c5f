// SPDX-License-Identifier: MIT
#include "api/grpc/http2/session.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "net/progress_deadline.h"

namespace mlos::api::grpc::http2 {
namespace {

// RFC 9113, section 6.5.2: a header counts for its name, its value and this.
constexpr std::size_t kHeaderOverhead = 32;
constexpr std::size_t kFrameHeaderBytes = 9;

std::string_view View(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

nghttp2_nv NameValue(std::string_view name, std::string_view value, std::uint8_t flags) {
  // nghttp2 reads only.
  return {reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data())),
          reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data())), name.size(),
          value.size(), flags};
}

void SetField(RequestHead& head, std::string_view name, std::string_view value) {
  if (name == ":path") {
    head.path = value;
  } else if (name == ":method") {
    head.method = value;
  } else if (name == "content-type") {
    head.content_type = value;
  } else if (name == "grpc-timeout") {
    head.timeout = value;
  } else if (name == "grpc-encoding") {
    head.encoding = value;
  } else if (name == "grpc-accept-encoding") {
    head.accept_encoding = value;
  } else if (name == "te") {
    head.te_trailers = value == "trailers";
  }
}

}  // namespace

struct Session::Stream {
  std::int32_t id = 0;
  RequestHead head;
  std::size_t header_bytes = 0;
  std::shared_ptr<StreamHandler> handler;
  bool ended = false;           ///< the request is complete
  std::size_t block_bytes = 0;  ///< of its header block, as it came

  Outgoing outgoing;
  std::vector<Header> trailers;
  bool started = false;   ///< headers of the reply are submitted
  bool end = false;       ///< the reply ends behind `outgoing`
  bool deferred = false;  ///< nghttp2 waits for more of the reply
  std::size_t sent_bytes = 0;
  net::ProgressDeadline write_deadline;
};

/// What nghttp2 calls, one line each.
struct Session::Callbacks {
  static Session& Of(void* user_data) { return *static_cast<Session*>(user_data); }

  static int OnBeginFrame(nghttp2_session*, const nghttp2_frame_hd* frame, void* self) {
    return Of(self).OnBeginFrame(*frame);
  }
  static int OnBeginHeaders(nghttp2_session*, const nghttp2_frame* frame, void* self) {
    return Of(self).OnBeginHeaders(frame->hd.stream_id);
  }
  static int OnHeader(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                      std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
                      std::uint8_t, void* self) {
    return Of(self).OnHeader(frame->hd.stream_id, View(name, name_size), View(value, value_size));
  }
  static int OnFrame(nghttp2_session*, const nghttp2_frame* frame, void* self) {
    return Of(self).OnFrame(*frame);
  }
  static int OnData(nghttp2_session*, std::uint8_t, std::int32_t stream_id,
                    const std::uint8_t* data, std::size_t size, void* self) {
    return Of(self).OnData(stream_id, View(data, size));
  }
  static int OnFrameSent(nghttp2_session*, const nghttp2_frame* frame, void* self) {
    return Of(self).OnFrameSent(*frame);
  }
  static int OnStreamClose(nghttp2_session*, std::int32_t stream_id, std::uint32_t, void* self) {
    return Of(self).OnStreamClose(stream_id);
  }

  /// How much of the reply goes into the next DATA frame.
  static ssize_t ReadReply(nghttp2_session* session, std::int32_t id, std::uint8_t*,
                           std::size_t max, std::uint32_t* flags, nghttp2_data_source*,
                           void* self) {
    Stream* const found = Of(self).Find(id);
    if (found == nullptr) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    Stream& stream = *found;
    const std::size_t count = std::min(max, stream.outgoing.size());
    if (count == stream.outgoing.size() && stream.end) {
      *flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
      SubmitTrailers(session, stream);
    } else if (count == 0) {
      stream.deferred = true;
      return NGHTTP2_ERR_DEFERRED;
    }
    if (count != 0) *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    return static_cast<ssize_t>(count);
  }

  static int SendData(nghttp2_session*, nghttp2_frame* frame, const std::uint8_t* head,
                      std::size_t size, nghttp2_data_source*, void* self) {
    Stream* const found = Of(self).Find(frame->hd.stream_id);
    // We never ask for padding.
    if (found == nullptr || frame->data.padlen != 0) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    Stream& stream = *found;
    net::ByteBuffer& out = *Of(self).out_;
    out.Append(View(head, kFrameHeaderBytes));
    stream.outgoing.MoveTo(out, size);
    stream.sent_bytes += size;
    if (stream.outgoing.size() == 0 && !stream.end) Of(self).drained_.push_back(stream.id);
    Of(self).flood_.CountSent(size);
    return out.status().ok() ? 0 : NGHTTP2_ERR_CALLBACK_FAILURE;
  }

  static void SubmitTrailers(nghttp2_session* session, const Stream& stream) {
    std::vector<nghttp2_nv> list;
    for (const Header& header : stream.trailers) {
      list.push_back(NameValue(header.name, header.value, NGHTTP2_NV_FLAG_NONE));
    }
    nghttp2_submit_trailer(session, stream.id, list.data(), list.size());
  }
};

Session::Session(const Limits& limits, Acceptor& acceptor) : limits_(limits), acceptor_(acceptor) {}

Session::~Session() {
  for (auto& [id, stream] : streams_) {
    if (stream->handler != nullptr) stream->handler->OnClose();
  }
  nghttp2_session_del(session_);
}

Status Session::Start(std::shared_ptr<StreamPort> port) {
  port_ = std::move(port);
  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_option* option = nullptr;
  if (nghttp2_session_callbacks_new(&callbacks) != 0 || nghttp2_option_new(&option) != 0) {
    nghttp2_session_callbacks_del(callbacks);
    return {Reason::kOutOfMemory, "no memory for another connection"};
  }
  nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, &Callbacks::OnBeginFrame);
  nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, &Callbacks::OnBeginHeaders);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, &Callbacks::OnHeader);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, &Callbacks::OnFrame);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, &Callbacks::OnData);
  nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, &Callbacks::OnFrameSent);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, &Callbacks::OnStreamClose);
  nghttp2_session_callbacks_set_send_data_callback(callbacks, &Callbacks::SendData);
  // Windows are given back by those who have dealt with the bytes.
  nghttp2_option_set_no_auto_window_update(option, 1);
  nghttp2_option_set_no_closed_streams(option, 1);
  const int made = nghttp2_session_server_new2(&session_, callbacks, this, option);
  nghttp2_option_del(option);
  nghttp2_session_callbacks_del(callbacks);
  if (made != 0) return {Reason::kOutOfMemory, "no memory for another connection"};
  const std::array settings{
      nghttp2_settings_entry{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, limits_.streams_max},
      nghttp2_settings_entry{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kStreamWindowBytes},
      nghttp2_settings_entry{NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE,
                             static_cast<std::uint32_t>(limits_.header_bytes_max)}};
  nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings.data(), settings.size());
  nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0, kConnectionWindowBytes);
  return OkStatus();
}

bool Session::Receive(std::string_view bytes) {
  if (terminated_) return false;
  const std::int32_t counted = nghttp2_session_get_effective_recv_data_length(session_);
  delivered_bytes_ = 0;
  const ssize_t used = nghttp2_session_mem_recv(
      session_, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  ForgiveLate(bytes.size(), counted);
  flood_.CountReceived(bytes.size());
  if (flood_.flooded()) Terminate(NGHTTP2_ENHANCE_YOUR_CALM);
  if (used >= 0) return !terminated_;
  const bool flood = used == NGHTTP2_ERR_FLOODED || used == NGHTTP2_ERR_TOO_MANY_SETTINGS ||
                     used == NGHTTP2_ERR_TOO_MANY_CONTINUATIONS;
  Terminate(flood ? NGHTTP2_ENHANCE_YOUR_CALM : NGHTTP2_PROTOCOL_ERROR);
  return false;
}

bool Session::Produce(net::ByteBuffer& out, std::size_t bytes_max) {
  out_ = &out;
  ssize_t count = 1;
  while (out.size() < bytes_max) {
    const std::uint8_t* data = nullptr;
    const std::size_t before = out.size();
    count = nghttp2_session_mem_send(session_, &data);
    if (count > 0) out.Append(View(data, static_cast<std::size_t>(count)));
    // A DATA frame is appended by its callback, and nothing is left to append here.
    if (count < 0 || out.size() == before) break;
  }
  out_ = nullptr;
  for (const std::int32_t id : std::exchange(drained_, {})) {
    if (Stream* stream = Find(id); stream != nullptr && stream->handler != nullptr) {
      const std::shared_ptr<StreamHandler> handler = stream->handler;
      handler->OnSent(stream->sent_bytes);
    }
  }
  return count >= 0 && out.status().ok();
}

Session::Stream* Session::Find(std::int32_t stream_id) {
  const auto found = streams_.find(stream_id);
  return found == streams_.end() ? nullptr : found->second.get();
}

// Not called for a frame of a type that nghttp2 does not know, nor for DATA that it drops.
int Session::OnBeginFrame(const nghttp2_frame_hd& frame) {
  if (frame.type == NGHTTP2_HEADERS) block_bytes_ = 0;
  if (frame.type == NGHTTP2_HEADERS || frame.type == NGHTTP2_CONTINUATION) {
    block_bytes_ += kFrameHeaderBytes + frame.length;
  }
  return 0;
}

int Session::OnBeginHeaders(std::int32_t stream_id) {
  head_stream_ = stream_id;
  if (streams_.contains(stream_id)) return 0;  // trailers of a request
  auto stream = std::make_unique<Stream>();
  stream->id = stream_id;
  streams_.emplace(stream_id, std::move(stream));
  return 0;
}

int Session::OnHeader(std::int32_t stream_id, std::string_view name, std::string_view value) {
  Stream* stream = Find(stream_id);
  if (stream == nullptr) return 0;
  stream->header_bytes += name.size() + value.size() + kHeaderOverhead;
  if (stream->header_bytes > limits_.header_bytes_max) {
    stream->head.too_large = true;
  } else if (stream->handler == nullptr) {
    SetField(stream->head, name, value);
  }
  return 0;
}

int Session::OnFrame(const nghttp2_frame& frame) {
  switch (frame.hd.type) {
    case NGHTTP2_HEADERS:
      OnHeadersEnd(frame.hd.stream_id);
      break;
    case NGHTTP2_RST_STREAM:
      if (const Stream* stream = Find(frame.hd.stream_id)) CountReset(stream);
      break;
    case NGHTTP2_SETTINGS:
      introduced_ = true;
      break;
    default:
      break;
  }
  const bool carries_end = frame.hd.type == NGHTTP2_DATA || frame.hd.type == NGHTTP2_HEADERS;
  if (carries_end && (frame.hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) {
    EndOfRequest(frame.hd.stream_id);
  }
  return 0;
}

void Session::OnHeadersEnd(std::int32_t stream_id) {
  head_stream_ = 0;
  Stream* stream = Find(stream_id);
  if (stream == nullptr || stream->handler != nullptr || terminated_) return;
  if (!HasRoom()) {
    nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, stream_id, NGHTTP2_REFUSED_STREAM);
    return;
  }
  stream->block_bytes = std::min(block_bytes_, limits_.header_bytes_max);
  flood_.Forgive(stream->block_bytes);
  std::shared_ptr<StreamHandler> handler = acceptor_.Open(stream->head, stream_id, port_);
  stream->handler = std::move(handler);
  stream->head = RequestHead();
}

bool Session::HasRoom() {
  if (closed_.size() < limits_.streams_max) return true;
  std::erase_if(closed_, [](const auto& handler) { return handler.expired(); });
  return closed_.size() < limits_.streams_max;
}

int Session::OnData(std::int32_t stream_id, std::string_view data) {
  // The connection's window is everybody's: only the stream's own waits for its handler.
  const std::int32_t counted = nghttp2_session_get_effective_recv_data_length(session_);
  nghttp2_session_consume_connection(session_, data.size());
  delivered_bytes_ += static_cast<std::int64_t>(data.size());
  // What a window update gives back counts no more.
  delivered_bytes_ += nghttp2_session_get_effective_recv_data_length(session_) - counted;
  Stream* stream = Find(stream_id);
  if (stream != nullptr && stream->handler != nullptr && !stream->ended) {
    flood_.CountTaken(data.size());
    stream->handler->OnData(data);
  }
  return 0;
}

void Session::EndOfRequest(std::int32_t stream_id) {
  Stream* stream = Find(stream_id);
  if (stream == nullptr || stream->handler == nullptr || stream->ended) return;
  stream->ended = true;
  stream->handler->OnEnd();
}

void Session::Send(std::int32_t stream_id, Part part) {
  Stream* stream = Find(stream_id);
  if (stream == nullptr || stream->end || terminated_) return;
  stream->outgoing.Add(std::move(part.data));
  if (part.rest != nullptr) stream->outgoing.Add(std::move(part.rest));
  stream->end = part.end;
  stream->trailers = std::move(part.trailers);
  if (!stream->started) {
    StartReply(*stream, part);
  } else if (stream->deferred) {
    stream->deferred = false;
    nghttp2_session_resume_data(session_, stream_id);
  }
}

void Session::StartReply(Stream& stream, Part& part) {
  stream.started = true;
  const std::string status = std::to_string(part.http_status);
  constexpr std::uint8_t kStatic = NGHTTP2_NV_FLAG_NO_COPY_NAME;
  std::vector<nghttp2_nv> list{
      NameValue(":status", status, kStatic),
      NameValue("content-type", "application/grpc", kStatic | NGHTTP2_NV_FLAG_NO_COPY_VALUE)};
  if (!part.encoding.empty()) {
    list.push_back(
        NameValue("grpc-encoding", part.encoding, kStatic | NGHTTP2_NV_FLAG_NO_COPY_VALUE));
  }
  const bool alone = stream.end && stream.outgoing.size() == 0;
  if (alone) {
    for (const Header& header : stream.trailers) {
      list.push_back(NameValue(header.name, header.value, NGHTTP2_NV_FLAG_NONE));
    }
  }
  nghttp2_data_provider provider{};
  provider.read_callback = &Callbacks::ReadReply;
  nghttp2_submit_response(session_, stream.id, list.data(), list.size(),
                          alone ? nullptr : &provider);
}

void Session::Consume(std::int32_t stream_id, std::size_t count) {
  if (Find(stream_id) == nullptr) return;
  nghttp2_session_consume_stream(session_, stream_id, count);
}

void Session::Cancel(std::int32_t stream_id) {
  if (Find(stream_id) == nullptr) return;
  nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, stream_id, NGHTTP2_CANCEL);
}

int Session::OnFrameSent(const nghttp2_frame& frame) {
  const std::int32_t id = frame.hd.stream_id;
  if (frame.hd.type == NGHTTP2_RST_STREAM) {
    // One that follows a whole reply is no fault of the caller's.
    if (frame.rst_stream.error_code != NGHTTP2_NO_ERROR) CountReset(Find(id));
    late_bytes_ = std::min<std::size_t>(late_bytes_ + InFlight(id), kConnectionWindowBytes);
    return 0;
  }
  const bool ends = (frame.hd.type == NGHTTP2_HEADERS || frame.hd.type == NGHTTP2_DATA) &&
                    (frame.hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
  if (ends) {
    flood_.CountAnswered();
    // RFC 9113, section 8.1: who has answered in full may ask that the rest be not sent.
    if (nghttp2_session_get_stream_remote_close(session_, id) == 0) {
      nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, id, NGHTTP2_NO_ERROR);
    }
  }
  return 0;
}

int Session::OnStreamClose(std::int32_t stream_id) {
  if (head_stream_ == stream_id) head_stream_ = 0;
  const auto found = streams_.find(stream_id);
  if (found == streams_.end()) return 0;
  const std::unique_ptr<Stream> stream = std::move(found->second);
  streams_.erase(found);
  if (stream->handler == nullptr) return 0;
  stream->handler->OnClose();
  if (stream->handler.use_count() > 1) closed_.push_back(stream->handler);
  return 0;
}

void Session::CountReset(const Stream* stream) {
  flood_.CountReset(stream == nullptr ? 0 : stream->block_bytes);
  if (flood_.flooded()) Terminate(NGHTTP2_ENHANCE_YOUR_CALM);
}

void Session::ForgiveLate(std::size_t received, std::int32_t counted_before) {
  if (late_bytes_ == 0) return;
  const std::int64_t counted = nghttp2_session_get_effective_recv_data_length(session_);
  const std::int64_t dropped = counted - counted_before - delivered_bytes_;
  // nghttp2 itself gives back what it drops, half of the window at a time, and hides it then.
  const std::size_t late = dropped < 0 ? received : static_cast<std::size_t>(dropped);
  const std::size_t forgiven = std::min({late, late_bytes_, received});
  late_bytes_ -= forgiven;
  flood_.Forgive(forgiven);
}

std::size_t Session::InFlight(std::int32_t stream_id) const {
  if (nghttp2_session_get_stream_remote_close(session_, stream_id) != 0) return 0;
  const std::int32_t window = nghttp2_session_get_stream_local_window_size(session_, stream_id);
  return static_cast<std::size_t>(std::max(window, 0));
}

void Session::AnnounceEnd() {
  if (!terminated_) nghttp2_submit_shutdown_notice(session_);
}

void Session::Drain() {
  if (terminated_) return;
  nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE,
                        nghttp2_session_get_last_proc_stream_id(session_), NGHTTP2_NO_ERROR,
                        nullptr, 0);
}

void Session::Terminate(std::uint32_t error_code) {
  if (terminated_) return;
  terminated_ = true;
  nghttp2_session_terminate_session(session_, error_code);
}

void Session::Ping() { nghttp2_submit_ping(session_, NGHTTP2_FLAG_NONE, nullptr); }

void Session::OnTick(SteadyClock::time_point now) {
  now_ = now;
  flood_.OnTick(now);
  std::vector<std::pair<std::int32_t, std::shared_ptr<StreamHandler>>> handlers;
  for (auto& [id, stream] : streams_) {
    if (stream->outgoing.size() == 0) {
      stream->write_deadline.Stop();
    } else {
      stream->write_deadline.Watch(now, limits_.write_timeout_ms, stream->sent_bytes);
    }
    if (stream->write_deadline.passed(now)) {
      Cancel(id);
      continue;
    }
    if (stream->handler != nullptr) handlers.emplace_back(id, stream->handler);
  }
  std::erase_if(closed_, [](const auto& handler) { return handler.expired(); });
  // A handler may end its stream, which changes the table.
  for (const auto& [id, handler] : handlers) {
    if (Find(id) != nullptr) handler->OnTick(now);
  }
}

// Whoever works for a stream holds its handler.
bool Session::awaits_peer() const {
  return std::all_of(streams_.begin(), streams_.end(), [](const auto& entry) {
    const Stream& stream = *entry.second;
    return stream.handler.use_count() <= 1 || stream.outgoing.size() != 0;
  });
}

bool Session::over() const {
  return nghttp2_session_want_read(session_) == 0 && nghttp2_session_want_write(session_) == 0;
}

}  // namespace mlos::api::grpc::http2
