/* SPDX-License-Identifier: MIT */
/*
 * A function that mentions every type of smi_spec.h, so that libabigail finds them all in one
 * shared object. Its description is smi_abi.xml; see abi.sh.
 */
#include <mlos/smi_spec.h>

SMI_EXPORT void smi_witness(const smi_plugin_t* plugin, const smi_host_t* host,
                            const smi_execute_request_t* execute_request,
                            const smi_model_source_t* source, const smi_model_info_t* info,
                            const smi_string_t* string, const smi_memory_report_t* memory,
                            const smi_resources_t* resources, const smi_health_t* health,
                            const smi_plugin_info_t* plugin_info, const smi_response_t* response,
                            const smi_control_t* control);

void smi_witness(const smi_plugin_t* plugin, const smi_host_t* host,
                 const smi_execute_request_t* execute_request, const smi_model_source_t* source,
                 const smi_model_info_t* info, const smi_string_t* string,
                 const smi_memory_report_t* memory, const smi_resources_t* resources,
                 const smi_health_t* health, const smi_plugin_info_t* plugin_info,
                 const smi_response_t* response, const smi_control_t* control) {
  (void)plugin;
  (void)host;
  (void)execute_request;
  (void)source;
  (void)info;
  (void)string;
  (void)memory;
  (void)resources;
  (void)health;
  (void)plugin_info;
  (void)response;
  (void)control;
}

/* The one symbol of a plugin, with its signature. */
smi_plugin_t* smi_plugin_init(void) { return NULL; }
