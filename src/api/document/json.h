// SPDX-License-Identifier: MIT
#pragma once

#include "api/http/json/document.h"
#include "api/http/json/json_writer.h"

namespace mlos::api::document {

namespace json = http::json;
using json::JsonWriter;

}  // namespace mlos::api::document
