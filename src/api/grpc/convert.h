// SPDX-License-Identifier: MIT
#pragma once

#include <google/protobuf/map.h>

#include <cstdint>
#include <string>
#include <vector>

#include "mlos/v1/health.pb.h"
#include "mlos/v1/model.pb.h"
#include "mlos/v1/plugin.pb.h"
#include "runtime/model_info.h"
#include "runtime/plugin_info.h"
#include "runtime/stats.h"

// What the runtime tells, as messages of mlos.v1.
namespace mlos::api::grpc {

void Convert(const runtime::ModelInfo& model, v1::Model& message);
void Convert(const runtime::PluginInfo& plugin, v1::Plugin& message);
void Convert(const runtime::LatencySummary& times, v1::LatencySummary& message);
void Convert(const runtime::ModelStats& stats, v1::ModelStats& message);
void Convert(const std::vector<runtime::ErrorCount>& errors,
             google::protobuf::Map<std::string, std::uint64_t>& message);

}  // namespace mlos::api::grpc
