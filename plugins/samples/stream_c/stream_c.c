/* SPDX-License-Identifier: MIT */
/*
 * A plugin that answers through execute(): for the input "count", an int64 scalar, it responds
 * count times, with "number" 0, 1, 2, … It has no thread of its own. It answers on the host's until
 * respond() says that the caller has more unread than it may, and goes on when it is told that
 * there is room:
 *
 *             execute                  respond: UNAVAILABLE
 *     request ───────► running ──────────────────────────────► waiting
 *                         │    ◄──────────────────────────────    │
 *                         │             resume, cancel
 *                         └─► final response, when all numbers are told or respond says CANCELLED
 *
 * POST /v2/models/{m}/generate_stream and gRPC's streaming calls take them all. A host that takes
 * one response for one request, as POST /models/{id}/inference does, can ask for one.
 */
#include <mlos/smi_spec.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_MAX 1000000

static const smi_host_t* host;

/* A request that is not answered to its end. */
struct story {
  struct story* next;
  smi_execution_t* execution;
  uint64_t request_id;
  int64_t told; /* by whoever runs it */
  int64_t count;
  int running; /* guarded by lock, as is what follows */
  int again;   /* it was resumed while it ran: room came before UNAVAILABLE had been read */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct story* stories;

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

/* ---- Telling ---- */

static void release_number(void* context, void* data) {
  (void)context;
  free(data);
}

/* Responds with the next number; the last response is final. */
static smi_status_t tell(struct story* story) {
  int64_t* data = malloc(sizeof(*data));
  if (data == NULL) return SMI_ERROR_OUT_OF_MEMORY;
  *data = story->told++;
  const smi_tensor_t number = {
      .struct_size = sizeof(smi_tensor_t),
      .name = "number",
      .dtype = SMI_DTYPE_INT64,
      .data = data,
      .size_bytes = sizeof(*data),
      .release = release_number,
  };
  const uint32_t flags = story->told == story->count ? SMI_RESPOND_FINAL : 0;
  return host->respond(host, story->execution, SMI_SUCCESS, &number, 1, flags);
}

/* Before the final response, which ends what the request id stands for. */
static void forget(struct story* story) {
  pthread_mutex_lock(&lock);
  struct story** link = &stories;
  while (*link != story) link = &(*link)->next;
  *link = story->next;
  pthread_mutex_unlock(&lock);
}

/* Whether the story may go on although it was told to wait. If not, it waits for wake(). */
static int has_room_already(struct story* story) {
  pthread_mutex_lock(&lock);
  const int again = story->again;
  story->again = 0;
  story->running = again;
  pthread_mutex_unlock(&lock);
  return again;
}

/* Tells as much as may be told now. No lock is held while the host is called. */
static void run(struct story* story) {
  while (story->told + 1 < story->count) {
    const smi_status_t status = tell(story);
    if (status == SMI_SUCCESS) continue;
    if (status == SMI_ERROR_UNAVAILABLE) {
      if (has_room_already(story)) continue;
      return;
    }
    /* Nobody waits any more, or memory is exhausted. */
    forget(story);
    host->respond(host, story->execution, status, NULL, 0, SMI_RESPOND_FINAL);
    free(story);
    return;
  }
  forget(story);
  if (tell(story) == SMI_ERROR_OUT_OF_MEMORY) {
    host->respond(host, story->execution, SMI_ERROR_OUT_OF_MEMORY, NULL, 0, SMI_RESPOND_FINAL);
  }
  free(story);
}

/* ---- The host's calls ---- */

/* resume and cancel: the story goes on, and respond tells it how. An id that is unknown is one that
   has ended, or of a request that execute has not come to. */
static void wake(smi_model_t* model, uint64_t request_id) {
  (void)model;
  pthread_mutex_lock(&lock);
  struct story* story = stories;
  while (story != NULL && story->request_id != request_id) story = story->next;
  int mine = 0;
  if (story != NULL) {
    mine = !story->running;
    story->again = !mine;
    story->running = 1;
  }
  pthread_mutex_unlock(&lock);
  if (mine) run(story);
}

static const void* stream_get_extension(const char* name) {
  static const smi_control_t control = {
      .struct_size = sizeof(smi_control_t), .cancel = wake, .resume = wake};
  return strcmp(name, SMI_CONTROL_EXTENSION) == 0 ? &control : NULL;
}

static int64_t count_of(const smi_request_t* request) {
  const smi_tensor_t* input = request->inputs;
  int64_t count = 0;
  if (request->input_count == 1 && strcmp(input->name, "count") == 0 &&
      input->dtype == SMI_DTYPE_INT64 && input->rank == 0) {
    memcpy(&count, input->data, sizeof(count));
  }
  return count;
}

static void fail(const smi_execute_request_t* request, smi_status_t status, const char* why) {
  host->set_error(host, why);
  host->respond(host, request->execution, status, NULL, 0, SMI_RESPOND_FINAL);
}

static void take_on(const smi_execute_request_t* request) {
  const int64_t count = count_of(request->request);
  if (count < 1 || count > COUNT_MAX) {
    fail(request, SMI_ERROR_INVALID_PARAM,
         "input \"count\" must be an int64 scalar from 1 to 1000000");
    return;
  }
  struct story* story = malloc(sizeof(*story));
  if (story == NULL) {
    fail(request, SMI_ERROR_OUT_OF_MEMORY, "memory is exhausted");
    return;
  }
  pthread_mutex_lock(&lock);
  *story = (struct story){.next = stories,
                          .execution = request->execution,
                          .request_id = request->request->request_id,
                          .count = count,
                          .running = 1};
  stories = story;
  pthread_mutex_unlock(&lock);
  run(story);
}

static smi_status_t stream_execute(const smi_execute_request_t* requests, size_t request_count) {
  for (size_t i = 0; i < request_count; ++i) take_on(&requests[i]);
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
              .get_extension = stream_get_extension,
              .execute = stream_execute,
          },
      .plugin_id = "stream-c",
      .smi_version = SMI_VERSION,
  };
  return &plugin;
}
