// SPDX-License-Identifier: MIT
#include "daemon/core.h"

#include <unistd.h>

#include <filesystem>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "base/log.h"
#include "daemon/socket_place.h"
#include "daemon/version.h"

namespace mlos::daemon {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> Paths(const std::vector<std::string>& texts) {
  return {texts.begin(), texts.end()};
}

runtime::RuntimeOptions RuntimeOptionsOf(const Config& config) {
  return {
      .state_dir = config.state_dir,
      .plugin_dirs = Paths(config.plugin_dirs),
      .model_roots = Paths(config.model_roots),
      .probe_program = "/proc/self/exe",
      .probe_timeout_ms = config.probe_timeout_ms,
      .compute_threads = config.compute_threads,
      .intra_op_threads = config.intra_op_threads,
      .arena_bytes_max = config.arena_bytes_max,
      .model_copies_bytes_max = config.model_copies_bytes_max,
      .scrub_interval_s = config.scrub_interval_s,
      .queue_length_max = config.queue_length_max,
      .in_flight_bytes_max = config.in_flight_bytes_max,
      .max_batch_size = config.max_batch_size,
      .max_queue_delay_us = config.max_queue_delay_us,
      .sequences_max = config.sequences_max,
      .sequence_idle_timeout_ms = config.sequence_idle_timeout_ms,
      .metrics_full = config.metrics_full,
  };
}

/// The doors that are open once Core has started.
std::vector<std::string> OpenDoorsOf(const Config& config) {
  std::vector<std::string> doors;
  if (!config.no_http) doors.emplace_back("http");
  if (!config.no_grpc) doors.emplace_back("grpc");
  if (!config.no_ipc) doors.emplace_back("ipc");
  return doors;
}

api::door::LobbyOptions LobbyOptionsOf(const Config& config) {
  return {.request_timeout_ms_max = config.request_timeout_ms_max,
          .load_wait_ms = config.load_wait_ms,
          .version = std::string(kVersion),
          .doors = OpenDoorsOf(config)};
}

net::tls::Files TlsFilesOf(const Config& config) {
  return {.certificate = config.tls_cert, .key = config.tls_key, .client_ca = config.tls_client_ca};
}

/// Sets the limits that every TCP door has.
template <typename Limits>
void SetConnectionLimits(const Config& config, Limits& limits) {
  limits.header_timeout_ms = config.header_timeout_ms;
  limits.body_timeout_ms = config.body_timeout_ms;
  limits.write_timeout_ms = config.write_timeout_ms;
  limits.idle_timeout_ms = config.idle_timeout_ms;
  limits.connections_max = config.connections_max;
  const bool limited = config.connections_per_peer_max != 0;
  limits.connections_per_peer_max =
      limited ? config.connections_per_peer_max : config.connections_max;
}

api::grpc::ServerOptions GrpcOptionsOf(const Config& config,
                                       std::shared_ptr<net::tls::Server> tls) {
  api::grpc::ServerOptions options;
  options.tls = std::move(tls);
  options.host = config.http_host;
  options.port = config.grpc_port;
  options.threads = config.grpc_threads;
  SetConnectionLimits(config, options.limits);
  options.limits.streams_max = config.grpc_streams_max;
  options.calls.message_bytes_max = config.body_bytes_max;
  options.calls.body_timeout_ms = config.body_timeout_ms;
  return options;
}

api::http::ServerOptions HttpOptionsOf(const Config& config,
                                       std::shared_ptr<net::tls::Server> tls) {
  api::http::ServerOptions options;
  options.host = config.http_host;
  options.port = config.http_port;
  options.threads = config.http_threads;
  options.tls = std::move(tls);
  options.allowed_hosts = config.allowed_hosts;
  options.cors_origins = config.cors_origins;
  SetConnectionLimits(config, options.limits);
  options.calls.body_bytes_max = config.body_bytes_max;
  return options;
}

bool IsDefaultSocket(const Config& config) {
  return config.socket == DefaultSocket(config.state_dir);
}

api::ipc::ServerOptions IpcOptionsOf(const Config& config) {
  std::vector<std::uint32_t> users;
  for (const std::string& user : config.socket_users) {
    users.push_back(static_cast<std::uint32_t>(std::stoul(user)));
  }
  return {
      .socket = config.socket,
      // Whoever names a socket wants that one and no other.
      .second_socket = IsDefaultSocket(config) ? kFormerSocket : "",
      .mode = config.socket_mode,
      .connections_max = config.socket_connections_max,
      .users = std::move(users),
      .frame_timeout_ms = config.body_timeout_ms,
      .write_timeout_ms = config.write_timeout_ms,
      .idle_timeout_ms = config.socket_idle_timeout_ms,
  };
}

// Only Core's own user may enter the state folder: registrations name files of this machine.
constexpr unsigned kStateDirMode = 0700;

/// Writes the port of a listener. If the door is closed, the listener is null and the file of an
/// earlier Core is removed.
Status TellPort(const fs::path& file, const net::Listener* listener) {
  if (listener != nullptr) return WriteFileAtomic(file, std::to_string(listener->port()) + "\n");
  std::error_code error;
  fs::remove(file, error);
  if (!error) return OkStatus();
  return Status(Reason::kIoError, file.filename().string() + " cannot be removed")
      .WithContext("state_dir");
}

}  // namespace

