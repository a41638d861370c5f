// SPDX-License-Identifier: MIT
#include "base/log.h"

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <array>
#include <atomic>
#include <cmath>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/text.h"

namespace mlos {
namespace {

using JsonWriter = rapidjson::Writer<rapidjson::StringBuffer>;

/// A logger of one format. It lives as long as the process, because another thread may be writing
/// with it while SIGHUP replaces it.
struct Output {
  explicit Output(LogFormat its_format)
      : format(its_format), logger("mlos", std::make_shared<spdlog::sinks::stderr_sink_mt>()) {
    logger.set_pattern(format == LogFormat::kJson ? "%v" : "%Y-%m-%dT%H:%M:%S.%e%z %l %v");
    logger.flush_on(spdlog::level::debug);
  }

  const LogFormat format;
  spdlog::logger logger;
};

Output& OutputOf(LogFormat format) {
  // Never destroyed: threads may log while the process ends.
  static auto* const text = new Output(LogFormat::kText);
  static auto* const json = new Output(LogFormat::kJson);
  return format == LogFormat::kJson ? *json : *text;
}

std::atomic<Output*>& Current() {
  static std::atomic<Output*> current(&OutputOf(LogFormat::kText));
  return current;
}

constexpr std::array<std::string_view, 4> kLevelNames = {"debug", "info", "warning", "error"};

spdlog::level::level_enum SpdlogLevel(LogLevel level) {
  constexpr std::array kLevels = {spdlog::level::debug, spdlog::level::info, spdlog::level::warn,
                                  spdlog::level::err};
  return kLevels[static_cast<std::size_t>(level)];
}

void WriteString(JsonWriter& writer, std::string_view text) {
  writer.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
}

void WriteValue(JsonWriter& writer, const LogField& field) {
  if (const auto* text = std::get_if<std::string_view>(&field.value)) {
    WriteString(writer, *text);
  } else if (const auto* integer = std::get_if<std::int64_t>(&field.value)) {
    writer.Int64(*integer);
  } else if (const double number = std::get<double>(field.value); std::isfinite(number)) {
    writer.Double(number);
  } else {
    writer.Null();  // JSON has neither NaN nor infinities
  }
}

std::string JsonLine(LogLevel level, std::string_view event,
                     std::initializer_list<LogField> fields) {
  rapidjson::StringBuffer buffer;
  JsonWriter writer(buffer);
  writer.StartObject();
  writer.Key("time");
  WriteString(writer, Rfc3339(UnixSecondsNow()));
  writer.Key("level");
  WriteString(writer, kLevelNames[static_cast<std::size_t>(level)]);
  writer.Key("event");
  WriteString(writer, event);
  for (const LogField& field : fields) {
    writer.Key(field.name.data(), static_cast<rapidjson::SizeType>(field.name.size()));
    WriteValue(writer, field);
  }
  writer.EndObject();
  return {buffer.GetString(), buffer.GetSize()};
}

// Values are JSON here too, so that a value with a line break cannot forge a second line.
std::string TextLine(std::string_view event, std::initializer_list<LogField> fields) {
  std::string line(event);
  for (const LogField& field : fields) {
    rapidjson::StringBuffer buffer;
    JsonWriter writer(buffer);
    WriteValue(writer, field);
    line.append(" ").append(field.name).append("=").append(buffer.GetString(), buffer.GetSize());
  }
  return line;
}

}  // namespace

Status InitLogging(LogFormat format, std::string_view level) {
  const auto parsed = spdlog::level::from_str(std::string(level));
  if (parsed == spdlog::level::off && level != "off") {
    return Status(Reason::kInvalidConfig, "'" + std::string(level) +
                                              "' is not a log level; the levels are debug, info, "
                                              "warning, error and off")
        .WithField("log_level");
  }
  Output& output = OutputOf(format);
  output.logger.set_level(parsed);
  Current().store(&output);
  return OkStatus();
}

void Log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) {
  Output& output = *Current().load();
  const auto spdlog_level = SpdlogLevel(level);
  if (!output.logger.should_log(spdlog_level)) return;
  const std::string line =
      output.format == LogFormat::kJson ? JsonLine(level, event, fields) : TextLine(event, fields);
  // JSON needs no escapes for most of what a terminal obeys, and whatever is not UTF-8 would spoil
  // it. All of it lies within strings here, where an escape means the same.
  output.logger.log(spdlog_level, "{}", Escaped(line));
}

}  // namespace mlos
