#include "proto/http/http_request.h"

#include <criterion/criterion.h>

#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/unit/proto/http/request_feeding.h"

using namespace videosync;
using namespace videosync::test;

Test(http_request, a_plain_get_is_read) {
  HttpRequestParser parser;
  cr_assert_not(parser.has_begun());
  const std::string text =
      "GET /api/video?id=a%20b&x HTTP/1.1\r\nHost: example.org:8080\r\n"
      "Range:  bytes=0-1 \t\r\nX-Empty:\r\n\r\n";
  const FeedResult result = feed(parser, text);
  cr_assert(result.status == FeedStatus::complete);
  cr_assert_eq(result.consumed, text.size());
  const HttpRequest& request = parser.request();
  cr_assert(request.method == HttpMethod::get);
  cr_assert(request.target == "/api/video?id=a%20b&x");
  cr_assert(request.path == "/api/video");
  cr_assert(request.query == "id=a%20b&x");
  cr_assert(request.host == "example.org:8080");
  cr_assert(request.header("RANGE") == "bytes=0-1");
  cr_assert(request.has_header("x-empty"));
  cr_assert(request.header("x-empty").empty());
  cr_assert_not(request.has_header("x-absent"));
  cr_assert_eq(request.version_minor, 1);
  cr_assert(request.keep_alive);
  cr_assert_not(request.has_body);
  cr_assert(parser.has_begun());
}

Test(http_request, methods_have_names) {
  const std::vector<std::pair<std::string, HttpMethod>> table = {
      {"GET", HttpMethod::get},     {"HEAD", HttpMethod::head},       {"POST", HttpMethod::post},
      {"DELETE", HttpMethod::del},  {"OPTIONS", HttpMethod::options}, {"PUT", HttpMethod::put},
      {"PATCH", HttpMethod::patch}, {"PROPFIND", HttpMethod::other},  {"TRACE", HttpMethod::other}};
  HttpRequestParser parser;
  for (const auto& [name, method] : table) {
    parser.reset();
    const FeedResult result = feed(parser, name + " / HTTP/1.1\r\nHost: a\r\n\r\n");
    cr_assert(result.status == FeedStatus::complete, "%s", name.c_str());
    cr_assert(parser.request().method == method, "%s", name.c_str());
    cr_assert(parser.request().method_name == name);
  }
}

Test(http_request, a_body_is_announced_before_it_is_taken) {
  HttpRequestParser parser;
  const std::string text = post("Content-Length: 5\r\nExpect: 100-Continue\r\n", "helloGET /");
  FeedResult result = feed(parser, text);
  cr_assert(result.status == FeedStatus::head_complete);
  cr_assert_eq(result.consumed, text.size() - 10);
  cr_assert(parser.request().expect_continue);
  cr_assert(parser.request().has_body);
  result = feed(parser, std::string_view(text).substr(result.consumed));
  cr_assert(result.status == FeedStatus::complete);
  cr_assert_eq(result.consumed, 5u);
  cr_assert(parser.request().body == "hello");
}

Test(http_request, chunks_are_joined_and_trailers_dropped) {
  HttpRequestParser parser;
  const std::string text = post("Transfer-Encoding: Chunked\r\n",
                                "3;note=x\r\nabc\r\n2\r\nde\r\n0\r\nX-Trailer: 1\r\n\r\n");
  const FeedResult result = feed_by(parser, text + "next", text.size() + 4);
  cr_assert(result.status == FeedStatus::complete);
  cr_assert_eq(result.consumed, text.size());
  cr_assert(parser.request().body == "abcde");
  cr_assert_not(parser.request().has_header("x-trailer"));
}

Test(http_request, a_chunk_may_have_extensions_of_any_kind) {
  for (const char* extensions : {";a", ";a=1;b=\"x;y\"", ";a=\"\\\"\\\\\"", ";a=\" 5;\t\";b",
                                 " ; a = b", ";a=\"\xc3\xa9\""}) {
    const std::string body = "A" + std::string(extensions) + "\r\n;a\"\r\n5 \t;x\r\n" + "02" +
                             extensions + "\r\n\r\n\r\n0" + extensions + "\r\nT: u\r\n\r\n";
    const std::string text = post("Transfer-Encoding: chunked\r\n", body);
    HttpRequestParser parser;
    const FeedResult result = feed_by(parser, text + "next", text.size() + 4);
    cr_assert(result.status == FeedStatus::complete, "%s", extensions);
    cr_assert_eq(result.consumed, text.size(), "%s", extensions);
    cr_assert(parser.request().body == ";a\"\r\n5 \t;x\r\n", "%s", extensions);
    const std::string whole = outcome_of(parser, text + "next", text.size() + 4);
    for (std::size_t step = 1; step < 8; ++step)
      cr_assert_eq(outcome_of(parser, text + "next", step), whole, "%s", extensions);
  }
}

