// SPDX-License-Identifier: MIT
#include "registry/disk/seal.h"

#include <cstdint>
#include <string>
#include <string_view>

#include "package/digest.h"

namespace mlos::registry::disk {
namespace {

/// The bytes of a value, behind their type and number: no two rows read the same.
void AddValue(package::Hasher& hasher, sqlite3_value* value) {
  const int type = sqlite3_value_type(value);
  const auto* bytes = reinterpret_cast<const char*>(sqlite3_value_text(value));
  const auto size = static_cast<std::size_t>(sqlite3_value_bytes(value));
  hasher.Update(std::to_string(type) + ":" + std::to_string(size) + ":");
  if (bytes != nullptr) hasher.Update(std::string_view(bytes, size));
}

std::uint64_t Finish(package::Hasher& hasher) {
  const package::Digest digest = hasher.FinishDigest();
  std::uint64_t seal = 0;
  for (std::size_t i = 0; i < sizeof seal; ++i) seal = seal << 8 | digest.bytes()[i];
  return seal;
}

void SealOfRow(sqlite3_context* context, int count, sqlite3_value** values) noexcept {
  package::Hasher hasher = package::Hasher::Sha256();
  for (int i = 0; i < count; ++i) AddValue(hasher, values[i]);
  sqlite3_result_int64(context, static_cast<sqlite3_int64>(Finish(hasher)));
}

}  // namespace

int AddSealFunction(sqlite3* handle) {
  constexpr int kAnyNumber = -1;
  return sqlite3_create_function_v2(handle, "seal_of", kAnyNumber,
                                    SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY, nullptr,
                                    &SealOfRow, nullptr, nullptr, nullptr);
}

std::uint64_t SealOf(std::string_view text) {
  package::Hasher hasher = package::Hasher::Sha256();
  hasher.Update(text);
  return Finish(hasher);
}

}  // namespace mlos::registry::disk
