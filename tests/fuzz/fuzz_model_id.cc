// SPDX-License-Identifier: MIT
// A model id that is accepted is text of the shape promised, and parses to itself again.
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "base/model_id.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto id = mlos::ModelId::Parse(text);
  if (!id.ok()) return 0;

  MLOS_CHECK(size <= 512, "an id is 512 bytes at most");
  MLOS_CHECK(text.find("/.") == text.npos, "no segment of an id starts with a dot");
  const auto again = mlos::ModelId::Parse(id->text());
  MLOS_CHECK(again.ok() && again->text() == id->text(), "an id parses to itself");
  return 0;
}
