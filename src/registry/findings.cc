// SPDX-License-Identifier: MIT
#include "registry/findings.h"

#include "base/text.h"

namespace mlos::registry {

std::vector<std::string> Findings::Describe() const {
  std::vector<std::string> damages;
  if (!readable()) return {std::string(unreadable.message())};
  if (log_damaged) damages.emplace_back("its log is damaged");
  for (const DamagedRow& row : rows) {
    damages.push_back((row.table == "models" ? "model '" : "plugin '") + Excerpt(row.id) +
                      "' is damaged");
  }
  if (incomplete) damages.emplace_back("its models and plugins are not those that were stored");
  if (minor > 0) {
    damages.push_back(std::to_string(minor) + " rows that only save time are damaged");
  }
  return damages;
}

}  // namespace mlos::registry
