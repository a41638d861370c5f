// SPDX-License-Identifier: MIT
#include "plugin/negotiate.h"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <iterator>
#include <string>

#include "base/result.h"

namespace mlos::plugin {
namespace {

constexpr std::size_t kPluginSize100 = 224;  // sizeof(smi_plugin_t) in SMI 1.0.0
constexpr std::size_t kIdBytesMax = 128;

Status Differs(std::string_view member, std::string_view why) {
  return {Reason::kPluginIncompatible, std::string(member) + " " + std::string(why)};
}

Status CheckSize(const smi_plugin_t& plugin) {
  if (plugin.struct_size == 0 || plugin.struct_size >= kPluginSize100) return OkStatus();
  return Differs("struct_size", "is " + std::to_string(plugin.struct_size) + "; expected 0 or " +
                                    std::to_string(kPluginSize100) + " and above");
}

Status CheckVersion(std::uint32_t version) {
  const std::uint32_t major = version >> 16;
  const std::uint32_t minor = version >> 8 & 0xff;
  if (major == SMI_VERSION_MAJOR && minor <= SMI_VERSION_MINOR) return OkStatus();
  return Differs("smi_version", "is " + VersionText(version) + "; this host speaks " +
                                    VersionText(SMI_VERSION) +
                                    ": the major version must be the same and the plugin's minor "
                                    "version not above the host's");
}

bool IsPluginId(std::string_view id) {
  const auto alphanumeric = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; };
  return !id.empty() && id.size() <= kIdBytesMax && alphanumeric(id[0]) &&
         std::all_of(id.begin(), id.end(),
                     [&](char c) { return alphanumeric(c) || c == '.' || c == '_' || c == '-'; });
}

Status CheckId(const char* plugin_id, std::string_view expected_id) {
  if (plugin_id == nullptr) return Differs("plugin_id", "is NULL");
  const std::string_view id(plugin_id, ::strnlen(plugin_id, kIdBytesMax + 1));
  if (!IsPluginId(id)) {
    return Differs("plugin_id", "is not of the form [A-Za-z0-9][A-Za-z0-9._-]{0,127}");
  }
  if (!expected_id.empty() && id != expected_id) {
    return Differs("plugin_id",
                   "is \"" + std::string(id) + "\"; expected \"" + std::string(expected_id) + "\"");
  }
  return OkStatus();
}

Status CheckInterface(const smi_plugin_interface_t& smi) {
  if (smi.initialize == nullptr) return Differs("interface.initialize", "is NULL; it is required");
  if (smi.register_model == nullptr) {
    return Differs("interface.register_model", "is NULL; it is required");
  }
  if (smi.inference == nullptr && smi.execute == nullptr) {
    return Differs("interface.inference", "is NULL; it is required, unless execute is set");
  }
  const bool reserved = std::all_of(std::begin(smi.reserved), std::end(smi.reserved),
                                    [](const void* slot) { return slot == nullptr; });
  return reserved ? OkStatus() : Differs("interface.reserved", "is not all NULL");
}

}  // namespace

Status Negotiate(const smi_plugin_t* plugin, std::string_view expected_id) {
  MLOS_TRY(CheckSize(*plugin));
  MLOS_TRY(CheckVersion(plugin->smi_version));
  MLOS_TRY(CheckId(plugin->plugin_id, expected_id));
  return CheckInterface(plugin->interface);
}

std::string VersionText(std::uint32_t smi_version) {
  return std::to_string(smi_version >> 16) + "." + std::to_string(smi_version >> 8 & 0xff) + "." +
         std::to_string(smi_version & 0xff);
}

}  // namespace mlos::plugin
