// IpAddress and Cidr: who is at the other end, and which network that is.
//
// Values of 16 and 17 bytes. An IPv4 address is held in its IPv6-mapped form, so ::ffff:192.0.2.1
// and 192.0.2.1 are one address. Any thread.
#pragma once

#include <sys/socket.h>

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/error.h"
#include "core/base/strong_id.h"

namespace videosync {

// What limits count as one client: an IPv4 address, or an IPv6 /64 (one subscriber's network).
using AddressGroup = StrongId<struct AddressGroupTag, std::uint64_t>;

class IpAddress {
 public:
  // The unspecified address `::`, which stands for "no address": a Unix socket's peer.
  IpAddress() noexcept = default;

  // Dotted IPv4 or RFC 4291 IPv6 text, without brackets, port or zone.
  static std::optional<IpAddress> parse(std::string_view text) noexcept;
  // "[2001:db8::1]:443", "192.0.2.1:443", or either without the port.
  static std::optional<IpAddress> parse_with_port(std::string_view text) noexcept;
  // nullopt for families without an address (AF_UNIX).
  static std::optional<IpAddress> from_sockaddr(const sockaddr* address) noexcept;
  static IpAddress from_v4(std::uint32_t host_order) noexcept;

  bool is_v4() const noexcept;
  bool is_loopback() const noexcept;  // 127.0.0.0/8, ::1
  bool is_unspecified() const noexcept { return *this == IpAddress(); }
  AddressGroup group() const noexcept;
  std::string to_string() const;  // "192.0.2.1", "2001:db8::1"

  friend auto operator<=>(const IpAddress&, const IpAddress&) = default;

 private:
  friend class Cidr;

  std::array<std::uint8_t, 16> bytes_{};
};

class Cidr {
 public:
  // "10.0.0.0/8", "2001:db8::/32", or one address. Bits behind the prefix are an error: the
  // message names the network that was probably meant.
  static Result<Cidr> parse(std::string_view text);

  bool contains(const IpAddress& address) const noexcept;
  std::string to_string() const;

 private:
  Cidr(const IpAddress& network, std::uint8_t prefix_bits) noexcept
      : network_(network), prefix_bits_(prefix_bits) {}

  IpAddress network_;
  std::uint8_t prefix_bits_;  // of 128, also for IPv4
};

}  // namespace videosync
