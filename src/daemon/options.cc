// SPDX-License-Identifier: MIT
#include "daemon/options.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <limits>
#include <optional>

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
// table names it once.
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

constexpr std::uint64_t kDay = 24ULL * 3600 * 1000;

#define MLOS_INTEGER(member, min, max) \
  &SetInteger<&Config::member, min, max>, &GetInteger<&Config::member>
#define MLOS_BYTES(member, min) &SetBytes<&Config::member, min>, &GetInteger<&Config::member>
#define MLOS_SWITCH(member) &SetSwitch<&Config::member>, &GetSwitch<&Config::member>
#define MLOS_TEXT(member) &SetText<&Config::member>, &GetText<&Config::member>
#define MLOS_FILE(member) &SetFile<&Config::member>, &GetText<&Config::member>
#define MLOS_LIST(member) &SetList<&Config::member>, &GetList<&Config::member>

constexpr Option kOptions[] = {
    {"http_port", "--http-port", "-p", "PORT", "TCP port of the HTTP door; 0 takes any free one",
     false, false, MLOS_INTEGER(http_port, 0, 65535)},
    {"http_host", "--http-host", "", "ADDRESS", "Address the HTTP and gRPC doors listen on", false,
     false, MLOS_TEXT(http_host)},
    {"allowed_hosts", "--allowed-hosts", "", "HOST[,HOST]",
     "Names accepted in the Host and Origin headers, beside loopback's", true, false,
     MLOS_LIST(allowed_hosts)},
    {"grpc_port", "--grpc-port", "-g", "PORT", "TCP port of the gRPC door; 0 takes any free one",
     false, false, MLOS_INTEGER(grpc_port, 0, 65535)},
    {"tls_cert", "--tls-cert", "", "FILE",
     "Certificate of the HTTP and gRPC doors, and behind it those that sign it, in PEM: they speak "
     "TLS then, and nothing else. SIGHUP reads the files anew",
     false, true, MLOS_FILE(tls_cert)},
    {"tls_key", "--tls-key", "", "FILE",
     "Private key of the certificate, in PEM, unencrypted and not open to others", false, true,
     MLOS_FILE(tls_key)},
    {"tls_client_ca", "--tls-client-ca", "", "FILE",
     "Certificates of whoever signs clients, in PEM: every client has to show a certificate then",
     false, true, MLOS_FILE(tls_client_ca)},
    {"insecure", "--insecure", "", "",
     "Listen without TLS on an address that is not loopback: whoever is on the way reads and "
     "changes everything",
     false, false, MLOS_SWITCH(insecure)},
    {"socket", "--socket", "-s", "PATH", "Unix socket of the IPC door", false, false,
     MLOS_TEXT(socket)},
    {"socket_mode", "--socket-mode", "", "MODE",
     "Permissions of that socket, in octal: who may connect", false, false, &SetSocketMode,
     &GetSocketMode},
    {"socket_users", "--socket-users", "", "UID[,UID]",
     "User ids that may connect to it beside Core's own and root; without any, whoever its "
     "permissions let in",
     true, false, &SetSocketUsers, &GetList<&Config::socket_users>},
    {"socket_connections_max", "--socket-connections-max", "", "N", "Open connections to it", false,
     false, MLOS_INTEGER(socket_connections_max, 1, 100'000)},
    {"no_http", "--no-http", "", "", "Do not open the HTTP door", false, false,
     MLOS_SWITCH(no_http)},
    {"no_grpc", "--no-grpc", "", "", "Do not open the gRPC door", false, false,
     MLOS_SWITCH(no_grpc)},
    {"no_ipc", "--no-ipc", "", "", "Do not open the IPC door", false, false, MLOS_SWITCH(no_ipc)},
    {"state_dir", "--state-dir", "", "DIR", "Folder of the registry; one Core at a time", false,
     false, MLOS_TEXT(state_dir)},
    {"plugin_dirs", "--plugin-dir", "", "DIR", "Folder that plugins may be loaded from; repeatable",
     true, false, MLOS_LIST(plugin_dirs)},
    {"model_roots", "--model-root", "", "DIR",
     "Folder that models may be registered from; repeatable. Needed unless every listener is on "
     "loopback, where models may come from anywhere",
     true, false, MLOS_LIST(model_roots)},
    {"body_bytes_max", "--body-bytes-max", "", "SIZE", "Largest body of one request, inflated",
     false, false, MLOS_BYTES(body_bytes_max, 1024)},
    {"in_flight_bytes_max", "--in-flight-bytes-max", "", "SIZE",
     "Memory for all requests being served: bodies, parsers and tensors", false, false,
     MLOS_BYTES(in_flight_bytes_max, 1 << 20)},
    {"connections_max", "--connections-max", "", "N", "Open HTTP connections", false, false,
     MLOS_INTEGER(connections_max, 1, 1'000'000)},
    {"connections_per_peer_max", "--connections-per-peer-max", "", "N",
     "Open HTTP connections of one address", false, false,
     MLOS_INTEGER(connections_per_peer_max, 1, 1'000'000)},
    {"header_timeout_ms", "--header-timeout-ms", "", "MS", "Time for a request's header to arrive",
     false, false, MLOS_INTEGER(header_timeout_ms, 10, kDay)},
    {"body_timeout_ms", "--body-timeout-ms", "", "MS",
     "Time for each 64 KiB of a request's body to arrive", false, false,
     MLOS_INTEGER(body_timeout_ms, 10, kDay)},
    {"write_timeout_ms", "--write-timeout-ms", "", "MS",
     "Time for a client to take each 64 KiB of its reply", false, false,
     MLOS_INTEGER(write_timeout_ms, 10, kDay)},
    {"idle_timeout_ms", "--idle-timeout-ms", "", "MS",
     "Time a connection may wait for its next request", false, false,
     MLOS_INTEGER(idle_timeout_ms, 10, kDay)},
    {"request_timeout_ms_max", "--request-timeout-ms-max", "", "MS",
     "Longest X-Request-Timeout-Ms, and the time a request has without one; 0 is no limit", false,
     false, MLOS_INTEGER(request_timeout_ms_max, 0, kDay)},
    {"drain_timeout_ms", "--drain-timeout-ms", "", "MS",
     "Time for running requests to finish after SIGTERM", false, true,
     MLOS_INTEGER(drain_timeout_ms, 0, kDay)},
    {"http_threads", "--http-threads", "", "N",
     "Threads of the HTTP door, beside that for health; 0 is one for each core", false, false,
     MLOS_INTEGER(http_threads, 0, 256)},
    {"grpc_threads", "--grpc-threads", "", "N", "Threads of the gRPC door; 0 is one for each core",
     false, false, MLOS_INTEGER(grpc_threads, 0, 256)},
    {"grpc_streams_max", "--grpc-streams-max", "", "N",
     "Calls that may be open at once on one gRPC connection", false, false,
     MLOS_INTEGER(grpc_streams_max, 1, 65536)},
    {"compute_threads", "--compute-threads", "", "N",
     "Threads that run models; 0 is one for each core", false, false,
     MLOS_INTEGER(compute_threads, 0, 1024)},
    {"intra_op_threads", "--intra-op-threads", "", "N",
     "Threads an engine computes one operator with; 0 is one for each core", false, false,
     MLOS_INTEGER(intra_op_threads, 0, 1024)},
    {"queue_length_max", "--queue-length-max", "", "N", "Requests that may wait to be run", false,
     false, MLOS_INTEGER(queue_length_max, 1, 1'000'000)},
    {"max_batch_size", "--max-batch-size", "", "N",
     "Items of one run that requests to a model with a batch axis may share; 1 keeps them apart",
     false, false, MLOS_INTEGER(max_batch_size, 1, 65'536)},
    {"max_queue_delay_us", "--max-queue-delay-us", "", "US",
     "Time a shared run waits for more requests, at most", false, false,
     MLOS_INTEGER(max_queue_delay_us, 0, 1'000'000)},
    {"sequences_max", "--sequences-max", "", "N",
     "Sequences of one model that may be under way at once", false, false,
     MLOS_INTEGER(sequences_max, 1, 1'000'000)},
    {"sequence_idle_timeout_ms", "--sequence-idle-timeout-ms", "", "MS",
     "Time after which a sequence that nobody goes on with is over", false, false,
     MLOS_INTEGER(sequence_idle_timeout_ms, 1, kDay)},
    {"arena_bytes_max", "--arena-bytes-max", "", "SIZE",
     "Memory an engine may take to run its models, weights apart", false, false,
     MLOS_BYTES(arena_bytes_max, 1 << 20)},
    {"probe_timeout_ms", "--probe-timeout-ms", "", "MS",
     "Time a model's first load may take in its trial process", false, false,
     MLOS_INTEGER(probe_timeout_ms, 100, kDay)},
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

std::span<const Option> Options() { return kOptions; }

const Option* FindOption(std::string_view key) {
  const auto* const option = std::find_if(std::begin(kOptions), std::end(kOptions),
                                          [&](const Option& o) { return o.key == key; });
  return option == std::end(kOptions) ? nullptr : option;
}

}  // namespace mlos::daemon
