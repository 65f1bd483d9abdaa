#include "proto/http/http_target.h"

#include <criterion/criterion.h>

#include <string>
#include <string_view>
#include <vector>

#include "tests/unit/proto/http/request_feeding.h"

using namespace videosync;
using namespace videosync::test;

Test(http_target, views_lie_in_the_target_or_in_the_room_for_the_decoded_path) {
  const std::string_view target = "http://h/a%20b?c%20d";
  std::string room(target.size(), 'x');
  const auto read = read_target(HttpMethod::get, target, room.data());
  cr_assert(read.has_value());
  cr_assert(read->path == "/a b");
  cr_assert_eq(read->path.data(), room.data());
  cr_assert_eq(read->query.data(), target.data() + target.find('?') + 1);
  cr_assert_eq(read->host.data(), target.data() + target.find('h', 4));
  const auto plain = read_target(HttpMethod::get, "/a", nullptr);
  cr_assert(plain.has_value() && plain->path == "/a", "without an escape no room is needed");
  cr_assert_not(read_target(HttpMethod::get, "", nullptr).has_value());
}

Test(http_target, targets_have_three_forms) {
  struct Row {
    std::string line, path, query, host;
  };
  const std::vector<Row> table = {{"GET /", "/", "", "a"},
                                  {"GET /a/../b//c", "/a/../b//c", "", "a"},
                                  {"GET //x/y", "//x/y", "", "a"},
                                  {"GET /%41%2e?%41", "/A.", "%41", "a"},
                                  {"GET /%C3%A9%25", "/\xc3\xa9%", "", "a"},
                                  {"GET /%2541", "/%41", "", "a"},  // decoded once
                                  {"GET /?a=b?c", "/", "a=b?c", "a"},
                                  {"GET http://h:80/x?q", "/x", "q", "h:80"},
                                  {"GET HTTPS://h", "/", "", "h"},
                                  {"GET http://h?q", "/", "q", "h"},
                                  {"GET http://[::1]:80/", "/", "", "[::1]:80"},
                                  {"GET http://h:?q", "/", "q", "h:"},
                                  {"GET http://h%41/x", "/x", "", "h%41"},
                                  {"OPTIONS *", "*", "", "a"}};
  HttpRequestParser parser;
  for (const Row& row : table) {
    parser.reset();
    const FeedResult result = feed(parser, row.line + " HTTP/1.1\r\nHost: a\r\n\r\n");
    cr_assert(result.status == FeedStatus::complete, "%s", row.line.c_str());
    cr_assert(parser.request().path == row.path, "%s", row.line.c_str());
    cr_assert(parser.request().query == row.query, "%s", row.line.c_str());
    cr_assert(parser.request().host == row.host, "%s", row.line.c_str());
  }
}

Test(http_target, bad_targets_are_refused) {
  for (const char* target : {"/%",
                             "/%4",
                             "/%zz",
                             "/%00",
                             "/%0a",
                             "/%7f",
                             "/%ff",
                             "/%c0%af",
                             "/a%2Fb",
                             "/a%2fb",
                             "/a#b",
                             "*",
                             "a",
                             "?q",
                             "ftp://h/",
                             "http://",
                             "http:///x",
                             "http://u@h/",
                             "http://h,i/",
                             "http://h/%00",
                             "http://h:i:j/",
                             "http://h:99999999/",
                             "http://h:x/",
                             "http://:80/",
                             "http://[::1/",
                             "http://[::1]x/",
                             "http://[1:2]/",
                             "http://::1/",
                             "http://h%/",
                             "http://h%zz/",
                             "http://h%4?q",
                             "http://u:p@h/",
                             "http://@h/",
                             "h:80",
                             "h",
                             "[::1]:80"}) {
    expect_fault(get(target), 400);
  }
  expect_fault("GET /\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n", 400);
  expect_fault("GET /a\tb HTTP/1.1\r\nHost: a\r\n\r\n", 400);
  expect_fault("CONNECT h:80 HTTP/1.1\r\nHost: a\r\n\r\n", 501);
}
