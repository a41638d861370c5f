// SPDX-License-Identifier: MIT
#include "axon/ui/hint.h"

namespace axon::ui {
namespace {

constexpr std::string_view kMark = "\nhint: ";

}  // namespace

mlos::Status WithHint(mlos::Status status, std::string_view hint) {
  if (status.ok()) return status;
  std::string message(status.message());
  message.append(kMark).append(hint);
  mlos::Status hinted(status.reason(), std::move(message));
  return status.field().empty() ? hinted : std::move(hinted).WithField(status.field());
}

Explanation Explain(const mlos::Status& status) {
  Explanation explanation;
  std::string_view rest = status.message();
  std::size_t mark = rest.find(kMark);
  explanation.message = rest.substr(0, mark);
  while (mark != std::string_view::npos) {
    rest.remove_prefix(mark + kMark.size());
    mark = rest.find(kMark);
    explanation.hints.emplace_back(rest.substr(0, mark));
  }
  return explanation;
}

}  // namespace axon::ui
