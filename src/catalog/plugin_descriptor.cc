// SPDX-License-Identifier: MIT
#include "catalog/plugin_descriptor.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include "base/files.h"
#include "base/log.h"
#include "base/model_id.h"
#include "base/text.h"
#include "package/yaml/fields.h"
#include "plugin/shared_object.h"

namespace mlos::catalog {
namespace {

namespace fs = std::filesystem;
using package::yaml::Fields;

constexpr Reason kReason = Reason::kPluginIncompatible;
constexpr std::size_t kDescriptorBytesMax = std::size_t{16} << 10;
constexpr int kDescriptorDepthMax = 4;
constexpr std::size_t kListMax = 64;
constexpr std::size_t kWordBytesMax = 64;
constexpr std::size_t kPluginNameBytesMax = 256;

/// Lower-case letters, digits, '-', '_' and '.', beginning with a letter or digit.
bool IsWord(std::string_view text) {
  const auto plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  return !text.empty() && text.size() <= kWordBytesMax && plain(text.front()) &&
         std::all_of(text.begin(), text.end(),
                     [&](char c) { return plain(c) || c == '-' || c == '_' || c == '.'; });
}

bool IsExtension(std::string_view text) { return text.starts_with('.') && IsWord(text.substr(1)); }

template <typename IsGood>
std::vector<std::string> ReadList(Fields& fields, std::string_view key, const IsGood& is_good,
                                  std::string_view wanted) {
  std::vector<std::string> values = fields.Strings(key);
  if (values.size() > kListMax) {
    fields.Fail(key, "has more than " + std::to_string(kListMax) + " entries");
    return {};
  }
  for (const std::string& value : values) {
    if (is_good(value)) continue;
    fields.Fail(key, "'" + Excerpt(value) + "' is not " + std::string(wanted));
    return {};
  }
  return values;
}

/// What this Core can do with a plugin: run it in its own process, on the CPU.
void CheckPlace(Fields& fields) {
  const std::string isolation = fields.String("isolation");
  if (!isolation.empty() && isolation != "none") {
    fields.Fail("isolation", "'" + Excerpt(isolation) +
                                 "' is not supported; this version of Core runs plugins in its own "
                                 "process only, which is 'none'");
  }
  for (const std::string& device : fields.Strings("devices")) {
    if (device == "cpu") continue;
    fields.Fail("devices",
                "'" + Excerpt(device) + "' is not supported; this version of Core has only 'cpu'");
  }
}

PluginDescriptor ReadFields(Fields& fields) {
  PluginDescriptor descriptor;
  descriptor.id = fields.RequiredString("id");
  if (!descriptor.id.empty() && !IsModelIdSegment(descriptor.id)) {
    fields.Fail("id", "'" + Excerpt(descriptor.id) +
                          "' does not start with a letter or digit and go on with up to 127 "
                          "letters, digits, '.', '_' or '-'");
  }
  descriptor.name = fields.String("name", kPluginNameBytesMax);
  descriptor.formats = ReadList(fields, "formats", &IsWord,
                                "a format: lower-case letters, digits, '-', '_' and '.'");
  if (descriptor.formats.empty()) fields.Fail("formats", "lists no format");
  descriptor.extensions = ReadList(fields, "extensions", &IsExtension,
                                   "an extension: a dot and lower-case letters or digits");
  CheckPlace(fields);
  fields.Finish();
  return descriptor;
}

/// "libx.so" for "libx.plugin.yaml".
fs::path LibraryOf(const fs::path& descriptor) {
  const std::string name = descriptor.filename();
  return descriptor.parent_path() /
         (name.substr(0, name.size() - std::min(name.size(), kDescriptorSuffix.size())) + ".so");
}

}  // namespace

fs::path DescriptorPathOf(const fs::path& library) {
  return library.parent_path() / (library.stem().native() + std::string(kDescriptorSuffix));
}

Result<PluginDescriptor> ReadDescriptor(const fs::path& path) {
  MLOS_TRY(plugin::SharedObject::CheckFile(path, "the plugin's descriptor"));
  const std::string text = MLOS_TRY(ReadFile(path, kDescriptorBytesMax));
  const package::yaml::Node root = MLOS_TRY(package::yaml::Parse(
      text,
      {.reason = kReason, .bytes_max = kDescriptorBytesMax, .depth_max = kDescriptorDepthMax}));
  package::yaml::Reading reading({.reason = kReason});
  Fields fields(reading, root, "");
  PluginDescriptor descriptor = ReadFields(fields);
  if (!reading.ok()) return reading.error();
  std::error_code error;
  descriptor.library = fs::canonical(LibraryOf(path), error);
  if (error) return ErrnoStatus(error.value(), "the descriptor has no plugin beside it");
  return descriptor;
}

Result<std::optional<PluginDescriptor>> FindDescriptor(const fs::path& library) {
  const fs::path path = DescriptorPathOf(library);
  std::error_code error;
  if (!fs::exists(fs::symlink_status(path, error))) return std::optional<PluginDescriptor>();
  return std::optional<PluginDescriptor>(MLOS_TRY(ReadDescriptor(path)));
}

std::vector<PluginDescriptor> DescriptorsIn(const fs::path& folder) {
  std::vector<fs::path> paths;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->path().filename().native().ends_with(kDescriptorSuffix)) {
      paths.push_back(entry->path());
    }
  }
  std::sort(paths.begin(), paths.end());
  std::vector<PluginDescriptor> descriptors;
  for (const fs::path& path : paths) {
    Result<PluginDescriptor> descriptor = ReadDescriptor(path);
    if (descriptor.ok()) {
      descriptors.push_back(*std::move(descriptor));
      continue;
    }
    Log(LogLevel::kError, "plugin not known: its descriptor is refused",
        {{"descriptor", path.filename().native()}, LogField(descriptor.status())});
  }
  return descriptors;
}

}  // namespace mlos::catalog
