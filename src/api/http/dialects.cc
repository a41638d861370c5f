// SPDX-License-Identifier: MIT
#include "api/http/dialects.h"

#include "api/http/oip/dialect.h"
#include "api/http/own/dialect.h"

namespace mlos::api::http {

std::span<const call::Dialect* const> Dialects() {
  static const call::Dialect* const kDialects[] = {&oip::Dialect(), &own::Dialect()};
  return kDialects;
}

}  // namespace mlos::api::http
