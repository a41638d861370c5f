/* SPDX-License-Identifier: MIT */
/* The plugin that docs/PLUGIN-DEVELOPMENT.md writes: its model gives back what it is given. */
#include <mlos/smi_spec.h>
#include <stdlib.h>
#include <string.h>

static smi_status_t my_initialize(const char* config) {
  (void)config;
  return SMI_SUCCESS;
}

static smi_status_t my_register_model(const smi_model_source_t* source, smi_model_t** model) {
  (void)source; /* source->path is the model's file; this plugin needs nothing from it */
  *model = NULL;
  return SMI_SUCCESS;
}

static void my_release(void* context, void* data) {
  (void)context;
  free(data);
}

static smi_status_t my_inference(smi_model_t* model, const smi_request_t* request,
                                 smi_response_t* response) {
  static _Thread_local int64_t shape[SMI_RANK_MAX];
  (void)model;
  if (request->input_count != 1) return SMI_ERROR_INVALID_PARAM;
  const smi_tensor_t* input = &request->inputs[0];
  if (input->dtype == SMI_DTYPE_STRING) return SMI_ERROR_UNSUPPORTED;
  void* data = malloc(input->size_bytes + 1); /* never 0 bytes, which may be NULL */
  if (data == NULL) return SMI_ERROR_OUT_OF_MEMORY;
  memcpy(data, input->data, input->size_bytes);
  for (uint32_t i = 0; i < input->rank; ++i) shape[i] = input->shape[i];

  smi_tensor_t* output = &response->outputs[0];
  if (output->name == NULL) output->name = "echo"; /* unless the caller asks for a name */
  output->dtype = input->dtype;
  output->rank = input->rank;
  output->shape = shape;
  output->data = data;
  output->size_bytes = input->size_bytes;
  output->release = my_release;
  return SMI_SUCCESS;
}

/* clang-format off */
static smi_plugin_interface_t my_interface = { .initialize = my_initialize,
  .register_model = my_register_model, .inference = my_inference };

smi_plugin_t* smi_plugin_init(void) {
  static smi_plugin_t plugin = { .interface = my_interface, .plugin_id = "my-ml-plugin",
    .smi_version = SMI_VERSION_MAJOR << 16 | SMI_VERSION_MINOR << 8 | SMI_VERSION_PATCH };
  return &plugin;
}
