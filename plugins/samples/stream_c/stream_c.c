/* SPDX-License-Identifier: MIT */
/*
 * A plugin that answers through execute(), SMI's unstable way to batches and streams: for the input
 * "count", an int64 scalar, it responds count times, with "number" 0, 1, 2, …
 *
 * POST /v2/models/{m}/generate_stream and gRPC's streaming calls take them all. A host that takes
 * one response for one request, as POST /models/{id}/inference does, can ask for one.
 */
#include <mlos/smi_spec.h>
#include <stddef.h>
#include <string.h>

static const smi_host_t* host;

static smi_status_t stream_attach(const smi_host_t* services) {
  host = services;
  return SMI_SUCCESS;
}

static smi_status_t stream_initialize(const char* config) {
  (void)config;
  return SMI_SUCCESS;
}

static smi_status_t stream_register_model(const smi_model_source_t* source, smi_model_t** model) {
  (void)source;
  *model = NULL; /* nothing to remember */
  return SMI_SUCCESS;
}

/* Not needed to run it; generate_stream asks for inputs by the names that are declared. */
static smi_status_t stream_get_model_info(smi_model_t* model, smi_model_info_t* info) {
  static const smi_tensor_spec_t count = {
      .struct_size = sizeof(smi_tensor_spec_t), .name = "count", .dtype = SMI_DTYPE_INT64};
  static const smi_tensor_spec_t number = {
      .struct_size = sizeof(smi_tensor_spec_t), .name = "number", .dtype = SMI_DTYPE_INT64};
  (void)model;
  info->inputs = &count;
  info->input_count = 1;
  info->outputs = &number;
  info->output_count = 1;
  return SMI_SUCCESS;
}

static void refuse(const smi_execute_request_t* request) {
  host->set_error(host, "input \"count\" must be an int64 scalar from 1 to 10");
  host->respond(host, request->execution, SMI_ERROR_INVALID_PARAM, NULL, 0, SMI_RESPOND_FINAL);
}

static void answer(const smi_execute_request_t* request) {
  const smi_tensor_t* input = request->request->inputs;
  int64_t count = 0;
  if (request->request->input_count == 1 && strcmp(input->name, "count") == 0 &&
      input->dtype == SMI_DTYPE_INT64 && input->rank == 0) {
    memcpy(&count, input->data, sizeof(count));
  }
  if (count < 1 || count > 10) {
    refuse(request);
    return;
  }
  static const int64_t numbers[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
  for (int64_t i = 0; i < count; ++i) {
    const smi_tensor_t number = {
        .struct_size = sizeof(smi_tensor_t),
        .name = "number",
        .dtype = SMI_DTYPE_INT64,
        .data = (void*)&numbers[i], /* static: outlives the model, so there is no release */
        .size_bytes = sizeof(numbers[i]),
    };
    const uint32_t flags = i + 1 == count ? SMI_RESPOND_FINAL : 0;
    if (host->respond(host, request->execution, SMI_SUCCESS, &number, 1, flags) ==
        SMI_ERROR_CANCELLED) {
      host->respond(host, request->execution, SMI_ERROR_CANCELLED, NULL, 0, SMI_RESPOND_FINAL);
      return;
    }
  }
}

static smi_status_t stream_execute(const smi_execute_request_t* requests, size_t request_count) {
  for (size_t i = 0; i < request_count; ++i) answer(&requests[i]);
  return SMI_SUCCESS;
}

SMI_EXPORT smi_plugin_t* smi_plugin_init(void) {
  static smi_plugin_t plugin = {
      .struct_size = sizeof(smi_plugin_t),
      .interface =
          {
              .initialize = stream_initialize,
              .register_model = stream_register_model,
              .get_model_info = stream_get_model_info,
              .attach = stream_attach,
              .execute = stream_execute,
          },
      .plugin_id = "stream-c",
      .smi_version = SMI_VERSION,
  };
  return &plugin;
}
