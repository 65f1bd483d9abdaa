#include <criterion/criterion.h>

#include <string>
#include <string_view>

#include "proto/http/http_request.h"
#include "tests/unit/proto/http/request_feeding.h"

using namespace videosync;
using namespace videosync::test;

namespace {

constexpr std::size_t body_bytes_max = 8;

HttpLimits streaming_limits() {
  HttpLimits limits;
  limits.body_bytes_max = body_bytes_max;
  limits.is_streamed = [](const HttpRequest& request) noexcept {
    return request.method == HttpMethod::patch;
  };
  return limits;
}

std::string patch(const std::string& fields, const std::string& body) {
  return "PATCH /a HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n" + body;
}

struct Outcome {
  FeedStatus last = FeedStatus::need_more;
  std::string body;
  std::size_t consumed = 0;
};

// In pieces of so many bytes, until it is whole or at fault.
Outcome feed_in_pieces(HttpRequestParser& parser, std::string_view text, std::size_t piece) {
  Outcome outcome;
  bool has_part = false;
  while (outcome.consumed < text.size() || has_part) {
    const FeedResult result = parser.feed(bytes_of(text.substr(outcome.consumed, piece)));
    outcome.consumed += result.consumed;
    outcome.last = result.status;
    has_part = result.status == FeedStatus::body_part;
    if (has_part) outcome.body += parser.body_part();
    if (result.status == FeedStatus::complete || result.status == FeedStatus::fault) break;
  }
  return outcome;
}

}  // namespace

Test(streamed_body, it_is_handed_on_however_long_and_however_it_is_cut) {
  const std::string body(1'000, 'x');
  const std::string text = patch("Content-Length: 1000\r\n", body) + "GET /";
  for (std::size_t piece = 1; piece <= text.size(); ++piece) {
    HttpRequestParser parser(streaming_limits());
    const Outcome outcome = feed_in_pieces(parser, text, piece);
    cr_assert(outcome.last == FeedStatus::complete, "%zu", piece);
    cr_assert(outcome.body == body, "%zu", piece);
    cr_assert_eq(outcome.consumed, text.size() - 5, "%zu", piece);
    cr_assert(parser.is_streamed());
    cr_assert(parser.request().body.empty());
  }
}

Test(streamed_body, chunks_come_without_their_framing) {
  const std::string text = patch("Transfer-Encoding: chunked\r\n",
                                 "a;x=\"1\"\r\n0123456789\r\n3\r\nabc\r\n0\r\nA: b\r\n\r\n");
  for (std::size_t piece = 1; piece <= text.size(); ++piece) {
    HttpRequestParser parser(streaming_limits());
    const Outcome outcome = feed_in_pieces(parser, text, piece);
    cr_assert(outcome.last == FeedStatus::complete, "%zu", piece);
    cr_assert(outcome.body == "0123456789abc", "%zu: %s", piece, outcome.body.c_str());
  }
}

Test(streamed_body, what_came_before_a_malformed_chunk_is_handed_on) {
  HttpRequestParser parser(streaming_limits());
  const Outcome outcome =
      feed_in_pieces(parser, patch("Transfer-Encoding: chunked\r\n", "3\r\nabc\r\nx\r\n"), 7);
  cr_assert(outcome.last == FeedStatus::fault);
  cr_assert_eq(parser.fault().status, 400);
  cr_assert(outcome.body == "abc");
}

Test(streamed_body, a_length_is_told_by_the_head_alone) {
  HttpRequestParser parser(streaming_limits());
  const std::string fields = "Content-Length: 4611686018427387904\r\n";
  const FeedResult result = parser.feed(bytes_of(patch(fields, "")));
  cr_assert(result.status == FeedStatus::head_complete);
  parser.reset();
  const Outcome too_long =
      feed_in_pieces(parser, patch("Content-Length: 4611686018427387905\r\n", ""), 99);
  cr_assert(too_long.last == FeedStatus::fault);
  cr_assert_eq(parser.fault().status, 413);
}

Test(streamed_body, other_requests_of_the_same_connection_are_gathered_within_their_limit) {
  HttpRequestParser parser(streaming_limits());
  cr_assert(feed_in_pieces(parser, patch("Content-Length: 9\r\n", "123456789"), 3).last ==
            FeedStatus::complete);
  parser.reset();
  const std::string fits = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\n12345678";
  const Outcome gathered = feed_in_pieces(parser, fits, 99);
  cr_assert(gathered.last == FeedStatus::complete);
  cr_assert_not(parser.is_streamed());
  cr_assert(parser.request().body == "12345678");
  cr_assert(gathered.body.empty());
  parser.reset();
  const std::string large = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n";
  cr_assert(feed_in_pieces(parser, large, 99).last == FeedStatus::fault);
  cr_assert_eq(parser.fault().status, 413);
}
