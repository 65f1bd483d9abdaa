#include "server/http/file_response.h"

#include <fmt/core.h>

#include <span>
#include <string>
#include <utility>

#include "core/base/assert.h"
#include "proto/http/http_conditions.h"
#include "proto/http/http_range.h"
#include "proto/http/http_response.h"
#include "server/digest.h"
#include "server/http/security_headers.h"
#include "server/worker.h"

namespace videosync {

namespace {

constexpr HttpFault precondition_failed{412, "precondition_failed", "the file is another one now"};
constexpr HttpFault range_unsatisfiable{416, "range_not_satisfiable", "the file has no such bytes"};
// Fixed: parts are delimited by Content-Length of the whole, and a body that contains this line is
// as likely as any other 128-bit collision.
constexpr std::string_view boundary = "5f1c0e6a9b7d4c38a2e4f60b8d13c7f5";

FileRange range_of(const MediaFileRef& file, const ByteRange& range) {
  return {file, file->fd(), static_cast<std::int64_t>(range.offset),
          static_cast<std::int64_t>(range.length)};
}

void add_rule(ResponseHead& head, CacheRule rule) {
  head.field("Cache-Control", rule.cache_control);
  if (rule.is_unshared) head.field("CDN-Cache-Control", "no-store");
}

void add_fields(ResponseHead& head, std::span<const SecurityHeader> headers) {
  for (const SecurityHeader& header : headers)
    head.field(header.name, header.value);
}

class FileAnswer {
 public:
  FileAnswer(Worker& worker, Connection& connection, const MediaFileRef& file, CacheRule rule)
      : worker_(worker), connection_(connection), file_(file), rule_(rule) {}

  void give() {
    const HttpRequest& request = connection_.request();
    const std::int64_t now_s = worker_.wall_us() / 1'000'000;
    const ConditionOutcome outcome =
        evaluate_conditions(request, {file_->etag(), file_->mtime_s()}, now_s);
    if (outcome.condition == Condition::not_modified) return not_modified();
    if (outcome.condition == Condition::precondition_failed) {
      return connection_.answer_error(precondition_failed);
    }
    RangeSet ranges;
    const RangeOutcome asked = outcome.range_applies
                                   ? parse_range(request.header("Range"), file_->size(), ranges)
                                   : RangeOutcome::whole;
    if (asked == RangeOutcome::unsatisfiable) return unsatisfiable();
    if (asked == RangeOutcome::whole) return whole();
    if (ranges.list().size() == 1) return part(ranges.list().front());
    return parts(ranges.list());
  }

 private:
  // The fields that every answer about this file has; 304 has them, too (RFC 9110, 15.4.5).
  ResponseHead head(std::string& out, int status) {
    worker_.metrics().count_response(static_cast<unsigned>(status));
    ResponseHead response(out, status, connection_.response_context());
    response.field("ETag", file_->etag());
    response.field("Last-Modified", format_http_date(file_->mtime_s()));
    add_rule(response, rule_);
    response.field("Accept-Ranges", "bytes");
    response.field(nosniff_header.name, nosniff_header.value);
    return response;
  }

  void not_modified() {
    std::string& out = worker_.scratch();
    head(out, 304).end();
    finish(out);
  }

  void unsatisfiable() {
    const std::string content_range = "bytes */" + std::to_string(file_->size());
    const HttpField extra[] = {{"Content-Range", content_range}};
    connection_.answer_error(range_unsatisfiable, extra);
  }

  void whole() {
    std::string& out = worker_.scratch();
    ResponseHead response = head(out, 200);
    response.field("Content-Type", file_->content_type()).content_length(file_->size()).end();
    connection_.begin_answer(out);
    if (wants_body() && file_->size() > 0)
      connection_.send_file(range_of(file_, {0, file_->size()}));
    connection_.end_answer();
  }

  void part(const ByteRange& range) {
    std::string& out = worker_.scratch();
    ResponseHead response = head(out, 206);
    response.field("Content-Type", file_->content_type());
    response.content_range(range, file_->size()).content_length(range.length).end();
    connection_.begin_answer(out);
    if (wants_body()) connection_.send_file(range_of(file_, range));
    connection_.end_answer();
  }

  void parts(std::span<const ByteRange> ranges) {
    std::string& out = worker_.scratch();
    ResponseHead response = head(out, 206);
    const std::string type = "multipart/byteranges; boundary=" + std::string(boundary);
    response.field("Content-Type", type);
    response.content_length(
        multipart_length(boundary, file_->content_type(), ranges, file_->size()));
    response.end();
    for (const ByteRange& range : ranges) {
      append_part_head(out, boundary, file_->content_type(), range, file_->size());
      connection_.begin_answer(out);
      out.clear();
      connection_.send_file(range_of(file_, range));
    }
    append_multipart_end(out, boundary);
    finish(out);
  }

