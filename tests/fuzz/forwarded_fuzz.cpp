// Fuzzes who the client is behind proxies, and addresses and networks as text.
//
// The first line: trusted proxies; the second: the peer; the rest: fields of the request. What the
// client may have invented stands in front of what a proxy has written: it changes nothing.
//
// Reads: server/access/forwarded.cpp, server/access/ip_address.cpp
#include "server/access/forwarded.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/assert.h"
#include "tests/fuzz/support/fuzz_lines.h"

using namespace videosync;
using namespace videosync::fuzz;

namespace {

constexpr std::string_view addresses_field = "X-Forwarded-For";
constexpr std::string_view host_field = "x-forwarded-host";

void check_address(std::string_view text) {
  const auto bare = IpAddress::parse(text);
  if (bare) {
    const std::string shown = bare->to_string();
    VS_ASSERT(IpAddress::parse(shown) == bare);
    VS_ASSERT(IpAddress::parse_with_port(text) == bare);
    const std::string bracketed = "[" + shown + "]:65535";
    VS_ASSERT(IpAddress::parse_with_port(bare->is_v4() ? shown + ":1" : bracketed) == bare);
    VS_ASSERT(bare->group() == IpAddress::parse(shown)->group());
  }
  const auto network = Cidr::parse(text);
  if (!network) return;
  const std::string shown = network->to_string();
  const auto again = Cidr::parse(shown);
  VS_ASSERT(again && again->to_string() == shown);
  const auto first = IpAddress::parse(text.substr(0, text.find('/')));
  VS_ASSERT(first && network->contains(*first) == again->contains(*first));
  // Of "::/0" an IPv4 address is no part, and no other network lacks its own first address.
  VS_ASSERT(network->contains(*first) || first->is_v4());
}

struct View {
  IpAddress address;
  std::string host;
  bool is_secure;

  friend bool operator==(const View&, const View&) = default;
};

View resolve(const TrustedProxies& trusted, const std::optional<IpAddress>& peer,
             const HttpRequest& request) {
  const ClientView view = resolve_client(trusted, peer, request);
  return {view.address, std::string(view.host), view.is_secure};
}

// All lines of the list as one.
HttpRequest joined(const HttpRequest& request, std::string& list) {
  HttpRequest one = request;
  for (const HttpField& field : request.fields) {
    if (equals_ignoring_case(field.name, addresses_field))
      list += list.empty() ? std::string(field.value) : ", " + std::string(field.value);
  }
  std::erase_if(one.fields, [](const HttpField& field) {
    return equals_ignoring_case(field.name, addresses_field);
  });
  one.fields.insert(one.fields.begin(), {addresses_field, list});
  return one;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text = text_of(data, size);
  std::string_view proxies = take_line(text);
  const std::string_view peer_text = take_line(text);
  TrustedProxies trusted;
  while (!proxies.empty()) {
    const std::string_view one = take_list_element(proxies);
    check_address(one);
    if (trusted.add(one)) VS_ASSERT(!trusted.to_strings().empty());
  }
  check_address(peer_text);
  const auto peer = IpAddress::parse_with_port(peer_text);
  HttpRequest request = request_of(text);
  const View view = resolve(trusted, peer, request);
  if (!trusted.contains(peer)) {
    VS_ASSERT((view == View{peer.value_or(IpAddress()), "asked.example", false}));
    return 0;
  }
  std::string list;
  VS_ASSERT(resolve(trusted, peer, joined(request, list)).address == view.address);
  const bool is_known =
      !trusted.contains(view.address) && view.address != peer.value_or(IpAddress());
  if (is_known) {
    request.fields.insert(request.fields.begin(), {addresses_field, "198.51.100.77"});
    VS_ASSERT(resolve(trusted, peer, request) == view);
  }
  if (request.has_header(host_field) && !view.host.empty()) {
    request.fields.insert(request.fields.begin(), {host_field, "invented.example"});
    VS_ASSERT(resolve(trusted, peer, request) == view);
  }
  return 0;
}
