/* SPDX-License-Identifier: MIT
 *
 * Latency of Core over IPC: ipc_client SOCKET COUNT [CPU]. Prints microseconds at p50 and p99 for
 * the model `null` ([1,4] float32) over the socket (sleeping, polling) and the ring, and for
 * `bigin`
 * ([1,3,224,224] float32) from a region, filled anew for each request. */
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

/* Runs `request` count times; `source` is copied to `target` before each. */
static void measure(const char* name, mlos_client_t* client, const mlos_request_t* request,
                    int count, void* target, const void* source, size_t size) {
  double* times = malloc((size_t)count * sizeof(double));
  if (times == NULL) exit(1);
  for (int i = -count / 10; i < count; ++i) {
    mlos_result_t* result = NULL;
    const double start = now_us();
    if (size != 0) memcpy(target, source, size);
    must(mlos_infer(client, request, &result, &error));
    mlos_result_free(result);
    if (i >= 0) times[i] = now_us() - start;
  }
  sort_times(times, count);
  printf("%s %.2f %.2f\n", name, times[count / 2], times[(int)(count * 0.99)]);
  fflush(stdout);
  free(times);
}

static void measure_null(mlos_client_t* client, int count) {
  static const int64_t shape[2] = {1, 4};
  static const float x[4] = {1, 2, 3, 4};
  const mlos_tensor_t input = {.name = "x",
                               .dtype = MLOS_FLOAT32,
                               .rank = 2,
                               .shape = shape,
                               .data = x,
                               .size_bytes = sizeof(x)};
  const mlos_request_t request = {.model_id = "null", .inputs = &input, .input_count = 1};
  measure("socket_sleeping", client, &request, count, NULL, NULL, 0);
  mlos_set_spin(client, -1);
  measure("socket_polling", client, &request, count, NULL, NULL, 0);
  mlos_set_spin(client, 0);
  must(mlos_attach_ring(client, 64, 4096, &error));
  measure("ring", client, &request, count, NULL, NULL, 0);
}

static void measure_bigin(mlos_client_t* client, int count) {
  static const int64_t shape[4] = {1, 3, 224, 224};
  const size_t size = 3 * 224 * 224 * sizeof(float);
  mlos_region_t* region = NULL;
  float* source = calloc(1, size);
  if (source == NULL) exit(1);
  must(mlos_region_create(client, size, MLOS_INPUT_REGION, &region, &error));
  const mlos_tensor_t input = {.name = "x",
                               .dtype = MLOS_FLOAT32,
                               .rank = 4,
                               .shape = shape,
                               .size_bytes = size,
                               .region = region};
  const mlos_request_t request = {.model_id = "bigin", .inputs = &input, .input_count = 1};
  mlos_set_spin(client, 1000);
  measure("region_602k", client, &request, count, mlos_region_data(region), source, size);
  mlos_region_destroy(client, region);
  free(source);
}

int main(int argc, char** argv) {
  mlos_client_t* client = NULL;
  if (argc < 3) return 2;
  if (argc > 3) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((size_t)atoi(argv[3]), &set);
    sched_setaffinity(0, sizeof(set), &set);
  }
  const int count = atoi(argv[2]);
  must(mlos_connect(argv[1], &client, &error));
  measure_null(client, count);
  measure_bigin(client, count / 10 + 10);
  mlos_close(client);
  return 0;
}
