/* SPDX-License-Identifier: MIT */
/* clang-format off */
/*
 * SMI, the Standard Model Interface, version 1.0.0: the contract between MLOS Core (the host) and a
 * plugin that runs models. C11 and C++20.
 *
 * A plugin is a shared object that exports one function, smi_plugin_init(). The smallest one:
 *
 *     #include <mlos/smi_spec.h>
 *
 *     static smi_status_t my_initialize(const char* config) { return SMI_SUCCESS; }
 *     static smi_status_t my_register_model(const smi_model_source_t* source,
 *                                           smi_model_t** model) {…}
 *     static smi_status_t my_inference(smi_model_t* model, const smi_request_t* request,
 *                                      smi_response_t* response) {…}
 *
 *     static smi_plugin_interface_t my_interface = {
 *       .initialize = my_initialize, .register_model = my_register_model,
 *       .inference = my_inference };
 *
 *     smi_plugin_t* smi_plugin_init(void) {
 *       static smi_plugin_t plugin = { .interface = my_interface, .plugin_id = "my-ml-plugin",
 *         .smi_version = SMI_VERSION_MAJOR << 16 | SMI_VERSION_MINOR << 8 | SMI_VERSION_PATCH };
 *       return &plugin;
 *     }
 *
 * Rules that hold everywhere
 *  - Versions. Host and plugin must have the same major version, and the host's minor version must
 *    not be below the plugin's. Within a major version nothing here is removed or moved.
 *  - Growth. Every struct that the two sides exchange starts with `struct_size`: sizeof the struct
 *    that its writer was compiled with, or 0 for its first layout. Where a function fills in a
 *    struct of its caller, the caller sets struct_size and zeroes the rest. Nobody touches a
 *    member beyond struct_size: SMI_HAS tells whether a member is there. The interface has none:
 *    it is embedded by value, so its size is fixed within major version 1, and it grows through
 *    `get_extension` and its reserved slots. Structs that travel in arrays (smi_tensor_t,
 *    smi_tensor_spec_t) keep their size too, so that an index means the same on both sides, and
 *    grow into their reserved members. smi_string_t is an element of a tensor and never grows.
 *  - Reserved members are 0.
 *  - Ownership. Every pointer has an OWNERSHIP line: who made what it points to, and until when it
 *    is valid. "call" means: until the function returns.
 *  - Strings are UTF-8 and NUL-terminated, except smi_string_t. No pointer is NULL unless its
 *    comment says "or NULL".
 *  - Threads. attach, initialize, get_plugin_info, get_extension, allocate_resources(NULL, …) are
 *    called before the first model; deallocate_resources(NULL) and cleanup after the last.
 *    get_health is never called twice at once. Calls for different models run concurrently; so do
 *    several inferences of one model, execute, the control extension and get_memory_report. The
 *    other functions of a model are called one after another, never while a request of it runs.
 *  - No exception and no longjmp may leave a function of the plugin, and no thread of the plugin
 *    may run once cleanup has returned: its code is unmapped.
 *  - Failures. A function that fails returns a status and has changed nothing; it says why in one
 *    sentence through smi_host_t.set_error. After an initialize that fails, cleanup is not called.
 *
 * The life of a model
 *  1. register_model: the host names the files, the plugin checks them. It fails, or the model is
 *     registered and steps 2 to 9 follow.
 *  2. get_model_info: what the model declares.
 *  3. load_model: it is ready to run. If it fails, step 9 follows.
 *  4. inference: a request runs on the host's thread and is answered when it returns; or
 *     execute: the plugin takes requests on and returns. They are open from here to step 8.
 *  5. respond: the plugin answers an open request, from any thread, as often as it likes. Each call
 *     returns at once and says how to go on:
 *       SMI_SUCCESS            go on.
 *       SMI_ERROR_UNAVAILABLE  taken, but the caller has more unread than it may: wait for room.
 *       SMI_ERROR_CANCELLED    nobody wants more: stop, and send the final response.
 *  6. There is room again: the host calls resume of the control extension. A plugin without it asks
 *     now and then, by a respond without outputs and flags. A plugin that goes on without room is
 *     taken from until four times the caller's credit waits. Then the caller is answered that the
 *     model is overloaded, and respond returns SMI_ERROR_CANCELLED from there on.
 *  7. Nobody waits any more, or the time is over: the host sets the word `cancelled` of the request
 *     to 1 and calls cancel of the control extension. The caller has been answered; the request
 *     stays valid, and counts as a run of the model, until step 8. What runs in inference returns
 *     SMI_ERROR_CANCELLED.
 *  8. The final response: the request is closed and all that belongs to it is dead.
 *  9. unload_model, once no request is open, and unregister_model: the model is dead. Outputs that
 *     were handed over with a release may be released later.
 */
