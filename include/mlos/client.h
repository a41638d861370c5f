/* SPDX-License-Identifier: MIT
 *
 * libmlos: a client of MLOS Core over its Unix socket (docs/IPC-PROTOCOL.md). C11 and C++.
 *
 *   mlos_error_t error;
 *   mlos_client_t *client;
 *   if (mlos_connect(NULL, &client, &error) != MLOS_OK) { puts(error.message); return 1; }
 *   const int64_t shape[2] = {1, 4};
 *   const float x[4] = {1, 2, 3, 4};
 *   mlos_tensor_t input = {.name = "x", .dtype = MLOS_FLOAT32, .rank = 2, .shape = shape,
 *                          .data = x, .size_bytes = sizeof(x)};
 *   mlos_request_t request = {.model_id = "demo", .inputs = &input, .input_count = 1};
 *   mlos_result_t *result;
 *   if (mlos_infer(client, &request, &result, &error) == MLOS_OK) {
 *     mlos_tensor_t output;
 *     mlos_result_output(result, 0, &output);    // output.data, output.shape, ...
 *     mlos_result_free(result);
 *   }
 *   mlos_close(client);
 *
 * Every function that can fail returns MLOS_OK or the code of the failure, and fills `error` if it
 * is not NULL. A client and everything made with it may be used by one thread at a time; clients
 * are independent of each other.
 */
#ifndef MLOS_CLIENT_H_
#define MLOS_CLIENT_H_

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define MLOS_API __attribute__((visibility("default")))
#else
#define MLOS_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* The 17 gRPC codes. */
#define MLOS_OK 0
#define MLOS_CANCELLED 1
#define MLOS_UNKNOWN 2
#define MLOS_INVALID_ARGUMENT 3
#define MLOS_DEADLINE_EXCEEDED 4
#define MLOS_NOT_FOUND 5
#define MLOS_ALREADY_EXISTS 6
#define MLOS_PERMISSION_DENIED 7
#define MLOS_RESOURCE_EXHAUSTED 8
#define MLOS_FAILED_PRECONDITION 9
#define MLOS_ABORTED 10
#define MLOS_OUT_OF_RANGE 11
#define MLOS_UNIMPLEMENTED 12
#define MLOS_INTERNAL 13
#define MLOS_UNAVAILABLE 14 /* also: the connection is gone, reason "DISCONNECTED" */
#define MLOS_DATA_LOSS 15
#define MLOS_UNAUTHENTICATED 16

/* A failure. Texts end with NUL; longer ones are cut. */
typedef struct mlos_error {
  int32_t code;            /* MLOS_... */
  uint32_t retry_after_ms; /* 0: the same request would fail again */
  char reason[48];         /* stable and finer than the code: "SHAPE_MISMATCH" */
  char field[256];         /* the part of the request at fault, or "" */
  char message[1024];
} mlos_error_t;

/* Element types, numbered as in ONNX. A bool is one byte, 0 or 1; float16 and bfloat16 are bits. */
typedef enum mlos_dtype {
  MLOS_FLOAT32 = 1,
  MLOS_UINT8 = 2,
  MLOS_INT8 = 3,
  MLOS_UINT16 = 4,
  MLOS_INT16 = 5,
  MLOS_INT32 = 6,
  MLOS_INT64 = 7,
  MLOS_STRING = 8, /* for each element its length in 4 bytes, then its bytes */
  MLOS_BOOL = 9,
  MLOS_FLOAT16 = 10,
  MLOS_FLOAT64 = 11,
  MLOS_UINT32 = 12,
  MLOS_UINT64 = 13,
  MLOS_BFLOAT16 = 16
} mlos_dtype_t;

