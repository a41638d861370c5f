// SPDX-License-Identifier: MIT
#include "plugin/message.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>

#include "base/text.h"
#include "mlos/smi_spec.h"

namespace mlos::plugin {
namespace {

constexpr std::size_t kMessageBytesMax = 1'000;

constexpr std::array<std::string_view, 23> kRootFolders = {
    "app", "bin",  "boot", "data", "dev",  "etc",  "home", "lib", "lib64", "media", "mnt", "opt",
    "out", "proc", "root", "run",  "sbin", "snap", "srv",  "sys", "tmp",   "usr",   "var"};
constexpr std::array<std::string_view, 13> kFileEndings = {".bin",  ".c",  ".cc",  ".cpp",  ".cu",
                                                           ".data", ".h",  ".hpp", ".onnx", ".ort",
                                                           ".pb",   ".py", ".so"};

bool IsPathByte(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
         std::string_view("/._-+@%~").find(c) != std::string_view::npos;
}

// `path` begins with a slash and is as long as its bytes go.
bool IsServerPath(std::string_view path) {
  if (std::any_of(kFileEndings.begin(), kFileEndings.end(), [&](std::string_view ending) {
        return path.ends_with(ending) || path.find(std::string(ending) + ".") != path.npos;
      })) {
    return true;
  }
  const std::string_view first = path.substr(1, path.find('/', 1) - 1);
  return first.size() + 1 < path.size() &&
         std::find(kRootFolders.begin(), kRootFolders.end(), first) != kRootFolders.end();
}

bool IsBlank(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

// The length of what must not be shown at the start of `text`, whose previous byte is `before`.
std::size_t SecretLength(std::string_view text, char before) {
  if (IsPathByte(before)) return 0;
  if (text.starts_with('/')) {
    const auto* end = std::find_if_not(text.begin(), text.end(), IsPathByte);
    std::string_view path = text.substr(0, static_cast<std::size_t>(end - text.begin()));
    while (path.ends_with('.')) path.remove_suffix(1);  // ends the sentence, not the path
    return !path.empty() && IsServerPath(path) ? path.size() : 0;
  }
  if (!text.starts_with("0x")) return 0;
  const std::size_t end = text.find_first_not_of("0123456789abcdefABCDEF", 2);
  const std::size_t size = std::min(end, text.size());
  return size >= 8 ? size : 0;
}

std::string Without(std::string_view text, std::string_view folder) {
  std::string result(text);
  if (folder.size() < 2) return result;  // "/" is no secret
  for (auto at = result.find(folder); at != result.npos; at = result.find(folder, at)) {
    const bool slash = result.compare(at + folder.size(), 1, "/") == 0;
    result.erase(at, folder.size() + (slash ? 1 : 0));
  }
  return result;
}

struct Meaning {
  int smi_status;
  Reason start;
  Reason model;
  Reason inference;
};

constexpr std::array<Meaning, 8> kMeanings = {{
    {SMI_ERROR_INVALID_PARAM, Reason::kInvalidConfig, Reason::kInvalidModel,
     Reason::kInferenceRejected},
    {SMI_ERROR_OUT_OF_MEMORY, Reason::kOutOfMemory, Reason::kOutOfMemory, Reason::kOutOfMemory},
    {SMI_ERROR_NOT_FOUND, Reason::kPluginFailed, Reason::kInvalidModel, Reason::kInferenceRejected},
    {SMI_ERROR_UNSUPPORTED, Reason::kPluginFailed, Reason::kUnsupportedModel,
     Reason::kUnimplemented},
    {SMI_ERROR_INVALID_MODEL, Reason::kPluginFailed, Reason::kInvalidModel, Reason::kInvalidModel},
    {SMI_ERROR_CANCELLED, Reason::kPluginFailed, Reason::kCancelled, Reason::kCancelled},
    {SMI_ERROR_DEADLINE_EXCEEDED, Reason::kPluginFailed, Reason::kDeadlineExceeded,
     Reason::kDeadlineExceeded},
    {SMI_ERROR_UNAVAILABLE, Reason::kPluginFailed, Reason::kOverloaded, Reason::kOverloaded},
}};

// Whatever is not in the table, SMI_ERROR_RUNTIME among it, is the plugin's own fault.
Reason ReasonOf(Activity activity, int smi_status) {
  for (const Meaning& meaning : kMeanings) {
    if (meaning.smi_status != smi_status) continue;
    if (activity == Activity::kStart) return meaning.start;
    return activity == Activity::kModel ? meaning.model : meaning.inference;
  }
  return Reason::kPluginFailed;
}

// x of `input "x" …`, where `kind` is "input".
std::string_view Named(std::string_view kind, std::string_view message) {
  const std::string start = std::string(kind) + " \"";
  if (!message.starts_with(start)) return {};
  message.remove_prefix(start.size());
  const std::size_t end = message.find('"');
  return end == message.npos ? std::string_view() : message.substr(0, end);
}

}  // namespace

std::string CleanMessage(std::string_view text, std::string_view folder) {
  const std::string shown = Without(text, folder);
  std::string line;
  char before = ' ';
  for (std::string_view rest = shown; !rest.empty();) {
    const std::size_t secret = SecretLength(rest, before);
    const std::size_t size = std::max<std::size_t>(secret, 1);
    if (secret > 0) {
      line += rest[0] == '/' ? "(file)" : "(address)";
    } else if (!IsBlank(rest[0])) {
      line += rest[0];
    } else if (!line.empty() && line.back() != ' ') {
      line += ' ';
    }
    before = rest[size - 1];
    rest.remove_prefix(size);
  }
  while (line.ends_with(' ')) line.pop_back();
  return Excerpt(line, kMessageBytesMax);
}

Status StatusOf(Activity activity, int smi_status, std::string_view plugin_id,
                std::string_view message) {
  const Reason reason = ReasonOf(activity, smi_status);
  std::string text(message);
  if (text.empty()) text = "no reason given (SMI status " + std::to_string(smi_status) + ")";
  if (reason == Reason::kPluginFailed || message.empty()) {
    text = "plugin " + std::string(plugin_id) + ": " + text;
  }
  const bool refuses_option = activity == Activity::kModel &&
                              smi_status == SMI_ERROR_INVALID_PARAM &&
                              !Named("option", message).empty();
  if (refuses_option) return Status(Reason::kInvalidField, std::move(text)).WithField("options");
  Status status(reason, std::move(text));
  if (reason == Reason::kInvalidConfig) return std::move(status).WithField("config");
  return std::move(status).WithField(Named("input", message));
}

}  // namespace mlos::plugin
