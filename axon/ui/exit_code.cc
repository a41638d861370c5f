// SPDX-License-Identifier: MIT
#include "axon/ui/exit_code.h"

#include <algorithm>
#include <array>

namespace axon::ui {
namespace {

using mlos::Reason;

constexpr std::array kMeanings = {
    ExitCodeEntry{ExitCode::kOk, "success"},
    ExitCodeEntry{ExitCode::kFailure, "any other failure"},
    ExitCodeEntry{ExitCode::kUsage, "the command line or the configuration is wrong"},
    ExitCodeEntry{ExitCode::kNotFound, "no such model, revision, file or key"},
    ExitCodeEntry{ExitCode::kAccess,
                  "not allowed: a token is missing or refused, a model is gated, a file is not "
                  "readable or writable"},
    ExitCodeEntry{ExitCode::kNetwork, "the hub cannot be reached, or keeps failing"},
    ExitCodeEntry{ExitCode::kIntegrity,
                  "a checksum, a size, a manifest, an archive or a graph is wrong"},
    ExitCodeEntry{ExitCode::kDiskFull, "no space left on the disk"},
    ExitCodeEntry{ExitCode::kConflict, "it exists already, is in use, or another axon is at work"},
    ExitCodeEntry{ExitCode::kCore, "MLOS Core cannot be reached, or refused the request"},
    ExitCodeEntry{ExitCode::kUnsupported, "a model or an option that this version cannot handle"},
    ExitCodeEntry{ExitCode::kInterrupted, "interrupted; the downloaded part is kept"},
};

struct Mapping {
  Reason reason;
  ExitCode code;
};

// A reason without a row here is a plain failure.
constexpr std::array kCodes = {
    Mapping{Reason::kCancelled, ExitCode::kInterrupted},
    Mapping{Reason::kUsage, ExitCode::kUsage},
    Mapping{Reason::kInvalidConfig, ExitCode::kUsage},
    Mapping{Reason::kInvalidModelId, ExitCode::kUsage},
    Mapping{Reason::kInvalidField, ExitCode::kUsage},
    Mapping{Reason::kModelNotFound, ExitCode::kNotFound},
    Mapping{Reason::kFileNotFound, ExitCode::kNotFound},
    Mapping{Reason::kRemoteNotFound, ExitCode::kNotFound},
    Mapping{Reason::kPermissionDenied, ExitCode::kAccess},
    Mapping{Reason::kPathNotAllowed, ExitCode::kAccess},
    Mapping{Reason::kUnauthenticated, ExitCode::kAccess},
    Mapping{Reason::kNetwork, ExitCode::kNetwork},
    Mapping{Reason::kServerError, ExitCode::kNetwork},
    Mapping{Reason::kHostNotAllowed, ExitCode::kNetwork},
    Mapping{Reason::kDeadlineExceeded, ExitCode::kNetwork},
    Mapping{Reason::kRequestTimeout, ExitCode::kNetwork},
    Mapping{Reason::kChecksumMismatch, ExitCode::kIntegrity},
    Mapping{Reason::kStoreCorrupt, ExitCode::kIntegrity},
    Mapping{Reason::kInvalidManifest, ExitCode::kIntegrity},
    Mapping{Reason::kInvalidPackage, ExitCode::kIntegrity},
    Mapping{Reason::kInvalidModel, ExitCode::kIntegrity},
    Mapping{Reason::kUnsafePath, ExitCode::kIntegrity},
    Mapping{Reason::kMalformedJson, ExitCode::kIntegrity},
    Mapping{Reason::kNestingTooDeep, ExitCode::kIntegrity},
    Mapping{Reason::kPayloadTooLarge, ExitCode::kIntegrity},
    Mapping{Reason::kDiskFull, ExitCode::kDiskFull},
    Mapping{Reason::kAlreadyExists, ExitCode::kConflict},
    Mapping{Reason::kConflict, ExitCode::kConflict},
    Mapping{Reason::kModelInUse, ExitCode::kConflict},
    Mapping{Reason::kStateLocked, ExitCode::kConflict},
    Mapping{Reason::kUnimplemented, ExitCode::kUnsupported},
    Mapping{Reason::kUnsupportedModel, ExitCode::kUnsupported},
};

}  // namespace

std::span<const ExitCodeEntry> ExitCodes() { return kMeanings; }

ExitCode ExitCodeOf(Reason reason) {
  const auto found = std::find_if(kCodes.begin(), kCodes.end(), [reason](const Mapping& entry) {
    return entry.reason == reason;
  });
  return found == kCodes.end() ? ExitCode::kFailure : found->code;
}

}  // namespace axon::ui
