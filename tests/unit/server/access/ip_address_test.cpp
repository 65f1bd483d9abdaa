#include "server/access/ip_address.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <string>

using videosync::Cidr;
using videosync::IpAddress;

namespace {

IpAddress address(std::string_view text) {
  const auto parsed = IpAddress::parse(text);
  cr_assert(parsed.has_value(), "%s", std::string(text).c_str());
  return *parsed;
}

}  // namespace

Test(ip_address, text_goes_in_and_comes_out_in_its_shortest_form) {
  const std::string_view table[][2] = {
      {"192.0.2.1", "192.0.2.1"},
      {"0.0.0.0", "0.0.0.0"},
      {"::", "::"},
      {"::1", "::1"},
      {"2001:DB8:0:0:0:0:0:1", "2001:db8::1"},
      {"::ffff:192.0.2.1", "192.0.2.1"},
      {"::ffff:c000:201", "192.0.2.1"},
  };
  for (const auto& [text, expected] : table) {
    const std::string shown = address(text).to_string();
    cr_assert_eq(shown, expected, "%s", shown.c_str());
  }
}

Test(ip_address, what_is_no_address_is_refused) {
  for (const std::string_view text :
       {"", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4x", "localhost", "::1%eth0", "[::1]",
        "1.2.3.4:80", " 1.2.3.4", "1:2:3", "::g",
        ":::", "1111:2222:3333:4444:5555:6666:7777:8888:9999:0000"}) {
    cr_assert_not(IpAddress::parse(text).has_value(), "%s", std::string(text).c_str());
  }
  cr_assert_not(IpAddress::parse(std::string_view("1.2.3.4\0", 8)).has_value());
}

Test(ip_address, a_port_may_follow) {
  const std::string_view good[][2] = {
      {"192.0.2.1:443", "192.0.2.1"},         {"192.0.2.1", "192.0.2.1"},
      {"[2001:db8::1]:65535", "2001:db8::1"}, {"[2001:db8::1]", "2001:db8::1"},
      {"2001:db8::1", "2001:db8::1"},
  };
  for (const auto& [text, expected] : good) {
    const auto parsed = IpAddress::parse_with_port(text);
    cr_assert(parsed.has_value() && parsed->to_string() == expected);
  }
  for (const std::string_view text :
       {"192.0.2.1:", "192.0.2.1:65536", "192.0.2.1:-1", "[192.0.2.1]:80", "[::1", "[::1]80",
        "[::1]:", "unknown", "_hidden", ""}) {
    cr_assert_not(IpAddress::parse_with_port(text).has_value(), "%s", std::string(text).c_str());
  }
}

Test(ip_address, socket_addresses_of_each_family) {
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_addr.s_addr = htonl(0xc0000201);
  cr_assert(IpAddress::from_sockaddr(reinterpret_cast<sockaddr*>(&v4)) == address("192.0.2.1"));

  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  inet_pton(AF_INET6, "::ffff:192.0.2.1", &v6.sin6_addr);
  const auto mapped = IpAddress::from_sockaddr(reinterpret_cast<sockaddr*>(&v6));
  cr_assert(mapped == address("192.0.2.1"), "a dual-stack listener sees IPv4 as IPv4");

  sockaddr_un local{};
  local.sun_family = AF_UNIX;
  cr_assert_not(IpAddress::from_sockaddr(reinterpret_cast<sockaddr*>(&local)).has_value());
}

Test(ip_address, a_group_is_one_v4_address_or_one_v6_64) {
  cr_assert(address("192.0.2.1").group() == address("::ffff:192.0.2.1").group());
  cr_assert(address("192.0.2.1").group() != address("192.0.2.2").group());
  cr_assert(address("2001:db8:1:2::1").group() == address("2001:db8:1:2:ffff::9").group());
  cr_assert(address("2001:db8:1:2::1").group() != address("2001:db8:1:3::1").group());
  cr_assert(address("::1").group() != address("0.0.0.0").group());
  cr_assert(static_cast<bool>(address("::1").group()), "no address has the group 'none'");
  cr_assert(static_cast<bool>(IpAddress().group()));
  cr_assert(static_cast<bool>(address("0.0.0.0").group()));
}

Test(ip_address, contains_its_network_and_nothing_else) {
  struct Row {
    std::string_view network, inside, outside;
  };
  const Row table[] = {
      {"10.0.0.0/8", "10.255.255.255", "11.0.0.0"},
      {"192.168.4.0/22", "192.168.7.255", "192.168.8.0"},
      {"192.0.2.7", "192.0.2.7", "192.0.2.6"},
      {"0.0.0.0/0", "203.0.113.9", "2001:db8::1"},
      {"2001:db8::/32", "2001:db8:ffff::1", "2001:db9::"},
      {"::/0", "2001:db8::1", "10.0.0.1"},
      {"fc00::/7", "fdff::1", "fe00::"},
      {"::1", "::1", "::2"},
      {"::ffff:10.0.0.0/104", "10.1.2.3", "11.1.2.3"},
  };
  for (const Row& row : table) {
    const auto cidr = Cidr::parse(row.network);
    cr_assert(cidr.has_value(), "%s", std::string(row.network).c_str());
    cr_assert(cidr->contains(address(row.inside)), "%s", std::string(row.network).c_str());
    cr_assert_not(cidr->contains(address(row.outside)), "%s", std::string(row.network).c_str());
    const auto again = Cidr::parse(cidr->to_string());
    cr_assert(again.has_value() && again->contains(address(row.inside)));
  }
}

Test(ip_address, a_bad_network_is_refused_with_a_reason) {
  const std::string_view table[][2] = {
      {"10.0.0.0/33", "0 to 32 bits"},
      {"::/129", "0 to 128 bits"},
      {"10.0.0.0/", "prefix"},
      {"10.0.0.0/-1", "prefix"},
      {"10.0.0.0/8x", "prefix"},
      {"example.org", "not an address"},
      {"", "not an address"},
      {"10.0.0.1/8", "10.0.0.0/8"},
      {"2001:db8::1/32", "2001:db8::/32"},
  };
  for (const auto& [text, reason] : table) {
    const auto cidr = Cidr::parse(text);
    cr_assert_not(cidr.has_value(), "%s", std::string(text).c_str());
    cr_assert(cidr.error().message.contains(reason), "%s", cidr.error().message.c_str());
  }
}