  void finish(std::string_view last) {
    connection_.begin_answer(last);
    connection_.end_answer();
  }

  // Ranges apply to GET alone, so the multipart answer need not ask.
  bool wants_body() const { return connection_.request().method != HttpMethod::head; }

  Worker& worker_;
  Connection& connection_;
  const MediaFileRef& file_;
  const CacheRule rule_;
};

}  // namespace

void answer_with_file(Worker& worker, Connection& connection, const MediaFileRef& file,
                      CacheRule rule) {
  FileAnswer(worker, connection, file, rule).give();
}

void answer_with_text(Worker& worker, Connection& connection, std::string_view content_type,
                      std::string_view text, CacheRule rule) {
  const HttpRequest& request = connection.request();
  const std::string etag = entity_tag(text);
  const std::int64_t now_s = worker.wall_us() / 1'000'000;
  const ConditionOutcome outcome = evaluate_conditions(request, {etag, 0}, now_s);
  if (outcome.condition == Condition::precondition_failed) {
    return connection.answer_error(precondition_failed);
  }
  const HttpField all[] = {
      {"ETag", etag}, {"Cache-Control", rule.cache_control}, {"CDN-Cache-Control", "no-store"}};
  const auto fields = std::span(all).first(rule.is_unshared ? 3 : 2);
  if (outcome.condition == Condition::serve) {
    return connection.answer(200, content_type, text, fields);
  }
  std::string& out = worker.scratch();
  worker.metrics().count_response(304);
  ResponseHead head(out, 304, connection.response_context());
  for (const HttpField& field : fields)
    head.field(field.name, field.value);
  head.end();
  connection.begin_answer(out);
  connection.end_answer();
}

void answer_with_type(Worker& worker, Connection& connection, std::string_view content_type,
                      CacheRule rule) {
  VS_ASSERT(connection.request().method == HttpMethod::head);
  std::string& out = worker.scratch();
  worker.metrics().count_response(200);
  ResponseHead head(out, 200, connection.response_context());
  head.field("Content-Type", content_type);
  add_rule(head, rule);
  head.field("Accept-Ranges", "bytes").field(nosniff_header.name, nosniff_header.value);
  head.end();
  connection.begin_answer(out);
  connection.end_answer();
}

void answer_with_place(Worker& worker, Connection& connection, MediaLibrary::Place place) {
  if (place.file == nullptr) return worker.open_media(connection, std::move(place));
  answer_with_file(worker, connection, place.file, media_rule(place.is_private));
}

namespace {

void add_page_fields(Worker& worker, ResponseHead& head, const PageView& page) {
  head.field("Content-Type", page.content_type).content_length(page.body->bytes.size());
  if (!page.content_encoding.empty()) head.field("Content-Encoding", page.content_encoding);
  add_fields(head, file_security_headers);
  if (!page.is_document()) return;
  head.field("Content-Security-Policy", worker.service().page_policy);
  add_fields(head, document_security_headers);
}

}  // namespace

void answer_with_refusal_page(Worker& worker, Connection& connection, const PageView& page,
                              int status, std::span<const HttpField> extra) {
  worker.metrics().count_response(static_cast<unsigned>(status));
  std::string& out = worker.scratch();
  ResponseHead head(out, status, connection.response_context());
  head.field("Cache-Control", "no-store");
  if (!page.vary.empty()) head.field("Vary", page.vary);
  for (const HttpField& field : extra)
    head.field(field.name, field.value);
  add_page_fields(worker, head, page);
  head.end();
  connection.begin_answer(out);
  const bool has_body = connection.request().method != HttpMethod::head;
  if (has_body && page.body->bytes.size() > 0) connection.send_body(page.body->bytes);
  connection.end_answer();
}

void answer_with_page(Worker& worker, Connection& connection, const PageView& page) {
  const HttpRequest& request = connection.request();
  const std::int64_t now_s = worker.wall_us() / 1'000'000;
  const ConditionOutcome outcome = evaluate_conditions(request, {page.body->etag, 0}, now_s);
  if (outcome.condition == Condition::precondition_failed) {
    connection.answer_error(precondition_failed);
    return;
  }
  const bool is_known = outcome.condition == Condition::not_modified;
  const int status = is_known ? 304 : 200;
  worker.metrics().count_response(static_cast<unsigned>(status));
  std::string& out = worker.scratch();
  ResponseHead head(out, status, connection.response_context());
  head.field("ETag", page.body->etag).field("Cache-Control", page.cache_control);
  if (!page.vary.empty()) head.field("Vary", page.vary);
  if (!is_known) add_page_fields(worker, head, page);
  head.end();
  connection.begin_answer(out);
  const bool has_body = !is_known && request.method != HttpMethod::head;
  if (has_body && page.body->bytes.size() > 0) connection.send_body(page.body->bytes);
  connection.end_answer();
}

}  // namespace videosync
