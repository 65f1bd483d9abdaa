// Fuzzes HttpRequestParser: cutting a stream of requests anywhere changes nothing.
//
// The first two bytes say where to cut; the rest is the stream, read as pipelined requests.
//
// Reads: proto/http/chunk_extensions.cpp, proto/http/http_message.cpp,
// proto/http/http_request.cpp, proto/websocket/websocket_handshake.cpp
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "core/base/assert.h"
#include "proto/http/http_conditions.h"
#include "proto/http/http_range.h"
#include "proto/http/http_request.h"
#include "proto/websocket/websocket_handshake.h"

namespace {

using namespace videosync;

// Small limits, so that short inputs reach them.
constexpr HttpLimits limits{
    .request_line_bytes_max = 64, .head_bytes_max = 256, .fields_max = 6, .body_bytes_max = 32};

void describe(const HttpRequest& request, std::string& story) {
  story += std::to_string(static_cast<int>(request.method)) + std::string(request.path) + "?" +
           std::string(request.query) + "@" + std::string(request.host);
  story += request.keep_alive ? 'k' : 'c';
  story += request.expect_continue ? 'e' : '-';
  for (const HttpField& field : request.fields) {
    story += "|" + std::string(field.name) + ":" + std::string(field.value);
  }
  story += "|" + std::string(request.body) + "\n";
}

void use(const HttpRequest& request) {
  RangeSet set;
  parse_range(request.header("range"), 1000, set);
  evaluate_conditions(request, {.etag = "\"e\"", .last_modified_s = 1}, 2);
  check_websocket_handshake(request);
}

// What a server would make of the stream, when it is handed over in the two parts given.
std::string read_all(HttpRequestParser& parser, std::span<const std::uint8_t> first,
                     std::span<const std::uint8_t> second) {
  std::string story;
  std::size_t consumed = 0;
  parser.reset();
  for (auto rest : {first, second}) {
    while (!rest.empty()) {
      const FeedResult result = parser.feed(rest);
      VS_ASSERT(result.consumed <= rest.size());
      if (result.status == FeedStatus::fault) {
        return story + "fault " + std::to_string(parser.fault().status) +
               std::string(parser.fault().message);
      }
      consumed += result.consumed;
      rest = rest.subspan(result.consumed);
      if (result.status == FeedStatus::need_more) VS_ASSERT(rest.empty());
      if (result.status != FeedStatus::complete) continue;
      story += std::to_string(consumed) + ":";
      describe(parser.request(), story);
      use(parser.request());
      parser.reset();
    }
  }
  return story;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  static HttpRequestParser parser(limits);
  const std::span<const std::uint8_t> stream(data + 2, size - 2);
  const std::size_t cut = (std::size_t{data[0]} * 256 + data[1]) % stream.size();
  const std::string whole = read_all(parser, stream, {});
  VS_ASSERT(whole == read_all(parser, stream.first(cut), stream.subspan(cut)));
  return 0;
}
