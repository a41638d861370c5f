// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <variant>

#include "base/result.h"
#include "settings/model_settings.h"

namespace mlos::settings {

/// The whole numbers that a setting may be, and the one that callers and answers have for "not
/// set". Nothing to a setting of another type.
struct Range {
  std::int64_t min = 0;
  std::int64_t max = 0;
  std::int64_t unset = 0;
};

/// One row: what the setting is called everywhere, where its value is, and with it the type, which
/// values it may have, and what it does, in Markdown.
struct Setting {
  std::string_view name;
  std::variant<Integer ModelSettings::*, TextMap ModelSettings::*, JsonObject ModelSettings::*>
      member;
  Range range;
  std::string_view meaning;
};

/// All of them, in the order in which they are shown.
std::span<const Setting> Table();

/// Calls visit(row, value) with each row and the value that `settings` has of it, of type Integer,
/// TextMap or JsonObject.
template <typename Settings, typename Visitor>
void ForEach(Settings& settings, Visitor&& visit) {
  for (const Setting& setting : Table()) {
    std::visit([&](auto member) { visit(setting, settings.*member); }, setting.member);
  }
}

/// The same for a `visit` that returns a Status, up to the first that is not OK.
template <typename Settings, typename Visitor>
Status TryEach(Settings& settings, Visitor&& visit) {
  for (const Setting& setting : Table()) {
    MLOS_TRY(
        std::visit([&](auto member) { return visit(setting, settings.*member); }, setting.member));
  }
  return OkStatus();
}

/// VALUE_OUT_OF_RANGE or INVALID_FIELD, with the setting as field.
Status Check(const ModelSettings& settings);

/// Each setting as `first` has it, or as `second` does where it is not set there. A number that
/// stands for "not set" wins over the second and is not set in the result.
ModelSettings Merge(const ModelSettings& first, const ModelSettings& second);

}  // namespace mlos::settings