/* clang-format on */
#ifndef MLOS_SMI_SPEC_H_
#define MLOS_SMI_SPEC_H_

#include <stddef.h>
#include <stdint.h>

#define SMI_VERSION_MAJOR 1
#define SMI_VERSION_MINOR 0
#define SMI_VERSION_PATCH 0
#define SMI_VERSION (SMI_VERSION_MAJOR << 16 | SMI_VERSION_MINOR << 8 | SMI_VERSION_PATCH)

#if defined(_WIN32)
#define SMI_EXPORT __declspec(dllexport)
#else
#define SMI_EXPORT __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Whether the writer of `*pointer`, a `type`, knew `member`. */
#define SMI_HAS(type, pointer, member) \
  ((pointer)->struct_size >= offsetof(type, member) + sizeof((pointer)->member))

/* ---- Status -------------------------------------------------------------------------------- */

typedef enum smi_status {
  SMI_SUCCESS = 0,
  SMI_ERROR_INVALID_PARAM = -1, /* the caller's fault: a request or an option is wrong */
  SMI_ERROR_OUT_OF_MEMORY = -2,
  SMI_ERROR_NOT_FOUND = -3, /* a file, input or output that is named does not exist */
  SMI_ERROR_ALREADY_EXISTS = -4,
  SMI_ERROR_RUNTIME = -5,       /* the plugin's own fault */
  SMI_ERROR_UNSUPPORTED = -6,   /* well formed, but this plugin cannot do it */
  SMI_ERROR_INVALID_MODEL = -7, /* the model's files are broken or refused */
  SMI_ERROR_CANCELLED = -8,
  SMI_ERROR_DEADLINE_EXCEEDED = -9,
  SMI_ERROR_UNAVAILABLE = -10 /* not now; the same call may succeed later */
} smi_status_t;

/* ---- Tensors ------------------------------------------------------------------------------- */

/* Element types; the numbers are ONNX's TensorProto.DataType. Others may be added. */
typedef enum smi_dtype {
  SMI_DTYPE_UNDEFINED = 0,
  SMI_DTYPE_FLOAT32 = 1,
  SMI_DTYPE_UINT8 = 2,
  SMI_DTYPE_INT8 = 3,
  SMI_DTYPE_UINT16 = 4,
  SMI_DTYPE_INT16 = 5,
  SMI_DTYPE_INT32 = 6,
  SMI_DTYPE_INT64 = 7,
  SMI_DTYPE_STRING = 8,   /* elements are smi_string_t */
  SMI_DTYPE_BOOL = 9,     /* one byte, 0 or 1 */
  SMI_DTYPE_FLOAT16 = 10, /* IEEE 754 binary16 bits */
  SMI_DTYPE_FLOAT64 = 11,
  SMI_DTYPE_UINT32 = 12,
  SMI_DTYPE_UINT64 = 13,
  SMI_DTYPE_BFLOAT16 = 16 /* upper half of a binary32 */
} smi_dtype_t;

#define SMI_RANK_MAX 64
/* In a spec: a dimension whose size the data decides. */
#define SMI_DYNAMIC_SIZE (-1)
/* In a spec: not even the number of dimensions is declared. */
#define SMI_RANK_UNKNOWN UINT32_MAX

/* One element of a string tensor. Any bytes, not NUL-terminated. */
typedef struct smi_string {
  /* Or NULL where size is 0. OWNERSHIP: whoever owns the tensor's data, as long. */
  const char* data;
  size_t size;
} smi_string_t;

/*
 * Gives the data of an output back to the plugin. Called once, from any thread; never after
 * unregister_model. OWNERSHIP: context, data: plugin; dead afterwards.
 */
typedef void (*smi_release_fn)(void* context, void* data);

