// Forwarded: who the client is when a reverse proxy stands before us.
//
// Pure; any thread. X-Forwarded-* is believed only from a peer that the operator trusts, because
// anybody can write it. What comes last counts: a proxy puts its own word behind what it was given,
// in the same line or in one of its own, and what stands before it may be the client's invention.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "proto/http/http_message.h"
#include "server/access/ip_address.h"

namespace videosync {

struct TrustedProxies {
  std::vector<Cidr> networks;
  bool unix_sockets = false;  // "unix": every peer of a Unix socket

  // A CIDR, an address, or "unix".
  Result<> add(std::string_view text);
  bool contains(const std::optional<IpAddress>& peer) const noexcept;
  std::vector<std::string> to_strings() const;
};

struct ClientView {
  IpAddress address;       // unspecified where nobody knows it (a Unix socket's peer)
  std::string_view host;   // what the browser asked for: refers to the request
  bool is_secure = false;  // it asked over https
};

// `peer` is nullopt for a Unix socket. The list of addresses, over all lines of X-Forwarded-For, is
// walked from the right, from the peer on, as long as the address at hand is a trusted proxy;
// garbage ends the walk, and the last address known for sure is the client. Of
// X-Forwarded-Host and X-Forwarded-Proto the last element of the last line counts: the one that the
// nearest proxy wrote.
ClientView resolve_client(const TrustedProxies& trusted, const std::optional<IpAddress>& peer,
                          const HttpRequest& request) noexcept;

}  // namespace videosync
