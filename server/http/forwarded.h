// Forwarded: who the client is when a reverse proxy stands before us.
//
// Pure; any thread. X-Forwarded-* is believed only from a peer that the operator trusts, because
// anybody can write it.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "server/http/ip_address.h"

namespace videosync {

struct TrustedProxies {
  std::vector<Cidr> networks;
  bool unix_sockets = false;  // "unix": every peer of a Unix socket

  // A CIDR, an address, or "unix".
  Result<> add(std::string_view text);
  bool contains(const std::optional<IpAddress>& peer) const noexcept;
  std::vector<std::string> to_strings() const;
};

// Field values as received; `forwarded_for` has one entry a field line, in order. Empty: absent.
struct ForwardedFields {
  std::span<const std::string_view> forwarded_for;
  std::string_view forwarded_host;
};

struct ClientView {
  IpAddress address;      // unspecified where nobody knows it (a Unix socket's peer)
  std::string_view host;  // what the browser asked for: refers to the arguments
};

// `peer` is nullopt for a Unix socket. The list of addresses is walked from the right, from the
// peer on, as long as the address at hand is a trusted proxy; garbage ends the walk, and the last
// address known for sure is the client. Of several hosts the last counts: the one that the
// nearest proxy wrote.
ClientView resolve_client(const TrustedProxies& trusted, const std::optional<IpAddress>& peer,
                          std::string_view host_field, const ForwardedFields& fields) noexcept;

}  // namespace videosync