/*
 * A dense, row-major tensor.
 *
 * As an input, all members are set by the host and only read by the plugin.
 *
 * As an output, the host sets name and either
 *  - preallocates, where the model declares every dimension and the elements are no strings: dtype,
 *    rank, shape, data, size_bytes and capacity_bytes are set. The plugin writes the elements and
 *    leaves the members alone. It may decline by handing over data of its own instead; or
 *  - leaves everything else 0. The plugin hands over: it sets dtype, rank, shape, data, size_bytes
 *    and, unless the data stays valid until unregister_model, release and release_context.
 */
typedef struct smi_tensor {
  size_t struct_size;
  /* OWNERSHIP: host, call. Where the host leaves the names to the plugin (see smi_response_t):
     plugin, as shape. */
  const char* name;
  smi_dtype_t dtype;
  /* 0 for a scalar; SMI_RANK_MAX at most. */
  uint32_t rank;
  /* `rank` sizes; or NULL for a scalar. OWNERSHIP: host, call. Handed over: plugin, until its next
     call for this model on the same thread; the host copies it. */
  const int64_t* shape;
  /* 64-byte aligned where the host allocated it; or NULL for an output without elements.
     OWNERSHIP: host, call. Handed over: plugin, until release or, without it, unregister_model. */
  void* data;
  /* Element count × element size. */
  size_t size_bytes;
  /* Preallocated output: what data can hold. */
  size_t capacity_bytes;
  /* Called as release(release_context, data); or NULL. */
  smi_release_fn release;
  /* Or NULL. OWNERSHIP: plugin, until release. */
  void* release_context;
  uint64_t reserved[7];
} smi_tensor_t;

/* What a model declares of one input or output. */
typedef struct smi_tensor_spec {
  size_t struct_size;
  /* OWNERSHIP: plugin, until unregister_model. */
  const char* name;
  smi_dtype_t dtype;
  /* Or SMI_RANK_UNKNOWN. */
  uint32_t rank;
  /* `rank` sizes, SMI_DYNAMIC_SIZE where the data decides; or NULL without any.
     OWNERSHIP: plugin, until unregister_model. */
  const int64_t* dims;
  /* `rank` names ("batch"), each or NULL; or NULL. OWNERSHIP: plugin, until unregister_model. */
  const char* const* dim_names;
  /* 1: an input that may be left out. */
  uint32_t optional;
  uint32_t reserved0;
  uint64_t reserved[2];
} smi_tensor_spec_t;

/* ---- Models -------------------------------------------------------------------------------- */

/* A model inside the plugin; only the plugin knows what it is. */
typedef struct smi_model smi_model_t;

/* What the host tells of a model. A plugin gets paths to files and knows nothing of packages. */
typedef struct smi_model_source {
  size_t struct_size;
  /* For logs. OWNERSHIP: host, call. */
  const char* model_id;
  /* The model's main file, or its folder where the format has no such file; checked by the host.
     OWNERSHIP: host, call. */
  const char* path;
  /* "onnx". OWNERSHIP: host, call. */
  const char* format;
  /* Identifies the bytes of all its files: equal digests are equal weights; or NULL.
     OWNERSHIP: host, call. */
  const char* digest;
  /* JSON object of the plugin's own, from whoever registered the model or from its package: at most
     64 KiB, nested 16 levels deep, no member twice; or NULL. Refuse a member that you do not know,
     with SMI_ERROR_INVALID_PARAM and an error that begins with `option "x"`. OWNERSHIP: host,
     call. */
  const char* options;
} smi_model_source_t;

/* In smi_model_info_t.flags: a run takes a time that the shapes of its inputs give, and none that
   depends on their values: no loop whose end is data, no size that is an input. The host may run
   such a model, if it is short, where it waits for nothing else. */
#define SMI_MODEL_TIME_GIVEN_BY_SHAPES 1u

typedef struct smi_model_info {
  size_t struct_size;
  /* Or NULL for none. OWNERSHIP: plugin, until unregister_model. */
  const smi_tensor_spec_t* inputs;
  size_t input_count;
  /* Or NULL for none. OWNERSHIP: plugin, until unregister_model. */
  const smi_tensor_spec_t* outputs;
  size_t output_count;
  /* Of the model; or NULL. OWNERSHIP: plugin, until unregister_model. */
  const char* version;
  /* SMI_MODEL_…, or 0. */
  uint32_t flags;
  uint32_t reserved0;
} smi_model_info_t;

/* ---- Inference ----------------------------------------------------------------------------- */

