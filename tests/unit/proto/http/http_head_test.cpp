#include "proto/http/http_head.h"

#include <criterion/criterion.h>

#include <string>
#include <vector>

#include "tests/unit/proto/http/request_feeding.h"

using namespace videosync;
using namespace videosync::test;

Test(http_head, a_length_of_zero_is_no_body) {
  HttpRequestParser parser;
  cr_assert(feed(parser, post("Content-Length: 0\r\nExpect: 100-continue\r\n")).status ==
            FeedStatus::complete);
  cr_assert_not(parser.request().has_body);
  cr_assert_not(parser.request().expect_continue, "nothing to wait for");
}

Test(http_head, keep_alive_follows_version_and_field) {
  struct Row {
    std::string head;
    bool keep_alive;
  };
  const std::vector<Row> table = {
      {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", true},
      {"GET / HTTP/1.1\r\nHost: a\r\nConnection: x\r\nConnection: Close\r\n\r\n", false},
      {"GET / HTTP/1.0\r\n\r\n", false},
      {"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true},
      {"GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", false}};
  HttpRequestParser parser;
  for (const Row& row : table) {
    parser.reset();
    cr_assert(feed(parser, row.head).status == FeedStatus::complete, "%s", row.head.c_str());
    cr_assert_eq(parser.request().keep_alive, row.keep_alive, "%s", row.head.c_str());
  }
}

Test(http_head, http_1_0_does_not_expect) {
  HttpRequestParser parser;
  feed(parser, "GET / HTTP/1.0\r\nExpect: x\r\n\r\n");
  cr_assert_not(parser.request().expect_continue);
  cr_assert_eq(parser.request().version_minor, 0);
}

Test(http_head, host_is_there_once_and_clean) {
  expect_fault("GET / HTTP/1.1\r\n\r\n", 400);
  expect_fault("GET http://h/ HTTP/1.1\r\n\r\n", 400);
  expect_fault(get("/", "Host: a\r\n"), 400);
  expect_fault(get("/", "host: b\r\n"), 400);
  expect_fault("GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", 400);
  for (const char* host : {"a b", "a\tb", "a,b", "a/b", "u@a", "a\\b", "<a>", "a:b:c", "a:99999999",
                           "a:x", ":80", "[::1", "[::1]x", "[1:2]", "::1", "a%", "a%4", "a%zz"}) {
    const std::string field = "Host: " + std::string(host) + "\r\n\r\n";
    expect_fault("GET / HTTP/1.1\r\n" + field, 400);
    expect_fault("GET / HTTP/1.0\r\n" + field, 400);
    expect_fault("GET http://good/ HTTP/1.1\r\n" + field, 400);
  }
  HttpRequestParser parser;
  for (const char* host :
       {"", "a:", "a:65535", "[::1]", "[2001:db8::1]:8080", "a%41", "1.2.3.4:80"}) {
    parser.reset();
    const std::string head = "GET / HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n";
    cr_assert(feed(parser, head).status == FeedStatus::complete, "%s", host);
    cr_assert(parser.request().host == host, "%s", host);
  }
  parser.reset();
  cr_assert(feed(parser, "GET / HTTP/1.0\r\n\r\n").status == FeedStatus::complete);
}

Test(http_head, ambiguous_framing_is_refused) {
  expect_fault(post("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), 400);
  expect_fault(post("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", "0\r\n\r\n"), 400);
  expect_fault(post("Content-Length: 3\r\nContent-Length: 3\r\n", "abc"), 400);
  for (const char* length : {"", " ", "-1", "+1", "1,1", "1 1", "0x1", "1.0", "a"}) {
    expect_fault(post("Content-Length: " + std::string(length) + "\r\n"), 400);
  }
  expect_fault(post("Transfer-Encoding: chunked, gzip\r\n"), 400);
  expect_fault(post("Transfer-Encoding: chunked, chunked\r\n"), 400);
  expect_fault(post("Transfer-Encoding: gzip\r\n"), 501);
  expect_fault(post("Transfer-Encoding: gzip, chunked\r\n"), 501);
  expect_fault(post("Transfer-Encoding: xchunked\r\n"), 501);
  expect_fault(post("Transfer-Encoding:\r\n"), 501);
  expect_fault("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400);
}

Test(http_head, only_one_expectation_is_met) {
  expect_fault(post("Content-Length: 1\r\nExpect: 200-ok\r\n"), 417);
  expect_fault(get("/", "Expect: 100-continue\r\nExpect: 100-continue\r\n"), 417);
}
