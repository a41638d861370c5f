/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "internal.h"

static void copy(char* target, size_t size, const char* text, size_t text_size) {
  if (text == NULL) text_size = 0;
  if (text_size >= size) text_size = size - 1;
  if (text_size != 0) memcpy(target, text, text_size);
  target[text_size] = '\0';
}

int fail(mlos_error_t* error, int code, const char* reason, const char* field,
         const char* message) {
  if (error == NULL) return code;
  memset(error, 0, sizeof(*error));
  error->code = code;
  copy(error->reason, sizeof(error->reason), reason, strlen(reason));
  copy(error->field, sizeof(error->field), field, strlen(field));
  copy(error->message, sizeof(error->message), message, strlen(message));
  return code;
}

int fail_errno(mlos_error_t* error, const char* what) {
  char message[512];
  snprintf(message, sizeof(message), "%s: %s", what, strerror(errno));
  return fail(error, MLOS_UNAVAILABLE, "IO_ERROR", "", message);
}

int fail_gone(mlos_client_t* client, mlos_error_t* error) {
  client->broken = true;
  return fail(error, MLOS_UNAVAILABLE, "DISCONNECTED", "", "the connection to Core is gone");
}

int decode_error(const frame_t* frame, mlos_error_t* error) {
  fields_t fields = {.data = frame->bytes + HEADER_BYTES, .size = frame->size - HEADER_BYTES};
  uint16_t code = 0;
  uint16_t sizes[3] = {0};
  uint32_t tail[2] = {0};
  get(&fields, &code, sizeof(code));
  get(&fields, sizes, sizeof(sizes));
  get(&fields, tail, sizeof(tail));
  const char* reason = get_text(&fields, sizes[0]);
  const char* field = get_text(&fields, sizes[1]);
  const char* message = get_text(&fields, sizes[2]);
  if (fields.bad || code == 0) {
    return fail(error, MLOS_INTERNAL, "PROTOCOL", "", "Core's failure cannot be read");
  }
  if (error == NULL) return code;
  memset(error, 0, sizeof(*error));
  error->code = code;
  error->retry_after_ms = tail[0];
  copy(error->reason, sizeof(error->reason), reason, sizes[0]);
  copy(error->field, sizeof(error->field), field, sizes[1]);
  copy(error->message, sizeof(error->message), message, sizes[2]);
  return code;
}
