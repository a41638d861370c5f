/* SPDX-License-Identifier: MIT */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

#define ENTRY_BYTES 24u
#define INFER_BYTES 16u
#define SEQUENCE_BYTES 8u
#define SEQUENCE_ID_MAX 128u

static int invalid(mlos_error_t* error, const char* field, const char* message) {
  return fail(error, MLOS_INVALID_ARGUMENT, "INVALID_FIELD", field, message);
}

static size_t entry_bytes(const char* name, uint32_t rank) {
  return ENTRY_BYTES + (size_t)rank * sizeof(int64_t) + align_up(strlen(name), 8);
}

static void put_entry(fields_t* fields, const char* name, uint8_t dtype, uint32_t rank,
                      const int64_t* shape, uint32_t region_id, uint64_t offset, uint64_t size) {
  const uint16_t name_bytes = (uint16_t)strlen(name);
  const uint8_t rank_byte = (uint8_t)rank;
  put(fields, &name_bytes, sizeof(name_bytes));
  put(fields, &dtype, sizeof(dtype));
  put(fields, &rank_byte, sizeof(rank_byte));
  put(fields, &region_id, sizeof(region_id));
  put(fields, &offset, sizeof(offset));
  put(fields, &size, sizeof(size));
  put(fields, shape, rank * sizeof(int64_t));
  put_text(fields, name, name_bytes);
}

/* NULL where the request stands alone: a caller that knows of no sequences has set no field. */
static const char* sequence_of(const mlos_request_t* request) {
  return (request->flags & MLOS_SEQUENCE) != 0 ? request->sequence_id : NULL;
}

/* The size of a frame, which client->parts make up: its head, then for each inline input padding
 * and bytes. */
typedef struct layout {
  size_t head_bytes;
  size_t frame_bytes;
  size_t part_count;
} layout_t;

static int check(const mlos_request_t* request, mlos_error_t* error) {
  if (request->model_id == NULL || strlen(request->model_id) > UINT16_MAX) {
    return invalid(error, "model_id", "the model's id is missing or too long");
  }
  if (request->input_count > UINT16_MAX || request->output_count > UINT16_MAX) {
    return invalid(error, "", "there are too many tensors");
  }
  if ((request->flags & MLOS_SEQUENCE) != 0 &&
      (request->sequence_id == NULL || strlen(request->sequence_id) > SEQUENCE_ID_MAX)) {
    return invalid(error, "sequence_id", "the id of the sequence is missing or too long");
  }
  for (size_t i = 0; i < request->input_count; ++i) {
    const mlos_tensor_t* input = &request->inputs[i];
    if (input->name == NULL || strlen(input->name) > UINT16_MAX || input->rank > 64) {
      return invalid(error, "inputs", "a tensor has a name and at most 64 dimensions");
    }
    if (input->region == NULL && input->data == NULL && input->size_bytes != 0) {
      return invalid(error, input->name, "the tensor has neither data nor a region");
    }
  }
  for (size_t i = 0; i < request->output_count; ++i) {
    const char* name = request->outputs[i].name;
    if (name == NULL || strlen(name) > UINT16_MAX) return invalid(error, "outputs", "no name");
  }
  return MLOS_OK;
}

/* Memory that the client keeps from one request to the next. */
static bool reserve_parts(mlos_client_t* client, size_t count) {
  if (count <= client->parts_max) return true;
  part_t* larger = realloc(client->parts, count * sizeof(part_t));
  if (larger == NULL) return false;
  client->parts = larger;
  client->parts_max = count;
  return true;
}

static int plan(mlos_client_t* client, const mlos_request_t* request, layout_t* layout,
                mlos_error_t* error) {
  static const char zeros[TENSOR_ALIGNMENT] = {0};
  const char* sequence = sequence_of(request);
  size_t end = INFER_BYTES + align_up(strlen(request->model_id), 8);
  if (sequence != NULL) end += SEQUENCE_BYTES + align_up(strlen(sequence), 8);
  for (size_t i = 0; i < request->input_count; ++i) {
    end += entry_bytes(request->inputs[i].name, request->inputs[i].rank);
  }
  for (size_t i = 0; i < request->output_count; ++i) {
    end += entry_bytes(request->outputs[i].name, 0);
  }
  layout->head_bytes = HEADER_BYTES + end;
  if (!reserve_parts(client, 1 + 2 * request->input_count)) return fail_errno(error, "cannot send");
  layout->part_count = 1;
  for (size_t i = 0; i < request->input_count; ++i) {
    const mlos_tensor_t* input = &request->inputs[i];
    if (input->region != NULL || input->size_bytes == 0) continue;
    const size_t start = align_up(end, TENSOR_ALIGNMENT);
    client->parts[layout->part_count++] = (part_t){zeros, start - end};
    client->parts[layout->part_count++] = (part_t){input->data, input->size_bytes};
    if (input->size_bytes > FRAME_BYTES_MAX - start)
      end = FRAME_BYTES_MAX;
    else
      end = start + input->size_bytes;
    if (end + HEADER_BYTES <= FRAME_BYTES_MAX) continue;
    return fail(error, MLOS_INVALID_ARGUMENT, "PAYLOAD_TOO_LARGE", input->name,
                "the inputs are larger than a frame may be; put large ones in a region");
  }
  layout->frame_bytes = HEADER_BYTES + end;
  return MLOS_OK;
}

