// ListenAddress: where a listener stands, as the operator writes it.
//
// "127.0.0.1:8080", "[::]:8080", ":8080" (every address, IPv6 and IPv4), "localhost:8080"
// (127.0.0.1), "unix:/run/videosync/videosync.sock". Port 0: any free port. A plain value.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/error.h"
#include "server/access/ip_address.h"

namespace videosync {

struct ListenAddress {
  IpAddress address;
  std::uint16_t port = 0;
  std::string unix_path;  // not empty exactly for a Unix socket

  static Result<ListenAddress> parse(std::string_view text);

  bool is_unix() const noexcept { return !unix_path.empty(); }
  std::string to_string() const;  // in a form that parse() reads
};

}  // namespace videosync