/* The operations of mlos_call: those of the HTTP API, with the same JSON. */
typedef enum mlos_operation {
  MLOS_HEALTH = 0x02,
  MLOS_READINESS = 0x03,
  MLOS_REGISTER_MODEL = 0x10, /* argument: the JSON of POST /models/register */
  MLOS_LIST_MODELS = 0x11,
  MLOS_GET_MODEL = 0x12, /* argument of this and the next three: the model's id */
  MLOS_LOAD_MODEL = 0x13,
  MLOS_UNLOAD_MODEL = 0x14,
  MLOS_REMOVE_MODEL = 0x15,
  MLOS_REGISTER_PLUGIN = 0x18, /* argument: the JSON of POST /plugins/register */
  MLOS_LIST_PLUGINS = 0x19,
  MLOS_GET_PLUGIN = 0x1A, /* argument of this and the next: the plugin's id */
  MLOS_REMOVE_PLUGIN = 0x1B
} mlos_operation_t;

typedef struct mlos_client mlos_client_t;
typedef struct mlos_region mlos_region_t;
typedef struct mlos_result mlos_result_t;

/* Connects to `path`. NULL stands for the first place at which a trusted Core listens:
 * $XDG_RUNTIME_DIR/mlos.sock, /run/mlos/mlos.sock, mlos.sock in the default state folder of this
 * user, /tmp/mlos.sock. Core must run as this user, as root, or as the user whom the environment
 * variable MLOS_SERVER_USER names, by name or number: the kernel says who serves, and anyone else
 * is MLOS_PERMISSION_DENIED, reason "UNTRUSTED_SERVER". MLOS_UNAVAILABLE if no Core listens.
 * Core ends connections that are idle for long, or if it needs their places: the next call fails
 * with reason "REQUEST_TIMEOUT", and Core has taken nothing of it. Connect again then, and make
 * regions and the ring anew.
 * OWNERSHIP: *client is the caller's, to be given to mlos_close. */
MLOS_API int mlos_connect(const char* path, mlos_client_t** client, mlos_error_t* error);
/* The same; `server_user` stands in for MLOS_SERVER_USER. With "", nobody is trusted but this user
 * and root; with NULL, it is mlos_connect. MLOS_INVALID_ARGUMENT if there is no such user. */
MLOS_API int mlos_connect_trusting(const char* path, const char* server_user,
                                   mlos_client_t** client, mlos_error_t* error);
/* Ends the connection and cancels requests in flight. Regions and results stay valid until they are
 * destroyed. NULL is allowed. */
MLOS_API void mlos_close(mlos_client_t* client);

/* Sets how mlos_wait waits: it polls for at most `spin_us` before it sleeps; -1 polls without end.
 * The default is 0 on the socket and 100 on a ring. */
MLOS_API void mlos_set_spin(mlos_client_t* client, int64_t spin_us);

/* Runs one of the operations. `argument` may be NULL if there is none.
 * OWNERSHIP: *json ends with NUL and is the caller's, to be given to mlos_free; NULL on failure. */
MLOS_API int mlos_call(mlos_client_t* client, mlos_operation_t operation, const char* argument,
                       char** json, mlos_error_t* error);
MLOS_API void mlos_free(void* memory);

/* A tensor to send, or a received one. Dense, row-major, little-endian. */
typedef struct mlos_tensor {
  const char* name;
  mlos_dtype_t dtype;
  uint32_t rank;
  const int64_t* shape; /* `rank` sizes */
  const void* data;     /* read while it is sent; NULL if it lies in `region` */
  size_t size_bytes;
  mlos_region_t* region; /* an input region, or NULL */
  size_t offset;         /* in the region; a multiple of 64 */
} mlos_tensor_t;

/* A wanted output, and the place where Core writes it. */
typedef struct mlos_output {
  const char* name;
  mlos_region_t* region; /* an output region, or NULL: into the answer */
  size_t offset;         /* a multiple of 64 */
  size_t size_bytes;     /* room for it */
} mlos_output_t;

#define MLOS_FIT 1u /* fit shapes to the model's, as over HTTP; otherwise they are exact */
/* The request belongs to the sequence `sequence_id`. Core keeps the model's state between its first
 * request (MLOS_SEQUENCE_START) and its last (MLOS_SEQUENCE_END): inputs may leave the state out,
 * and outputs leave it out unless they name it. */
