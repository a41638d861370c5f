/* SPDX-License-Identifier: MIT
 *
 * Latency of Core's operations over IPC: ipc_operations SOCKET COUNT CPU polling|sleeping. Prints
 * microseconds at p50 and p99 for health, plugin operations and the model `null` ([1,4] float32).
 * Registrations that change something end on the disk and are fewer. */
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/programs/timing.h"
#include "mlos/client.h"

static mlos_error_t error;

static void must(int code) {
  if (code == MLOS_OK) return;
  fprintf(stderr, "%s %s: %s\n", error.reason, error.field, error.message);
  exit(1);
}

/* What is timed; `turn` counts from 0. */
typedef void (*operation_t)(mlos_client_t* client, int turn);

static void call(mlos_client_t* client, mlos_operation_t operation, const char* argument) {
  char* json = NULL;
  must(mlos_call(client, operation, argument, &json, &error));
  mlos_free(json);
}

static void health(mlos_client_t* client, int turn) {
  (void)turn;
  call(client, MLOS_HEALTH, NULL);
}

static void list_plugins(mlos_client_t* client, int turn) {
  (void)turn;
  call(client, MLOS_LIST_PLUGINS, NULL);
}

static void get_plugin(mlos_client_t* client, int turn) {
  (void)turn;
  call(client, MLOS_GET_PLUGIN, "onnx-runtime-builtin");
}

static void register_plugin(mlos_client_t* client, int turn) {
  (void)turn;
  call(client, MLOS_REGISTER_PLUGIN, "{\"id\":\"known\"}");
}

static void register_new_plugin(mlos_client_t* client, int turn) {
  char body[64];
  snprintf(body, sizeof(body), "{\"id\":\"new-%d\"}", turn);
  call(client, MLOS_REGISTER_PLUGIN, body);
}

static void remove_plugin(mlos_client_t* client, int turn) {
  char id[32];
  snprintf(id, sizeof(id), "new-%d", turn);
  call(client, MLOS_REMOVE_PLUGIN, id);
}

static void infer(mlos_client_t* client, int turn) {
  static const int64_t shape[2] = {1, 4};
  static const float x[4] = {1, 2, 3, 4};
  const mlos_tensor_t input = {.name = "x",
                               .dtype = MLOS_FLOAT32,
                               .rank = 2,
                               .shape = shape,
                               .data = x,
                               .size_bytes = sizeof(x)};
  const mlos_request_t request = {.model_id = "null", .inputs = &input, .input_count = 1};
  mlos_result_t* result = NULL;
  (void)turn;
  must(mlos_infer(client, &request, &result, &error));
  mlos_result_free(result);
}

/* The first tenth is not counted. */
static void measure(const char* name, operation_t operation, mlos_client_t* client, int count) {
  const int ahead = count / 10;
  double* times = malloc((size_t)count * sizeof(double));
  if (times == NULL) exit(1);
  for (int turn = 0; turn < ahead + count; ++turn) {
    const double start = now_us();
    operation(client, turn);
    if (turn >= ahead) times[turn - ahead] = now_us() - start;
  }
  sort_times(times, count);
  printf("%s %.2f %.2f\n", name, times[count / 2], times[(int)(count * 0.99)]);
  fflush(stdout);
  free(times);
}

int main(int argc, char** argv) {
  mlos_client_t* client = NULL;
  if (argc != 5) return 2;
  const int count = atoi(argv[2]);
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET((size_t)atoi(argv[3]), &set);
  sched_setaffinity(0, sizeof(set), &set);
  must(mlos_connect(argv[1], &client, &error));
  mlos_set_spin(client, strcmp(argv[4], "polling") == 0 ? -1 : 0);
  measure("null", infer, client, count);
  measure("health", health, client, count);
  measure("list_plugins", list_plugins, client, count);
  measure("get_plugin", get_plugin, client, count);
  measure("register_plugin", register_plugin, client, count);
  measure("register_new_plugin", register_new_plugin, client, count / 100);
  measure("remove_plugin", remove_plugin, client, count / 100);
  mlos_close(client);
  return 0;
}
