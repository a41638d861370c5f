/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "internal.h"

struct mlos_result {
  char* bytes; /* of the frame, which shapes and inline tensors point into */
  char* names; /* of all outputs, each ended with NUL */
  char* model_version;
  int64_t queue_time_us;
  int64_t inference_time_us;
  size_t output_count;
  mlos_tensor_t* outputs;
};

static mlos_region_t* find_region(const pending_t* pending, uint32_t region_id) {
  for (size_t i = 0; i < pending->region_count; ++i) {
    mlos_region_t* region = pending->regions[i];
    if (region != NULL && region->region_id == region_id) return region;
  }
  return NULL;
}

/* Where the bytes of an output are, in the frame or in its region; NULL where Core names neither.
 */
static const char* locate(fields_t* fields, const pending_t* pending, mlos_tensor_t* output,
                          uint32_t region_id, uint64_t offset, uint64_t size) {
  const char* base = fields->data;
  size_t limit = fields->size;
  if (region_id != 0) {
    output->region = find_region(pending, region_id);
    if (output->region == NULL) return NULL;
    base = output->region->data;
    limit = output->region->size_bytes;
    output->offset = (size_t)offset;
  }
  return offset <= limit && size <= limit - offset ? base + offset : NULL;
}

static char* read_output(fields_t* fields, const pending_t* pending, mlos_tensor_t* output,
                         char* names) {
  uint16_t name_bytes = 0;
  uint8_t kind[2] = {0};
  uint32_t region_id = 0;
  uint64_t place[2] = {0};
  get(fields, &name_bytes, sizeof(name_bytes));
  get(fields, kind, sizeof(kind));
  get(fields, &region_id, sizeof(region_id));
  get(fields, place, sizeof(place));
  output->dtype = (mlos_dtype_t)kind[0];
  output->rank = kind[1];
  output->size_bytes = (size_t)place[1];
  /* 8-byte aligned in the frame, as all its fields are. */
  output->shape = (const int64_t*)(const void*)get_text(fields, kind[1] * sizeof(int64_t));
  const char* name = get_text(fields, name_bytes);
  output->data =
      fields->bad ? NULL : locate(fields, pending, output, region_id, place[0], place[1]);
  if (output->data == NULL) {
    fields->bad = true;
    return names;
  }
  memcpy(names, name, name_bytes);
  names[name_bytes] = '\0';
  output->name = names;
  return names + name_bytes + 1;
}

static bool read_result(fields_t* fields, const pending_t* pending, mlos_result_t* result) {
  uint16_t counts[2] = {0};
  uint32_t reserved = 0;
  get(fields, counts, sizeof(counts));
  get(fields, &reserved, sizeof(reserved));
  get(fields, &result->queue_time_us, sizeof(int64_t));
  get(fields, &result->inference_time_us, sizeof(int64_t));
  const char* version = get_text(fields, counts[0]);
  /* Names are in the frame, so its size and a NUL for each is room enough. */
  result->names = malloc(fields->size + counts[0] + (size_t)counts[1] + 2);
  result->outputs = calloc(counts[1] + (size_t)1, sizeof(mlos_tensor_t));
  if (fields->bad || result->names == NULL || result->outputs == NULL) return false;
  result->model_version = result->names;
  memcpy(result->names, version, counts[0]);
  result->names[counts[0]] = '\0';
  char* names = result->names + counts[0] + 1;
  result->output_count = counts[1];
  for (size_t i = 0; i < counts[1] && !fields->bad; ++i) {
    names = read_output(fields, pending, &result->outputs[i], names);
  }
  return !fields->bad;
}

int decode_result(frame_t* frame, const pending_t* pending, mlos_result_t** result,
                  mlos_error_t* error) {
  if (frame->type == FRAME_ERROR) {
    const int code = decode_error(frame, error);
    free(frame->bytes);
    return code;
  }
  mlos_result_t* made = calloc(1, sizeof(*made));
  if (made == NULL) {
    free(frame->bytes);
    return fail_errno(error, "cannot take the answer");
  }
  made->bytes = frame->bytes;
  fields_t fields = {.data = frame->bytes + HEADER_BYTES, .size = frame->size - HEADER_BYTES};
  if (frame->type == FRAME_RESULT && read_result(&fields, pending, made)) {
    *result = made;
    return MLOS_OK;
  }
  mlos_result_free(made);
  return fail(error, MLOS_INTERNAL, "PROTOCOL", "", "Core's answer cannot be read");
}

size_t mlos_result_output_count(const mlos_result_t* result) { return result->output_count; }

int mlos_result_output(const mlos_result_t* result, size_t index, mlos_tensor_t* tensor) {
  if (index >= result->output_count) return MLOS_INVALID_ARGUMENT;
  *tensor = result->outputs[index];
  return MLOS_OK;
}

const char* mlos_result_model_version(const mlos_result_t* result) { return result->model_version; }
int64_t mlos_result_queue_time_us(const mlos_result_t* result) { return result->queue_time_us; }
int64_t mlos_result_inference_time_us(const mlos_result_t* result) {
  return result->inference_time_us;
}

void mlos_result_free(mlos_result_t* result) {
  if (result == NULL) return;
  free(result->bytes);
  free(result->names);
  free(result->outputs);
  free(result);
}