#define MLOS_SEQUENCE 2u
#define MLOS_SEQUENCE_START 4u
#define MLOS_SEQUENCE_END 8u

typedef struct mlos_request {
  const char* model_id;
  const mlos_tensor_t* inputs;
  size_t input_count;
  const mlos_output_t* outputs; /* in this order; with a count of 0, all of them */
  size_t output_count;
  uint64_t timeout_us; /* Core gives up after this; 0: its own limit */
  uint32_t flags;
  const char* sequence_id; /* 1 to 128 bytes; read with MLOS_SEQUENCE only */
} mlos_request_t;

/* Starts to run a model; several requests may be in flight. Borrows its arguments until it returns,
 * and regions until the answer has come: do not change their contents meanwhile. */
MLOS_API int mlos_submit(mlos_client_t* client, const mlos_request_t* request, uint64_t* request_id,
                         mlos_error_t* error);
/* Waits for the answer of one request, once. Keeps other answers that come.
 * OWNERSHIP: *result is the caller's, to be given to mlos_result_free; NULL on failure. */
MLOS_API int mlos_wait(mlos_client_t* client, uint64_t request_id, mlos_result_t** result,
                       mlos_error_t* error);
/* mlos_submit and mlos_wait in one call. */
MLOS_API int mlos_infer(mlos_client_t* client, const mlos_request_t* request,
                        mlos_result_t** result, mlos_error_t* error);
/* Cancels a request: mlos_wait then returns MLOS_CANCELLED, unless the answer was quicker. The
 * request still has to be waited for. */
MLOS_API int mlos_cancel(mlos_client_t* client, uint64_t request_id, mlos_error_t* error);

MLOS_API size_t mlos_result_output_count(const mlos_result_t* result);
/* OWNERSHIP: the memory behind *tensor belongs to the result, or to its region.
 * MLOS_INVALID_ARGUMENT for an index beyond the count. */
MLOS_API int mlos_result_output(const mlos_result_t* result, size_t index, mlos_tensor_t* tensor);
MLOS_API const char* mlos_result_model_version(const mlos_result_t* result);
MLOS_API int64_t mlos_result_queue_time_us(const mlos_result_t* result);
MLOS_API int64_t mlos_result_inference_time_us(const mlos_result_t* result);
MLOS_API void mlos_result_free(mlos_result_t* result);

typedef enum mlos_access {
  MLOS_INPUT_REGION = 1, /* Core reads inputs from it */
  MLOS_OUTPUT_REGION = 2 /* Core writes outputs into it */
} mlos_access_t;

/* Memory that is shared with Core, a sealed memfd: tensors in it are not copied over the socket.
 * OWNERSHIP: *region is the caller's, to be given to mlos_region_destroy before mlos_close or
 * after; no request that uses it may be in flight by then. */
MLOS_API int mlos_region_create(mlos_client_t* client, size_t size_bytes, mlos_access_t access,
                                mlos_region_t** region, mlos_error_t* error);
MLOS_API void* mlos_region_data(mlos_region_t* region);
MLOS_API size_t mlos_region_size(const mlos_region_t* region);
/* 1 if nobody can change the memory any more, so that Core uses numbers in place for every model; 0
 * if it does so only for models that wrong numbers cannot lead astray, and copies them for others.
 */
MLOS_API int mlos_region_in_place(const mlos_region_t* region);
/* Gives the memory back, also in Core unless the client is closed. NULL is allowed. */
MLOS_API void mlos_region_destroy(mlos_client_t* client, mlos_region_t* region);

/* Adds a ring in shared memory: requests that fit a slot go through it from now on, others through
 * the socket. `slots` is a power of two up to 1024, `slot_bytes` a multiple of 64 from
 * 1024 to 1 MiB; answers must fit a slot too, or go to output regions. */
MLOS_API int mlos_attach_ring(mlos_client_t* client, uint32_t slots, uint32_t slot_bytes,
                              mlos_error_t* error);

#ifdef __cplusplus
}
#endif

#endif /* MLOS_CLIENT_H_ */
