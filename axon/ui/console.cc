// SPDX-License-Identifier: MIT
#include "axon/ui/console.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "axon/ui/format.h"
#include "axon/ui/hint.h"

namespace axon::ui {
namespace {

constexpr std::chrono::milliseconds kLiveInterval(100);
constexpr std::chrono::seconds kPlainInterval(5);

bool WriteAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    // A reader that went away (`| head`) is not a failure of ours.
    if (written < 0) return errno == EPIPE;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

std::size_t TerminalWidth() {
  constexpr std::size_t kUsualWidth = 80;
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col < 20) return kUsualWidth - 1;
  return size.ws_col - 1u;
}

bool IsSet(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0';
}

std::string_view ColorOf(std::string_view level) {
  if (level == "error") return "\033[1;31m";
  if (level == "warning") return "\033[1;33m";
  return "\033[1;36m";
}

}  // namespace

ConsoleOptions ConsoleOptions::FromEnvironment() {
  const char* term = std::getenv("TERM");
  const bool dumb = term == nullptr || std::string_view(term) == "dumb";
  const bool terminal = ::isatty(STDERR_FILENO) == 1 && !dumb;
  return {.color = terminal && !IsSet("NO_COLOR"), .live = terminal};
}

void Console::Data(std::string_view text) {
  if (text.empty()) return;
  ClearProgressLine();
  std::string line(text);
  if (line.back() != '\n') line.push_back('\n');
  if (!WriteAll(STDOUT_FILENO, line)) output_failed_ = true;
}

void Console::Data(const JsonWriter& document) { Data(document.text()); }

void Console::Say(std::string_view level, std::string_view text) {
  if (options_.quiet && level == "note") return;
  if (options_.json) {
    JsonWriter line(JsonWriter::Style::kLine);
    line.BeginObject().Field("level", level).Field("message", text).EndObject();
    WriteError(std::string(line.text()) + "\n");
    return;
  }
  const std::string shown = Printable(text);
  // Progress needs no label; problems do.
  if (level == "note") return WriteError(shown + "\n");
  std::string label(level);
  if (options_.color) label = std::string(ColorOf(level)) + label + "\033[0m";
  WriteError(label + ": " + shown + "\n");
}

void Console::Error(const mlos::Status& status, ExitCode code) {
  EndProgress();
  if (!options_.json) return SayError(status);
  const Explanation explanation = Explain(status);
  JsonWriter line(JsonWriter::Style::kLine);
  line.BeginObject()
      .Field("level", "error")
      .Field("code", mlos::ToString(status.code()))
      .Field("reason", mlos::ToString(status.reason()))
      .Field("message", std::string_view(explanation.message))
      .Field("exit_code", static_cast<int>(code));
  line.Key("hints").BeginArray();
  for (const std::string& hint : explanation.hints) line.Value(std::string_view(hint));
  line.EndArray().EndObject();
  WriteError(std::string(line.text()) + "\n");
}

void Console::SayError(const mlos::Status& status) {
  const Explanation explanation = Explain(status);
  Say("error", explanation.message);
  for (const std::string& hint : explanation.hints) Say("hint", hint);
}

void Console::WriteError(std::string_view text) {
  ClearProgressLine();
  WriteAll(STDERR_FILENO, text);
}

void Console::BeginProgress(std::string_view what, std::uint64_t total_bytes) {
  EndProgress();
  if (options_.json || options_.quiet) return;
  progress_.emplace(Progress{std::string(what), ProgressMeter(total_bytes), {}});
}

void Console::MoveProgress(std::uint64_t done_bytes) {
  if (!progress_.has_value()) return;
  const auto now = mlos::SteadyClock::now();
  if (progress_->drawn == mlos::SteadyClock::time_point()) progress_->drawn = now;
  const bool due =
      now - progress_->drawn >= (options_.live ? mlos::SteadyClock::duration(kLiveInterval)
                                               : mlos::SteadyClock::duration(kPlainInterval));
  // Samples as rare as the drawing keep the window of the speed small.
  if (!due && done_bytes < progress_->meter.total_bytes()) return;
  progress_->meter.Update(done_bytes, now);
  DrawProgress(now);
}

void Console::DrawProgress(mlos::SteadyClock::time_point now) {
  progress_->drawn = now;
  if (!options_.live) {
    WriteAll(STDERR_FILENO, Printable(progress_->what) + ": " + progress_->meter.Line() + "\n");
    return;
  }
  WriteAll(STDERR_FILENO, "\r\033[K" + progress_->meter.Bar(TerminalWidth()));
  line_drawn_ = true;
}

void Console::EndProgress() {
  ClearProgressLine();
  progress_.reset();
}

void Console::ClearProgressLine() {
  if (!line_drawn_) return;
  WriteAll(STDERR_FILENO, "\r\033[K");
  line_drawn_ = false;
}

}  // namespace axon::ui
