// SPDX-License-Identifier: MIT
#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "api/document/health_document.h"
#include "api/http/call/call.h"
#include "api/http/openapi/openapi.h"
#include "api/http/own/handlers.h"
#include "api/http/wire/document_reply.h"

namespace mlos::api::http::own {
namespace {

using call::Call;
using call::Service;
using json::JsonWriter;

void WriteLatency(JsonWriter& writer, std::string_view key, const metrics::LatencySummary& times) {
  writer.Key(key);
  writer.StartObject();
  writer.Count("count", times.count);
  writer.Number("mean", times.mean_us);
  writer.Number("p50", times.p50_us);
  writer.Number("p90", times.p90_us);
  writer.Number("p99", times.p99_us);
  writer.Number("max", times.max_us);
  writer.EndObject();
}

std::uint64_t WriteErrors(JsonWriter& writer, const std::vector<metrics::ErrorCount>& errors) {
  std::uint64_t total = 0;
  writer.Key("errors");
  writer.StartObject();
  for (const metrics::ErrorCount& error : errors) {
    writer.Count(ToString(error.reason), error.count);
    total += error.count;
  }
  writer.EndObject();
  return total;
}

void WriteModelStats(JsonWriter& writer, const metrics::ModelStats& model) {
  writer.StartObject();
  writer.Text("model_id", model.model_id);
  writer.Text("plugin_id", model.plugin_id);
  writer.Count("successful_requests", model.success_count);
  writer.Count("failed_requests", WriteErrors(writer, model.errors));
  WriteLatency(writer, "inference_time_us", model.run_time);
  WriteLatency(writer, "queue_time_us", model.queue_time);
  writer.EndObject();
}

struct PluginStats {
  std::uint64_t models = 0;
  std::uint64_t successful = 0;
  std::uint64_t failed = 0;
};

void WritePluginStats(JsonWriter& writer, const std::vector<metrics::ModelStats>& models) {
  std::map<std::string_view, PluginStats> plugins;
  for (const metrics::ModelStats& model : models) {
    PluginStats& plugin = plugins[model.plugin_id];
    ++plugin.models;
    plugin.successful += model.success_count;
    for (const auto& error : model.errors) plugin.failed += error.count;
  }
  writer.Key("plugins");
  writer.StartArray();
  for (const auto& [id, plugin] : plugins) {
    writer.StartObject();
    writer.Text("plugin_id", id);
    writer.Count("models", plugin.models);
    writer.Count("successful_requests", plugin.successful);
    writer.Count("failed_requests", plugin.failed);
    writer.EndObject();
  }
  writer.EndArray();
}

void WriteApis(JsonWriter& writer, const Service& service) {
  const std::vector<std::string>& open = service.lobby().doors();
  writer.Key("apis");
  writer.StartObject();
  for (const std::string_view door : {"http", "grpc", "ipc"}) {
    writer.Key(door);
    writer.StartObject();
    writer.Flag("enabled", std::find(open.begin(), open.end(), door) != open.end());
    if (door == "http") writer.Integer("port", service.port());
    writer.EndObject();
  }
  writer.EndObject();
}

}  // namespace

Result<wire::Reply> GetHealth(Call& call) {
  const door::Lobby& lobby = call.service().lobby();
  return wire::DocumentReply(call.budget(), [&](JsonWriter& writer) {
    document::WriteHealth(writer, lobby.version(), lobby.doors());
  });
}

Result<wire::Reply> GetLiveness(Call& call) {
  return wire::DocumentReply(call.budget(),
                             [](JsonWriter& writer) { writer.Text("status", "alive"); });
}

Result<wire::Reply> GetReadiness(Call& call) {
  const bool ready = call.runtime().ready();
  wire::Reply reply = MLOS_TRY(wire::DocumentReply(call.budget(), [&](JsonWriter& writer) {
    writer.Text("status", ready ? "ready" : "not_ready");
  }));
  if (!ready) {
    reply.http_status = 503;
    reply.retry_later = true;
  }
  return reply;
}

Result<wire::Reply> GetStats(Call& call) {
  const metrics::ServerStats server = call.runtime().stats().Server();
  const std::vector<metrics::ModelStats> models = call.runtime().stats().Models();
  return wire::DocumentReply(call.budget(), [&](JsonWriter& writer) {
    writer.Count("total_requests", server.total_requests);
    writer.Count("successful_requests", server.successful_requests);
    writer.Count("failed_requests", server.failed_requests);
    writer.Number("avg_response_time_us", server.response_time.mean_us);
    writer.Number("uptime_seconds", server.uptime_seconds);
    WriteLatency(writer, "response_time_us", server.response_time);
    WriteErrors(writer, server.errors);
    WriteApis(writer, call.service());
    writer.Key("models");
    writer.StartArray();
    for (const metrics::ModelStats& model : models) WriteModelStats(writer, model);
    writer.EndArray();
    WritePluginStats(writer, models);
  });
}

Result<wire::Reply> GetMetrics(Call& call) {
  wire::Reply reply;
  reply.content_type = "text/plain; version=0.0.4; charset=utf-8";
  reply.body.Append(call.runtime().PrometheusText());
  return reply;
}

Result<wire::Reply> GetOpenApi(Call& call) {
  wire::Reply reply;
  reply.body = net::ByteBuffer(call.budget());
  reply.body.Append(openapi::DocumentText());
  if (!reply.body.status().ok()) return reply.body.status();
  return reply;
}

}  // namespace mlos::api::http::own
