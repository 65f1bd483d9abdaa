// Connection: the WebSocket side.
#include <algorithm>
#include <memory>
#include <utility>
#include <variant>

#include "core/base/assert.h"
#include "proto/websocket/websocket_handshake.h"
#include "server/connection/connection.h"
#include "server/digest.h"
#include "server/worker.h"

namespace videosync {

namespace {

constexpr std::int64_t close_wait_us = 5'000'000;  // for the far end's own Close
constexpr std::uint8_t pongs_queued_max = 16;
constexpr int kernel_queue_bytes = 16 * 1024;  // beyond the window of the member's socket

}  // namespace

void Connection::begin_websocket(const Uuid& session, MemberId member, ConnectionNumber number,
                                 const BufferRef& welcome) noexcept {
  VS_ASSERT(member);
  const bool has_waited = is_knocking();
  if (has_waited) {
    worker_.hub().leave(*std::exchange(session_, nullptr), *this);
  } else {
    upgrade();
  }
  worker_.metrics().add(Gauge::members, 1);
  member_ = member;
  number_ = number;
  session_ = &worker_.hub().enter(session, *this);
  send_frame(welcome, SendClass::reliable);
  if (!has_waited) take_upgraded_input();
}

void Connection::begin_knocking(const Uuid& session, ConnectionNumber number,
                                const BufferRef& frame) noexcept {
  upgrade();
  VS_ASSERT(!member_);
  number_ = number;
  session_ = &worker_.hub().enter_porch(session, *this);
  send_frame(frame, SendClass::reliable);
  take_upgraded_input();
}

void Connection::set_upgrade_cookie(std::string cookie) noexcept {
  VS_ASSERT(exchange_);
  exchange_->cookie = std::move(cookie);
}

// From here on it speaks frames, once it stands in a session's table.
void Connection::upgrade() noexcept {
  VS_ASSERT(phase_ == Phase::awaiting_answer && exchange_);
  const auto key = check_websocket_handshake(request());
  VS_ASSERT(key.has_value());
  const auto accept = websocket_accept(*key);
  std::string& head = worker_.scratch();
  append_websocket_accept(head, {accept.data(), accept.size()}, worker_.http_date(),
                          exchange_->cookie);
  stream_.limit_unsent(kernel_queue_bytes);
  stream_.send(BufferRef::copy_of(head));
  worker_.metrics().count_response(101);
  worker_.metrics().count(Counter::websocket_upgrades);
  std::construct_at(&message_rate_);
  phase_ = Phase::websocket;
  is_watching_output_ = false;
  set_timer(worker_.config().heartbeat_us);
}

void Connection::take_upgraded_input() noexcept {
  VS_ASSERT(exchange_);
  const std::string pending = std::exchange(exchange_->pending, {});
  give_exchange_back();
  stream_.resume_input();
  if (has_input_ended_) {
    close();
  } else if (!pending.empty()) {
    receive_frames({reinterpret_cast<const std::uint8_t*>(pending.data()), pending.size()});
  }
}

// --- In ------------------------------------------------------------------------------------------

void Connection::receive_frames(std::span<const std::uint8_t> bytes) noexcept {
  if (!decoder_) decoder_ = worker_.frame_decoders().take(worker_.config().message_bytes_max);
  decoder_->feed(bytes);
  while (phase_ == Phase::websocket) {
    const WebSocketEvent event = decoder_->next();
    if (event.kind == WebSocketEvent::Kind::need_more) break;
    on_frame(event);
  }
  if (phase_ != Phase::websocket || decoder_->at_boundary()) give_decoder_back();
}

void Connection::give_decoder_back() noexcept {
  if (!decoder_) return;
  decoder_->reset();
  worker_.frame_decoders().give_back(std::move(decoder_));
}

void Connection::on_frame(const WebSocketEvent& event) noexcept {
  using Kind = WebSocketEvent::Kind;
  switch (event.kind) {
    case Kind::text:
      on_text(event.payload);
      break;
    case Kind::binary:
      close_websocket(close_code::unsupported_data, "this service speaks text");
      break;
    case Kind::ping:
      on_websocket_ping(event.payload);
      break;
    case Kind::close:
      close_websocket(event.code, "");
      break;
    case Kind::fault:
      close_websocket(event.code, event.payload);
      break;
    default:
      break;
  }
}

void Connection::on_websocket_ping(std::string_view payload) noexcept {
  // Beyond a few only the newest is answered, as RFC 6455, 5.5.3, permits.
  const bool is_many = pongs_queued_ >= pongs_queued_max;
  if (!is_many) ++pongs_queued_;
  send_frame(make_frame(WebSocketOpcode::pong, payload),
             is_many ? SendClass::latest_pong : SendClass::reliable);
}

void Connection::on_text(std::string_view text) noexcept {
  const std::int64_t received_us = worker_.server_us();
  const Config& config = worker_.config();
  const BucketRate rate{config.messages_per_second, config.messages_burst};
  const MessageRate::Verdict verdict = message_rate_.judge(rate, worker_.monotonic_us());
  if (verdict == MessageRate::Verdict::close) {
    close_websocket(close_code::too_many_messages, "too many messages");
    return;
  }
  if (verdict == MessageRate::Verdict::refuse) {
    refuse_message(Refusal::rate_limited, "too many messages a second", "");
    return;
  }
  auto message = decode_client_message(text, worker_.message_decoder());
  if (!message) {
    refuse_message(message.error().code, message.error().message, message.error().re);
    return;
  }
  worker_.metrics().count_message(*message);
  if (const auto* ping = std::get_if<PingMessage>(&*message)) {
    answer_ping(*ping, received_us);
    return;
  }
  if (is_knocking()) {
    refuse_message(Refusal::not_admitted, "the host has not let you in yet",
                   message_type(*message));
    return;
  }
  if (const auto* report = std::get_if<ReportMessage>(&*message)) note_first_frame(*report);
  const std::size_t owner = worker_.service().worker_of(session_->key);
  SessionDirectory* directory = &worker_.service().workers[owner]->directory();
  worker_.run_on(owner,
                 [directory, key = session_->key, member = member_, number = number_,
                  from = worker_.ref_of(*this), moved = std::move(*message)]() mutable noexcept {
                   directory->on_message(key, member, number, from, moved);
                 });
}

// Where the viewer is connected, and once, however often it is said.
void Connection::note_first_frame(const ReportMessage& report) noexcept {
  if (!report.first_frame_ms || std::exchange(has_told_first_frame_, true)) return;
  VS_ASSERT(*report.first_frame_ms <= first_frame_ms_max);
  worker_.metrics().observe(Histogram::first_frame_seconds,
                            std::int64_t{*report.first_frame_ms} * 1'000);
}

void Connection::answer_ping(const PingMessage& ping, std::int64_t received_us) noexcept {
  std::string& text = worker_.scratch();
  encode_pong(text, ping, received_us, worker_.server_us());
  send_answer(text);
}

void Connection::refuse_message(Refusal code, std::string_view message,
                                std::string_view re) noexcept {
  worker_.metrics().count_refusal(code);
  std::string& text = worker_.scratch();
  encode_error(text, code, message, re);
  send_answer(text);
}

// --- Out -----------------------------------------------------------------------------------------

// Not reliable: a client may well ask faster than its answers leave within one turn.
void Connection::send_answer(std::string_view text) noexcept {
  send_frame(make_frame(WebSocketOpcode::text, text), SendClass::answer);
}

const Uuid& Connection::session_key() const noexcept {
  VS_ASSERT(is_member());
  VS_ASSERT(session_ != nullptr);
  return session_->key;
}

void Connection::send_frame(const BufferRef& frame, SendClass send_class) noexcept {
  if (phase_ != Phase::websocket) return;
  // What is there already may be stuck: have the timer look.
  if (stream_.has_output()) watch_output();
  const auto outcome = stream_.send(frame, send_class, worker_.config().member_queue_bytes_max);
  if (outcome == OutputQueue::Outcome::overflow) {
    worker_.metrics().count(Counter::members_cut_queue_full);
    close_websocket(close_code::too_slow, "the queue towards this member is full");
  }
}

void Connection::on_heartbeat() noexcept {
  const Config& config = worker_.config();
  if (is_watching_output_ && has_stalled()) {
    worker_.metrics().count(Counter::members_cut_not_reading);
    close_websocket(close_code::too_slow, "nothing was read for too long");
    return;
  }
  const std::int64_t silent_us = std::int64_t{now_ms() - last_received_ms_} * 1'000;
  if (silent_us >= config.silence_timeout_us) {
    worker_.metrics().count(Counter::members_cut_silent);
    close_websocket(close_code::going_away, "nothing was heard for too long");
    return;
  }
  std::int64_t wait_us = config.heartbeat_us - silent_us;
  if (wait_us <= 0) {
    send_frame(make_frame(WebSocketOpcode::ping, ""), SendClass::latest_pong);
    if (phase_ != Phase::websocket) return;
    wait_us = std::min(config.heartbeat_us, config.silence_timeout_us - silent_us);
  }
  set_timer(is_watching_output_ ? std::min(wait_us, output_look_us()) : wait_us);
}

void Connection::close_websocket(std::uint16_t code, std::string_view reason) noexcept {
  if (phase_ != Phase::websocket) return;
  worker_.metrics().count_close(code);
  leave_session();
  phase_ = Phase::websocket_closing;
  discarded_bytes_ = 0;
  if (code == close_code::too_slow) stream_.drop_queued();
  stream_.send(make_close_frame(code, reason));
  set_timer(close_wait_us);
}

void Connection::leave_session() noexcept {
  if (session_ == nullptr) return;
  const Uuid key = session_->key;
  worker_.hub().leave(*std::exchange(session_, nullptr), *this);
  const std::size_t owner = worker_.service().worker_of(key);
  SessionDirectory* directory = &worker_.service().workers[owner]->directory();
  if (is_knocking()) {
    return worker_.run_on(owner, [directory, key, number = number_]() noexcept {
      directory->on_knocker_left(key, number);
    });
  }
  worker_.metrics().add(Gauge::members, -1);
  worker_.run_on(owner, [directory, key, member = member_, number = number_]() noexcept {
    directory->on_leave(key, member, number);
  });
}

}  // namespace videosync
