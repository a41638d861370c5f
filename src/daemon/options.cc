// SPDX-License-Identifier: MIT
#include "daemon/options.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <limits>
#include <optional>

#include "api/http/guard/cross_origin.h"

namespace mlos::daemon {
namespace {

using Values = std::vector<std::string>;

Status Invalid(std::string_view value, std::string_view expected) {
  return {Reason::kInvalidConfig, "'" + std::string(value) + "' is not " + std::string(expected)};
}

struct Unit {
  std::string_view suffix;
  std::uint64_t factor;
};

constexpr Unit kByteUnits[] = {
    {"", 1}, {"KiB", 1ULL << 10}, {"MiB", 1ULL << 20}, {"GiB", 1ULL << 30}};

std::optional<std::uint64_t> ParseNumber(std::string_view text, std::span<const Unit> units) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end == text.data()) return std::nullopt;
  const std::string_view suffix(end, static_cast<std::size_t>(text.data() + text.size() - end));
  for (const Unit& unit : units) {
    if (suffix != unit.suffix) continue;
    std::uint64_t product = 0;
    if (__builtin_mul_overflow(number, unit.factor, &product)) return std::nullopt;
    return product;
  }
  return std::nullopt;
}

// The setters and getters of each type of member. `kMember` is the member, so that a row of the
// table names it only once.
template <auto kMember, std::uint64_t kMin, std::uint64_t kMax>
Status SetInteger(Config& config, const Values& values) {
  const auto number = ParseNumber(values.back(), std::span(kByteUnits).first(1));
  if (!number || *number < kMin || *number > kMax) {
    return Invalid(values.back(),
                   "a whole number from " + std::to_string(kMin) + " to " + std::to_string(kMax));
  }
  using Member = std::remove_reference_t<decltype(config.*kMember)>;
  config.*kMember = static_cast<Member>(*number);
  return OkStatus();
}

template <auto kMember, std::uint64_t kMin>
Status SetBytes(Config& config, const Values& values) {
  const auto bytes = ParseNumber(values.back(), kByteUnits);
  if (!bytes || *bytes < kMin) {
    return Invalid(values.back(), "a size of at least " + std::to_string(kMin) +
                                      " bytes, such as 4096, 512KiB, 256MiB or 2GiB");
  }
  config.*kMember = *bytes;
  return OkStatus();
}

template <auto kMember>
Values GetInteger(const Config& config) {
  return {std::to_string(config.*kMember)};
}

// In the largest unit that divides it: "256MiB".
template <auto kMember>
Values GetBytes(const Config& config) {
  const auto* unit = std::end(kByteUnits) - 1;
  while (config.*kMember % unit->factor != 0) --unit;
  return {std::to_string(config.*kMember / unit->factor) + std::string(unit->suffix)};
}

template <auto kMember>
Status SetSwitch(Config& config, const Values& values) {
  const std::string& value = values.back();
  if (value != "true" && value != "false") return Invalid(value, "true or false");
  config.*kMember = value == "true";
  return OkStatus();
}

template <auto kMember>
Values GetSwitch(const Config& config) {
  return {config.*kMember ? "true" : "false"};
}

template <auto kMember>
Status SetText(Config& config, const Values& values) {
  if (values.back().empty()) return Invalid("", "a value: it is empty");
  config.*kMember = values.back();
  return OkStatus();
}

template <auto kMember>
Status SetFile(Config& config, const Values& values) {
  config.*kMember = values.back();
  return OkStatus();
}

template <auto kMember>
Values GetText(const Config& config) {
  return {config.*kMember};
}

template <auto kMember>
Status SetList(Config& config, const Values& values) {
  if (std::find(values.begin(), values.end(), "") != values.end()) {
    return Invalid("", "a value: an element of the list is empty");
  }
  config.*kMember = values;
  return OkStatus();
}

template <auto kMember>
Values GetList(const Config& config) {
  return config.*kMember;
}

Status SetLogLevel(Config& config, const Values& values) {
  constexpr std::string_view kLevels[] = {"debug", "info", "warning", "error", "off"};
  if (std::find(std::begin(kLevels), std::end(kLevels), values.back()) == std::end(kLevels)) {
    return Invalid(values.back(), "one of debug, info, warning, error, off");
  }
  config.log_level = values.back();
  return OkStatus();
}

