// SPDX-License-Identifier: MIT
#include "axon/ui/progress.h"

#include <algorithm>

#include "axon/ui/format.h"

namespace axon::ui {
namespace {

// Long enough to smooth parallel connections, short enough to follow a change.
constexpr std::chrono::seconds kWindow(8);

}  // namespace

void ProgressMeter::Update(std::uint64_t done_bytes, mlos::SteadyClock::time_point now) {
  if (done_bytes < done_bytes_) samples_.clear();
  done_bytes_ = done_bytes;
  samples_.push_back({now, done_bytes});
  while (samples_.size() > 2 && now - samples_.front().at > kWindow) samples_.pop_front();
}

double ProgressMeter::bytes_per_second() const {
  if (samples_.size() < 2) return 0;
  const auto elapsed = mlos::MicrosecondsBetween(samples_.front().at, samples_.back().at);
  if (elapsed <= 0) return 0;
  const auto bytes = static_cast<double>(samples_.back().done_bytes - samples_.front().done_bytes);
  return bytes * 1e6 / static_cast<double>(elapsed);
}

unsigned ProgressMeter::percent() const {
  if (total_bytes_ == 0 || done_bytes_ >= total_bytes_) return 100;
  return static_cast<unsigned>(static_cast<double>(done_bytes_) * 100 /
                               static_cast<double>(total_bytes_));
}

std::string ProgressMeter::Rate() const {
  const double rate = bytes_per_second();
  if (rate < 1) return {};
  std::string text = FormatBytes(static_cast<std::uint64_t>(rate)) + "/s";
  if (done_bytes_ < total_bytes_) {
    const double left = static_cast<double>(total_bytes_ - done_bytes_) / rate;
    text += ", " + FormatSeconds(static_cast<std::uint64_t>(left) + 1) + " left";
  }
  return text;
}

std::string ProgressMeter::Line() const {
  std::string line = FormatBytes(done_bytes_) + " of " + FormatBytes(total_bytes_) + " (" +
                     std::to_string(percent()) + "%)";
  const std::string rate = Rate();
  return rate.empty() ? line : line + ", " + rate;
}

std::string ProgressMeter::Bar(std::size_t width) const {
  constexpr std::size_t kBarMin = 8;
  constexpr std::size_t kBarMax = 40;
  const std::string line = Line();
  if (line.size() + kBarMin + 3 > width) return line.substr(0, width);
  const std::size_t cells = std::min(width - line.size() - 3, kBarMax);
  const std::size_t filled = cells * percent() / 100;
  return "[" + std::string(filled, '#') + std::string(cells - filled, '-') + "] " + line;
}

}  // namespace axon::ui
