/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "internal.h"

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the protocol is written as it lies"
#endif

void put_text(fields_t* fields, const char* text, size_t size) {
  static const char zeros[8] = {0};
  put(fields, text, size);
  put(fields, zeros, align_up(size, 8) - size);
}

const char* get_text(fields_t* fields, size_t size) {
  const size_t padded = align_up(size, 8);
  if (fields->bad || fields->size - fields->position < padded) {
    fields->bad = true;
    return NULL;
  }
  const char* text = fields->data + fields->position;
  fields->position += padded;
  return text;
}

void put_header(char* header, uint32_t frame_bytes, uint8_t type, uint8_t descriptors,
                uint64_t request_id) {
  memset(header, 0, HEADER_BYTES);
  memcpy(header, &frame_bytes, sizeof(frame_bytes));
  header[4] = (char)type;
  header[5] = (char)descriptors;
  memcpy(header + 8, &request_id, sizeof(request_id));
}
