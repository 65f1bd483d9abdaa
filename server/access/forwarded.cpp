#include "server/access/forwarded.h"

#include <algorithm>
#include <utility>

#include "core/base/text.h"

namespace videosync {

namespace {

// Cuts the last element off a comma-separated list; the rest is "" after the first element.
std::string_view take_last(std::string_view& list) noexcept {
  const std::size_t comma = list.rfind(',');
  if (comma == list.npos) return trim(std::exchange(list, {}), http_blanks);
  const std::string_view last = trim(list.substr(comma + 1), http_blanks);
  list = list.substr(0, comma);
  return last;
}

// Of the last line of that name; empty where there is none.
std::string_view last_element(const HttpRequest& request, std::string_view name) noexcept {
  for (std::size_t i = request.fields.size(); i-- > 0;) {
    std::string_view list = request.fields[i].value;
    if (equals_ignoring_case(request.fields[i].name, name)) return take_last(list);
  }
  return {};
}

// `address` is a trusted proxy's, or unknown behind a trusted Unix socket. Returns the client's.
IpAddress walk(const TrustedProxies& trusted, IpAddress address,
               const HttpRequest& request) noexcept {
  for (std::size_t i = request.fields.size(); i-- > 0;) {
    if (!equals_ignoring_case(request.fields[i].name, "x-forwarded-for")) continue;
    std::string_view list = request.fields[i].value;
    do {
      const std::string_view element = take_last(list);
      if (element.empty()) continue;  // RFC 9110 section 5.6.1: empty elements are ignored
      const auto hop = IpAddress::parse_with_port(element);
      if (!hop) return address;
      address = *hop;
      if (!trusted.contains(address)) return address;
    } while (!list.empty());
  }
  return address;
}

}  // namespace

Result<> TrustedProxies::add(std::string_view text) {
  if (text == "unix") {
    unix_sockets = true;
    return {};
  }
  auto network = Cidr::parse(text);
  if (!network) return std::unexpected(std::move(network.error()));
  networks.push_back(*network);
  return {};
}

bool TrustedProxies::contains(const std::optional<IpAddress>& peer) const noexcept {
  if (!peer) return unix_sockets;
  return std::ranges::any_of(networks, [&](const Cidr& cidr) { return cidr.contains(*peer); });
}

std::vector<std::string> TrustedProxies::to_strings() const {
  std::vector<std::string> texts;
  if (unix_sockets) texts.emplace_back("unix");
  for (const Cidr& network : networks)
    texts.push_back(network.to_string());
  return texts;
}

ClientView resolve_client(const TrustedProxies& trusted, const std::optional<IpAddress>& peer,
                          const HttpRequest& request) noexcept {
  ClientView view{peer.value_or(IpAddress()), request.host};
  if (!trusted.contains(peer)) return view;
  view.address = walk(trusted, view.address, request);
  const std::string_view host = last_element(request, "x-forwarded-host");
  if (!host.empty()) view.host = host;
  view.is_secure = equals_ignoring_case(last_element(request, "x-forwarded-proto"), "https");
  return view;
}

}  // namespace videosync
