// SPDX-License-Identifier: MIT
#pragma once

#include <google/protobuf/map.h>

#include <cstdint>
#include <string>
#include <vector>

#include "catalog/model_info.h"
#include "catalog/plugin_info.h"
#include "metrics/stats.h"
#include "mlos/v1/health.pb.h"
#include "mlos/v1/model.pb.h"
#include "mlos/v1/plugin.pb.h"

// What the runtime tells, as messages of mlos.v1.
namespace mlos::api::grpc {

void Convert(const catalog::ModelInfo& model, v1::Model& message);
void Convert(const catalog::PluginInfo& plugin, v1::Plugin& message);
void Convert(const metrics::LatencySummary& times, v1::LatencySummary& message);
void Convert(const metrics::ModelStats& stats, v1::ModelStats& message);
void Convert(const std::vector<metrics::ErrorCount>& errors,
             google::protobuf::Map<std::string, std::uint64_t>& message);

}  // namespace mlos::api::grpc
