/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "internal.h"

/* In one block with its outputs, and behind them the texts, each ended with NUL: the model's
 * version and the names of the outputs. */
struct mlos_result {
  char* bytes; /* of the frame, which shapes and inline tensors point into */
  const char* model_version;
  int64_t queue_time_us;
  int64_t inference_time_us;
  size_t output_count;
  mlos_tensor_t outputs[];
};

static mlos_region_t* find_region(const pending_t* pending, uint32_t region_id) {
  for (size_t i = 0; i < pending->region_count; ++i) {
    mlos_region_t* region = pending->regions[i];
    if (region != NULL && region->region_id == region_id) return region;
  }
  return NULL;
}

/* What an answer says before its outputs, and of each of them. */
typedef struct head {
  uint16_t version_bytes;
  uint16_t output_count;
  int64_t times_us[2];
  const char* version;
} head_t;

typedef struct entry {
  uint16_t name_bytes;
  uint8_t dtype;
  uint8_t rank;
  uint32_t region_id;
  uint64_t offset;
  uint64_t size_bytes;
  const int64_t* shape;
  const char* name;
} entry_t;

static head_t read_head(fields_t* fields) {
  head_t head = {0};
  uint32_t reserved = 0;
  get(fields, &head.version_bytes, sizeof(head.version_bytes));
  get(fields, &head.output_count, sizeof(head.output_count));
  get(fields, &reserved, sizeof(reserved));
  get(fields, head.times_us, sizeof(head.times_us));
  head.version = get_text(fields, head.version_bytes);
  return head;
}

static entry_t read_entry(fields_t* fields) {
  entry_t entry = {0};
  get(fields, &entry.name_bytes, sizeof(entry.name_bytes));
  get(fields, &entry.dtype, sizeof(entry.dtype));
  get(fields, &entry.rank, sizeof(entry.rank));
  get(fields, &entry.region_id, sizeof(entry.region_id));
  get(fields, &entry.offset, sizeof(entry.offset));
  get(fields, &entry.size_bytes, sizeof(entry.size_bytes));
  /* 8-byte aligned in the frame, as all its fields are. */
  entry.shape = (const int64_t*)(const void*)get_text(fields, entry.rank * sizeof(int64_t));
  entry.name = get_text(fields, entry.name_bytes);
  return entry;
}

/* Room for the texts of an answer whose entries come next. */
static size_t texts_bytes(const head_t* head, fields_t fields) {
  size_t bytes = head->version_bytes + (size_t)1;
  for (size_t i = 0; i < head->output_count && !fields.bad; ++i) {
    bytes += read_entry(&fields).name_bytes + (size_t)1;
  }
  return bytes;
}

/* A text with a NUL behind it; returns where the next one goes. */
static char* copy_text(char* target, const char* text, size_t size) {
  memcpy(target, text, size);
  target[size] = '\0';
  return target + size + 1;
}

/* Where the bytes of an output are, in the frame or its region; NULL where Core names neither. */
static const char* locate(const fields_t* fields, const entry_t* entry,
                          const mlos_region_t* region) {
  if (entry->region_id != 0 && region == NULL) return NULL;
  const char* base = region != NULL ? region->data : fields->data;
  const size_t limit = region != NULL ? region->size_bytes : fields->size;
  const bool within = entry->offset <= limit && entry->size_bytes <= limit - entry->offset;
  return within ? base + entry->offset : NULL;
}

/* Fills in an output, whose name goes to `texts`; returns where the next text goes. */
static char* read_output(fields_t* fields, const pending_t* pending, mlos_tensor_t* output,
                         char* texts) {
  const entry_t entry = read_entry(fields);
  if (fields->bad) return texts;
  mlos_region_t* region = entry.region_id == 0 ? NULL : find_region(pending, entry.region_id);
  *output = (mlos_tensor_t){.name = texts,
                            .dtype = (mlos_dtype_t)entry.dtype,
                            .rank = entry.rank,
                            .shape = entry.shape,
                            .data = locate(fields, &entry, region),
                            .size_bytes = (size_t)entry.size_bytes,
                            .region = region,
                            .offset = region == NULL ? 0 : (size_t)entry.offset};
  if (output->data == NULL) fields->bad = true;
  return copy_text(texts, entry.name, entry.name_bytes);
}

/* NULL where the answer makes no sense, or there is no memory. */
static mlos_result_t* read_result(fields_t* fields, const pending_t* pending) {
  const head_t head = read_head(fields);
  if (fields->bad) return NULL;
  const size_t size = sizeof(mlos_result_t) + head.output_count * sizeof(mlos_tensor_t);
  mlos_result_t* result = malloc(size + texts_bytes(&head, *fields));
  if (result == NULL) return NULL;
  char* texts = (char*)result + size;
  *result = (mlos_result_t){.model_version = texts,
                            .queue_time_us = head.times_us[0],
                            .inference_time_us = head.times_us[1],
                            .output_count = head.output_count};
  texts = copy_text(texts, head.version, head.version_bytes);
  for (size_t i = 0; i < head.output_count && !fields->bad; ++i) {
    texts = read_output(fields, pending, &result->outputs[i], texts);
  }
  if (!fields->bad) return result;
  free(result);
  return NULL;
}

int decode_result(frame_t* frame, const pending_t* pending, mlos_result_t** result,
                  mlos_error_t* error) {
  if (frame->type == FRAME_ERROR) {
    const int code = decode_error(frame, error);
    free(frame->bytes);
    return code;
  }
  fields_t fields = {.data = frame->bytes + HEADER_BYTES, .size = frame->size - HEADER_BYTES};
  *result = frame->type == FRAME_RESULT ? read_result(&fields, pending) : NULL;
  if (*result != NULL) {
    (*result)->bytes = frame->bytes;
    return MLOS_OK;
  }
  free(frame->bytes);
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
  free(result);
}
