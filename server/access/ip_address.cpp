#include "server/access/ip_address.h"

#include <arpa/inet.h>
#include <fmt/core.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>

#include "core/base/text.h"

namespace videosync {

namespace {

constexpr std::array<std::uint8_t, 12> mapped_prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr std::uint8_t mapped_prefix_bits = 96;

// 1 to 5 digits, at most 65535.
bool is_port(std::string_view text) noexcept {
  return text.size() <= 5 && parse_decimal<std::uint16_t>(text).has_value();
}

std::array<std::uint8_t, 16> masked(const std::array<std::uint8_t, 16>& bytes,
                                    unsigned prefix_bits) noexcept {
  std::array<std::uint8_t, 16> result{};
  for (unsigned i = 0; i < result.size(); ++i) {
    const unsigned kept = std::clamp(static_cast<int>(prefix_bits) - static_cast<int>(8 * i), 0, 8);
    result[i] = static_cast<std::uint8_t>(bytes[i] & (0xff00u >> kept));
  }
  return result;
}

}  // namespace

std::optional<IpAddress> IpAddress::parse(std::string_view text) noexcept {
  std::array<char, INET6_ADDRSTRLEN> terminated{};
  if (text.empty() || text.size() >= terminated.size()) return std::nullopt;
  if (text.find('\0') != text.npos) return std::nullopt;
  text.copy(terminated.data(), text.size());

  in_addr v4{};
  if (inet_pton(AF_INET, terminated.data(), &v4) == 1) return from_v4(ntohl(v4.s_addr));
  IpAddress address;
  if (inet_pton(AF_INET6, terminated.data(), address.bytes_.data()) == 1) return address;
  return std::nullopt;
}

std::optional<IpAddress> IpAddress::parse_with_port(std::string_view text) noexcept {
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == text.npos) return std::nullopt;
    const std::string_view rest = text.substr(close + 1);
    if (!rest.empty() && !(rest.front() == ':' && is_port(rest.substr(1)))) return std::nullopt;
    const std::string_view inner = text.substr(1, close - 1);
    return inner.find(':') == inner.npos ? std::nullopt : parse(inner);
  }
  const std::size_t colon = text.find(':');
  const bool one_colon = colon != text.npos && text.find(':', colon + 1) == text.npos;
  if (!one_colon) return parse(text);
  return is_port(text.substr(colon + 1)) ? parse(text.substr(0, colon)) : std::nullopt;
}

std::optional<IpAddress> IpAddress::from_sockaddr(const sockaddr* address) noexcept {
  if (address->sa_family == AF_INET) {
    sockaddr_in v4;
    std::memcpy(&v4, address, sizeof v4);
    return from_v4(ntohl(v4.sin_addr.s_addr));
  }
  if (address->sa_family == AF_INET6) {
    sockaddr_in6 v6;
    std::memcpy(&v6, address, sizeof v6);
    IpAddress result;
    std::memcpy(result.bytes_.data(), &v6.sin6_addr, result.bytes_.size());
    return result;
  }
  return std::nullopt;
}

IpAddress IpAddress::from_v4(std::uint32_t host_order) noexcept {
  IpAddress address;
  std::ranges::copy(mapped_prefix, address.bytes_.begin());
  for (unsigned i = 0; i < 4; ++i) {
    address.bytes_[12 + i] = static_cast<std::uint8_t>(host_order >> (24 - 8 * i));
  }
  return address;
}

bool IpAddress::is_loopback() const noexcept {
  if (is_v4()) return bytes_[12] == 127;
  IpAddress one;
  one.bytes_[15] = 1;
  return *this == one;
}

bool IpAddress::is_v4() const noexcept {
  return std::equal(mapped_prefix.begin(), mapped_prefix.end(), bytes_.begin());
}

AddressGroup IpAddress::group() const noexcept {
  const std::size_t first = is_v4() ? 12 : 0;
  const std::size_t length = is_v4() ? 4 : 8;
  std::uint64_t value = 0;
  for (std::size_t i = first; i < first + length; ++i)
    value = value << 8 | bytes_[i];
  // Multicast prefixes are nobody's source address: they hold what is not a /64 of its own.
  if (is_v4()) return {value | std::uint64_t{0xff00} << 48};
  return {value == 0 ? std::uint64_t{0xff01} << 48 : value};
}

std::string IpAddress::to_string() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (is_v4()) {
    inet_ntop(AF_INET, bytes_.data() + 12, text.data(), text.size());
  } else {
    inet_ntop(AF_INET6, bytes_.data(), text.data(), text.size());
  }
  return text.data();
}

Result<Cidr> Cidr::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto address = IpAddress::parse(text.substr(0, slash));
  if (!address) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("'{}' is not an address or a network such as 10.0.0.0/8", text));
  }
  // "::ffff:10.0.0.0/104" counts its bits from the front of the long form.
  const bool dotted = text.substr(0, slash).find(':') == text.npos;
  const unsigned bits_max = dotted ? 32 : 128;
  unsigned bits = bits_max;
  if (slash != text.npos) {
    const auto number = parse_decimal<unsigned>(text.substr(slash + 1));
    if (!number || *number > bits_max) {
      return fail(ErrorCode::invalid_argument,
                  fmt::format("'{}' needs a prefix of 0 to {} bits", text, bits_max));
    }
    bits = *number;
  }
  const unsigned prefix = dotted ? bits + mapped_prefix_bits : bits;
  IpAddress network;
  network.bytes_ = masked(address->bytes_, prefix);
  const Cidr cidr(network, static_cast<std::uint8_t>(prefix));
  if (network != *address) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("'{}' has bits set behind its prefix; did you mean {}?", text,
                            cidr.to_string()));
  }
  return cidr;
}

bool Cidr::contains(const IpAddress& address) const noexcept {
  // ::/0 means every IPv6 address; that IPv4 is held inside it is our own affair.
  if (prefix_bits_ < mapped_prefix_bits && address.is_v4()) return false;
  return masked(address.bytes_, prefix_bits_) == network_.bytes_;
}

std::string Cidr::to_string() const {
  const bool v4 = network_.is_v4() && prefix_bits_ >= mapped_prefix_bits;
  return fmt::format("{}/{}", network_.to_string(),
                     v4 ? prefix_bits_ - mapped_prefix_bits : prefix_bits_);
}

}  // namespace videosync
