// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>

namespace mlos {

/// The 17 gRPC status codes, with their wire values
/// (https://grpc.io/docs/guides/status-codes/).
enum class StatusCode : std::uint8_t {
  kOk = 0,
  kCancelled = 1,
  kUnknown = 2,
  kInvalidArgument = 3,
  kDeadlineExceeded = 4,
  kNotFound = 5,
  kAlreadyExists = 6,
  kPermissionDenied = 7,
  kResourceExhausted = 8,
  kFailedPrecondition = 9,
  kAborted = 10,
  kOutOfRange = 11,
  kUnimplemented = 12,
  kInternal = 13,
  kUnavailable = 14,
  kDataLoss = 15,
  kUnauthenticated = 16,
};

/// `kInvalidArgument` → "INVALID_ARGUMENT".
std::string_view ToString(StatusCode code);

// Every way an operation of MLOS can fail, with the status code it belongs to. A reason is finer
// than a code: callers branch on it, and the doors map it (api/http to an HTTP status, axon to an
// exit code). The names are part of the API: they may be added to, never renamed.
#define MLOS_REASONS(X)                                              \
  X(kCancelled, "CANCELLED", kCancelled)                             \
  X(kMalformedRequest, "MALFORMED_REQUEST", kInvalidArgument)        \
  X(kMalformedJson, "MALFORMED_JSON", kInvalidArgument)              \
  X(kNestingTooDeep, "NESTING_TOO_DEEP", kInvalidArgument)           \
  X(kMissingField, "MISSING_FIELD", kInvalidArgument)                \
  X(kInvalidField, "INVALID_FIELD", kInvalidArgument)                \
  X(kUnknownField, "UNKNOWN_FIELD", kInvalidArgument)                \
  X(kInvalidModelId, "INVALID_MODEL_ID", kInvalidArgument)           \
  X(kMissingInput, "MISSING_INPUT", kInvalidArgument)                \
  X(kUnknownInput, "UNKNOWN_INPUT", kInvalidArgument)                \
  X(kShapeMismatch, "SHAPE_MISMATCH", kInvalidArgument)              \
  X(kDtypeMismatch, "DTYPE_MISMATCH", kInvalidArgument)              \
  X(kValueOutOfRange, "VALUE_OUT_OF_RANGE", kInvalidArgument)        \
  X(kInferenceRejected, "INFERENCE_REJECTED", kInvalidArgument)      \
  X(kInvalidManifest, "INVALID_MANIFEST", kInvalidArgument)          \
  X(kInvalidPackage, "INVALID_PACKAGE", kInvalidArgument)            \
  X(kInvalidModel, "INVALID_MODEL", kInvalidArgument)                \
  X(kInvalidConfig, "INVALID_CONFIG", kInvalidArgument)              \
  X(kUnsafePath, "UNSAFE_PATH", kInvalidArgument)                    \
  X(kUnsupportedModel, "UNSUPPORTED_MODEL", kInvalidArgument)        \
  X(kPayloadTooLarge, "PAYLOAD_TOO_LARGE", kInvalidArgument)         \
  X(kHeaderTooLarge, "HEADER_TOO_LARGE", kInvalidArgument)           \
  X(kUriTooLong, "URI_TOO_LONG", kInvalidArgument)                   \
  X(kLengthRequired, "LENGTH_REQUIRED", kInvalidArgument)            \
  X(kMethodNotAllowed, "METHOD_NOT_ALLOWED", kInvalidArgument)       \
  X(kUnsupportedEncoding, "UNSUPPORTED_ENCODING", kInvalidArgument)  \
  X(kExpectationFailed, "EXPECTATION_FAILED", kInvalidArgument)      \
  X(kUsage, "USAGE", kInvalidArgument)                               \
  X(kDeadlineExceeded, "DEADLINE_EXCEEDED", kDeadlineExceeded)       \
  X(kRequestTimeout, "REQUEST_TIMEOUT", kDeadlineExceeded)           \
  X(kRouteNotFound, "ROUTE_NOT_FOUND", kNotFound)                    \
  X(kModelNotFound, "MODEL_NOT_FOUND", kNotFound)                    \
  X(kPluginNotFound, "PLUGIN_NOT_FOUND", kNotFound)                  \
  X(kFileNotFound, "FILE_NOT_FOUND", kNotFound)                      \
  X(kRemoteNotFound, "REMOTE_NOT_FOUND", kNotFound)                  \
  X(kAlreadyExists, "ALREADY_EXISTS", kAlreadyExists)                \
  X(kPermissionDenied, "PERMISSION_DENIED", kPermissionDenied)       \
  X(kPathNotAllowed, "PATH_NOT_ALLOWED", kPermissionDenied)          \
  X(kHostNotAllowed, "HOST_NOT_ALLOWED", kPermissionDenied)          \
  X(kOriginNotAllowed, "ORIGIN_NOT_ALLOWED", kPermissionDenied)      \
  X(kUnauthenticated, "UNAUTHENTICATED", kUnauthenticated)           \
  X(kOverloaded, "OVERLOADED", kResourceExhausted)                   \
  X(kOutOfMemory, "OUT_OF_MEMORY", kResourceExhausted)               \
  X(kDiskFull, "DISK_FULL", kResourceExhausted)                      \
  X(kModelNotLoaded, "MODEL_NOT_LOADED", kFailedPrecondition)        \
  X(kModelQuarantined, "MODEL_QUARANTINED", kFailedPrecondition)     \
  X(kChecksumMismatch, "CHECKSUM_MISMATCH", kFailedPrecondition)     \
  X(kNoPlugin, "NO_PLUGIN", kFailedPrecondition)                     \
  X(kPluginInUse, "PLUGIN_IN_USE", kFailedPrecondition)              \
  X(kPluginIncompatible, "PLUGIN_INCOMPATIBLE", kFailedPrecondition) \
  X(kModelInUse, "MODEL_IN_USE", kFailedPrecondition)                \
  X(kConflict, "CONFLICT", kAborted)                                 \
  X(kAddressInUse, "ADDRESS_IN_USE", kFailedPrecondition)            \
  X(kStateLocked, "STATE_LOCKED", kFailedPrecondition)               \
  X(kUnimplemented, "UNIMPLEMENTED", kUnimplemented)                 \
  X(kInternal, "INTERNAL", kInternal)                                \
  X(kIoError, "IO_ERROR", kInternal)                                 \
  X(kPluginFailed, "PLUGIN_FAILED", kInternal)                       \
  X(kModelLoading, "MODEL_LOADING", kUnavailable)                    \
  X(kDraining, "DRAINING", kUnavailable)                             \
  X(kNetwork, "NETWORK", kUnavailable)                               \
  X(kServerError, "SERVER_ERROR", kUnavailable)                      \
  X(kStoreCorrupt, "STORE_CORRUPT", kDataLoss)

enum class Reason : std::uint8_t {
#define MLOS_REASON_ENUMERATOR(enumerator, name, code) enumerator,
  MLOS_REASONS(MLOS_REASON_ENUMERATOR)
#undef MLOS_REASON_ENUMERATOR
};

/// `kShapeMismatch` → "SHAPE_MISMATCH".
std::string_view ToString(Reason reason);
/// The status code a reason belongs to.
StatusCode CodeOf(Reason reason);

/// The outcome of an operation that yields nothing. Success costs one null pointer.
///
/// A message names the fault, the value seen, the value expected and the remedy. Strangers may read
/// it, so it holds no server path, address or internal name. Thread-compatible.
class [[nodiscard]] Status {
 public:
  /// Success.
  Status() = default;
  Status(Reason reason, std::string message);

  Status(const Status& other);
  Status& operator=(const Status& other);
  Status(Status&&) noexcept = default;
  Status& operator=(Status&&) noexcept = default;
  ~Status() = default;

  bool ok() const { return rep_ == nullptr; }
  StatusCode code() const;
  /// Requires !ok().
  Reason reason() const;
  std::string_view message() const;
  /// The name of the request's field at fault; empty if there is none.
  std::string_view field() const;

  /// Names the request's field at fault. No effect on success.
  Status WithField(std::string_view field) &&;
  /// Puts `context` and ": " before the message. No effect on success.
  Status WithContext(std::string_view context) &&;

  /// "INVALID_ARGUMENT/SHAPE_MISMATCH (field x): message", for logs.
  std::string ToString() const;

 private:
  struct Rep {
    Reason reason;
    std::string message;
    std::string field;
  };
  // Not inline: then what a success costs, a test, is small enough to be inline everywhere.
  struct Free {
    void operator()(Rep* rep) const;
  };
  std::unique_ptr<Rep, Free> rep_;
};

inline Status OkStatus() { return {}; }

std::ostream& operator<<(std::ostream& out, const Status& status);

}  // namespace mlos
