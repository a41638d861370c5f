// SPDX-License-Identifier: MIT
#include "api/grpc/convert.h"

#include "api/grpc/settings.h"
#include "tensor/tensor_spec.h"

namespace mlos::api::grpc {
namespace {

void ConvertSpec(const tensor::TensorSpec& spec, v1::TensorSpec& message) {
  message.set_name(spec.name);
  message.set_dtype(std::string(tensor::Name(spec.dtype)));
  for (const tensor::Dim& dim : spec.dims) {
    v1::Dim& converted = *message.add_dims();
    converted.set_size(dim.size);
    converted.set_symbol(dim.symbol);
  }
  message.set_has_shape(spec.has_shape);
  message.set_required(spec.required);
}

template <typename Message>
void SetError(const Status& error, Message& message) {
  if (error.ok()) return;
  message.set_error_reason(std::string(ToString(error.reason())));
  message.set_error_message(std::string(error.message()));
}

}  // namespace

void Convert(const catalog::ModelInfo& model, v1::Model& message) {
  message.set_model_id(model.model_id);
  message.set_name(model.name);
  message.set_version(model.version);
  message.set_framework(model.framework);
  message.set_execution_format(model.execution_format);
  message.set_description(model.description);
  message.set_path(model.path);
  message.set_manifest_path(model.manifest_path);
  message.set_plugin_id(model.plugin_id);
  message.set_digest(model.digest);
  message.set_verified(model.verified);
  message.set_autoload(model.autoload);
  message.set_state(std::string(ToString(model.state)));
  message.set_registered_at(model.registered_at);
  message.set_loaded_at(model.loaded_at);
  message.set_checked_at(model.checked.at);
  if (!model.checked.found.ok()) {
    message.set_check_error_reason(std::string(ToString(model.checked.found.reason())));
    message.set_check_error_message(std::string(model.checked.found.message()));
  }
  for (const auto& spec : model.schema.inputs) ConvertSpec(spec, *message.add_inputs());
  for (const auto& spec : model.schema.outputs) ConvertSpec(spec, *message.add_outputs());
  message.set_weight_bytes(model.memory.weight_bytes);
  message.set_arena_bytes(model.memory.arena_bytes);
  message.set_arena_limit_bytes(model.memory.arena_limit_bytes);
  Convert(model.settings, message);
  SetError(model.error, message);
}

void Convert(const catalog::PluginInfo& plugin, v1::Plugin& message) {
  message.set_id(plugin.id);
  message.set_name(plugin.name);
  message.set_version(plugin.version);
  message.set_state(std::string(ToString(plugin.state)));
  message.set_health(std::string(ToString(plugin.health)));
  message.set_path(plugin.path);
  message.set_builtin(plugin.builtin);
  for (const std::string& format : plugin.formats) message.add_formats(format);
  for (const std::string& id : plugin.model_ids) message.add_model_ids(id);
  message.set_arena_bytes(plugin.memory.arena_bytes);
  message.set_weight_bytes(plugin.memory.weight_bytes);
  SetError(plugin.error, message);
}

void Convert(const metrics::LatencySummary& times, v1::LatencySummary& message) {
  message.set_count(times.count);
  message.set_mean_us(times.mean_us);
  message.set_p50_us(times.p50_us);
  message.set_p90_us(times.p90_us);
  message.set_p99_us(times.p99_us);
  message.set_max_us(times.max_us);
}

void Convert(const std::vector<metrics::ErrorCount>& errors,
             google::protobuf::Map<std::string, std::uint64_t>& message) {
  for (const metrics::ErrorCount& error : errors) {
    message[std::string(ToString(error.reason))] = error.count;
  }
}

void Convert(const metrics::ModelStats& stats, v1::ModelStats& message) {
  message.set_model_id(stats.model_id);
  message.set_plugin_id(stats.plugin_id);
  message.set_successful_requests(stats.success_count);
  Convert(stats.errors, *message.mutable_errors());
  Convert(stats.run_time, *message.mutable_inference_time());
  Convert(stats.queue_time, *message.mutable_queue_time());
}

}  // namespace mlos::api::grpc