/* In sequence_flags. */
#define SMI_SEQUENCE_START 1u /* the sequence begins anew with this request */
#define SMI_SEQUENCE_END 2u   /* it is the last one */

/* OWNERSHIP where it says "call": until inference returns or, of execute, the final response. */
typedef struct smi_request {
  size_t struct_size;
  /* Each name once; or NULL for none. OWNERSHIP: host, call. */
  const smi_tensor_t* inputs;
  size_t input_count;
  /* Unique as long as the process lives. */
  uint64_t request_id;
  /* CLOCK_MONOTONIC; 0: none. The plugin may give up after it. */
  uint64_t deadline_ns;
  /* A word that the host sets from 0 to 1 when nobody waits for the answer or its time is over;
     read it atomically (relaxed is enough). Or NULL: the request will not be cancelled.
     OWNERSHIP: host, call. */
  const uint32_t* cancelled;
  /* The caller's name of the sequence that the request belongs to; or NULL: it stands alone.
     Two callers may use the same name. OWNERSHIP: host, call. */
  const char* sequence_id;
  /* SMI_SEQUENCE_…. */
  uint32_t sequence_flags;
  uint32_t reserved0;
} smi_request_t;

/*
 * Where the outputs go: one entry for each output asked for (all that are declared, by default),
 * named by the host. Where neither the model nor the caller names any, there are at least 16
 * entries without a name, and the plugin names those that it sets.
 */
typedef struct smi_response {
  size_t struct_size;
  /* Or NULL for none. OWNERSHIP: host, call. */
  smi_tensor_t* outputs;
  size_t output_count;
} smi_response_t;

/* ---- Information and resources ------------------------------------------------------------- */

typedef struct smi_plugin_info {
  size_t struct_size;
  /* Or NULL: the id is its name. OWNERSHIP: plugin, until unloaded. */
  const char* name;
  /* Or NULL: unknown. OWNERSHIP: plugin, until unloaded. */
  const char* version;
  /* What it runs ("onnx"), `format_count` names; or NULL for none.
     OWNERSHIP: plugin, until unloaded. */
  const char* const* formats;
  size_t format_count;
} smi_plugin_info_t;

typedef enum smi_health_state {
  SMI_HEALTH_OK = 0,
  SMI_HEALTH_DEGRADED = 1, /* serves, but something is wrong */
  SMI_HEALTH_FAILED = 2    /* does not serve */
} smi_health_state_t;

typedef struct smi_health {
  size_t struct_size;
  smi_health_state_t state;
  /* Or NULL. OWNERSHIP: plugin, until the next get_health. */
  const char* message;
} smi_health_t;

typedef struct smi_memory_report {
  size_t struct_size;
  /* Of the model, or of all models; what models share counts once in the plugin's report. */
  uint64_t weight_bytes;
  /* Held for running models; 0 where the plugin cannot tell. */
  uint64_t arena_bytes;
  /* 0: unlimited. */
  uint64_t arena_limit_bytes;
} smi_memory_report_t;

/* What the host grants a plugin, or one of its models. 0: no limit of the host's. */
typedef struct smi_resources {
  size_t struct_size;
  /* Threads to compute with. */
  uint32_t thread_count;
  /* Memory for running models, weights apart. */
  uint64_t memory_bytes;
} smi_resources_t;

/* ---- Host services ------------------------------------------------------------------------- */

typedef enum smi_log_level {
  SMI_LOG_DEBUG = 0,
  SMI_LOG_INFO = 1,
  SMI_LOG_WARNING = 2,
  SMI_LOG_ERROR = 3
} smi_log_level_t;

/* One request of execute(), as the host knows it. */
typedef struct smi_execution smi_execution_t;

/* No further response follows. */
#define SMI_RESPOND_FINAL 1u

/*
 * What the host does for a plugin, from attach until cleanup returns. All functions are
 * thread-safe; `host` is the first argument of each. OWNERSHIP of what the plugin passes in:
 * plugin, call.
 */
