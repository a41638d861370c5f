// SPDX-License-Identifier: MIT
#include "api/grpc/settings.h"

namespace mlos::api::grpc {
namespace {

settings::Integer UnlessZero(std::int64_t number) {
  return number == 0 ? settings::Integer() : number;
}

}  // namespace

settings::ModelSettings SettingsOf(const v1::RegisterModelRequest& message) {
  settings::ModelSettings settings;
  settings.max_batch_size = UnlessZero(message.max_batch_size());
  settings.preferred_batch_size = UnlessZero(message.preferred_batch_size());
  if (message.has_max_queue_delay_us()) settings.max_queue_delay_us = message.max_queue_delay_us();
  settings.state_pairs = {message.state_pairs().begin(), message.state_pairs().end()};
  return settings;
}

void Convert(const settings::ModelSettings& settings, v1::Model& message) {
  message.set_max_batch_size(settings.max_batch_size.value_or(0));
  message.set_preferred_batch_size(settings.preferred_batch_size.value_or(0));
  message.set_max_queue_delay_us(settings.max_queue_delay_us.value_or(-1));
  message.mutable_state_pairs()->insert(settings.state_pairs.begin(), settings.state_pairs.end());
}

}  // namespace mlos::api::grpc
