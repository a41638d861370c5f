// SPDX-License-Identifier: MIT
#include "api/http/oip/statistics.h"

#include <algorithm>

#include "api/http/json/document_reply.h"

namespace mlos::api::http::oip {
namespace {

using json::JsonWriter;
using metrics::ModelStats;

constexpr std::uint64_t kNanosecondsPerMicrosecond = 1000;

void WriteDuration(JsonWriter& writer, std::string_view key, std::uint64_t count,
                   std::uint64_t time_us) {
  writer.Key(key);
  writer.StartObject();
  writer.Count("count", count);
  writer.Count("ns", time_us * kNanosecondsPerMicrosecond);
  writer.EndObject();
}

std::uint64_t FailureCount(const ModelStats& stats) {
  std::uint64_t count = 0;
  for (const metrics::ErrorCount& error : stats.errors) count += error.count;
  return count;
}

void WriteInferences(JsonWriter& writer, const ModelStats& stats) {
  const std::uint64_t queue_us = stats.queue_time.sum_us;
  const std::uint64_t run_us = stats.run_time.sum_us;
  writer.StartObject();
  WriteDuration(writer, "success", stats.success_count, queue_us + run_us);
  WriteDuration(writer, "fail", FailureCount(stats), stats.failure_time_us);
  WriteDuration(writer, "queue", stats.queue_time.count, queue_us);
  WriteDuration(writer, "compute_input", 0, 0);
  WriteDuration(writer, "compute_infer", stats.run_time.count, run_us);
  WriteDuration(writer, "compute_output", 0, 0);
  WriteDuration(writer, "cache_hit", 0, 0);
  WriteDuration(writer, "cache_miss", 0, 0);
  writer.EndObject();
}

void WriteBatch(JsonWriter& writer, const metrics::BatchStats& batch) {
  writer.StartObject();
  writer.Count("batch_size", batch.batch_size);
  WriteDuration(writer, "compute_input", 0, 0);
  WriteDuration(writer, "compute_infer", batch.count, batch.run_time_us);
  WriteDuration(writer, "compute_output", 0, 0);
  writer.EndObject();
}

void WriteModel(JsonWriter& writer, const catalog::ModelInfo& model, const ModelStats& stats) {
  writer.StartObject();
  writer.Text("name", model.model_id);
  writer.Text("version", model.version);
  writer.Integer("last_inference", stats.last_inference_unix_ms);
  writer.Count("inference_count", stats.runs.items);
  writer.Count("execution_count", stats.runs.count);
  writer.Key("inference_stats");
  WriteInferences(writer, stats);
  writer.Key("batch_stats");
  writer.StartArray();
  for (const metrics::BatchStats& batch : stats.runs.batches) WriteBatch(writer, batch);
  writer.EndArray();
  writer.EndObject();
}

}  // namespace

Result<wire::Reply> Statistics(const std::vector<catalog::ModelInfo>& models,
                               const std::vector<ModelStats>& stats, resource::ByteBudget& budget) {
  return json::DocumentReply(budget, [&](JsonWriter& writer) {
    writer.Key("model_stats");
    writer.StartArray();
    for (const catalog::ModelInfo& model : models) {
      const auto counted = std::find_if(stats.begin(), stats.end(), [&](const ModelStats& item) {
        return item.model_id == model.model_id;
      });
      WriteModel(writer, model, counted != stats.end() ? *counted : ModelStats());
    }
    writer.EndArray();
  });
}

}  // namespace mlos::api::http::oip
