/* SPDX-License-Identifier: MIT */
/* The plugin of the user's page, token for token, and the two functions that it leaves to the
   reader. compile.sh builds it in C and in C++. */
#include <mlos/smi_spec.h>

static smi_status_t my_register_model(const smi_model_source_t* source, smi_model_t** model) {
  (void)source;
  *model = 0;
  return SMI_SUCCESS;
}

static smi_status_t my_inference(smi_model_t* model, const smi_request_t* request,
                                 smi_response_t* response) {
  (void)model;
  (void)request;
  (void)response;
  return SMI_SUCCESS;
}

/* clang-format off */
static smi_status_t my_initialize(const char* config) { return SMI_SUCCESS; }
static smi_plugin_interface_t my_interface = { .initialize = my_initialize,
  .register_model = my_register_model, .inference = my_inference };
smi_plugin_t* smi_plugin_init(void) {
  static smi_plugin_t plugin = { .interface = my_interface, .plugin_id = "my-ml-plugin",
    .smi_version = SMI_VERSION_MAJOR << 16 | SMI_VERSION_MINOR << 8 | SMI_VERSION_PATCH };
  return &plugin;
}
