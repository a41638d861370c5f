// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "axon/ui/exit_code.h"
#include "axon/ui/json_writer.h"
#include "axon/ui/progress.h"
#include "base/status.h"

namespace axon::ui {

/// The form of the output, from the flags, the environment and the kind of the two streams.
struct ConsoleOptions {
  /// Data and diagnostics as JSON, no progress.
  bool json = false;
  /// Nothing but data, warnings and errors.
  bool quiet = false;
  /// Colour on standard error.
  bool color = false;
  /// A moving line on standard error; plain lines otherwise.
  bool live = false;

  /// Checks NO_COLOR, TERM and whether standard error is a terminal.
  static ConsoleOptions FromEnvironment();
};

/// The one place that prints. Standard output carries only data; progress, notes, warnings and
/// errors go to standard error, as text or, under --json, as one JSON object a line. Text is made
/// printable on the way. Thread-compatible.
class Console {
 public:
  explicit Console(ConsoleOptions options) : options_(options) {}
  ~Console() { EndProgress(); }
  Console(const Console&) = delete;
  Console& operator=(const Console&) = delete;

  const ConsoleOptions& options() const { return options_; }
  bool json() const { return options_.json; }

  /// Data for people or pipes, unchanged; a line feed is added if the last line has none.
  void Data(std::string_view text);
  /// Data as a JSON document.
  void Data(const JsonWriter& document);

  /// A note about work in progress or done. Not shown with -q.
  void Note(std::string_view text) { Say("note", text); }
  void Warn(std::string_view text) { Say("warning", text); }
  /// A failure with its hints.
  void Error(const mlos::Status& status, ExitCode code);

  /// Starts, moves and ends the one progress line. Anything said in between goes above it.
  void BeginProgress(std::string_view what, std::uint64_t total_bytes);
  void MoveProgress(std::uint64_t done_bytes);
  void EndProgress();

  /// True once standard output could not be written, as when its disk is full.
  bool output_failed() const { return output_failed_; }

 private:
  struct Progress {
    std::string what;
    ProgressMeter meter;
    mlos::SteadyClock::time_point drawn;
  };
  void Say(std::string_view level, std::string_view text);
  void SayError(const mlos::Status& status);
  void WriteError(std::string_view text);
  void ClearProgressLine();
  void DrawProgress(mlos::SteadyClock::time_point now);

  ConsoleOptions options_;
  std::optional<Progress> progress_;
  bool line_drawn_ = false;
  bool output_failed_ = false;
};

}  // namespace axon::ui
