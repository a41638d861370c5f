// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

#include "base/status.h"

namespace mlos {

enum class LogLevel : std::uint8_t { kDebug, kInfo, kWarning, kError };
enum class LogFormat : std::uint8_t { kText, kJson };

/// One named value of a log line. Borrows its strings for the duration of the call.
struct LogField {
  LogField(std::string_view key, std::string_view text) : name(key), value(text) {}
  LogField(std::string_view key, const char* text) : name(key), value(std::string_view(text)) {}
  LogField(std::string_view key, double number) : name(key), value(number) {}
  LogField(std::string_view key, std::integral auto number)
      : name(key), value(static_cast<std::int64_t>(number)) {}
  /// A failure, as `error=…`.
  explicit LogField(const Status& status) : name("error"), text(status.ToString()), value(text) {}

  std::string_view name;
  std::string text;
  std::variant<std::string_view, std::int64_t, double> value;
};

/// Sets up the one logger of the process: standard error, text or one JSON object a line, from
/// `level` (debug, info, warning, error or off) on. INVALID_CONFIG, field `log_level`, for another
/// level. If its reader does not keep up, lines are lost; the process never waits for it longer
/// than a write. May be called again while other threads log. Thread-safe.
Status InitLogging(LogFormat format, std::string_view level);

/// Writes a constant sentence with its values as fields, so that logs can be searched:
/// `Log(LogLevel::kInfo, "model loaded", {{"model", id}, {"load_us", load_us}})`.
/// Never a request's body. Foreign text is escaped as Escaped does it, in both formats.
/// Thread-safe.
void Log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields = {});

}  // namespace mlos
