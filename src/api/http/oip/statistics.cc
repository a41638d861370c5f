// SPDX-License-Identifier: MIT
#include "api/http/oip/statistics.h"

#include "api/http/wire/document_reply.h"
#include "api/oip/statistics.h"

namespace mlos::api::http::oip {
namespace {

using json::JsonWriter;
using metrics::ModelStats;

void WriteDuration(JsonWriter& writer, std::string_view key, const api::oip::Duration& duration) {
  writer.Key(key);
  writer.StartObject();
  writer.Count("count", duration.count);
  writer.Count("ns", duration.ns);
  writer.EndObject();
}

void WriteInferences(JsonWriter& writer, const api::oip::InferenceStatistics& stats) {
  writer.StartObject();
  WriteDuration(writer, "success", stats.success);
  WriteDuration(writer, "fail", stats.fail);
  WriteDuration(writer, "queue", stats.queue);
  WriteDuration(writer, "compute_input", {});
  WriteDuration(writer, "compute_infer", stats.compute_infer);
  WriteDuration(writer, "compute_output", {});
  WriteDuration(writer, "cache_hit", {});
  WriteDuration(writer, "cache_miss", {});
  writer.EndObject();
}

void WriteBatch(JsonWriter& writer, const metrics::BatchStats& batch) {
  writer.StartObject();
  writer.Count("batch_size", batch.batch_size);
  WriteDuration(writer, "compute_input", {});
  WriteDuration(writer, "compute_infer", api::oip::DurationOf(batch));
  WriteDuration(writer, "compute_output", {});
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
  WriteInferences(writer, api::oip::StatisticsOf(stats));
  writer.Key("batch_stats");
  writer.StartArray();
  for (const metrics::BatchStats& batch : stats.runs.batches) WriteBatch(writer, batch);
  writer.EndArray();
  writer.EndObject();
}

}  // namespace

Result<wire::Reply> Statistics(const std::vector<catalog::ModelInfo>& models,
                               const std::vector<ModelStats>& stats, resource::ByteBudget& budget) {
  return wire::DocumentReply(budget, [&](JsonWriter& writer) {
    writer.Key("model_stats");
    writer.StartArray();
    for (const catalog::ModelInfo& model : models) {
      WriteModel(writer, model, api::oip::CountsOf(model.model_id, stats));
    }
    writer.EndArray();
  });
}

}  // namespace mlos::api::http::oip
