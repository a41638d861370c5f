// SPDX-License-Identifier: MIT
#pragma once

#include "net/byte_buffer.h"

namespace mlos::api::http::wire {

using net::ByteBuffer;
using net::RaiseReservation;

}  // namespace mlos::api::http::wire
