#include "server/access/browser_cookie.h"

#include <criterion/criterion.h>

#include <string>

using namespace videosync;

namespace {

Token key_of(std::uint8_t seed) {
  Token key;
  key.bytes.fill(seed);
  return key;
}

constexpr BrowserId some_browser{0x0102'0304'0506'0708};

// What a browser sends back of it.
std::string sent_back(BrowserId browser, const Token& key) {
  const std::string cookie = browser_cookie(browser, key, false);
  return cookie.substr(0, cookie.find(';'));
}

BrowserId read(const std::string& cookies, const Token& key) {
  HttpRequest request;
  request.fields.push_back({"Cookie", cookies});
  return browser_of(request, key);
}

}  // namespace

Test(browser_cookie, a_browser_is_known_by_what_it_was_given) {
  for (const BrowserId browser : {some_browser, BrowserId{1}, BrowserId{UINT64_MAX}}) {
    const std::string sent = sent_back(browser, key_of(3));
    cr_assert(read(sent, key_of(3)) == browser);
    cr_assert(read("theme=dark; " + sent + "; x=y", key_of(3)) == browser);
  }
}

Test(browser_cookie, what_was_not_signed_with_the_key_counts_as_none) {
  const std::string sent = sent_back(some_browser, key_of(3));
  cr_assert_not(read(sent, key_of(4)));
  cr_assert_not(read("", key_of(3)));
  cr_assert_not(read("videosync_browser=", key_of(3)));
  cr_assert_not(read("videosync_browser=0807060504030201", key_of(3)));
  for (std::size_t i = sent.find('=') + 1; i < sent.size(); ++i) {
    std::string other = sent;
    other[i] = other[i] == '1' ? '2' : '1';
    cr_assert_not(read(other, key_of(3)), "%zu", i);
    cr_assert_not(read(sent.substr(0, i), key_of(3)), "%zu", i);
  }
  cr_assert_not(read(sent + "0", key_of(3)));
}

Test(browser_cookie, it_goes_to_the_websocket_alone_and_no_script_reads_it) {
  const std::string cookie = browser_cookie(some_browser, key_of(3), false);
  for (const char* part : {"; Path=/ws", "; HttpOnly", "; SameSite=Strict", "; Max-Age="})
    cr_assert(cookie.contains(part), "%s", part);
  cr_assert_not(cookie.contains("Secure"));
  cr_assert_not(cookie.contains("Domain"));
  cr_assert(browser_cookie(some_browser, key_of(3), true).ends_with("; Secure"));
}
