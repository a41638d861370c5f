/* SPDX-License-Identifier: MIT */
/*
 * A whole SMI plugin in C11. Its models are text files that hold one number, and multiply by it:
 *
 *     printf 2.5 > model.echo        x float32[n]  →  y float32[n] = 2.5 · x,  sum float32[] = Σ y
 *
 * It shows both kinds of outputs (y is handed over, the host preallocates sum, whose shape is
 * fixed), and what a plugin may tell its host: why it fails, a log line, a metric, memory, health.
 */
#include <math.h>
#include <mlos/smi_spec.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct smi_model {
  float factor;
};

static const smi_host_t* host;
static atomic_uint_fast64_t run_count;

static smi_status_t fail(smi_status_t status, const char* why) {
  host->set_error(host, why);
  return status;
}

/* ---- Life cycle ---- */

static smi_status_t echo_attach(const smi_host_t* services) {
  host = services;
  return SMI_SUCCESS;
}

static smi_status_t echo_initialize(const char* config) {
  if (config != NULL && strcmp(config, "{}") != 0) {
    return fail(SMI_ERROR_INVALID_PARAM, "this plugin has no settings; its configuration is {}");
  }
  atomic_store(&run_count, 0);
  return SMI_SUCCESS;
}

static smi_status_t echo_cleanup(void) {
  host = NULL;
  return SMI_SUCCESS;
}

static smi_status_t echo_get_plugin_info(smi_plugin_info_t* info) {
  static const char* const formats[] = {"echo"};
  info->name = "Echo sample (C)";
  info->version = "1.0.0";
  info->formats = formats;
  info->format_count = 1;
  return SMI_SUCCESS;
}

static smi_status_t echo_get_health(smi_health_t* health) {
  health->state = SMI_HEALTH_OK;
  return SMI_SUCCESS;
}

/* ---- Models ---- */

static smi_status_t echo_register_model(const smi_model_source_t* source, smi_model_t** model) {
  FILE* file = fopen(source->path, "r");
  if (file == NULL) return fail(SMI_ERROR_NOT_FOUND, "the model file cannot be opened");
  float factor = 0;
  const int numbers = fscanf(file, "%f", &factor);
  fclose(file);
  if (numbers != 1 || !isfinite(factor)) {
    return fail(SMI_ERROR_INVALID_MODEL, "the model file does not hold a number");
  }
  *model = malloc(sizeof(**model));
  if (*model == NULL) return fail(SMI_ERROR_OUT_OF_MEMORY, "no memory for the model");
  (*model)->factor = factor;
  host->log(host, SMI_LOG_INFO, "a model is registered");
  return SMI_SUCCESS;
}

static smi_status_t echo_unregister_model(smi_model_t* model) {
  free(model);
  return SMI_SUCCESS;
}

static smi_status_t echo_get_model_info(smi_model_t* model, smi_model_info_t* info) {
  static const int64_t dims[] = {SMI_DYNAMIC_SIZE};
  static const char* const dim_names[] = {"n"};
  static const smi_tensor_spec_t inputs[] = {
      {.struct_size = sizeof(smi_tensor_spec_t),
       .name = "x",
       .dtype = SMI_DTYPE_FLOAT32,
       .rank = 1,
       .dims = dims,
       .dim_names = dim_names},
  };
  static const smi_tensor_spec_t outputs[] = {
      {.struct_size = sizeof(smi_tensor_spec_t),
       .name = "y",
       .dtype = SMI_DTYPE_FLOAT32,
       .rank = 1,
       .dims = dims,
       .dim_names = dim_names},
      {.struct_size = sizeof(smi_tensor_spec_t), .name = "sum", .dtype = SMI_DTYPE_FLOAT32},
  };
  (void)model; /* all of them declare the same */
  info->inputs = inputs;
  info->input_count = 1;
  info->outputs = outputs;
  info->output_count = 2;
#ifdef SMI_MODEL_TIME_GIVEN_BY_SHAPES /* the first header of SMI 1.0 did not have it */
  if (SMI_HAS(smi_model_info_t, info, flags)) info->flags = SMI_MODEL_TIME_GIVEN_BY_SHAPES;
#endif
  return SMI_SUCCESS;
}