Test(http_request, bad_chunk_extensions_are_refused) {
  for (const char* extensions :
       {";", ";=b", ";a=", ";a=\"b", ";a=\"b\"c", ";a=b\"c\"", ";a=\"\\", ";a b", ";a ", " ",
        ";a=\"b\x01\"", ";a=\"b\n\"", ";a\n", ";a\r;b", "\r;a", "\r ;a"}) {
    const std::string tail = std::string(extensions) + "\r\n";
    expect_fault(post("Transfer-Encoding: chunked\r\n", "3" + tail + "abc\r\n0\r\n\r\n"), 400);
    expect_fault(post("Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n0" + tail + "\r\n"), 400);
  }
  expect_fault(post("Transfer-Encoding: chunked\r\n", ";a\r\n"), 400);
  expect_fault(post("Transfer-Encoding: chunked\r\n", "3;a\r\nabc;b\r\n"), 400);
}

Test(http_request, pipelined_requests_come_one_by_one) {
  HttpRequestParser parser;
  const std::string all = get("/1") + post("Content-Length: 2\r\n", "ab") + "\r\n" + get("/3");
  std::string_view rest = all;
  std::vector<std::string> paths;
  while (!rest.empty()) {
    const FeedResult result = feed(parser, rest);
    rest.remove_prefix(result.consumed);
    if (result.status == FeedStatus::head_complete) continue;
    cr_assert(result.status == FeedStatus::complete);
    cr_assert_eq(feed(parser, rest).consumed, 0u, "a finished parser takes nothing");
    paths.emplace_back(parser.request().path);
    parser.reset();
  }
  const std::vector<std::string> expected = {"/1", "/p", "/3"};
  cr_assert(paths == expected);
}

Test(http_request, what_follows_a_close_does_not_spoil_the_request) {
  HttpRequestParser parser;
  const std::string text = get("/", "Connection: foo, CLOSE\r\n");
  const FeedResult result = feed(parser, text + "\x16\x03 rubbish");
  cr_assert(result.status == FeedStatus::complete);
  cr_assert_eq(result.consumed, text.size());
  cr_assert_not(parser.request().keep_alive);
}

Test(http_request, an_upgrade_leaves_the_frames) {
  HttpRequestParser parser;
  const std::string text = get("/ws", "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n");
  const FeedResult result = feed(parser, text + "\x81\x80");
  cr_assert(result.status == FeedStatus::complete);
  cr_assert_eq(result.consumed, text.size());
}

Test(http_request, an_upgrade_with_a_body_is_read_to_its_end) {
  HttpRequestParser parser;
  const std::string text =
      post("Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 2\r\n", "ab");
  const FeedResult result = feed_by(parser, text + "PRI", text.size() + 3);
  cr_assert(result.status == FeedStatus::complete);
  cr_assert_eq(result.consumed, text.size());
  cr_assert(parser.request().body == "ab");
}

