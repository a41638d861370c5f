/* SPDX-License-Identifier: MIT
 *
 * What tests/integration/ipc/test_c_client.py compiles against the installed header, as C and
 * as C++, and runs against Core: client_check SOCKET. Models: `f` is y = x in float32, `s` the same
 * for strings, `slow` takes its time, `sum` is a running sum whose total is its state. */
#include <mlos/client.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                        \
  do {                                                                          \
    if (!(condition)) {                                                         \
      fprintf(stderr, "line %d: %s\n", __LINE__, #condition);                   \
      fprintf(stderr, "%s %s: %s\n", error.reason, error.field, error.message); \
      exit(1);                                                                  \
    }                                                                           \
  } while (0)

static mlos_error_t error;

static mlos_tensor_t floats(const float* data, const int64_t* shape) {
  mlos_tensor_t tensor;
  memset(&tensor, 0, sizeof(tensor));
  tensor.name = "x";
  tensor.dtype = MLOS_FLOAT32;
  tensor.rank = 2;
  tensor.shape = shape;
  tensor.data = data;
  tensor.size_bytes = (size_t)(shape[0] * shape[1]) * sizeof(float);
  return tensor;
}

static mlos_request_t request_of(const char* model_id, const mlos_tensor_t* input) {
  mlos_request_t request;
  memset(&request, 0, sizeof(request));
  request.model_id = model_id;
  request.inputs = input;
  request.input_count = 1;
  return request;
}

static void documents(mlos_client_t* client) {
  char* json = NULL;
  CHECK(mlos_call(client, MLOS_HEALTH, NULL, &json, &error) == MLOS_OK);
  CHECK(strstr(json, "\"healthy\"") != NULL);
  mlos_free(json);
  CHECK(mlos_call(client, MLOS_GET_MODEL, "f", &json, &error) == MLOS_OK);
  CHECK(strstr(json, "\"model_id\":\"f\"") != NULL);
  mlos_free(json);
  CHECK(mlos_call(client, MLOS_GET_MODEL, "nobody", &json, &error) == MLOS_NOT_FOUND);
  CHECK(json == NULL && strcmp(error.reason, "MODEL_NOT_FOUND") == 0);
}

static void inline_tensors(mlos_client_t* client) {
  const float x[8] = {1, 2, 3, 4, 5, 6, 7, 8};
  const int64_t shape[2] = {2, 4};
  const mlos_tensor_t input = floats(x, shape);
  const mlos_request_t request = request_of("f", &input);
  mlos_result_t* result = NULL;
  mlos_tensor_t output;
  CHECK(mlos_infer(client, &request, &result, &error) == MLOS_OK);
  CHECK(mlos_result_output_count(result) == 1);
  CHECK(mlos_result_output(result, 0, &output) == MLOS_OK);
  CHECK(mlos_result_output(result, 1, &output) == MLOS_INVALID_ARGUMENT);
  CHECK(strcmp(output.name, "y") == 0 && output.dtype == MLOS_FLOAT32 && output.rank == 2);
  CHECK(output.shape[0] == 2 && output.shape[1] == 4 && output.size_bytes == sizeof(x));
  CHECK(memcmp(output.data, x, sizeof(x)) == 0);
  CHECK(mlos_result_inference_time_us(result) >= 0 && mlos_result_queue_time_us(result) >= 0);
  CHECK(*mlos_result_model_version(result) != '\0');
  mlos_result_free(result);
}

static void strings(mlos_client_t* client) {
  const char data[] = "\1\0\0\0a\0\0\0\0\3\0\0\0b\0c";
  const int64_t shape[2] = {1, 3};
  mlos_tensor_t input = floats(NULL, shape);
  mlos_request_t request = request_of("s", &input);
  mlos_result_t* result = NULL;
  mlos_tensor_t output;
  input.dtype = MLOS_STRING;
  input.data = data;
  input.size_bytes = sizeof(data) - 1;
  CHECK(mlos_infer(client, &request, &result, &error) == MLOS_OK);
  CHECK(mlos_result_output(result, 0, &output) == MLOS_OK);
  CHECK(output.dtype == MLOS_STRING && output.size_bytes == sizeof(data) - 1);
  CHECK(memcmp(output.data, data, output.size_bytes) == 0);
  mlos_result_free(result);
}

static void failures(mlos_client_t* client) {
  const float x[3] = {0, 0, 0};
  const int64_t shape[2] = {3, 1};
  mlos_tensor_t input = floats(x, shape);
  mlos_request_t request = request_of("f", &input);
  mlos_result_t* result = NULL;
  input.name = "nothing";
  CHECK(mlos_infer(client, &request, &result, &error) == MLOS_INVALID_ARGUMENT);
  CHECK(result == NULL && strcmp(error.reason, "UNKNOWN_INPUT") == 0);
  CHECK(strcmp(error.field, "nothing") == 0);
  input.size_bytes = (size_t)1 << 40;
  CHECK(mlos_infer(client, &request, &result, &error) == MLOS_INVALID_ARGUMENT);
  CHECK(strcmp(error.reason, "PAYLOAD_TOO_LARGE") == 0);
  CHECK(mlos_wait(client, 12345678, &result, &error) == MLOS_INVALID_ARGUMENT);
  CHECK(mlos_infer(client, &request, &result, NULL) == MLOS_INVALID_ARGUMENT);
}

static void regions(mlos_client_t* client) {
  enum { kCount = 1 << 20 };
  const int64_t shape[2] = {kCount / 4, 4};
  mlos_region_t* in = NULL;
  mlos_region_t* out = NULL;
  mlos_result_t* result = NULL;
  mlos_tensor_t output;
  CHECK(mlos_region_create(client, 2 * kCount * sizeof(float), MLOS_INPUT_REGION, &in, &error) ==
        0);
  CHECK(mlos_region_create(client, kCount * sizeof(float), MLOS_OUTPUT_REGION, &out, &error) == 0);
  CHECK(mlos_region_in_place(in) == 0 && mlos_region_size(out) == kCount * sizeof(float));
  float* data = (float*)mlos_region_data(in) + 16;
  for (int i = 0; i < kCount; ++i) data[i] = (float)i;
  mlos_tensor_t input = floats(NULL, shape);
  input.region = in;
  input.offset = 64;
  mlos_output_t wanted;
  memset(&wanted, 0, sizeof(wanted));
  wanted.name = "y";
  wanted.region = out;
  wanted.size_bytes = kCount * sizeof(float);
  mlos_request_t request = request_of("f", &input);
  request.outputs = &wanted;
  request.output_count = 1;
  CHECK(mlos_infer(client, &request, &result, &error) == MLOS_OK);
  CHECK(mlos_result_output(result, 0, &output) == MLOS_OK);
  CHECK(output.region == out && output.data == mlos_region_data(out));
  CHECK(memcmp(mlos_region_data(out), data, kCount * sizeof(float)) == 0);
  mlos_result_free(result);
  wanted.size_bytes = 64;
  CHECK(mlos_infer(client, &request, &result, &error) == MLOS_INVALID_ARGUMENT);
  CHECK(strcmp(error.reason, "PAYLOAD_TOO_LARGE") == 0 && strcmp(error.field, "y") == 0);
  mlos_region_destroy(client, in);
  mlos_region_destroy(client, out);
}

static void sequence(mlos_client_t* client) {
  const int64_t shape[1] = {1};
  const float one = 1;
  mlos_tensor_t input = floats(&one, shape);
  mlos_request_t request;
  mlos_result_t* result = NULL;
  mlos_tensor_t output;
  input.rank = 1;
  input.size_bytes = sizeof(one);
  request = request_of("sum", &input);
  request.sequence_id = "call 7";
  for (int i = 1; i <= 3; ++i) {
    request.flags = MLOS_SEQUENCE;
    if (i == 1) request.flags |= MLOS_SEQUENCE_START;
    if (i == 3) request.flags |= MLOS_SEQUENCE_END;
    CHECK(mlos_infer(client, &request, &result, &error) == MLOS_OK);
    CHECK(mlos_result_output_count(result) == 1);
    CHECK(mlos_result_output(result, 0, &output) == MLOS_OK);
    CHECK(*(const float*)output.data == (float)i);
    mlos_result_free(result);
  }
  CHECK(mlos_infer(client, &request, &result, &error) == MLOS_INVALID_ARGUMENT);
  CHECK(strcmp(error.field, "sequence_start") == 0);
  request.sequence_id = NULL;
  CHECK(mlos_infer(client, &request, &result, &error) == MLOS_INVALID_ARGUMENT);
  CHECK(strcmp(error.field, "sequence_id") == 0);
}

static void in_flight(mlos_client_t* client) {
  enum { kRequests = 20 };
  const int64_t shape[2] = {1, 1};
  const float one = 1;
  uint64_t slow_id[8];
  uint64_t ids[kRequests];
  mlos_result_t* result = NULL;
  mlos_tensor_t output;
  mlos_tensor_t slow_input = floats(&one, shape);
  slow_input.rank = 1;
  mlos_request_t slow = request_of("slow", &slow_input);
  for (int i = 0; i < 8; ++i) CHECK(mlos_submit(client, &slow, &slow_id[i], &error) == MLOS_OK);
  CHECK(mlos_cancel(client, slow_id[7], &error) == MLOS_OK);
  for (int i = 0; i < kRequests; ++i) {
    const float value = (float)i;
    const mlos_tensor_t input = floats(&value, shape);
    const mlos_request_t request = request_of("f", &input);
    CHECK(mlos_submit(client, &request, &ids[i], &error) == MLOS_OK);
  }
  for (int i = kRequests - 1; i >= 0; --i) {
    CHECK(mlos_wait(client, ids[i], &result, &error) == MLOS_OK);
    CHECK(mlos_result_output(result, 0, &output) == MLOS_OK);
    CHECK(*(const float*)output.data == (float)i);
    mlos_result_free(result);
  }
  for (int i = 0; i < 7; ++i) {
    CHECK(mlos_wait(client, slow_id[i], &result, &error) == MLOS_OK);
    mlos_result_free(result);
  }
  CHECK(mlos_wait(client, slow_id[7], &result, &error) == MLOS_CANCELLED);
  slow.timeout_us = 1000;
  CHECK(mlos_infer(client, &slow, &result, &error) == MLOS_DEADLINE_EXCEEDED);
}

/* More answers than Core keeps for a client that does not read, before one is waited for. */
static void many_in_flight(mlos_client_t* client) {
  enum { kRequests = 100, kCount = 25000 };
  static float x[kCount];
  const int64_t shape[2] = {kCount, 1};
  uint64_t ids[kRequests];
  mlos_result_t* result = NULL;
  mlos_tensor_t output;
  for (int i = 0; i < kRequests; ++i) {
    x[0] = (float)i;
    const mlos_tensor_t input = floats(x, shape);
    const mlos_request_t request = request_of("f", &input);
    CHECK(mlos_submit(client, &request, &ids[i], &error) == MLOS_OK);
  }
  for (int i = 0; i < kRequests; ++i) {
    CHECK(mlos_wait(client, ids[i], &result, &error) == MLOS_OK);
    CHECK(mlos_result_output(result, 0, &output) == MLOS_OK);
    CHECK(output.size_bytes == sizeof(x) && *(const float*)output.data == (float)i);
    mlos_result_free(result);
  }
}

int main(int argc, char** argv) {
  mlos_client_t* client = NULL;
  if (argc != 2) return 2;
  CHECK(mlos_connect("/nowhere/at/all", &client, &error) == MLOS_UNAVAILABLE && client == NULL);
  CHECK(mlos_connect(argv[1], &client, &error) == MLOS_OK);
  /* The same over the socket, then through a ring, sleeping and polling. */
  for (int round = 0; round < 3; ++round) {
    documents(client);
    inline_tensors(client);
    strings(client);
    failures(client);
    regions(client);
    sequence(client);
    in_flight(client);
    many_in_flight(client);
    if (round == 0) CHECK(mlos_attach_ring(client, 16, 4096, &error) == MLOS_OK);
    if (round == 1) mlos_set_spin(client, 200);
  }
  CHECK(mlos_attach_ring(client, 16, 4096, &error) == MLOS_ALREADY_EXISTS);
  mlos_close(client);
  puts("all is well");
  return 0;
}
