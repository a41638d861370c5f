// SPDX-License-Identifier: MIT
// Any text is refused or is a manifest that survives being written and read again.

#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "package/manifest.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mlos;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto parsed = package::ParseManifest(text);
  if (!parsed.ok()) {
    MLOS_CHECK(parsed.status().reason() == Reason::kInvalidManifest, "an unexpected reason");
    return 0;
  }
  const auto again = package::ParseManifest(package::WriteManifest(parsed->manifest));
  MLOS_CHECK(again.ok(), again.status().ToString());
  MLOS_CHECK(again->manifest == parsed->manifest, "the manifest changed by being written");
  return 0;
}
