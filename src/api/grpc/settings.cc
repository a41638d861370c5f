// SPDX-License-Identifier: MIT
#include "api/grpc/settings.h"

#include <string>
#include <utility>

#include "settings/json.h"
#include "settings/table.h"

namespace mlos::api::grpc {
namespace {

settings::Integer UnlessZero(std::int64_t number) {
  return number == 0 ? settings::Integer() : number;
}

settings::ModelSettings FieldsOf(const v1::RegisterModelRequest& message) {
  settings::ModelSettings settings;
  settings.max_batch_size = UnlessZero(message.max_batch_size());
  settings.preferred_batch_size = UnlessZero(message.preferred_batch_size());
  if (message.has_max_queue_delay_us()) settings.max_queue_delay_us = message.max_queue_delay_us();
  settings.state_pairs = {message.state_pairs().begin(), message.state_pairs().end()};
  return settings;
}

/// Adds the settings of the fields to those of settings_json.
struct Joiner {
  const settings::ModelSettings& fields;

  template <typename T>
  Status operator()(const settings::Setting& setting, T& value) const {
    const T& field = fields.*std::get<T settings::ModelSettings::*>(setting.member);
    if (field == T()) return OkStatus();
    if (value != T()) {
      return Status(Reason::kInvalidField,
                    std::string(setting.name) + " is given as a field and in settings_json")
          .WithField(setting.name);
    }
    value = field;
    return OkStatus();
  }
};

}  // namespace

Result<settings::ModelSettings> SettingsOf(const v1::RegisterModelRequest& message) {
  settings::ModelSettings fields = FieldsOf(message);
  if (message.settings_json().empty()) return fields;
  Result<settings::ModelSettings> parsed = settings::ParseSettings(message.settings_json());
  if (!parsed.ok() && parsed.status().reason() == Reason::kMalformedJson) {
    return Status(Reason::kInvalidField, "settings_json is not a JSON object")
        .WithField("settings_json");
  }
  settings::ModelSettings settings = MLOS_TRY(std::move(parsed));
  MLOS_TRY(settings::TryEach(settings, Joiner{fields}));
  return settings;
}

void Convert(const settings::ModelSettings& settings, v1::Model& message) {
  message.set_max_batch_size(settings.max_batch_size.value_or(0));
  message.set_preferred_batch_size(settings.preferred_batch_size.value_or(0));
  message.set_max_queue_delay_us(settings.max_queue_delay_us.value_or(-1));
  message.mutable_state_pairs()->insert(settings.state_pairs.begin(), settings.state_pairs.end());
  message.set_settings_json(settings::ToJson(settings));
}

}  // namespace mlos::api::grpc
