/* SPDX-License-Identifier: MIT */
#include <limits.h>
#include <linux/futex.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "internal.h"
#include "memfd.h"

/* Where the words lie; see docs/IPC-PROTOCOL.md. */
enum {
  REQUEST_TAIL = 0,
  REQUEST_BELL = 128,
  REQUEST_SLEEPS = 192,
  REPLY_TAIL = 256,
  REPLY_HEAD = 320,
  REPLY_BELL = 384,
  REPLY_SLEEPS = 448,
  REQUEST_HEAD = 64,
  SLOTS = 4096
};

struct ring {
  char* data;
  size_t size_bytes;
  uint32_t slots;
  uint32_t slot_bytes;
  uint32_t request_tail;
  uint32_t reply_head;
};

static uint32_t* word(const ring_t* ring, size_t offset) {
  return (uint32_t*)(void*)(ring->data + offset);
}

int ring_make(uint32_t slots, uint32_t slot_bytes, ring_t** made, int* fd, mlos_error_t* error) {
  ring_t* ring = calloc(1, sizeof(*ring));
  if (ring == NULL) return fail_errno(error, "cannot make a ring");
  ring->slots = slots;
  ring->slot_bytes = slot_bytes;
  ring->size_bytes = SLOTS + 2 * (size_t)slots * slot_bytes;
  const int code = make_memfd(ring->size_bytes, fd, &ring->data, error);
  if (code != MLOS_OK) {
    free(ring);
    return code;
  }
  *made = ring;
  return MLOS_OK;
}

void ring_free(ring_t* ring) {
  if (ring == NULL) return;
  munmap(ring->data, ring->size_bytes);
  free(ring);
}

bool ring_fits(const ring_t* ring, size_t frame_bytes) { return frame_bytes <= ring->slot_bytes; }

bool ring_send(ring_t* ring, const part_t* parts, size_t count) {
  const uint32_t head = __atomic_load_n(word(ring, REQUEST_HEAD), __ATOMIC_ACQUIRE);
  if (ring->request_tail - head >= ring->slots) return false;
  const size_t slot = ring->request_tail & (ring->slots - 1);
  char* out = ring->data + SLOTS + slot * ring->slot_bytes;
  for (size_t i = 0; i < count; ++i) {
    if (parts[i].size != 0) memcpy(out, parts[i].data, parts[i].size);
    out += parts[i].size;
  }
  ++ring->request_tail;
  /* Sequentially consistent: Core sets `sleeps` and then looks at the tail. */
  __atomic_store_n(word(ring, REQUEST_TAIL), ring->request_tail, __ATOMIC_SEQ_CST);
  if (__atomic_load_n(word(ring, REQUEST_SLEEPS), __ATOMIC_SEQ_CST) != 0) {
    __atomic_fetch_add(word(ring, REQUEST_BELL), 1, __ATOMIC_SEQ_CST);
    syscall(SYS_futex, word(ring, REQUEST_BELL), FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
  }
  return true;
}

static bool has_reply(const ring_t* ring) {
  return __atomic_load_n(word(ring, REPLY_TAIL), __ATOMIC_SEQ_CST) != ring->reply_head;
}

int ring_receive(ring_t* ring, frame_t* frame) {
  if (!has_reply(ring)) return 0;
  const size_t slot = ring->slots + (ring->reply_head & (ring->slots - 1));
  const char* data = ring->data + SLOTS + slot * ring->slot_bytes;
  memcpy(&frame->size, data, sizeof(frame->size));
  if (frame->size < HEADER_BYTES || frame->size > ring->slot_bytes) return -1;
  frame->bytes = malloc(frame->size + 1);
  if (frame->bytes == NULL) return -1;
  memcpy(frame->bytes, data, frame->size);
  frame->type = (uint8_t)frame->bytes[4];
  memcpy(&frame->request_id, frame->bytes + 8, sizeof(frame->request_id));
  ++ring->reply_head;
  __atomic_store_n(word(ring, REPLY_HEAD), ring->reply_head, __ATOMIC_RELEASE);
  return 1;
}

void ring_sleep(ring_t* ring) {
  const struct timespec timeout = {.tv_nsec = 100000000};
  const uint32_t seen = __atomic_load_n(word(ring, REPLY_BELL), __ATOMIC_SEQ_CST);
  __atomic_store_n(word(ring, REPLY_SLEEPS), 1, __ATOMIC_SEQ_CST);
  if (!has_reply(ring)) {
    syscall(SYS_futex, word(ring, REPLY_BELL), FUTEX_WAIT, seen, &timeout, NULL, 0);
  }
  __atomic_store_n(word(ring, REPLY_SLEEPS), 0, __ATOMIC_SEQ_CST);
}
