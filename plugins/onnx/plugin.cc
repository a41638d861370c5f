// SPDX-License-Identifier: MIT
// The entries of the plugin: each passes on to the engine, lets no exception out, and says why.
#include <malloc.h>

#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <utility>

#include "mlos/smi_spec.h"
#include "onnx/config.h"
#include "onnx/engine.h"
#include "onnx/error.h"
#include "onnx/run.h"

/// A model as the host holds it. What it declares outlives the session, which unload_model drops.
struct smi_model {
  std::filesystem::path path;
  std::string digest;
  // Of a pool of its own; 0: those of all models.
  std::uint32_t thread_count = 0;
  std::shared_ptr<mlos::onnx::Session> session;
  std::shared_ptr<const mlos::onnx::Signature> signature;
  std::uint64_t weight_bytes = 0;
};

namespace mlos::onnx {
namespace {

const smi_host_t* host = nullptr;
// A plain pointer: a process that ends without cleanup must not destroy what still runs.
Engine* engine = nullptr;

smi_status_t Fail(smi_status_t status, const char* message) noexcept {
  if (host != nullptr) host->set_error(host, message);
  return status;
}

template <typename Function>
smi_status_t Guard(const Function& function) noexcept {
  try {
    function();
    return SMI_SUCCESS;
  } catch (const Error& error) {
    return Fail(error.status(), error.what());
  } catch (const std::bad_alloc&) {
    return Fail(SMI_ERROR_OUT_OF_MEMORY, "memory is exhausted");
  } catch (const std::exception& exception) {
    return Fail(SMI_ERROR_RUNTIME, exception.what());
  } catch (...) {
    return Fail(SMI_ERROR_RUNTIME, "an unknown exception");
  }
}

smi_status_t Attach(const smi_host_t* services) noexcept {
  host = services;
  return SMI_SUCCESS;
}

smi_status_t Initialize(const char* config) noexcept {
  return Guard([&] { engine = new Engine(host, ParseConfig(config)); });
}

smi_status_t Cleanup() noexcept {
  delete std::exchange(engine, nullptr);
  host = nullptr;
  return SMI_SUCCESS;
}

void Open(smi_model& model) {
  model.session = engine->Open(model.path, model.digest, model.thread_count);
  model.signature = model.session->signature();
  model.weight_bytes = model.session->weight_bytes();
}

smi_status_t RegisterModel(const smi_model_source_t* source, smi_model_t** model) noexcept {
  return Guard([&] {
    CheckOptions(source->options);
    auto registered = std::make_unique<smi_model>();
    registered->path = source->path;
    if (source->digest != nullptr) registered->digest = source->digest;
    Open(*registered);
    *model = registered.release();
  });
}

// The arena and the C library keep freed memory; a session's is worth giving back to the system.
void Drop(smi_model& model) {
  if (model.session == nullptr) return;
  model.session.reset();
  engine->ShrinkArena();
  ::malloc_trim(0);
}

smi_status_t UnregisterModel(smi_model_t* model) noexcept {
  return Guard([&] {
    Drop(*model);
    delete model;
  });
}

smi_status_t LoadModel(smi_model_t* model) noexcept {
  return Guard([&] {
    if (model->session == nullptr) Open(*model);
  });
}

smi_status_t UnloadModel(smi_model_t* model) noexcept {
  return Guard([&] { Drop(*model); });
}

smi_status_t Inference(smi_model_t* model, const smi_request_t* request,
                       smi_response_t* response) noexcept {
  return Guard([&] { Run(*engine, *model->session, *request, *response); });
}

smi_status_t GetModelInfo(smi_model_t* model, smi_model_info_t* info) noexcept {
  model->signature->Show(info);
  return SMI_SUCCESS;
}

smi_status_t GetPluginInfo(smi_plugin_info_t* info) noexcept {
  static const char* const kFormats[] = {"onnx"};
  static const std::string version = Ort::GetVersionString();
  info->name = "ONNX Runtime";
  info->version = version.c_str();
  info->formats = kFormats;
  info->format_count = 1;
  return SMI_SUCCESS;
}

smi_status_t GetMemoryReport(smi_model_t* model, smi_memory_report_t* report) noexcept {
  return Guard([&] {
    report->weight_bytes = model == nullptr            ? engine->weight_bytes()
                           : model->session == nullptr ? 0
                                                       : model->weight_bytes;
    report->arena_limit_bytes = engine->memory_bytes_max();
  });
}

// A session has its pool from the beginning: load_model opens another one. The graph is so read
// twice, as it had to be read to be registered.
void GrantModel(smi_model& model, const smi_resources_t& resources) {
  if (resources.memory_bytes != 0) {
    throw Error(SMI_ERROR_UNSUPPORTED, "memory is granted to all models together");
  }
  if (model.thread_count == resources.thread_count) return;
  Drop(model);
  model.thread_count = resources.thread_count;
}

smi_status_t AllocateResources(smi_model_t* model, const smi_resources_t* resources) noexcept {
  return Guard([&] {
    if (model != nullptr) return GrantModel(*model, *resources);
    engine->SetResources(resources->thread_count, resources->memory_bytes);
  });
}

// Those of all models are ONNX Runtime's until cleanup.
smi_status_t DeallocateResources(smi_model_t* model) noexcept {
  return Guard([&] {
    if (model != nullptr) GrantModel(*model, {});
  });
}

void Cancel(smi_model_t* /*model*/, std::uint64_t request_id) noexcept {
  engine->stoppable_runs().Stop(request_id);
}

const void* GetExtension(const char* name) noexcept {
  static constexpr smi_control_t kControl = {
      .struct_size = sizeof(smi_control_t), .cancel = &Cancel, .resume = nullptr};
  return std::string_view(name) == SMI_CONTROL_EXTENSION ? &kControl : nullptr;
}

smi_plugin_interface_t kInterface = {
    .initialize = &Initialize,
    .cleanup = &Cleanup,
    .register_model = &RegisterModel,
    .unregister_model = &UnregisterModel,
    .load_model = &LoadModel,
    .unload_model = &UnloadModel,
    .inference = &Inference,
    .get_model_info = &GetModelInfo,
    .get_plugin_info = &GetPluginInfo,
    .get_memory_report = &GetMemoryReport,
    .allocate_resources = &AllocateResources,
    .deallocate_resources = &DeallocateResources,
    .attach = &Attach,
    .get_extension = &GetExtension,
};

}  // namespace
}  // namespace mlos::onnx

smi_plugin_t* smi_plugin_init() {
  static smi_plugin_t plugin = {
      .struct_size = sizeof(smi_plugin_t),
      .interface = mlos::onnx::kInterface,
      .plugin_id = "onnx-runtime-builtin",
      .smi_version = SMI_VERSION,
  };
  return &plugin;
}