Status SetLogFormat(Config& config, const Values& values) {
  if (values.back() != "text" && values.back() != "json") {
    return Invalid(values.back(), "text or json");
  }
  config.log_format = values.back();
  return OkStatus();
}

Status SetSocketMode(Config& config, const Values& values) {
  const std::string& text = values.back();
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), config.socket_mode, 8);
  if (error != std::errc() || end != text.data() + text.size() || config.socket_mode > 0777) {
    return Invalid(text, "permissions in octal, such as 0600 or 0660");
  }
  return OkStatus();
}

Values GetSocketMode(const Config& config) {
  char text[16];
  std::snprintf(text, sizeof(text), "%04o", config.socket_mode);
  return {text};
}

Status SetSocketUsers(Config& config, const Values& values) {
  for (const std::string& value : values) {
    const auto uid = ParseNumber(value, std::span(kByteUnits).first(1));
    if (!uid || *uid >= std::numeric_limits<std::uint32_t>::max()) {
      return Invalid(value, "the number of a user");
    }
  }
  config.socket_users = values;
  return OkStatus();
}

Status SetOrigins(Config& config, const Values& values) {
  for (const std::string& value : values) {
    MLOS_TRY(api::http::guard::ParseOrigin(value).status());
  }
  config.cors_origins = values;
  return OkStatus();
}

constexpr std::uint64_t kDay = 24ULL * 3600 * 1000;

// Each row ends with advice if its value is a number: how to choose it, and what goes wrong if it
// is too low or too high.
#define MLOS_INTEGER(member, min, max) \
  &SetInteger<&Config::member, min, max>, &GetInteger<&Config::member>
#define MLOS_BYTES(member, min) &SetBytes<&Config::member, min>, &GetBytes<&Config::member>
#define MLOS_SWITCH(member) &SetSwitch<&Config::member>, &GetSwitch<&Config::member>
#define MLOS_TEXT(member) &SetText<&Config::member>, &GetText<&Config::member>
#define MLOS_FILE(member) &SetFile<&Config::member>, &GetText<&Config::member>
#define MLOS_LIST(member) &SetList<&Config::member>, &GetList<&Config::member>