typedef struct smi_host {
  size_t struct_size;
  /* The host's SMI_VERSION. */
  uint32_t smi_version;
  /* Writes a line to the host's log, `message` as one value of it. */
  void (*log)(const struct smi_host* host, smi_log_level_t level, const char* message);
  /* Says why the current call, on this thread, fails: one sentence for the caller, without paths
     and addresses. One that begins with `input "x"` names the input at fault. */
  void (*set_error)(const struct smi_host* host, const char* message);
  /* 64-byte aligned memory that counts in the host's accounts; NULL when there is none.
     OWNERSHIP: plugin, until deallocate, which takes the same size. */
  void* (*allocate)(const struct smi_host* host, size_t size_bytes);
  void (*deallocate)(const struct smi_host* host, void* data, size_t size_bytes);
  /* Sets a gauge of the plugin; a name is 1 to 64 of [a-z0-9_], and there are 64 at most. */
  void (*set_metric)(const struct smi_host* host, const char* name, double value);
  /* Answers a request of execute(): outputs, handed over (taken before it returns; or NULL for
     none), or a failure, which takes what this thread has said through set_error. Returns at once,
     SMI_SUCCESS, SMI_ERROR_UNAVAILABLE or SMI_ERROR_CANCELLED: see "The life of a model".
     SMI_RESPOND_FINAL ends the request, exactly once: the execution is dead afterwards. Responses
     to one request are given one after another, to different ones at the same time. */
  smi_status_t (*respond)(const struct smi_host* host, smi_execution_t* execution,
                          smi_status_t status, const smi_tensor_t* outputs, size_t output_count,
                          uint32_t flags);
} smi_host_t;

/* One element of the array given to execute(). */
typedef struct smi_execute_request {
  size_t struct_size;
  /* OWNERSHIP: host, until the final response. */
  smi_execution_t* execution;
  /* OWNERSHIP: plugin, until unregister_model. */
  smi_model_t* model;
  /* And all it points to. OWNERSHIP: host, until the final response. */
  const smi_request_t* request;
  /* A number that no other sequence under way has: requests of one sequence share state in the
     plugin, and come one after another. 0: the request stands alone. */
  uint64_t sequence_id;
  /* SMI_SEQUENCE_…, as in the request. */
  uint32_t sequence_flags;
} smi_execute_request_t;

/*
 * UNSTABLE. What get_extension(SMI_CONTROL_EXTENSION) returns: how a plugin is told of requests
 * that it runs. The host calls these functions on one thread that it has for this plugin alone;
 * they should be quick, because a plugin that blocks there is told nothing more. They may call
 * respond. A call may come late or early: `request_id` is not known to the plugin then, and the
 * call means nothing. So a plugin that takes a request on looks at its `cancelled` once it would
 * notice a call.
 */
#define SMI_CONTROL_EXTENSION "smi.control.1"
typedef struct smi_control {
  size_t struct_size;
  /* (optional) `cancelled` of the request has become 1. NULL: the plugin looks at the word. */
  void (*cancel)(smi_model_t* model, uint64_t request_id);
  /* (optional) A caller that had more unread than it may has room again. May come before the
     respond that returns SMI_ERROR_UNAVAILABLE has returned. NULL: the plugin asks by respond. */
  void (*resume)(smi_model_t* model, uint64_t request_id);
} smi_control_t;

/* ---- The interface ------------------------------------------------------------------------- */

/*
 * Frozen: 24 pointers. A member marked (required) must be set: a host refuses the plugin and names
 * the one that is missing. (optional) members may be NULL, with the effect stated.
 */
