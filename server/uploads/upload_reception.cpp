#include "server/uploads/upload_reception.h"

#include <utility>

#include "core/base/assert.h"
#include "server/connection/connection.h"
#include "server/uploads/upload_answers.h"
#include "server/uploads/upload_asks.h"

namespace videosync {

using Kind = UploadAsk::Kind;

namespace {

constexpr std::int64_t tell_every_us = 1'000'000;

}  // namespace

UploadReception::UploadReception(UploadAsks& asks, std::uint64_t number, SlotHandle connection,
                                 Upload upload)
    : asks_(asks),
      number_(number),
      connection_(connection),
      upload_(std::move(upload)),
      room_bytes_(upload_.length - upload_.offset),
      told_us_(asks.now_us()) {}

bool UploadReception::on_body(std::string_view bytes) noexcept {
  VS_ASSERT(!has_ended_);
  const bool is_beyond = bytes.size() > room_bytes_;
  if (is_beyond) bytes = bytes.substr(0, room_bytes_);
  room_bytes_ -= bytes.size();
  gathered_ += bytes;
  if (is_beyond) fail(UploadFault::beyond_length);
  go_on();
  return gathered_.size() < gathered_max;
}

void UploadReception::on_body_end() noexcept {
  has_ended_ = true;
  is_answer_due_ = true;
  go_on();
}

void UploadReception::on_body_lost() noexcept {
  has_ended_ = true;
  go_on();
}

void UploadReception::on_yield() {
  if (has_ended_) return;
  fail(UploadFault::taken_over);
  go_on();
}

void UploadReception::tell_progress() {
  const std::int64_t now_us = asks_.now_us();
  if (!upload_.is_whole() && now_us - told_us_ < tell_every_us) return;
  told_us_ = now_us;
  asks_.tell_progress(upload_);
}

void UploadReception::go_on() {
  if (is_asking_) return;
  if (!gathered_.empty()) {
    std::string bytes = std::exchange(gathered_, std::exchange(spare_, {}));
    return ask(Kind::write, std::move(bytes));
  }
  if (has_ended_) ask(Kind::close);
}

void UploadReception::ask(Kind kind, std::string text) {
  is_asking_ = true;
  asks_.put({.number = number_,
             .kind = kind,
             .session = upload_.session,
             .id = upload_.id,
             .text = std::move(text)});
}

bool UploadReception::on_answer(UploadAnswer& answer) {
  VS_ASSERT(is_asking_);
  is_asking_ = false;
  const bool is_known = answer.upload.length > 0;
  if (is_known) upload_ = answer.upload;
  Connection* connection = asks_.find(connection_);
  if (answer.kind == Kind::close || !is_known) {
    if (answer.fault) fault_ = answer.fault;
    if (!has_ended_) fail(*answer.fault);
    if (is_answer_due_ && connection != nullptr && connection->is_awaiting_answer()) {
      answer.fault = fault_;
      answer_upload(*connection, answer);
    }
    return false;
  }
  spare_ = std::move(answer.buffer);
  tell_progress();
  if (answer.fault) {
    gathered_.clear();
    if (has_ended_) fault_ = answer.fault;
    if (!has_ended_) fail(*answer.fault);
  }
  // What waits is taken while that is written.
  if (!has_ended_ && connection != nullptr && gathered_.size() < gathered_max) {
    go_on();
    connection->resume_body();
  }
  go_on();
  return true;
}

// Where the body has ended the answer comes with the last ask.
void UploadReception::fail(UploadFault fault) {
  VS_ASSERT(!has_ended_);
  fault_ = fault;
  has_ended_ = true;
  Connection* connection = asks_.find(connection_);
  VS_ASSERT(connection != nullptr);
  UploadAnswer answer{.number = number_, .kind = Kind::write, .fault = fault, .upload = upload_};
  fail_upload(*connection, answer);
}

}  // namespace videosync
