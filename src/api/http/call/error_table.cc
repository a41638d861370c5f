// SPDX-License-Identifier: MIT
#include "api/http/call/error_table.h"

#include <iterator>

namespace mlos::api::http::call {
namespace {

using enum Reason;

constexpr ErrorRow kRows[] = {
    {kCancelled, 499, "the caller went away"},
    {kMalformedRequest, 400, "the request is not well-formed HTTP/1.1; the connection is closed"},
    {kMalformedJson, 400, "the body is not JSON of the form expected"},
    {kNestingTooDeep, 400, "the body is nested deeper than 64 levels"},
    {kMissingField, 400, "a member that has to be there is missing"},
    {kInvalidField, 400, "a member, parameter or header has a value that cannot be used"},
    {kUnknownField, 400, "a member is not known"},
    {kInvalidModelId, 400, "the model id is not namespace/name[@version]"},
    {kMissingInput, 400, "the model needs an input that is not given"},
    {kUnknownInput, 400, "the model has no such input"},
    {kShapeMismatch, 400, "the data fits the shape of the input in no way, or is ragged"},
    {kDtypeMismatch, 400, "a value is of another type than the input"},
    {kValueOutOfRange, 400, "a value is out of the range of the input's dtype"},
    {kInferenceRejected, 400, "the model refuses these inputs"},
    {kInvalidManifest, 422, "the package's manifest cannot be used"},
    {kInvalidPackage, 422, "the package is damaged or unsafe"},
    {kInvalidModel, 422, "the model file is damaged, or could not be loaded safely"},
    {kInvalidConfig, 400, "a setting cannot be used"},
    {kUnsafePath, 400, "a path leads out of the folder it belongs to"},
    {kUnsupportedModel, 422, "the model needs something this server's plugins lack"},
    {kPayloadTooLarge, 413, "the body, or what it decodes to, is larger than allowed"},
    {kHeaderTooLarge, 431, "the head is longer than 64 KiB or has more than 100 headers"},
    {kUriTooLong, 414, "the request line is longer than 8 KiB"},
    {kLengthRequired, 411, "the body has neither Content-Length nor chunks"},
    {kMethodNotAllowed, 405, "the resource has no such method; Allow lists those it has"},
    {kUnsupportedEncoding, 415, "the Content-Encoding is neither gzip nor deflate"},
    {kExpectationFailed, 417, "the header Expect is not 100-continue"},
    {kUsage, 400, "the request makes no sense"},
    {kDeadlineExceeded, 504, "the answer did not come within X-Request-Timeout-Ms"},
    {kRequestTimeout, 408, "the request did not arrive in time; the connection is closed"},
    {kRouteNotFound, 404, "there is no such resource"},
    {kModelNotFound, 404, "no such model is registered"},
    {kPluginNotFound, 404, "no such plugin is registered"},
    {kFileNotFound, 404, "there is no file at the path given"},
    {kRemoteNotFound, 404, "another server does not have what is asked for"},
    {kAlreadyExists, 409, "something of that name exists"},
    {kPermissionDenied, 403, "the caller, or this server, may not do that"},
    {kPathNotAllowed, 403, "models or plugins are not loaded from there"},
    {kHostNotAllowed, 421, "the header Host names another server (see --allowed-hosts)"},
    {kOriginNotAllowed, 403, "the header Origin names a foreign page (see --allowed-hosts)"},
    {kUnauthenticated, 401, "the caller is not known"},
    {kOverloaded, 503, "too much is in flight; come back after Retry-After seconds"},
    {kOutOfMemory, 507, "there is not enough memory for this request"},
    {kDiskFull, 507, "the disk of the server is full"},
    {kModelNotLoaded, 409, "the model is registered and not loaded; the message says why"},
    {kModelQuarantined, 409, "the server died while it loaded this model; load it by hand"},
    {kChecksumMismatch, 422, "a file differs from its digest in the manifest"},
    {kNoPlugin, 409, "no loaded plugin runs this format"},
    {kPluginInUse, 409, "models of the plugin are registered"},
    {kPluginIncompatible, 422, "the plugin was built for another interface"},
    {kModelInUse, 409, "the model is in use"},
    {kConflict, 409, "another request changes the same thing right now"},
    {kAddressInUse, 409, "another process listens on the address"},
    {kStateLocked, 409, "another process uses the state directory"},
    {kUnimplemented, 501, "this server cannot do that yet"},
    {kInternal, 500, "a bug of the server"},
    {kIoError, 500, "a file or device of the server failed"},
    {kPluginFailed, 500, "the plugin failed"},
    {kModelLoading, 503, "the model is being loaded and was not there in time; come back later"},
    {kDraining, 503, "the server is going down"},
    {kNetwork, 503, "another server cannot be reached"},
    {kServerError, 503, "another server failed"},
    {kStoreCorrupt, 500, "the registry is damaged"},
};

#define MLOS_COUNT_REASON(enumerator, name, code) +1
static_assert(std::size(kRows) == 0 MLOS_REASONS(MLOS_COUNT_REASON));
#undef MLOS_COUNT_REASON

}  // namespace

std::span<const ErrorRow> ErrorTable() { return kRows; }

unsigned HttpStatus(Reason reason) { return kRows[static_cast<std::size_t>(reason)].http_status; }

std::string ErrorTableMarkdown() {
  std::string text = "| HTTP | reason | code | when |\n|---|---|---|---|\n";
  for (const ErrorRow& row : kRows) {
    text.append("| ").append(std::to_string(row.http_status));
    text.append(" | `").append(ToString(row.reason));
    text.append("` | `").append(ToString(CodeOf(row.reason)));
    text.append("` | ").append(row.meaning).append(" |\n");
  }
  return text;
}

}  // namespace mlos::api::http::call