Test(http_request, bad_request_lines_are_refused) {
  expect_fault("\x16\x03\x01\x02 tls", 400);
  expect_fault("BREW /pot HTTP/1.1\r\n\r\n", 501);
  expect_fault("GETX / HTTP/1.1\r\n\r\n", 501);
  expect_fault("GE / HTTP/1.1\r\n\r\n", 501);
  expect_fault("get / HTTP/1.1\r\n\r\n", 501);
  expect_fault(" GET / HTTP/1.1\r\n\r\n", 400);
  expect_fault("GET /\r\n", 505);
  expect_fault("GET / HTTP/0.9\r\n", 505);
  expect_fault("GET / HTTP/1.2\r\n", 505);
  expect_fault("GET / HTTP/2.0\r\n", 505);
  expect_fault("GET / HTTP/3.0\r\n", 505);
  expect_fault("GET / RTSP/1.0\r\n", 505);
  expect_fault("SETUP / RTSP/1.0\r\n", 505);
  expect_fault("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505);
  expect_fault("GET / HTTP/x.1\r\n", 400);
  expect_fault("GET / HTTP/1.1 \r\n", 400);
  expect_fault("GET / SMTP/1.1\r\n", 400);
  expect_fault("GET  / HTTP/1.1\r\n", 400);
  expect_fault("GET /  HTTP/1.1\r\n", 400);
  expect_fault("GET /a b HTTP/1.1\r\n", 400);
  expect_fault("GET / HTTP/1.1\nHost: a\n\n", 400);
  expect_fault("\r\n\r\n\r\n\r\n\r\nGET", 400);
}

Test(http_request, bad_fields_are_refused) {
  for (const char* field : {"A : b\r\n", "A b: c\r\n", ": b\r\n", "A\r\n", "A: b\r\n c\r\n",
                            "A: b\r\n\tc\r\n", " A: b\r\n", "A: b\x01\r\n", "A: b\x7f\r\n",
                            "A: b\rC: d\r\n", "A: b\n", "A: b\r\r\n", "\xc3\xa9: b\r\n"}) {
    expect_fault(get("/", field), 400);
  }
  expect_fault(get("/", std::string("A: b\0c\r\n", 8)), 400);
  expect_fault("GET / HTTP/1.1\r\n A: b\r\nHost: a\r\n\r\n", 400);
}

Test(http_request, bad_chunks_are_refused) {
  for (const char* body :
       {"x\r\n", "-1\r\n", "\r\n", "3\nabc", "3\rabc", "3\r\nabcd\r\n", "3\r\nabc\n0\r\n\r\n",
        "3 \r\nabc", "0x3\r\nabc", "0\r\nA b: c\r\n\r\n", "0\r\nA: b\rC: d\r\n\r\n"}) {
    expect_fault(post("Transfer-Encoding: chunked\r\n", body), 400);
  }
}

Test(http_request, the_request_line_has_a_limit) {
  HttpRequestParser parser;
  const std::size_t around = std::string_view("GET / HTTP/1.1\r\n").size();
  const std::string fitting = get("/" + std::string(8192 - around, 'x'));
  cr_assert(feed(parser, fitting).status == FeedStatus::complete);
  expect_fault(get("/" + std::string(8192 - around + 1, 'x')), 414);
  expect_fault(get("/" + std::string(100'000, 'x')), 414);
}

Test(http_request, the_head_has_a_limit) {
  HttpRequestParser parser;
  const std::size_t around = get("/", "A: \r\n").size();
  const std::string fitting = get("/", "A: " + std::string(16384 - around, 'x') + "\r\n");
  cr_assert_eq(fitting.size(), 16384u);
  cr_assert(feed(parser, fitting).status == FeedStatus::complete);
  expect_fault(get("/", "A: " + std::string(16384 - around + 1, 'x') + "\r\n"), 431);
  expect_fault(get("/", std::string(20'000, 'x')), 431);
}

Test(http_request, fields_have_a_limit) {
  HttpRequestParser parser;
  std::string fields;
  for (int i = 0; i < 99; ++i)
    fields += "A: b\r\n";
  cr_assert(feed(parser, get("/", fields)).status == FeedStatus::complete);
  cr_assert_eq(parser.request().count("a"), 99u);
  expect_fault(get("/", fields + "A: b\r\n"), 431);
}

Test(http_request, a_body_is_judged_before_it_comes) {
  HttpRequestParser parser;
  cr_assert(feed(parser, post("Content-Length: 65536\r\n")).status == FeedStatus::head_complete);
  expect_fault(post("Content-Length: 65537\r\n"), 413);
  expect_fault(post("Content-Length: 18446744073709551616\r\n"), 413);
  expect_fault(post("Content-Length: 99999999999999999999999999\r\n"), 413);
  expect_fault(post("Transfer-Encoding: chunked\r\n", "10001\r\n"), 413);
  expect_fault(post("Transfer-Encoding: chunked\r\n", "ffffffffffffffffff\r\n"), 413);
  const std::string chunk = "8000\r\n" + std::string(0x8000, 'x') + "\r\n";
  expect_fault(post("Transfer-Encoding: chunked\r\n", chunk + chunk + "1\r\n"), 413);
  parser.reset();
  const std::string fitting = post("Transfer-Encoding: chunked\r\n", chunk + chunk + "0\r\n\r\n");
  cr_assert(feed_by(parser, fitting, fitting.size()).status == FeedStatus::complete);
  cr_assert_eq(parser.request().body.size(), 65536u);
}

Test(http_request, framing_without_a_body_ends_too) {
  const std::string extension = "1;" + std::string(600'000, 'x');
  expect_fault(post("Transfer-Encoding: chunked\r\n", extension), 413);
  std::string trailers = "0\r\n";
  while (trailers.size() < 600'000)
    trailers += "A: b\r\n";
  expect_fault(post("Transfer-Encoding: chunked\r\n", trailers), 413);
}

Test(http_request, limits_are_settings) {
  HttpRequestParser parser(
      {.request_line_bytes_max = 32, .head_bytes_max = 64, .fields_max = 2, .body_bytes_max = 4});
  cr_assert(feed(parser, get("/", "A: b\r\n")).status == FeedStatus::complete);
  parser.reset();
  cr_assert(feed(parser, get("/", "A: b\r\nC: d\r\n")).status == FeedStatus::fault);
  cr_assert_eq(parser.fault().status, 431);
  parser.reset();
  cr_assert(feed(parser, post("Content-Length: 5\r\n")).status == FeedStatus::fault);
  cr_assert_eq(parser.fault().status, 413);
  parser.reset();
  cr_assert(feed(parser, get("/" + std::string(32, 'x'))).status == FeedStatus::fault);
  cr_assert_eq(parser.fault().status, 414);
}

Test(http_request, a_parser_serves_again_after_a_fault) {
  HttpRequestParser parser;
  feed(parser, "rubbish");
  cr_assert_eq(feed(parser, "more").consumed, 4u, "a fault swallows the rest");
  parser.reset();
  cr_assert_not(parser.has_begun());
  cr_assert(feed(parser, get("/")).status == FeedStatus::complete);
  cr_assert_eq(parser.request().fields.size(), 1u);
}

Test(http_request, any_cut_gives_the_same_outcome) {
  const std::vector<std::string> corpus = {
      get("/a%20b?c", "Range: bytes=1-2\r\nIf-Match: \"x\"\r\n") + "GET /next",
      post("Content-Length: 11\r\nExpect: 100-continue\r\n", "hello world") + "\r\n",
      post("Transfer-Encoding: chunked\r\n",
           "3;a=1;b=\"c;\\\"\"\r\nabc\r\n1\r\nd\r\n0\r\nT: u\r\n\r\nX"),
      get("/ws", "Upgrade: websocket\r\nConnection: Upgrade\r\n") + "\x81\x01",
      "\r\n\r\n" + get("http://h/x")};
  HttpRequestParser parser;
  for (const std::string& text : corpus) {
    const std::string whole = outcome_of(parser, text, text.size());
    cr_assert(whole.starts_with("complete"), "%s", whole.c_str());
    for (std::size_t step = 1; step < text.size(); ++step) {
      cr_assert_eq(outcome_of(parser, text, step), whole, "step %zu: %s", step, text.c_str());
    }
  }
}

Test(http_request, damaged_requests_never_depend_on_the_cut) {
  const unsigned seed = 20240611;
  std::mt19937 random(seed);
  const std::string base = post("Transfer-Encoding: chunked\r\nConnection: close\r\n",
                                "3;a=\"b\\\"\";c=d\r\nabc\r\n0\r\n\r\n");
  constexpr std::string_view spice("\r\n\t :;,%#/\0\x7f\x80zZ09\"\\=", 21);
  HttpRequestParser parser;
  for (int round = 0; round < 3000; ++round) {
    std::string text = base;
    for (int damage = 0; damage < 2; ++damage) {
      const char c = spice[random() % spice.size()];
      const std::size_t at = random() % text.size();
      if (random() % 2 == 0) {
        text[at] = c;
      } else {
        text.insert(at, 1, c);
      }
    }
    const std::string whole = outcome_of(parser, text, text.size());
    cr_assert_eq(outcome_of(parser, text, 1), whole, "seed %u round %d: %s", seed, round,
                 whole.c_str());
  }
}