static smi_status_t echo_get_memory_report(smi_model_t* model, smi_memory_report_t* report) {
  report->weight_bytes = model == NULL ? 0 : sizeof(*model);
  return SMI_SUCCESS;
}

/* ---- Inference ---- */

/* An output in the host's memory; it goes back there when the host is done with it. */
struct echo_output {
  size_t size_bytes;
  int64_t shape[1];
};

static void release_output(void* context, void* data) {
  struct echo_output* output = context;
  host->deallocate(host, data, output->size_bytes);
  free(output);
}

static smi_status_t hand_over(const smi_tensor_t* x, float factor, smi_tensor_t* y) {
  struct echo_output* output = malloc(sizeof(*output));
  if (output == NULL) return fail(SMI_ERROR_OUT_OF_MEMORY, "no memory for the output");
  float* data = host->allocate(host, x->size_bytes);
  if (data == NULL) {
    free(output);
    return fail(SMI_ERROR_OUT_OF_MEMORY, "the host grants no memory for the output");
  }
  const float* from = x->data;
  for (int64_t i = 0; i < x->shape[0]; ++i) data[i] = factor * from[i];
  output->size_bytes = x->size_bytes;
  output->shape[0] = x->shape[0];
  y->dtype = SMI_DTYPE_FLOAT32;
  y->rank = 1;
  y->shape = output->shape;
  y->data = data;
  y->size_bytes = x->size_bytes;
  y->release = release_output;
  y->release_context = output;
  return SMI_SUCCESS;
}

static void write_sum(const smi_tensor_t* x, float factor, smi_tensor_t* sum) {
  const float* from = x->data;
  float total = 0;
  for (int64_t i = 0; i < x->shape[0]; ++i) total += factor * from[i];
  memcpy(sum->data, &total, sizeof(total)); /* preallocated: a scalar's shape is known */
}

static smi_status_t echo_inference(smi_model_t* model, const smi_request_t* request,
                                   smi_response_t* response) {
  const smi_tensor_t* x = request->inputs;
  if (request->input_count != 1 || strcmp(x->name, "x") != 0) {
    return fail(SMI_ERROR_INVALID_PARAM, "the only input is \"x\"");
  }
  if (x->dtype != SMI_DTYPE_FLOAT32 || x->rank != 1) {
    return fail(SMI_ERROR_INVALID_PARAM, "input \"x\" must be float32 of rank 1");
  }
  for (size_t i = 0; i < response->output_count; ++i) {
    smi_tensor_t* output = &response->outputs[i];
    if (strcmp(output->name, "sum") == 0) {
      write_sum(x, model->factor, output);
    } else if (hand_over(x, model->factor, output) != SMI_SUCCESS) {
      return SMI_ERROR_OUT_OF_MEMORY; /* y is the only one, so nothing else has been handed over */
    }
  }
  host->set_metric(host, "echo_runs", (double)(atomic_fetch_add(&run_count, 1) + 1));
  return SMI_SUCCESS;
}

/* ---- The one symbol ---- */

SMI_EXPORT smi_plugin_t* smi_plugin_init(void) {
  static smi_plugin_t plugin = {
      .struct_size = sizeof(smi_plugin_t),
      .interface =
          {
              .initialize = echo_initialize,
              .cleanup = echo_cleanup,
              .register_model = echo_register_model,
              .unregister_model = echo_unregister_model,
              .inference = echo_inference,
              .get_model_info = echo_get_model_info,
              .get_plugin_info = echo_get_plugin_info,
              .get_health = echo_get_health,
              .get_memory_report = echo_get_memory_report,
              .attach = echo_attach,
          },
      .plugin_id = "echo-c",
      .smi_version = SMI_VERSION,
  };
  return &plugin;
}
