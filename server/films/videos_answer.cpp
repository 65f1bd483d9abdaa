#include "server/films/videos_answer.h"

#include <string>
#include <string_view>
#include <utility>

#include "core/base/text.h"
#include "core/base/utf8.h"
#include "core/base/uuid.h"
#include "proto/http/http_conditions.h"
#include "proto/http/http_query.h"
#include "server/digest.h"
#include "server/films/video_catalog.h"
#include "server/worker.h"

namespace videosync {

namespace {

constexpr HttpFault bad_limit{400, "bad_request", "limit is a number from 1 to 1000"};
constexpr HttpFault bad_after{400, "bad_request", "after is no video any more: begin anew"};
constexpr HttpFault bad_order{400, "bad_request", "order is title or newest"};
constexpr std::size_t limit_max = 1'000;
constexpr std::size_t words_bytes_max = 256;

// What a video's tags say a client may have already.
bool is_known(Worker& worker, Connection& connection, std::string_view etag) {
  const std::int64_t now_s = worker.wall_us() / 1'000'000;
  return evaluate_conditions(connection.request(), {etag, 0}, now_s).condition ==
         Condition::not_modified;
}

}  // namespace

void answer_with_videos(Worker& worker, Connection& connection) {
  const std::string_view text = connection.request().query;
  const auto words = query_value(text, "query");
  const auto limit = query_value(text, "limit");
  const auto order = query_value(text, "order");
  VideoQuery query{.words = std::string(utf8_prefix(words.value_or(""), words_bytes_max)),
                   .folder = query_value(text, "folder"),
                   .after = query_value(text, "after").value_or("")};
  if (const auto session = Uuid::parse_v4(query_value(text, "session").value_or(""))) {
    query.owner = to_hex(session->bytes);
  }
  if (limit) {
    query.limit = parse_decimal<std::size_t>(*limit).value_or(0);
    if (query.limit == 0 || query.limit > limit_max) return connection.answer_error(bad_limit);
  }
  if (order && *order != "title" && *order != "newest") return connection.answer_error(bad_order);
  if (order == "newest") query.order = VideoQuery::Order::newest;
  const bool is_whole = !words && !limit && !query.folder && !order && query.after.empty() &&
                        worker.library().private_videos(query.owner).empty();
  std::optional<std::string> page;
  if (!is_whole) page = encode_page(worker.catalog(), query);
  if (!is_whole && !page) return connection.answer_error(bad_after);
  const std::string etag = is_whole ? worker.catalog().etag : entity_tag(*page);
  const HttpField fields[] = {{"Cache-Control", "no-cache"}, {"ETag", etag}};
  if (is_known(worker, connection, etag)) return connection.answer(304, "", "", fields);
  if (is_whole) return connection.answer_shared_json(worker.catalog().videos_json, fields);
  connection.answer_json(200, *page, fields);
}

}  // namespace videosync
