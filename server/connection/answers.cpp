// Connection: answers to requests.
#include <utility>

#include "core/base/assert.h"
#include "server/connection/connection.h"
#include "server/http/security_headers.h"
#include "server/worker.h"

namespace videosync {

namespace {

constexpr std::string_view json_type = "application/json";
// Small answers to pipelined requests gather up to this before the first must have left.
constexpr std::size_t gathered_answers_bytes_max = 32 * 1024;

}  // namespace

const HttpRequest& Connection::request() const noexcept {
  VS_ASSERT(exchange_);
  return exchange_->parser.request();
}

ResponseContext Connection::response_context() noexcept {
  const std::uint8_t minor = exchange_ ? exchange_->parser.request().version_minor : 1;
  return {worker_.http_date(), minor, keep_alive_};
}

std::string& Connection::make_head(int status, std::string_view content_type,
                                   std::size_t body_bytes,
                                   std::span<const HttpField> extra) noexcept {
  std::string& out = worker_.scratch();
  ResponseHead head(out, status, response_context());
  if (!content_type.empty()) {
    head.field("Content-Type", content_type);
    head.field(nosniff_header.name, nosniff_header.value);
  }
  if (status != 204) head.content_length(body_bytes);
  for (const HttpField& field : extra)
    head.field(field.name, field.value);
  head.end();
  worker_.metrics().count_response(static_cast<unsigned>(status));
  return out;
}

void Connection::answer(int status, std::string_view content_type, std::string_view body,
                        std::span<const HttpField> extra) noexcept {
  std::string& out = make_head(status, content_type, body.size(), extra);
  if (wants_body()) out += body;
  begin_answer(out);
  end_answer();
}

void Connection::answer_shared_json(const BufferRef& body,
                                    std::span<const HttpField> extra) noexcept {
  begin_answer(make_head(200, json_type, body.size(), extra));
  if (wants_body()) send_body(body);
  end_answer();
}

void Connection::answer_json(int status, std::string_view body,
                             std::span<const HttpField> extra) noexcept {
  answer(status, json_type, body, extra);
}

void Connection::answer_error(const HttpFault& fault, std::span<const HttpField> extra) noexcept {
  std::string& out = worker_.scratch();
  append_error_response(out, response_context(), fault, !wants_body(), extra);
  worker_.metrics().count_response(static_cast<unsigned>(fault.status));
  begin_answer(out);
  end_answer();
}

void Connection::begin_answer(std::string_view head) noexcept {
  stream_.send(BufferRef::copy_of(head));
}

void Connection::end_answer() noexcept {
  if (phase_ == Phase::closed) return;
  if (const std::int64_t asked_us = exchange_ ? std::exchange(exchange_->asked_us, 0) : 0) {
    worker_.metrics().observe(Histogram::http_request_seconds, worker_.monotonic_us() - asked_us);
  }
  phase_ = Phase::answering;
  const bool may_gather = keep_alive_ && !stream_.has_file_output() &&
                          stream_.queued_bytes() < gathered_answers_bytes_max;
  if (may_gather) {
    next_request();
  } else if (!stream_.has_output()) {
    on_output_empty();
  } else {
    watch_output();
  }
}

}  // namespace videosync