static void put_head(fields_t* fields, const mlos_request_t* request, const layout_t* layout) {
  const uint16_t counts[4] = {(uint16_t)strlen(request->model_id), (uint16_t)request->input_count,
                              (uint16_t)request->output_count, (uint16_t)request->flags};
  size_t end = layout->head_bytes - HEADER_BYTES;
  put(fields, counts, sizeof(counts));
  put(fields, &request->timeout_us, sizeof(request->timeout_us));
  put_text(fields, request->model_id, counts[0]);
  if (sequence_of(request) != NULL) {
    const uint32_t sizes[2] = {(uint32_t)strlen(request->sequence_id), 0};
    put(fields, sizes, sizeof(sizes));
    put_text(fields, request->sequence_id, sizes[0]);
  }
  for (size_t i = 0; i < request->input_count; ++i) {
    const mlos_tensor_t* input = &request->inputs[i];
    uint64_t offset = input->offset;
    if (input->region == NULL) {
      offset = input->size_bytes == 0 ? 0 : align_up(end, TENSOR_ALIGNMENT);
      if (input->size_bytes != 0) end = offset + input->size_bytes;
    }
    put_entry(fields, input->name, (uint8_t)input->dtype, input->rank, input->shape,
              input->region == NULL ? 0 : input->region->region_id, offset, input->size_bytes);
  }
  for (size_t i = 0; i < request->output_count; ++i) {
    const mlos_output_t* output = &request->outputs[i];
    const bool placed = output->region != NULL;
    put_entry(fields, output->name, 0, 0, NULL, placed ? output->region->region_id : 0,
              placed ? output->offset : 0, placed ? output->size_bytes : 0);
  }
}

static pending_t* add_pending(mlos_client_t* client, const mlos_request_t* request) {
  const size_t count = request->output_count;
  pending_t* pending = malloc(sizeof(*pending) + count * sizeof(mlos_region_t*));
  if (pending == NULL) return NULL;
  *pending = (pending_t){
      .next = client->pending, .request_id = client->next_request_id++, .region_count = count};
  for (size_t i = 0; i < count; ++i) pending->regions[i] = request->outputs[i].region;
  client->pending = pending;
  return pending;
}

static pending_t* take_pending(mlos_client_t* client, uint64_t request_id) {
  for (pending_t** link = &client->pending; *link != NULL; link = &(*link)->next) {
    if ((*link)->request_id != request_id) continue;
    pending_t* found = *link;
    *link = found->next;
    return found;
  }
  return NULL;
}

static char* scratch(mlos_client_t* client, size_t size) {
  if (client->scratch_bytes < size) {
    char* larger = realloc(client->scratch, size);
    if (larger == NULL) return NULL;
    client->scratch = larger;
    client->scratch_bytes = size;
  }
  return client->scratch;
}

int mlos_submit(mlos_client_t* client, const mlos_request_t* request, uint64_t* request_id,
                mlos_error_t* error) {
  layout_t layout = {0};
  int code = check(request, error);
  if (code == MLOS_OK) code = plan(client, request, &layout, error);
  if (code != MLOS_OK) return code;
  char* head = scratch(client, layout.head_bytes);
  pending_t* pending = head == NULL ? NULL : add_pending(client, request);
  if (pending == NULL) return fail_errno(error, "cannot send");
  *request_id = pending->request_id;
  put_header(head, (uint32_t)layout.frame_bytes, FRAME_INFER, 0, *request_id);
  fields_t fields = {.data = head + HEADER_BYTES, .size = layout.head_bytes - HEADER_BYTES};
  put_head(&fields, request, &layout);
  client->parts[0] = (part_t){head, layout.head_bytes};
  pending->on_ring = client->ring != NULL && !client->broken &&
                     ring_fits(client->ring, layout.frame_bytes) &&
                     ring_send(client->ring, client->parts, layout.part_count);
  if (!pending->on_ring) {
    code = send_frame(client, client->parts, layout.part_count, -1, error);
  }
  if (code != MLOS_OK) free(take_pending(client, *request_id));
  return code;
}

static pending_t* find_pending(mlos_client_t* client, uint64_t request_id) {
  pending_t* pending = client->pending;
  while (pending != NULL && pending->request_id != request_id) pending = pending->next;
  return pending;
}

int mlos_cancel(mlos_client_t* client, uint64_t request_id, mlos_error_t* error) {
  char header[HEADER_BYTES];
  const part_t part = {header, sizeof(header)};
  const pending_t* pending = find_pending(client, request_id);
  put_header(header, HEADER_BYTES, FRAME_CANCEL, 0, request_id);
  /* Behind the request, which it must not overtake. */
  if (pending != NULL && pending->on_ring && ring_send(client->ring, &part, 1)) return MLOS_OK;
  return send_frame(client, &part, 1, -1, error);
}

int mlos_wait(mlos_client_t* client, uint64_t request_id, mlos_result_t** result,
              mlos_error_t* error) {
  frame_t frame = {0};
  pending_t* pending = find_pending(client, request_id);
  *result = NULL;
  if (pending == NULL) return invalid(error, "request_id", "no such request is in flight");
  int code = wait_frame(client, request_id, pending->on_ring, &frame, error);
  take_pending(client, request_id);
  if (code == MLOS_OK) code = decode_result(&frame, pending, result, error);
  free(pending);
  return code;
}

int mlos_infer(mlos_client_t* client, const mlos_request_t* request, mlos_result_t** result,
               mlos_error_t* error) {
  uint64_t request_id = 0;
  *result = NULL;
  const int code = mlos_submit(client, request, &request_id, error);
  return code != MLOS_OK ? code : mlos_wait(client, request_id, result, error);
}
