#include "server/access/forwarded.h"

#include <criterion/criterion.h>

using videosync::ClientView;
using videosync::HttpField;
using videosync::HttpRequest;
using videosync::IpAddress;
using videosync::resolve_client;
using videosync::TrustedProxies;

namespace {

TrustedProxies trusting(std::initializer_list<std::string_view> texts) {
  TrustedProxies proxies;
  for (const std::string_view text : texts)
    cr_assert(proxies.add(text).has_value());
  return proxies;
}

// A request to here.example with these fields, in their order.
ClientView view_of(const TrustedProxies& trusted, const std::optional<IpAddress>& peer,
                   std::vector<HttpField> fields) {
  static HttpRequest request;
  request.host = "here.example";
  request.fields = std::move(fields);
  return resolve_client(trusted, peer, request);
}

std::string client(const TrustedProxies& trusted, std::string_view peer,
                   const std::vector<std::string_view>& lines) {
  std::vector<HttpField> fields;
  for (const std::string_view line : lines)
    fields.push_back({"X-Forwarded-For", line});
  return view_of(trusted, IpAddress::parse(peer), std::move(fields)).address.to_string();
}

}  // namespace

Test(forwarded, without_a_trusted_proxy_only_the_peer_counts) {
  const ClientView view = view_of(TrustedProxies{}, IpAddress::parse("192.0.2.1"),
                                  {{"X-Forwarded-For", "203.0.113.9"},
                                   {"X-Forwarded-Proto", "https"},
                                   {"X-Forwarded-Host", "evil.example"}});
  cr_assert_eq(view.address.to_string(), "192.0.2.1");
  cr_assert_eq(view.host, "here.example");
}

Test(forwarded, a_spoofed_list_ends_at_the_address_that_the_proxy_saw) {
  const TrustedProxies trusted = trusting({"10.0.0.0/8"});
  // The client wrote the first two itself; the proxy appended where they came from.
  cr_assert_eq(client(trusted, "10.0.0.1", {"127.0.0.1, 10.0.0.7, 203.0.113.9"}), "203.0.113.9");
  cr_assert_eq(client(trusted, "10.0.0.1", {"10.0.0.7", "203.0.113.9"}), "203.0.113.9");
}

Test(forwarded, no_number_of_forged_lines_hides_what_the_proxy_appended) {
  const TrustedProxies trusted = trusting({"10.0.0.0/8"});
  for (const std::size_t forged : {1u, 7u, 8u, 9u, 90u}) {
    std::vector<std::string_view> lines(forged, "198.51.100.1");
    lines.push_back("203.0.113.9");
    cr_assert_eq(client(trusted, "10.0.0.1", lines), "203.0.113.9", "%zu lines", forged);
    lines.assign(forged, "10.0.0.7");
    lines.push_back("203.0.113.9, 10.0.0.2");
    cr_assert_eq(client(trusted, "10.0.0.1", lines), "203.0.113.9", "%zu lines", forged);
  }
}

Test(forwarded, trusted_proxies_in_a_row_are_skipped) {
  const TrustedProxies trusted = trusting({"10.0.0.0/8", "2001:db8::/32"});
  cr_assert_eq(client(trusted, "10.0.0.1", {"203.0.113.9, [2001:db8::5]:4711 ,10.0.0.2:80"}),
               "203.0.113.9");
  cr_assert_eq(client(trusted, "10.0.0.1", {"198.51.100.1, 203.0.113.9", "10.0.0.3, 10.0.0.2"}),
               "203.0.113.9");
  cr_assert_eq(client(trusted, "10.0.0.1", {"10.0.0.3, 10.0.0.2"}), "10.0.0.3",
               "a client inside the trusted network");
}

Test(forwarded, garbage_ends_the_walk) {
  const TrustedProxies trusted = trusting({"10.0.0.0/8"});
  cr_assert_eq(client(trusted, "10.0.0.1", {"203.0.113.9, unknown"}), "10.0.0.1");
  cr_assert_eq(client(trusted, "10.0.0.1", {"203.0.113.9, <script>, 10.0.0.2"}), "10.0.0.2");
  cr_assert_eq(client(trusted, "10.0.0.1", {"203.0.113.9,, ,"}), "203.0.113.9");
  cr_assert_eq(client(trusted, "10.0.0.1", {""}), "10.0.0.1");
  cr_assert_eq(client(trusted, "10.0.0.1", {}), "10.0.0.1");
}

Test(forwarded, a_unix_socket_is_trusted_only_where_configured) {
  const std::vector<HttpField> fields = {{"x-forwarded-for", "203.0.113.9"},
                                         {"x-forwarded-proto", "HTTPS"},
                                         {"x-forwarded-host", "watch.example"}};
  const ClientView stranger = view_of(trusting({"10.0.0.0/8"}), std::nullopt, fields);
  cr_assert(stranger.address.is_unspecified());
  cr_assert_eq(stranger.host, "here.example");
  cr_assert_not(stranger.is_secure);

  const ClientView known = view_of(trusting({"unix"}), std::nullopt, fields);
  cr_assert_eq(known.address.to_string(), "203.0.113.9");
  cr_assert_eq(known.host, "watch.example");
  cr_assert(known.is_secure);
}

Test(forwarded, the_nearest_proxy_has_the_last_word_on_host_and_scheme) {
  const auto proxy = IpAddress::parse("10.0.0.1");
  const TrustedProxies trusted = trusting({"10.0.0.1"});
  const ClientView in_one_line = view_of(
      trusted, proxy,
      {{"X-Forwarded-Proto", "https, http"}, {"X-Forwarded-Host", "evil.example , watch.example"}});
  cr_assert_eq(in_one_line.host, "watch.example");
  cr_assert_not(in_one_line.is_secure);

  const ClientView in_its_own = view_of(trusted, proxy,
                                        {{"X-Forwarded-Host", "evil.example"},
                                         {"X-Forwarded-Proto", "https"},
                                         {"x-forwarded-host", "worse.example, watch.example"},
                                         {"X-Forwarded-Proto", "http"},
                                         {"X-Other", "https"}});
  cr_assert_eq(in_its_own.host, "watch.example");
  cr_assert_not(in_its_own.is_secure);
}

Test(forwarded, entries_of_the_operator_are_checked) {
  TrustedProxies proxies;
  cr_assert(proxies.add("unix").has_value());
  cr_assert(proxies.add("10.0.0.0/8").has_value());
  cr_assert_not(proxies.add("nginx").has_value());
  cr_assert(proxies.to_strings() == std::vector<std::string>({"unix", "10.0.0.0/8"}));
}