typedef const struct smi_plugin_interface {
  /* -- Required band: frozen in 1.0.0 -- */

  /* (required) Starts the plugin. `config` is a JSON object, or NULL. OWNERSHIP: host, call. */
  smi_status_t (*initialize)(const char* config);
  /* (optional) Last call; every model has been unregistered. NULL: nothing to clean up. */
  smi_status_t (*cleanup)(void);
  /* (required) Takes a model on: checks its files, reads what it declares. *model, or NULL where
     the plugin has nothing to remember, comes back in every later call. OWNERSHIP: source: host,
     call; *model: plugin, until unregister_model. */
  smi_status_t (*register_model)(const smi_model_source_t* source, smi_model_t** model);
  /* (optional) Forgets a model; `model` is dead afterwards. NULL: nothing to forget. */
  smi_status_t (*unregister_model)(smi_model_t* model);
  /* (optional) Makes a registered model ready to run. NULL: it is ready once registered. */
  smi_status_t (*load_model)(smi_model_t* model);
  /* (optional) Gives a loaded model's memory back; it may be loaded again. NULL: keeps it. */
  smi_status_t (*unload_model)(smi_model_t* model);
  /* (required, unless execute is set) Runs a loaded model once, on the calling thread. On failure
     the plugin has released what it was about to hand over. OWNERSHIP: request, response: host,
     call. */
  smi_status_t (*inference)(smi_model_t* model, const smi_request_t* request,
                            smi_response_t* response);
  /* (optional) What the model declares; may be asked once it is registered. NULL: nothing is
     declared, and the host passes tensors on as callers shape them. OWNERSHIP: info: host, call. */
  smi_status_t (*get_model_info)(smi_model_t* model, smi_model_info_t* info);
  /* (optional) NULL: the plugin is known by its id and chosen only by name.
     OWNERSHIP: info: host, call. */
  smi_status_t (*get_plugin_info)(smi_plugin_info_t* info);
  /* (optional) NULL: healthy while it answers. OWNERSHIP: health: host, call. */
  smi_status_t (*get_health)(smi_health_t* health);
  /* (optional) Of one model, or of the whole plugin for NULL. NULL: unknown.
     OWNERSHIP: report: host, call. */
  smi_status_t (*get_memory_report)(smi_model_t* model, smi_memory_report_t* report);
  /* (optional) Limits for one model, before it is loaded, or, for NULL, for the whole plugin,
     before its first model. NULL: the plugin takes none. OWNERSHIP: resources: host, call. */
  smi_status_t (*allocate_resources)(smi_model_t* model, const smi_resources_t* resources);
  /* (optional) Takes the limits of allocate_resources back. NULL: nothing to take back. */
  smi_status_t (*deallocate_resources)(smi_model_t* model);

  /* -- Optional band -- */

  /* (optional) Before initialize: the host's services. NULL: the plugin needs none.
     OWNERSHIP: host: host, until cleanup has returned. */
  smi_status_t (*attach)(const smi_host_t* host);
  /* (optional) A struct of further functions by name, or NULL for a name it does not know: how the
     interface grows. OWNERSHIP: name: host, call; result: plugin, until cleanup. */
  const void* (*get_extension)(const char* name);

  /* -- Execution band -- */

  /* (optional) Takes on as many requests as are ready, of one model or several, and returns without
     waiting; each is answered through respond(), now or later, from any thread, by one response or
     a stream of them. A request that is wrong is answered with a failure; where execute itself
     fails, it has taken on none and answers none. The requests of one sequence come in order.
     OWNERSHIP: requests: host, call. */
  smi_status_t (*execute)(const smi_execute_request_t* requests, size_t request_count);

  void* reserved[8];
} smi_plugin_interface_t;

/* What smi_plugin_init() returns. */
typedef struct smi_plugin {
  size_t struct_size;
  smi_plugin_interface_t interface;
  /* [A-Za-z0-9][A-Za-z0-9._-]{0,127}. OWNERSHIP: plugin, until unloaded. */
  const char* plugin_id;
  /* SMI_VERSION of the header the plugin was compiled with. */
  uint32_t smi_version;
  /* Or NULL; the host never touches it. OWNERSHIP: plugin. */
  void* private_data;
} smi_plugin_t;

/* The one symbol a plugin exports. Called once after loading; NULL refuses to load.
   OWNERSHIP: result: plugin, until unloaded. */
SMI_EXPORT smi_plugin_t* smi_plugin_init(void);

/* ---- Frozen layout (LP64) ------------------------------------------------------------------ */

