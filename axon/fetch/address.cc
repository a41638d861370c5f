// SPDX-License-Identifier: MIT
#include "axon/fetch/address.h"

#include <netinet/in.h>

#include <array>
#include <cstring>

namespace axon::fetch {
namespace {

struct Range4 {
  std::uint32_t network;
  int prefix_bits;
  AddressClass address_class;
};

constexpr std::uint32_t Ip4(std::uint32_t a, std::uint32_t b, std::uint32_t c, std::uint32_t d) {
  return a << 24 | b << 16 | c << 8 | d;
}

constexpr std::array kRanges4 = {
    Range4{Ip4(127, 0, 0, 0), 8, AddressClass::kLoopback},
    Range4{Ip4(10, 0, 0, 0), 8, AddressClass::kPrivate},
    Range4{Ip4(172, 16, 0, 0), 12, AddressClass::kPrivate},
    Range4{Ip4(192, 168, 0, 0), 16, AddressClass::kPrivate},
    Range4{Ip4(100, 64, 0, 0), 10, AddressClass::kPrivate},
    Range4{Ip4(169, 254, 0, 0), 16, AddressClass::kLinkLocal},
    Range4{Ip4(0, 0, 0, 0), 8, AddressClass::kReserved},
    Range4{Ip4(192, 0, 0, 0), 24, AddressClass::kReserved},
    Range4{Ip4(192, 0, 2, 0), 24, AddressClass::kReserved},
    Range4{Ip4(198, 18, 0, 0), 15, AddressClass::kReserved},
    Range4{Ip4(198, 51, 100, 0), 24, AddressClass::kReserved},
    Range4{Ip4(203, 0, 113, 0), 24, AddressClass::kReserved},
    Range4{Ip4(224, 0, 0, 0), 3, AddressClass::kReserved},
};

AddressClass ClassOf4(std::uint32_t address) {
  for (const Range4& range : kRanges4) {
    if ((address ^ range.network) >> (32 - range.prefix_bits) == 0) return range.address_class;
  }
  return AddressClass::kPublic;
}

std::uint32_t Ip4At(const std::uint8_t* bytes) {
  return Ip4(bytes[0], bytes[1], bytes[2], bytes[3]);
}

bool StartsWith(const std::uint8_t* bytes, std::initializer_list<std::uint8_t> prefix) {
  return std::memcmp(bytes, std::data(prefix), prefix.size()) == 0;
}

AddressClass ClassOf6(const std::uint8_t* bytes) {
  constexpr std::array<std::uint8_t, 16> kLoopback6 = {0, 0, 0, 0, 0, 0, 0, 0,
                                                       0, 0, 0, 0, 0, 0, 0, 1};
  if (std::memcmp(bytes, kLoopback6.data(), 16) == 0) return AddressClass::kLoopback;
  if (StartsWith(bytes, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff})) {
    return ClassOf4(Ip4At(bytes + 12));
  }
  if (StartsWith(bytes, {0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0})) {
    return ClassOf4(Ip4At(bytes + 12));
  }
  if (StartsWith(bytes, {0x20, 0x02})) return ClassOf4(Ip4At(bytes + 2));
  if ((bytes[0] & 0xfe) == 0xfc) return AddressClass::kPrivate;
  if (bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80) return AddressClass::kLinkLocal;
  if (StartsWith(bytes, {0x20, 0x01, 0x0d, 0xb8})) return AddressClass::kReserved;
  // Only 2000::/3 is given out.
  return (bytes[0] & 0xe0) == 0x20 ? AddressClass::kPublic : AddressClass::kReserved;
}

}  // namespace

std::string_view ToString(AddressClass address_class) {
  constexpr std::array<std::string_view, 5> kNames = {"public", "loopback", "private", "link-local",
                                                      "reserved"};
  return kNames[static_cast<std::size_t>(address_class)];
}

AddressClass ClassOf(const sockaddr& address) {
  if (address.sa_family == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, &address, sizeof in);
    return ClassOf4(ntohl(in.sin_addr.s_addr));
  }
  if (address.sa_family == AF_INET6) {
    sockaddr_in6 in6{};
    std::memcpy(&in6, &address, sizeof in6);
    return ClassOf6(in6.sin6_addr.s6_addr);
  }
  return AddressClass::kReserved;
}

}  // namespace axon::fetch
