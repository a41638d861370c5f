// SPDX-License-Identifier: MIT
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string_view>

namespace axon::fetch {

/// What kind of network an address belongs to (IANA special-purpose registries).
enum class AddressClass : std::uint8_t {
  kPublic,
  kLoopback,
  kPrivate,    // RFC 1918, RFC 6598, unique local
  kLinkLocal,  // home of the clouds' metadata services
  kReserved,   // multicast, unspecified, documentation, …: nobody's server
};

std::string_view ToString(AddressClass address_class);

/// The class of an IPv4 or IPv6 address; an IPv6 address that carries an IPv4 one (mapped, NAT64,
/// 6to4) is of that one's class. Any other family is kReserved.
AddressClass ClassOf(const sockaddr& address);

}  // namespace axon::fetch
