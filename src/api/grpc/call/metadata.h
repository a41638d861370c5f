// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "api/grpc/http2/stream.h"
#include "base/result.h"

namespace mlos::api::grpc::call {

/// The wire value of the status code that `status` has over gRPC.
unsigned GrpcCode(const Status& status);

/// The trailers that tell `status`: grpc-status, grpc-message, and mlos-reason and mlos-field where
/// there are some; with OVERLOADED grpc-retry-pushback-ms, after which to try again.
std::vector<http2::Header> TrailersOf(const Status& status);

/// `text` as grpc-message has it: bytes that are not printable ASCII, and '%', as %XX.
std::string PercentEncode(std::string_view text);

/// A grpc-timeout such as "100m" or "5S", in whole microseconds; 0 is over at once. INVALID_FIELD.
Result<std::chrono::microseconds> ParseTimeout(std::string_view text);

/// True for "application/grpc", also with "+proto" or parameters behind.
bool IsGrpcContentType(std::string_view content_type);

}  // namespace mlos::api::grpc::call
