#include "server/access/origin_policy.h"

#include <criterion/criterion.h>

using videosync::OriginPolicy;

namespace {

OriginPolicy listing(std::vector<std::string> entries) {
  auto policy = OriginPolicy::create(entries);
  cr_assert(policy.has_value());
  return std::move(*policy);
}

}  // namespace

Test(origin_policy, no_origin_is_no_browser) {
  cr_assert(listing({}).allows(std::nullopt, "watch.example"));
}

Test(origin_policy, a_page_of_the_same_host_is_allowed) {
  const OriginPolicy policy = listing({});
  const std::string_view allowed[][2] = {
      {"http://localhost:8080", "localhost:8080"},
      {"https://watch.example", "watch.example"},
      {"https://watch.example", "watch.example:443"},
      {"http://watch.example", "watch.example:80"},
      {"http://watch.example", "watch.example:"},
      {"https://watch.example:443", "watch.example"},
      {"HTTPS://Watch.Example", "wATCH.example"},
      {"http://[::1]:8080", "[::1]:8080"},
      {"http://[::1]", "[::1]:80"},
  };
  for (const auto& [origin, host] : allowed)
    cr_assert(policy.allows(origin, host), "%s", std::string(origin).c_str());
}

Test(origin_policy, foreign_pages_are_refused) {
  const OriginPolicy policy = listing({});
  const std::string_view refused[][2] = {
      {"https://evil.example", "watch.example"},
      {"https://watch.example.evil.example", "watch.example"},
      {"https://notwatch.example", "watch.example"},
      {"https://watch.example:8443", "watch.example"},
      {"https://watch.example", "watch.example:8443"},
      {"https://watch.example", "watch.example:80"},
      {"https://watch.example/", "watch.example"},
      {"https://watch.example@evil.example", "evil.example"},
      {"https://watch.example https://evil.example", "watch.example"},
      {"watch.example", "watch.example"},
      {"chrome-extension://watch.example", "watch.example"},
      {"null", "null"},
      {"", ""},
      {"https://", ""},
      {"https://:443", ":443"},
      {"https://:443", ":"},
  };
  for (const auto& [origin, host] : refused)
    cr_assert_not(policy.allows(origin, host), "%s", std::string(origin).c_str());
}

Test(origin_policy, the_operators_list_is_exact) {
  const OriginPolicy policy = listing({"https://Portal.example:443", "app://shell", "null"});
  cr_assert(policy.allows("https://portal.example", "watch.example"));
  cr_assert(policy.allows("app://shell", "watch.example"));
  cr_assert(policy.allows("null", "watch.example"));
  cr_assert_not(policy.allows("http://portal.example", "watch.example"));
  cr_assert_not(policy.allows("https://portal.example:8443", "watch.example"));
  cr_assert_not(policy.allows("https://a.portal.example", "watch.example"));
}

Test(origin_policy, a_star_allows_every_page) {
  const OriginPolicy policy = listing({"*"});
  cr_assert(policy.allows("https://evil.example", "watch.example"));
  cr_assert(policy.allows("null", "watch.example"));
}

Test(origin_policy, bad_entries_are_named) {
  for (const std::string entry :
       {"watch.example", "https://watch.example/", "https://*.example", "https://", "", "1http://x",
        "https://a b", "https://a:443:443", "https://a:65536", "https://[::1", "https://a%zz"}) {
    const auto policy = OriginPolicy::create(std::vector{entry});
    cr_assert_not(policy.has_value(), "%s", entry.c_str());
    cr_assert(policy.error().message.contains("'" + entry + "'"));
  }
}
