// SPDX-License-Identifier: MIT
#include "axon/cli/common.h"

#include "axon/hub/open_hub.h"
#include "axon/ui/hint.h"

namespace axon::cli {
namespace {

namespace package = mlos::package;
using mlos::Reason;
using mlos::Result;
using mlos::Status;
using store::InstalledModel;

Status NotInstalled(const hub::ModelSpec& spec) {
  return ui::WithHint(Status(Reason::kModelNotFound, spec.path() + " is not installed"),
                      "axon install " + spec.path());
}

}  // namespace

store::Store OpenStore(const Context& context) { return store::Store(context.config.cache()); }

fetch::Timeouts TimeoutsOf(const config::Config& config) {
  fetch::Timeouts timeouts;
  timeouts.connect = std::chrono::seconds(config.Number("download.connect_timeout"));
  timeouts.stall = std::chrono::seconds(config.Number("download.stall_timeout"));
  return timeouts;
}

Result<std::unique_ptr<hub::Hub>> OpenHub(const Context& context, std::string_view name_space) {
  const config::Config& config = context.config;
  hub::HubSettings settings{
      .huggingface_endpoint = config.Endpoint("registry.huggingface_endpoint"),
      .huggingface_token = config.Get("registry.huggingface_token").text};
  settings.client.timeouts = TimeoutsOf(config);
  settings.client.retries_max = config.Number("download.max_retries");
  return hub::OpenHub(name_space, settings, context.cancel);
}

Result<std::vector<InstalledModel>> FindInstalled(const store::Store& store,
                                                  const std::string& text) {
  const hub::ModelSpec spec = MLOS_TRY(hub::ModelSpec::Parse(text));
  if (spec.revision().has_value()) {
    const mlos::ModelId id = MLOS_TRY(mlos::ModelId::Parse(text));
    std::vector<InstalledModel> found;
    found.push_back(MLOS_TRY(store.Find(id)));
    return found;
  }
  std::vector<InstalledModel> versions = MLOS_TRY(store.Versions(spec.path()));
  if (versions.empty()) return NotInstalled(spec);
  return versions;
}

Result<InstalledModel> FindOneInstalled(const store::Store& store, const std::string& text) {
  std::vector<InstalledModel> found = MLOS_TRY(FindInstalled(store, text));
  if (found.size() == 1) return found.front();
  std::string list;
  for (const InstalledModel& model : found) {
    if (model.id.version() == hub::kLatest) return model;
    list += (list.empty() ? "" : ", ") + model.id.text();
  }
  return ui::WithHint(Status(Reason::kUsage, text + " is installed in several versions: " + list),
                      "name one with @");
}

Result<package::ParsedManifest> ReadInstalledManifest(const InstalledModel& model) {
  auto parsed = package::ReadManifest(model.directory / package::kManifestFileName);
  if (parsed.ok()) return parsed;
  return Status(std::move(parsed).status()).WithContext(model.id.text());
}

std::string TypeOf(const package::IoTensor& tensor) {
  if (!tensor.shape.has_value()) return tensor.dtype + "[?]";
  std::string text = tensor.dtype + "[";
  for (std::size_t i = 0; i < tensor.shape->size(); ++i) {
    text += (i == 0 ? "" : ",") + std::to_string((*tensor.shape)[i]);
  }
  return text + "]";
}

void WriteSource(ui::JsonWriter& json, const package::Source& source) {
  json.Key("source").BeginObject();
  json.Field("hub", source.hub).Field("repository", source.repository);
  json.Field("revision", source.revision).Field("commit", source.commit).EndObject();
}

std::uint64_t BytesOf(const package::Manifest& manifest) {
  std::uint64_t total = 0;
  for (const package::FileEntry& file : manifest.format.files) total += file.size_bytes;
  return total;
}

}  // namespace axon::cli
