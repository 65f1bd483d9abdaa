#include "server/config/listen_address.h"

#include <criterion/criterion.h>

#include <string>

using videosync::ListenAddress;

Test(listen_address, every_form_is_read_and_shown) {
  const std::string_view table[][2] = {
      {"127.0.0.1:8080", "127.0.0.1:8080"},
      {"[::]:8080", "[::]:8080"},
      {":8080", "[::]:8080"},
      {"localhost:8080", "127.0.0.1:8080"},
      {"[::1]:0", "[::1]:0"},
      {"0.0.0.0:65535", "0.0.0.0:65535"},
      {"unix:/run/v.sock", "unix:/run/v.sock"},
  };
  for (const auto& [text, shown] : table) {
    const auto parsed = ListenAddress::parse(text);
    cr_assert(parsed.has_value(), "%s", std::string(text).c_str());
    cr_assert_eq(parsed->to_string(), shown, "%s", parsed->to_string().c_str());
    cr_assert_eq(ListenAddress::parse(shown)->to_string(), shown);
  }
}

Test(listen_address, parts_are_told_apart) {
  const auto tcp = ListenAddress::parse("192.0.2.1:81");
  cr_assert_not(tcp->is_unix());
  cr_assert_eq(tcp->port, 81);
  cr_assert_eq(tcp->address.to_string(), "192.0.2.1");
  const auto local = ListenAddress::parse("unix:rel/a:1.sock");
  cr_assert(local->is_unix());
  cr_assert_eq(local->unix_path, "rel/a:1.sock");
}

Test(listen_address, what_is_wrong_is_said) {
  const std::string long_path = "unix:/" + std::string(107, 'x');
  const std::string_view table[][2] = {
      {"8080", "no port; write HOST:PORT"},
      {"127.0.0.1", "HOST:PORT"},
      {"127.0.0.1:", "0 to 65535"},
      {"127.0.0.1:65536", "0 to 65535"},
      {"127.0.0.1:-1", "0 to 65535"},
      {"127.0.0.1:80x", "0 to 65535"},
      {"::1:8080", "brackets"},
      {"[::1:8080", "brackets"},
      {"example.org:80", "localhost"},
      {"[]:80", "no IP address"},
      {"", "HOST:PORT"},
      {"unix:", "no path"},
      {long_path, "at most 107 bytes"},
  };
  for (const auto& [text, reason] : table) {
    const auto parsed = ListenAddress::parse(text);
    cr_assert_not(parsed.has_value(), "%s", std::string(text).c_str());
    cr_assert(parsed.error().message.contains(reason), "%s", parsed.error().message.c_str());
  }
}