constexpr Option kOptions[] = {
    {"http_port", "--http-port", "-p", "PORT", "TCP port for HTTP; 0 takes any free one", false,
     false, MLOS_INTEGER(http_port, 0, 65535),
     "Ports below 1024 need root's rights. With 0 several Cores can run on one machine; each "
     "writes its port to `http.port` in its state folder."},
    {"http_host", "--http-host", "", "ADDRESS", "Address on which HTTP and gRPC listen", false,
     false, MLOS_TEXT(http_host)},
    {"allowed_hosts", "--allowed-hosts", "", "HOST[,HOST]",
     "Names accepted in the Host and Origin headers, besides loopback names", true, false,
     MLOS_LIST(allowed_hosts)},
    {"cors_origins", "--cors-origins", "", "ORIGIN[,ORIGIN]",
     "Origins, such as https://app.example.com, whose pages may send requests and read the "
     "answers (CORS)",
     true, false, &SetOrigins, &GetList<&Config::cors_origins>},
    {"grpc_port", "--grpc-port", "-g", "PORT", "TCP port for gRPC; 0 takes any free one", false,
     false, MLOS_INTEGER(grpc_port, 0, 65535),
     "As for `http_port`; 0 writes the port to `grpc.port`."},
    {"tls_cert", "--tls-cert", "", "FILE",
     "Certificate for HTTP and gRPC in PEM, followed by the certificates that sign it. Both "
     "doors then speak only TLS. SIGHUP reads the file again",
     false, true, MLOS_FILE(tls_cert)},
    {"tls_key", "--tls-key", "", "FILE",
     "Private key of the certificate, in PEM, unencrypted and not readable by others", false, true,
     MLOS_FILE(tls_key)},
    {"tls_client_ca", "--tls-client-ca", "", "FILE",
     "Certificates that sign client certificates, in PEM. Every client must then show a "
     "certificate",
     false, true, MLOS_FILE(tls_client_ca)},
    {"insecure", "--insecure", "", "",
     "Listen without TLS on an address that is not loopback: anyone on the network path can "
     "read and change everything",
     false, false, MLOS_SWITCH(insecure)},
    {"socket", "--socket", "-s", "PATH", "Unix socket for IPC", false, false, MLOS_TEXT(socket)},
    {"socket_mode", "--socket-mode", "", "MODE", "Permissions of that socket, in octal", false,
     false, &SetSocketMode, &GetSocketMode,
     "0600 admits Core's own user and root, 0660 also the socket's group. A wider mode lets "
     "more users run, register and remove models; a narrower one refuses clients that need it."},
    {"socket_users", "--socket-users", "", "UID[,UID]",
     "User ids that may connect to it besides Core's own user and root; without any, its "
     "permissions decide",
     true, false, &SetSocketUsers, &GetList<&Config::socket_users>,
     "List ids to admit fewer users than the mode would. A user that is not listed is refused "
     "with PERMISSION_DENIED."},
    {"socket_connections_max", "--socket-connections-max", "", "N", "Open connections to it", false,
     false, MLOS_INTEGER(socket_connections_max, 1, 100'000),
     "Allow one for each client process. If it is too low, idle connections are ended for new "
     "ones; each connection costs a descriptor, and Core stops accepting if they run out. No user "
     "keeps others from half of them."},
    {"socket_idle_timeout_ms", "--socket-idle-timeout-ms", "", "MS",
     "Time a connection to it may be without a request; 0: any", false, false,
     MLOS_INTEGER(socket_idle_timeout_ms, 0, kDay),
     "Take the longest pause of a client that has memory mapped, or it has to connect and map "
     "again. If it is too high, abandoned clients hold connections and mappings longer."},
    {"no_http", "--no-http", "", "", "Do not serve HTTP", false, false, MLOS_SWITCH(no_http)},
    {"no_grpc", "--no-grpc", "", "", "Do not serve gRPC", false, false, MLOS_SWITCH(no_grpc)},
    {"no_ipc", "--no-ipc", "", "", "Do not serve IPC", false, false, MLOS_SWITCH(no_ipc)},
    {"state_dir", "--state-dir", "", "DIR", "Folder of the registry, used by one Core at a time",
     false, false, MLOS_TEXT(state_dir)},
    {"plugin_dirs", "--plugin-dir", "", "DIR",
     "Folder from which plugins may be loaded; repeatable", true, false, MLOS_LIST(plugin_dirs)},
    {"model_roots", "--model-root", "", "DIR",
     "Folder from which models may be registered; repeatable. Needed unless every listener is "
     "on loopback, where any folder is allowed",
     true, false, MLOS_LIST(model_roots)},
    {"body_bytes_max", "--body-bytes-max", "", "SIZE",
     "Largest body of one request, after decompression", false, false,
     MLOS_BYTES(body_bytes_max, 1024),
     "Take the largest tensors you send, in JSON up to 20 bytes a float. If it is too low, "
     "large requests get 413; if it is too high, one request can use up `in_flight_bytes_max`."},
    {"in_flight_bytes_max", "--in-flight-bytes-max", "", "SIZE",
     "Memory for all requests in progress: bodies, parsers and tensors", false, false,
     MLOS_BYTES(in_flight_bytes_max, 1 << 20),
     "Take the machine's memory minus the models' weights and `arena_bytes_max`. If it is too "
     "low, requests get 503 OVERLOADED under load; if it is too high, the system may kill "
     "Core. One caller (an address, a user of the socket) may use all but an eighth, and never "
     "keeps others from half."},
    {"connections_max", "--connections-max", "", "N",
     "Open HTTP connections; gRPC may have as many again", false, false,
     MLOS_INTEGER(connections_max, 1, 1'000'000),
     "Take the number of clients. If it is too low, idle connections are closed and clients "
     "reconnect more often; each one costs a descriptor and some memory (tens of KiB with "
     "TLS). No address keeps others from half of them."},
    {"connections_per_peer_max", "--connections-per-peer-max", "", "N",
     "Open HTTP connections from one address; gRPC may have as many again; 0: as many as its "
     "share allows",
     false, false, MLOS_INTEGER(connections_per_peer_max, 0, 1'000'000),
     "With 0 an address that is alone (a proxy, NAT) may have all connections but an eighth, and "
     "loses what it has above half if others need them. If it is too low, idle connections of "
     "clients that share an address are closed."},
    {"header_timeout_ms", "--header-timeout-ms", "", "MS",
     "Time for a request's header, and for a TLS handshake, to arrive", false, false,
     MLOS_INTEGER(header_timeout_ms, 10, kDay),
     "Allow several round trips of your slowest network. If it is too low, slow clients get "
     "408; if it is too high, clients that send nothing hold connections longer."},
    {"body_timeout_ms", "--body-timeout-ms", "", "MS",
     "Time for each 64 KiB of a request's body to arrive", false, false,
     MLOS_INTEGER(body_timeout_ms, 10, kDay),
     "30 s admits about 2 KiB/s. If it is too low, slow uploads get 408; if it is too high, "
     "stalled uploads keep their memory longer."},
    {"write_timeout_ms", "--write-timeout-ms", "", "MS",
     "Time for a client to take each 64 KiB of its reply", false, false,
     MLOS_INTEGER(write_timeout_ms, 10, kDay),
     "30 s admits about 2 KiB/s. If it is too low, slow readers lose their reply; if it is too "
     "high, readers that have stopped keep its memory longer."},
    {"idle_timeout_ms", "--idle-timeout-ms", "", "MS",
     "Time a connection may wait for its next request", false, false,
     MLOS_INTEGER(idle_timeout_ms, 10, kDay),
     "Keep it above the keep-alive time of a proxy in front, which may otherwise send into a "
     "connection that is being closed. If it is too high, idle clients hold connections "
     "longer."},
    {"request_timeout_ms_max", "--request-timeout-ms-max", "", "MS",
     "Longest X-Request-Timeout-Ms, and the deadline of requests without one; 0 is no limit", false,
     false, MLOS_INTEGER(request_timeout_ms_max, 0, kDay),
     "Take a multiple of your slowest model's run, including the wait before it. If it is too "
     "low, good requests get 504; with 0 or a high value, requests that no one needs any more "
     "stay in the queue."},
    {"load_wait_ms", "--load-wait-ms", "", "MS",
     "Time that a request without a timeout of its own waits for a model that is being loaded",
     false, false, MLOS_INTEGER(load_wait_ms, 0, kDay),
     "Take the time that your largest model takes to load. If it is too low, requests after a "
     "restart get 503 MODEL_LOADING; if it is too high, callers wait long for what may not come."},
    {"drain_timeout_ms", "--drain-timeout-ms", "", "MS",
     "Time for running requests to finish after SIGTERM", false, true,
     MLOS_INTEGER(drain_timeout_ms, 0, kDay),
     "Take the longest request you want answered, and less than your supervisor waits before "
     "it kills (systemd 90 s, Kubernetes 30 s). If it is too low, requests are lost and Core "
     "exits with 1; if it is too high, a restart takes long."},
    {"http_threads", "--http-threads", "", "N",
     "Threads for HTTP, besides the one for health checks; 0 is one for each core", false, false,
     MLOS_INTEGER(http_threads, 0, 256),
     "Lower it to leave cores to other programs; too few limit parsing of JSON. More than "
     "cores only adds switching."},
    {"grpc_threads", "--grpc-threads", "", "N", "Threads for gRPC; 0 is one for each core", false,
     false, MLOS_INTEGER(grpc_threads, 0, 256), "As for `http_threads`."},
    {"grpc_streams_max", "--grpc-streams-max", "", "N", "Calls open at once on one gRPC connection",
     false, false, MLOS_INTEGER(grpc_streams_max, 1, 65536),
     "If it is too low, callers that share a connection wait for each other; if it is too "
     "high, one connection can fill the queue for all."},
    {"compute_threads", "--compute-threads", "", "N",
     "Threads that run models; 0 is one for each core", false, false,
     MLOS_INTEGER(compute_threads, 0, 1024),
     "If it is too low, models wait for each other while cores are idle; above the number of "
     "cores, runs slow each other down. Raise it if models wait for something other than the "
     "CPU."},
    {"intra_op_threads", "--intra-op-threads", "", "N",
     "Threads that compute one operator; 0 is one for each core", false, false,
     MLOS_INTEGER(intra_op_threads, 0, 1024),
     "1 gives most requests a second if many run at once; more shorten a single run of a large "
     "model. Too many compete with `compute_threads` for the cores."},
    {"queue_length_max", "--queue-length-max", "", "N", "Requests that may wait for a run", false,
     false, MLOS_INTEGER(queue_length_max, 1, 1'000'000),
     "Take the requests that Core can run within the longest acceptable wait. If it is too "
     "low, bursts get 503 OVERLOADED; if it is too high, requests wait past their deadlines "
     "and hold memory."},
    {"max_batch_size", "--max-batch-size", "", "N",
     "Items in a run that requests to a model with a batch axis may share; 1 keeps requests "
     "apart",
     false, false, MLOS_INTEGER(max_batch_size, 1, 65'536),
     "If it is too low, models that gain from batches run more often than needed; if it is too "
     "high, a single run takes longer and needs more of `arena_bytes_max`."},
    {"max_queue_delay_us", "--max-queue-delay-us", "", "US",
     "Longest time for which a shared run waits for more requests", false, false,
     MLOS_INTEGER(max_queue_delay_us, 0, 1'000'000),
     "Take a fraction of the run's own time. If it is too low, batches stay small; if it is "
     "too high, it adds to the latency of each request that waits."},
    {"sequences_max", "--sequences-max", "", "N", "Sequences of one model at once", false, false,
     MLOS_INTEGER(sequences_max, 1, 1'000'000),
     "Take the number of callers at once. If it is too low, new sequences get 503 OVERLOADED; "
     "if it is too high, their state can use up `in_flight_bytes_max`."},
    {"sequence_idle_timeout_ms", "--sequence-idle-timeout-ms", "", "MS",
     "Time without a request after which a sequence ends", false, false,
     MLOS_INTEGER(sequence_idle_timeout_ms, 1, kDay),
     "Take the longest pause of a caller. If it is too low, slow callers lose their state; if "
     "it is too high, abandoned sequences count towards `sequences_max` longer."},
    {"arena_bytes_max", "--arena-bytes-max", "", "SIZE",
     "Memory that an engine may use to run its models, without their weights", false, false,
     MLOS_BYTES(arena_bytes_max, 1 << 20),
     "Take the largest run's memory times `compute_threads`. If it is too low, requests get "
     "507 OUT_OF_MEMORY; if it is too high, the system may kill Core."},
    {"model_copies_bytes_max", "--model-copies-bytes-max", "", "SIZE",
     "Disk that the copies of models' files in the state folder may take; 0: what there is", false,
     false, MLOS_BYTES(model_copies_bytes_max, 0),
     "Core serves a model from a copy that only it writes; on btrfs and xfs the copy shares the "
     "original's blocks. If it is too low, models get 507 DISK_FULL."},
    {"scrub_interval_s", "--scrub-interval-s", "", "S",
     "Time between two looks at all bytes of models' files and of their copies; 0: never", false,
     false, MLOS_INTEGER(scrub_interval_s, 0, 31'536'000),
     "Take days for disks you trust: reading takes an idle core and the disk, about a second for "
     "each gigabyte. Core logs what it finds and shows it at the model (`check_error`)."},
    {"probe_timeout_ms", "--probe-timeout-ms", "", "MS",
     "Time that a model's trial load, and the load that follows, may each take", false, false,
     MLOS_INTEGER(probe_timeout_ms, 100, kDay),
     "Take several times the load of your largest model from a cold disk. If it is too low, "
     "large models are refused (INVALID_MODEL after the trial, DEADLINE_EXCEEDED after the load); "
     "if it is too high, a model that hangs occupies a registration longer."},
    {"metrics_full", "--metrics-full", "", "",
     "Show every reason of failure and all bounds of latencies of each model in /metrics: about 60 "
     "series a model in place of at most 25",
     false, false, MLOS_SWITCH(metrics_full)},
    {"log_level", "--log-level", "", "LEVEL", "debug, info, warning, error or off", false, true,
     &SetLogLevel, &GetText<&Config::log_level>},
    {"log_format", "--log-format", "", "FORMAT", "text, or json: one object a line", false, true,
     &SetLogFormat, &GetText<&Config::log_format>},
};

}  // namespace

std::string Option::environment() const {
  std::string name = "MLOS_";
  for (const char c : key) name += static_cast<char>(c == '_' ? c : c - 'a' + 'A');
  return name;
}

std::string_view Option::unit() const {
  if (value_name == "SIZE") return "bytes";
  if (value_name == "MS") return "ms";
  if (value_name == "US") return "µs";
  return "";
}

std::span<const Option> Options() { return kOptions; }

const Option* FindOption(std::string_view key) {
  const auto* const option = std::find_if(std::begin(kOptions), std::end(kOptions),
                                          [&](const Option& o) { return o.key == key; });
  return option == std::end(kOptions) ? nullptr : option;
}

}  // namespace mlos::daemon
