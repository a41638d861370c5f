/* SPDX-License-Identifier: MIT
 * What the files of libmlos share. Numbers are those of docs/IPC-PROTOCOL.md. */
#ifndef MLOS_SDK_C_INTERNAL_H_
#define MLOS_SDK_C_INTERNAL_H_

#include <stdbool.h>
#include <string.h>

#include "mlos/client.h"

#define HEADER_BYTES 16u
#define FRAME_BYTES_MAX (16u << 20)
#define TENSOR_ALIGNMENT 64u
#define INPUT_BYTES 4096u
#define USER_ENTRY_BYTES_MAX 16384u /* of getpwnam_r and the like */
#define PROTOCOL_MAGIC 0x534F4C4Du
#define PROTOCOL_VERSION 1u

enum frame_type {
  FRAME_HELLO = 0x01,
  FRAME_MAP_REGION = 0x30,
  FRAME_UNMAP_REGION = 0x31,
  FRAME_ATTACH_RING = 0x32,
  FRAME_INFER = 0x40,
  FRAME_CANCEL = 0x41,
  FRAME_HELLO_OK = 0x81,
  FRAME_DOCUMENT = 0x82,
  FRAME_REGION = 0x83,
  FRAME_RING = 0x84,
  FRAME_RESULT = 0x85,
  FRAME_ERROR = 0xFF
};

/* A frame that came; its bytes are malloc'd, header included. */
typedef struct frame {
  uint64_t request_id;
  uint8_t type;
  char* bytes;
  uint32_t size;
  struct frame* next;
} frame_t;

/* What is known of a request in flight. */
typedef struct pending {
  struct pending* next;
  uint64_t request_id;
  bool on_ring;
  /* Regions its outputs go to, so that the result can point into them. */
  size_t region_count;
  mlos_region_t* regions[];
} pending_t;

/* Bytes of a frame that lie somewhere of their own. */
typedef struct part {
  const void* data;
  size_t size;
} part_t;

typedef struct ring ring_t;

struct mlos_region {
  uint32_t region_id;
  bool in_place;
  char* data;
  size_t size_bytes;
};

struct mlos_client {
  int fd;
  bool broken;
  uint64_t next_request_id;
  uint64_t asked_id; /* of `ask`, while it lasts; else 0 */
  uint32_t next_region_id;
  int64_t spin_us;
  pending_t* pending;
  frame_t* answers; /* that came before they were waited for */
  ring_t* ring;
  /* What came behind a frame that was read: one call takes a whole small answer. */
  char input[INPUT_BYTES];
  size_t input_begin;
  size_t input_end;
  char* scratch; /* heads of frames are written here */
  size_t scratch_bytes;
  part_t* parts; /* of the frame that is being sent */
  size_t parts_max;
};

/* Each file calls those below it only, never one above: client, region, infer; transport, result;
 * connect; places; ring; memfd; error; wire. */

/* connect.c: connects to a Core that runs as this user, root or `server_user` (NULL: what
 * MLOS_SERVER_USER says), at `path` (NULL: at the first default place). */
int connect_core(const char* path, const char* server_user, int* fd, mlos_error_t* error);

/* places.c: where Core listens by default, in the order in which it is looked for. */
enum place { PLACE_RUNTIME_FOLDER, PLACE_SYSTEM, PLACE_STATE_FOLDER, PLACE_SHARED, PLACE_COUNT };
/* False if the place does not exist for this process, or its path does not fit. */
bool default_path(enum place place, char* path, size_t size);

/* error.c: each returns `code`. */
int fail(mlos_error_t* error, int code, const char* reason, const char* field, const char* message);
int fail_errno(mlos_error_t* error, const char* what);
int fail_gone(mlos_client_t* client, mlos_error_t* error);
int decode_error(const frame_t* frame, mlos_error_t* error);

/* wire.c: fields in a buffer. */
static inline size_t align_up(size_t size, size_t alignment) {
  return (size + alignment - 1) / alignment * alignment;
}
typedef struct fields {
  char* data;
  size_t size;
  size_t position;
  bool bad; /* sticks: something did not fit */
} fields_t;
/* Inline, so that a field of a known size is one move. */
static inline void put(fields_t* fields, const void* value, size_t size) {
  if (fields->bad || fields->size - fields->position < size) {
    fields->bad = true;
    return;
  }
  if (size != 0) memcpy(fields->data + fields->position, value, size);
  fields->position += size;
}
static inline void get(fields_t* fields, void* value, size_t size) {
  if (fields->bad || fields->size - fields->position < size) {
    fields->bad = true;
    return;
  }
  memcpy(value, fields->data + fields->position, size);
  fields->position += size;
}
void put_text(fields_t* fields, const char* text, size_t size);
/* `size` bytes in place, and their padding skipped; NULL where they are not there. */
const char* get_text(fields_t* fields, size_t size);
void put_header(char* header, uint32_t frame_bytes, uint8_t type, uint8_t descriptors,
                uint64_t request_id);

/* transport.c */
int send_frame(mlos_client_t* client, const part_t* parts, size_t count, int fd,
               mlos_error_t* error);
/* Waits for a frame of `request_id` on the socket or the ring. */
int wait_frame(mlos_client_t* client, uint64_t request_id, bool on_ring, frame_t* frame,
               mlos_error_t* error);
/* Sends a small request and waits for its answer, which must be of type `answer`. */
int ask(mlos_client_t* client, uint8_t type, const void* body, size_t size, int fd, uint8_t answer,
        frame_t* frame, mlos_error_t* error);
int64_t now_us(void);
void pause_cpu(void);

/* result.c: takes the frame over, whatever comes of it. */
int decode_result(frame_t* frame, const pending_t* pending, mlos_result_t** result,
                  mlos_error_t* error);

/* ring.c: shared memory, which Core must be told of. */
int ring_make(uint32_t slots, uint32_t slot_bytes, ring_t** made, int* fd, mlos_error_t* error);
bool ring_fits(const ring_t* ring, size_t frame_bytes);
/* False where all slots are taken. */
bool ring_send(ring_t* ring, const part_t* parts, size_t count);
/* Copies the next answer; 0 none, 1 one, -1 the ring makes no sense or there is no memory. */
int ring_receive(ring_t* ring, frame_t* frame);
/* Sleeps until Core has answered, or a tenth of a second. */
void ring_sleep(ring_t* ring);
void ring_free(ring_t* ring);

#endif /* MLOS_SDK_C_INTERNAL_H_ */