#if defined(__cplusplus)
#define SMI_STATIC_ASSERT(condition, message) static_assert(condition, message)
#else
#define SMI_STATIC_ASSERT(condition, message) _Static_assert(condition, message)
#endif
#define SMI_FROZEN(type, member, offset) \
  SMI_STATIC_ASSERT(offsetof(type, member) == (offset), #type "." #member " is frozen in SMI 1")
/* Of what has not grown; what struct_size 0 stands for. */
#define SMI_FROZEN_SIZE(type, size) \
  SMI_STATIC_ASSERT(sizeof(type) == (size), "the size of " #type " is frozen in SMI 1.0")
/* Of what has grown; struct_size 0 stands for the first size. */
#define SMI_GROWN_SIZE(type, size, first_size) \
  SMI_STATIC_ASSERT(sizeof(type) == (size) && (first_size) < (size), #type " only grows")

#if UINTPTR_MAX == 0xffffffffffffffffu
SMI_FROZEN_SIZE(smi_status_t, 4);
SMI_FROZEN_SIZE(smi_dtype_t, 4);
SMI_FROZEN_SIZE(smi_health_state_t, 4);
SMI_FROZEN_SIZE(smi_log_level_t, 4);

SMI_FROZEN(smi_string_t, data, 0);
SMI_FROZEN(smi_string_t, size, 8);
SMI_FROZEN_SIZE(smi_string_t, 16);

SMI_FROZEN(smi_tensor_t, struct_size, 0);
SMI_FROZEN(smi_tensor_t, name, 8);
SMI_FROZEN(smi_tensor_t, dtype, 16);
SMI_FROZEN(smi_tensor_t, rank, 20);
SMI_FROZEN(smi_tensor_t, shape, 24);
SMI_FROZEN(smi_tensor_t, data, 32);
SMI_FROZEN(smi_tensor_t, size_bytes, 40);
SMI_FROZEN(smi_tensor_t, capacity_bytes, 48);
SMI_FROZEN(smi_tensor_t, release, 56);
SMI_FROZEN(smi_tensor_t, release_context, 64);
SMI_FROZEN(smi_tensor_t, reserved, 72);
SMI_FROZEN_SIZE(smi_tensor_t, 128);

SMI_FROZEN(smi_tensor_spec_t, struct_size, 0);
SMI_FROZEN(smi_tensor_spec_t, name, 8);
SMI_FROZEN(smi_tensor_spec_t, dtype, 16);
SMI_FROZEN(smi_tensor_spec_t, rank, 20);
SMI_FROZEN(smi_tensor_spec_t, dims, 24);
SMI_FROZEN(smi_tensor_spec_t, dim_names, 32);
SMI_FROZEN(smi_tensor_spec_t, optional, 40);
SMI_FROZEN(smi_tensor_spec_t, reserved0, 44);
SMI_FROZEN(smi_tensor_spec_t, reserved, 48);
SMI_FROZEN_SIZE(smi_tensor_spec_t, 64);

SMI_FROZEN(smi_model_source_t, struct_size, 0);
SMI_FROZEN(smi_model_source_t, model_id, 8);
SMI_FROZEN(smi_model_source_t, path, 16);
SMI_FROZEN(smi_model_source_t, format, 24);
SMI_FROZEN(smi_model_source_t, digest, 32);
SMI_FROZEN(smi_model_source_t, options, 40);
SMI_FROZEN_SIZE(smi_model_source_t, 48);

SMI_FROZEN(smi_model_info_t, struct_size, 0);
SMI_FROZEN(smi_model_info_t, inputs, 8);
SMI_FROZEN(smi_model_info_t, input_count, 16);
SMI_FROZEN(smi_model_info_t, outputs, 24);
SMI_FROZEN(smi_model_info_t, output_count, 32);
SMI_FROZEN(smi_model_info_t, version, 40);
SMI_FROZEN(smi_model_info_t, flags, 48);
SMI_FROZEN(smi_model_info_t, reserved0, 52);
SMI_GROWN_SIZE(smi_model_info_t, 56, 48);

SMI_FROZEN(smi_request_t, struct_size, 0);
SMI_FROZEN(smi_request_t, inputs, 8);
SMI_FROZEN(smi_request_t, input_count, 16);
SMI_FROZEN(smi_request_t, request_id, 24);
SMI_FROZEN(smi_request_t, deadline_ns, 32);
SMI_FROZEN(smi_request_t, cancelled, 40);
SMI_FROZEN(smi_request_t, sequence_id, 48);
SMI_FROZEN(smi_request_t, sequence_flags, 56);
SMI_FROZEN(smi_request_t, reserved0, 60);
SMI_GROWN_SIZE(smi_request_t, 64, 40);

SMI_FROZEN(smi_response_t, struct_size, 0);
SMI_FROZEN(smi_response_t, outputs, 8);
SMI_FROZEN(smi_response_t, output_count, 16);
SMI_FROZEN_SIZE(smi_response_t, 24);

SMI_FROZEN(smi_plugin_info_t, struct_size, 0);
SMI_FROZEN(smi_plugin_info_t, name, 8);
SMI_FROZEN(smi_plugin_info_t, version, 16);
SMI_FROZEN(smi_plugin_info_t, formats, 24);
SMI_FROZEN(smi_plugin_info_t, format_count, 32);
SMI_FROZEN_SIZE(smi_plugin_info_t, 40);

SMI_FROZEN(smi_health_t, struct_size, 0);
SMI_FROZEN(smi_health_t, state, 8);
SMI_FROZEN(smi_health_t, message, 16);
SMI_FROZEN_SIZE(smi_health_t, 24);

SMI_FROZEN(smi_memory_report_t, struct_size, 0);
SMI_FROZEN(smi_memory_report_t, weight_bytes, 8);
SMI_FROZEN(smi_memory_report_t, arena_bytes, 16);
SMI_FROZEN(smi_memory_report_t, arena_limit_bytes, 24);
SMI_FROZEN_SIZE(smi_memory_report_t, 32);

SMI_FROZEN(smi_resources_t, struct_size, 0);
SMI_FROZEN(smi_resources_t, thread_count, 8);
SMI_FROZEN(smi_resources_t, memory_bytes, 16);
SMI_FROZEN_SIZE(smi_resources_t, 24);

SMI_FROZEN(smi_host_t, struct_size, 0);
SMI_FROZEN(smi_host_t, smi_version, 8);
SMI_FROZEN(smi_host_t, log, 16);
SMI_FROZEN(smi_host_t, set_error, 24);
SMI_FROZEN(smi_host_t, allocate, 32);
SMI_FROZEN(smi_host_t, deallocate, 40);
SMI_FROZEN(smi_host_t, set_metric, 48);
SMI_FROZEN(smi_host_t, respond, 56);
SMI_FROZEN_SIZE(smi_host_t, 64);

SMI_FROZEN(smi_execute_request_t, struct_size, 0);
SMI_FROZEN(smi_execute_request_t, execution, 8);
SMI_FROZEN(smi_execute_request_t, model, 16);
SMI_FROZEN(smi_execute_request_t, request, 24);
SMI_FROZEN(smi_execute_request_t, sequence_id, 32);
SMI_FROZEN(smi_execute_request_t, sequence_flags, 40);
SMI_FROZEN_SIZE(smi_execute_request_t, 48);

SMI_FROZEN(smi_control_t, struct_size, 0);
SMI_FROZEN(smi_control_t, cancel, 8);
SMI_FROZEN(smi_control_t, resume, 16);
SMI_FROZEN_SIZE(smi_control_t, 24);

SMI_FROZEN(smi_plugin_interface_t, initialize, 0);
SMI_FROZEN(smi_plugin_interface_t, cleanup, 8);
SMI_FROZEN(smi_plugin_interface_t, register_model, 16);
SMI_FROZEN(smi_plugin_interface_t, unregister_model, 24);
SMI_FROZEN(smi_plugin_interface_t, load_model, 32);
SMI_FROZEN(smi_plugin_interface_t, unload_model, 40);
SMI_FROZEN(smi_plugin_interface_t, inference, 48);
SMI_FROZEN(smi_plugin_interface_t, get_model_info, 56);
SMI_FROZEN(smi_plugin_interface_t, get_plugin_info, 64);
SMI_FROZEN(smi_plugin_interface_t, get_health, 72);
SMI_FROZEN(smi_plugin_interface_t, get_memory_report, 80);
SMI_FROZEN(smi_plugin_interface_t, allocate_resources, 88);
SMI_FROZEN(smi_plugin_interface_t, deallocate_resources, 96);
SMI_FROZEN(smi_plugin_interface_t, attach, 104);
SMI_FROZEN(smi_plugin_interface_t, get_extension, 112);
SMI_FROZEN(smi_plugin_interface_t, execute, 120);
SMI_FROZEN(smi_plugin_interface_t, reserved, 128);
SMI_FROZEN_SIZE(smi_plugin_interface_t, 192);

SMI_FROZEN(smi_plugin_t, struct_size, 0);
SMI_FROZEN(smi_plugin_t, interface, 8);
SMI_FROZEN(smi_plugin_t, plugin_id, 200);
SMI_FROZEN(smi_plugin_t, smi_version, 208);
SMI_FROZEN(smi_plugin_t, private_data, 216);
SMI_FROZEN_SIZE(smi_plugin_t, 224);
#endif

#ifdef __cplusplus
}
#endif

#endif /* MLOS_SMI_SPEC_H_ */
