// SPDX-License-Identifier: MIT
#include "axon/fetch/access.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>

#include <cstdlib>
#include <memory>

namespace axon::fetch {
namespace {

using mlos::Reason;
using mlos::Status;

std::optional<AddressClass> ClassOfLiteral(const std::string& host) {
  sockaddr_in in{.sin_family = AF_INET};
  if (::inet_pton(AF_INET, host.c_str(), &in.sin_addr) == 1) {
    return ClassOf(reinterpret_cast<const sockaddr&>(in));
  }
  sockaddr_in6 in6{.sin6_family = AF_INET6};
  if (::inet_pton(AF_INET6, host.c_str(), &in6.sin6_addr) == 1) {
    return ClassOf(reinterpret_cast<const sockaddr&>(in6));
  }
  if (host == "localhost" || host.ends_with(".localhost")) return AddressClass::kLoopback;
  return std::nullopt;
}

/// The class of the first address a name resolves to.
std::optional<AddressClass> ClassOfName(const std::string& host) {
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), nullptr, nullptr, &found) != 0) return std::nullopt;
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, &::freeaddrinfo);
  return found == nullptr ? std::nullopt : std::optional(ClassOf(*found->ai_addr));
}

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

/// NO_PROXY: "*", or names separated by commas that match a host or its parent domain.
bool IsExempt(const std::string& host) {
  std::string list = Environment("no_proxy");
  if (list.empty()) list = Environment("NO_PROXY");
  std::string_view rest = list;
  while (!rest.empty()) {
    const std::size_t comma = rest.find_first_of(", ");
    std::string_view name = rest.substr(0, comma);
    rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
    if (name == "*") return true;
    while (name.starts_with('.')) name.remove_prefix(1);
    if (name.empty() || !host.ends_with(name)) continue;
    if (host.size() == name.size() || host[host.size() - name.size() - 1] == '.') return true;
  }
  return false;
}

/// Only this machine reaches itself: a proxy would ask its own.
bool IsThisMachine(const std::string& host) {
  return host == "localhost" || host.ends_with(".localhost") ||
         ClassOfLiteral(host) == AddressClass::kLoopback;
}

}  // namespace

Status Access::CheckRedirect(const Url& from, const Url& to) const {
  if (from.scheme() == "https" && to.scheme() != "https") {
    return {Reason::kHostNotAllowed, from.host() + " redirects from https to plain http (" +
                                         to.Shown() + "), which axon never follows"};
  }
  if (to.SameOrigin(endpoint_)) return mlos::OkStatus();
  // A name is checked once it is connected; a literal address can be refused without a connection.
  const std::optional<AddressClass> target = ClassOfLiteral(to.host());
  if (!target.has_value() || *target == AddressClass::kPublic || target == endpoint_class_) {
    return mlos::OkStatus();
  }
  return {Reason::kHostNotAllowed, from.host() + " redirects to " + to.Shown() + ", which is a " +
                                       std::string(ToString(*target)) +
                                       " address; only the configured endpoint may be one"};
}

bool Access::Admits(const Url& url, const sockaddr& address) {
  const AddressClass address_class = ClassOf(address);
  if (url.SameOrigin(endpoint_)) {
    endpoint_class_ = address_class;
    return true;
  }
  if (address_class == AddressClass::kPublic) return true;
  return address_class != AddressClass::kReserved && address_class == endpoint_class_;
}

bool Access::EndpointIsPublic() const {
  std::optional<AddressClass> known = endpoint_class_;
  if (!known.has_value()) known = ClassOfLiteral(endpoint_.host());
  if (!known.has_value()) known = ClassOfName(endpoint_.host());
  return known.value_or(AddressClass::kPublic) == AddressClass::kPublic;
}

std::string_view Access::TokenFor(const Url& url) const {
  if (token_.empty() || !url.SameOrigin(endpoint_)) return {};
  if (url.scheme() != "https" && EndpointIsPublic()) return {};
  return token_;
}

std::string Access::ProxyFor(const Url& url) {
  if (IsThisMachine(url.host()) || IsExempt(url.host())) return {};
  // The upper-case HTTP_PROXY is not read: a CGI's client could set it (httpoxy).
  std::string proxy = Environment(url.scheme() == "https" ? "https_proxy" : "http_proxy");
  if (proxy.empty() && url.scheme() == "https") proxy = Environment("HTTPS_PROXY");
  if (proxy.empty()) proxy = Environment("all_proxy");
  if (proxy.empty()) proxy = Environment("ALL_PROXY");
  return proxy;
}

}  // namespace axon::fetch