Core::Core(FileLock state_lock, std::unique_ptr<runtime::Runtime> runtime, const Config& config)
    : state_lock_(std::move(state_lock)),
      runtime_(std::move(runtime)),
      lobby_(std::make_unique<api::door::Lobby>(LobbyOptionsOf(config), *runtime_)) {}

Core::~Core() {
  if (http_ != nullptr || grpc_ != nullptr || ipc_ != nullptr) Stop(std::chrono::milliseconds(0));
}

Result<std::unique_ptr<Core>> Core::Start(const Config& config) {
  const fs::path state_dir = config.state_dir;
  MLOS_TRY(
      CreateDirectories(state_dir, kStateDirMode).WithContext("state_dir " + state_dir.string()));
  MLOS_TRY(CheckOwnFolder(state_dir).WithContext("state_dir"));
  // The lock comes before the registry is opened, because only one Core may use it.
  Result<FileLock> lock = FileLock::TryAcquire(state_dir / "lock");
  if (!lock.ok()) {
    return std::move(lock).status().WithContext("state_dir: is another Core running on it?");
  }
  auto runtime = MLOS_TRY(runtime::Runtime::Create(RuntimeOptionsOf(config)));
  std::unique_ptr<Core> core(new Core(std::move(*lock), std::move(runtime), config));
  MLOS_TRY(core->OpenDoors(config));
  // Written once every door is open, because a client that waits for the port of one may use
  // another next.
  MLOS_TRY(TellPort(state_dir / "grpc.port", core->grpc_.get()));
  MLOS_TRY(TellPort(state_dir / "http.port", core->http_.get()));
  // Doors already answer while models load; readiness waits for the models.
  core->LoadRegistered();
  return core;
}

Result<std::shared_ptr<net::tls::Server>> Core::LoadTls(const Config& config) {
  if (config.tls_cert.empty()) return std::shared_ptr<net::tls::Server>();
  return net::tls::Server::Load(TlsFilesOf(config));
}

void Core::ReloadTls(const Config& config) {
  if ((tls_ == nullptr) != config.tls_cert.empty()) {
    Log(LogLevel::kWarning, "turning TLS on or off needs a restart", {{"option", "tls_cert"}});
  } else if (tls_ != nullptr) {
    const Status read = tls_->Reload(TlsFilesOf(config));
    if (!read.ok()) Log(LogLevel::kError, "TLS certificate not reloaded", {LogField(read)});
  }
}

Status Core::OpenDoors(const Config& config) {
  tls_ = MLOS_TRY(LoadTls(config));
  if (tls_ == nullptr && config.insecure && config.listens_on_network()) {
    Log(LogLevel::kWarning,
        "serving without TLS: anyone on the network path can read and change everything",
        {{"host", config.http_host}});
  }
  if (!config.no_http) {
    http_ = MLOS_TRY(api::http::Serve(HttpOptionsOf(config, tls_), *lobby_));
    Log(LogLevel::kInfo, "serving HTTP", {{"host", config.http_host}, {"port", http_->port()}});
  }
  if (!config.no_grpc) {
    grpc_ = MLOS_TRY(api::grpc::Serve(GrpcOptionsOf(config, tls_), *lobby_));
    Log(LogLevel::kInfo, "serving gRPC", {{"host", config.http_host}, {"port", grpc_->port()}});
  }
  if (config.no_ipc) return OkStatus();
  if (IsDefaultSocket(config)) MLOS_TRY(MakeSocketFolder(config.socket));
  ipc_ = MLOS_TRY(api::ipc::Serve(IpcOptionsOf(config), *lobby_));
  return OkStatus();
}

void Core::LoadRegistered() {
  const MutexLock lock(loader_mutex_);
  load_wanted_ = true;
  if (std::exchange(loading_, true)) return;
  // The previous thread has nothing more to do, so this does not wait.
  if (loader_.joinable()) loader_.join();
  loader_ = std::thread([this] { LoadWhileWanted(); });
}

void Core::LoadWhileWanted() {
  while (true) {
    {
      const MutexLock lock(loader_mutex_);
      loading_ = std::exchange(load_wanted_, false);
      if (!loading_) return;
    }
    runtime_->LoadRegistered();
  }
}

bool Core::Stop(std::chrono::milliseconds grace) {
  const Deadline deadline = SteadyClock::now() + grace;
  bool answered = true;
  // A load may take longer than there is time.
  runtime_->StopAwaitingLoads();
  if (http_ != nullptr) answered &= http_->Shutdown(deadline);
  if (grpc_ != nullptr) answered &= grpc_->Shutdown(deadline);
  if (ipc_ != nullptr) answered &= ipc_->Shutdown(deadline);
  const bool drained = runtime_->Drain(deadline);
  if (loader_.joinable()) loader_.join();
  // What it still does may speak to the doors.
  lobby_->workers().Join();
  ipc_.reset();
  http_.reset();
  grpc_.reset();
  return answered && drained;
}

}  // namespace mlos::daemon
