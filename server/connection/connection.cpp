// Connection: the connection and its requests. Answers are in answers.cpp, the WebSocket side in
// websocket.cpp.
#include "server/connection/connection.h"

#include <algorithm>
#include <utility>

#include "core/base/assert.h"
#include "core/reactor/listener.h"
#include "server/http/faults.h"
#include "server/routes/routes.h"
#include "server/worker.h"

namespace videosync {

namespace {

// Of a silent TCP connection's time the kernel has used this up before it was accepted.
constexpr std::int64_t accept_silence_us = accept_silence_ms * 1'000;
constexpr std::int64_t linger_us = 2'000'000;
constexpr std::int64_t answer_wait_us = 30'000'000;  // for another thread or the store
constexpr std::uint32_t discarded_bytes_max = 1 << 20;
// Who is refused in the middle of a long body has as much on its way as its line holds.
constexpr std::uint32_t discarded_body_bytes_max = 64 << 20;
// With this much behind the request at hand, reading rests.
constexpr std::size_t pending_bytes_max = 16 * 1024;
// Output is looked at this many times within the time that it may stand still.
constexpr std::int64_t looks_a_stall = 6;

std::span<const std::uint8_t> as_bytes(std::string_view text) noexcept {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

}  // namespace

Connection::Connection(Worker& worker, bool is_admin) noexcept
    : worker_(worker),
      is_admin_(is_admin),
      stream_(worker.reactor(), *this),
      timer_([](void* self) noexcept { static_cast<Connection*>(self)->on_timer(); }, this) {}

Connection::~Connection() {
  VS_ASSERT(session_ == nullptr && !exchange_ && !decoder_);
}

void Connection::open(UniqueFd descriptor, const std::optional<IpAddress>& address) noexcept {
  if (address) address_ = *address;
  if (!is_admin_) worker_.metrics().add(Gauge::connections, 1);
  last_received_ms_ = now_ms();
  stream_.open(std::move(descriptor));
  // No less than half: one that spoke at once is accepted at once, and its bytes are still on their
  // way to here.
  const std::int64_t whole_us = worker_.config().header_timeout_us;
  set_timer(address ? std::max(whole_us - accept_silence_us, whole_us / 2) : whole_us);
}

void Connection::charge(AddressGroup group) noexcept {
  VS_ASSERT(group && !is_charged());
  group_ = group;
}

void Connection::refuse(HttpFault fault) noexcept {
  keep_alive_ = false;
  answer_error(fault, retry_in_5_s);
}

// --- Bytes in ------------------------------------------------------------------------------------

void Connection::on_received(std::span<std::uint8_t> bytes) noexcept {
  last_received_ms_ = now_ms();
  worker_.metrics().count(Counter::bytes_received, bytes.size());
  switch (phase_) {
    case Phase::websocket:
      receive_frames(bytes);
      break;
    case Phase::lingering:
    case Phase::websocket_closing:
      discarded_bytes_ += static_cast<std::uint32_t>(bytes.size());
      if (discarded_bytes_ > discarded_most()) close();
      break;
    case Phase::streaming_body:
      if (exchange_->is_body_paused) {
        keep_pending(bytes);
      } else {
        consume_http(bytes);
      }
      break;
    case Phase::awaiting_answer:
    case Phase::answering:
      keep_pending(bytes);
      break;
    case Phase::closed:
      break;
    default:
      consume_http(bytes);
  }
}

std::uint32_t Connection::discarded_most() const noexcept {
  const bool is_streamed = exchange_ && exchange_->parser.is_streamed();
  return is_streamed ? discarded_body_bytes_max : discarded_bytes_max;
}

void Connection::keep_pending(std::span<const std::uint8_t> bytes) noexcept {
  if (bytes.empty() || !exchange_) return;
  exchange_->pending.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (exchange_->pending.size() >= pending_bytes_max) stream_.pause_input();
}

void Connection::consume_http(std::span<const std::uint8_t> bytes) noexcept {
  VS_ASSERT(!is_consuming_);
  if (!exchange_) exchange_ = worker_.exchanges().take(worker_.http_limits());
  is_consuming_ = true;
  bool has_part = false;  // what is behind it may be whole without another byte
  while ((!bytes.empty() || has_part) && is_reading()) {
    const FeedResult result = exchange_->parser.feed(bytes);
    bytes = bytes.subspan(result.consumed);
    has_part = result.status == FeedStatus::body_part;
    if (phase_ == Phase::idle && exchange_->parser.has_begun()) {
      phase_ = Phase::reading_head;
      set_timer(worker_.config().header_timeout_us);
    }
    if (result.status == FeedStatus::head_complete) on_head_complete();
    if (has_part) on_body_part();
    if (result.status == FeedStatus::complete) on_request();
    if (result.status == FeedStatus::fault) on_fault(exchange_->parser.fault());
  }
  is_consuming_ = false;
  const bool is_waiting = phase_ == Phase::awaiting_answer || phase_ == Phase::answering;
  if (is_waiting) keep_pending(bytes);
  if (phase_ == Phase::idle && !exchange_->parser.has_begun()) give_exchange_back();
}

void Connection::on_head_complete() noexcept {
  if (exchange_->parser.is_streamed()) {
    keep_alive_ = false;  // unless all of it is read
    return route();
  }
  phase_ = Phase::reading_body;
  set_timer(worker_.config().body_timeout_us);
  if (!exchange_->parser.request().expect_continue) return;
  std::string& text = worker_.scratch();
  append_continue(text);
  stream_.send(BufferRef::copy_of(text));
}

void Connection::on_request() noexcept {
  keep_alive_ = exchange_->parser.request().keep_alive && !worker_.service().is_draining;
  if (phase_ == Phase::streaming_body) return on_body_whole();
  route();
}

void Connection::route() noexcept {
  phase_ = Phase::awaiting_answer;
  exchange_->asked_us = worker_.monotonic_us();
  exchange_->answer_wait_us = answer_wait_us;
  route_request(worker_, *this);
  if (phase_ == Phase::awaiting_answer) set_timer(exchange_->answer_wait_us);
}

void Connection::limit_answer_wait(std::int64_t wait_us) noexcept {
  VS_ASSERT(phase_ == Phase::awaiting_answer && exchange_);
  exchange_->answer_wait_us = wait_us;
}

void Connection::on_fault(const HttpFault& fault) noexcept {
  drop_sink();
  keep_alive_ = false;
  answer_error(fault);
}

// --- A body that is streamed ---------------------------------------------------------------------

void Connection::begin_body(BodySink& sink) noexcept {
  VS_ASSERT(phase_ == Phase::awaiting_answer && exchange_->parser.is_streamed());
  VS_ASSERT(exchange_->sink == nullptr && request().has_body);
  exchange_->sink = &sink;
  exchange_->is_body_paused = false;
  phase_ = Phase::streaming_body;
  set_timer(worker_.config().upload_idle_us);
  if (request().expect_continue) {
    std::string& text = worker_.scratch();
    append_continue(text);
    stream_.send(BufferRef::copy_of(text));
  }
  feed_pending();
}

void Connection::resume_body() noexcept {
  VS_ASSERT(phase_ == Phase::streaming_body);
  if (!std::exchange(exchange_->is_body_paused, false)) return;
  set_timer(worker_.config().upload_idle_us);
  feed_pending();
}

void Connection::feed_pending() noexcept {
  const std::string pending = std::exchange(exchange_->pending, {});
  stream_.resume_input();
  if (!pending.empty()) consume_http(as_bytes(pending));
  const bool is_cut = has_input_ended_ && phase_ == Phase::streaming_body;
  if (!is_cut || exchange_->is_body_paused) return;
  drop_sink();
  close_after_output();
}

void Connection::on_body_part() noexcept {
  VS_ASSERT(phase_ == Phase::streaming_body);
  set_timer(worker_.config().upload_idle_us);
  if (!exchange_->sink->on_body(exchange_->parser.body_part()) && exchange_->sink != nullptr) {
    exchange_->is_body_paused = true;
  }
}

void Connection::on_body_whole() noexcept {
  phase_ = Phase::awaiting_answer;
  set_timer(exchange_->answer_wait_us);
  std::exchange(exchange_->sink, nullptr)->on_body_end();
}

void Connection::fail_body(const HttpFault& fault, std::span<const HttpField> extra) noexcept {
  VS_ASSERT(phase_ == Phase::streaming_body);
  exchange_->sink = nullptr;
  keep_alive_ = false;
  answer_error(fault, extra);
}

void Connection::drop_sink() noexcept {
  if (!exchange_ || exchange_->sink == nullptr) return;
  std::exchange(exchange_->sink, nullptr)->on_body_lost();
}

void Connection::on_input_ended() noexcept {
  has_input_ended_ = true;
  switch (phase_) {
    case Phase::awaiting_answer:
      worker_.on_asker_left(*this);
      break;
    case Phase::answering:
      break;  // a client may close its half and wait for the answer
    case Phase::streaming_body:
      if (exchange_->is_body_paused) break;  // what has come is taken first
      drop_sink();
      close_after_output();
      break;
    case Phase::lingering:
    case Phase::websocket_closing:
      // Otherwise when what is queued has left: the answer, or the Close.
      if (!stream_.has_output()) close();
      break;
    case Phase::idle:
    case Phase::reading_head:
    case Phase::reading_body:
      // A request that was begun will never be whole; answers to those before it still leave.
      close_after_output();
      break;
    default:
      close();
  }
}

void Connection::close_after_output() noexcept {
  if (stream_.has_output()) {
    begin_lingering();
  } else {
    close();
  }
}

// --- The next request ----------------------------------------------------------------------------

void Connection::next_request() noexcept {
  const bool is_proxied = worker_.config().trusted_proxies.contains(socket_address());
  if (is_proxied) pay_charge_back();
  exchange_->parser.reset();
  phase_ = Phase::idle;
  is_watching_output_ = false;
  set_timer(worker_.config().idle_timeout_us);
  if (is_consuming_) return;  // the loop that called goes on with what follows
  const std::string pending = std::exchange(exchange_->pending, {});
  stream_.resume_input();
  if (pending.empty()) {
    give_exchange_back();
  } else {
    consume_http(as_bytes(pending));
  }
  if (has_input_ended_ && is_reading()) begin_lingering();
}

void Connection::begin_lingering() noexcept {
  phase_ = Phase::lingering;
  // What still arrives is read and dropped: closing with unread input would reset the connection
  // and take the answer with it (RFC 9112, 9.6).
  stream_.resume_input();
  if (stream_.has_output()) {
    watch_output();
    return;
  }
  stream_.end_output();
  if (has_input_ended_) {
    close();
  } else {
    set_timer(linger_us);
  }
}

void Connection::on_output_empty() noexcept {
  is_watching_output_ = false;
  switch (phase_) {
    case Phase::answering:
      if (keep_alive_) {
        next_request();
      } else {
        begin_lingering();
      }
      break;
    case Phase::lingering:
      begin_lingering();
      break;
    case Phase::websocket:
      pongs_queued_ = 0;
      break;
    case Phase::websocket_closing:
      stream_.end_output();
      if (has_input_ended_) close();
      break;
    default:
      break;
  }
}

void Connection::give_exchange_back() noexcept {
  if (!exchange_) return;
  exchange_->parser.reset();
  exchange_->asked_us = 0;
  exchange_->pending.clear();
  exchange_->pending.shrink_to_fit();
  VS_ASSERT(exchange_->sink == nullptr);
  worker_.exchanges().give_back(std::move(exchange_));
}

// --- Time ----------------------------------------------------------------------------------------

std::uint32_t Connection::now_ms() const noexcept {
  return static_cast<std::uint32_t>(worker_.reactor().now_ms());
}

void Connection::set_timer(std::int64_t delay_us) noexcept {
  Reactor& reactor = worker_.reactor();
  reactor.timers().schedule(timer_, reactor.now_ms() + (delay_us + 999) / 1'000);
}

void Connection::cancel_timer() noexcept {
  worker_.reactor().timers().cancel(timer_);
}

void Connection::watch_output() noexcept {
  if (std::exchange(is_watching_output_, true)) return;
  progress_seen_ = stream_.output_progress();
  stalled_since_ms_ = now_ms();
  // Never later than what the timer is set for: with output at every turn a member would not be
  // pinged any more.
  const std::int64_t look_ms = worker_.reactor().now_ms() + output_look_us() / 1'000;
  if (!timer_.is_armed() || timer_.deadline_ms > look_ms) set_timer(output_look_us());
}

std::int64_t Connection::output_look_us() const noexcept {
  return worker_.config().slow_timeout_us / looks_a_stall;
}

bool Connection::has_stalled() noexcept {
  if (stream_.output_progress() != progress_seen_) {
    progress_seen_ = stream_.output_progress();
    stalled_since_ms_ = now_ms();
  }
  const std::int64_t still_us = std::int64_t{now_ms() - stalled_since_ms_} * 1'000;
  if (still_us >= worker_.config().slow_timeout_us) return true;
  set_timer(output_look_us());
  return false;
}

void Connection::cut_unread() noexcept {
  worker_.metrics().count(Counter::requests_cut_not_reading);
  close();
}

void Connection::on_timer() noexcept {
  static constexpr HttpFault head_late{408, "request_timeout", "the request took too long"};
  static constexpr HttpFault body_rests{408, "request_timeout",
                                        "nothing more came of the body: go on where it ended"};
  static constexpr HttpFault no_answer{503, "unavailable", "try again later"};
  switch (phase_) {
    case Phase::idle:
      if (!stream_.has_output() || !is_watching_output_) {
        if (stream_.has_output()) {
          watch_output();
        } else {
          close();
        }
      } else if (has_stalled()) {
        cut_unread();
      }
      break;
    case Phase::reading_head:
    case Phase::reading_body:
      worker_.metrics().count(Counter::requests_cut_late);
      on_fault(head_late);
      break;
    case Phase::streaming_body:
      if (!exchange_->is_body_paused) worker_.metrics().count(Counter::requests_cut_late);
      on_fault(exchange_->is_body_paused ? no_answer : body_rests);
      break;
    case Phase::awaiting_answer:
      keep_alive_ = false;
      answer_error(no_answer, retry_in_5_s);
      break;
    case Phase::answering:
      if (has_stalled()) cut_unread();
      break;
    case Phase::lingering:
      if (!stream_.has_output()) {
        close();
      } else if (has_stalled()) {
        cut_unread();
      }
      break;
    case Phase::websocket:
      on_heartbeat();
      break;
    default:
      close();
  }
}

// --- The end -------------------------------------------------------------------------------------

void Connection::begin_drain() noexcept {
  keep_alive_ = false;
  if (phase_ == Phase::idle) close_after_output();
}

void Connection::on_closed(CloseReason reason) noexcept {
  if (reason == CloseReason::file_lost) {
    log_warn("connection", "a media file is shorter than when it was opened: rescan with SIGHUP");
  }
  leave_session();
  drop_sink();
  const bool was_awaiting_answer = is_awaiting_answer();
  phase_ = Phase::closed;
  if (was_awaiting_answer) worker_.on_asker_left(*this);
  cancel_timer();
  if (!is_admin_) worker_.metrics().add(Gauge::connections, -1);
  pay_charge_back();
}

void Connection::pay_charge_back() noexcept {
  if (!is_charged()) return;
  worker_.service().per_address.remove(group_);
  group_ = {};
}

void Connection::on_retired() noexcept {
  give_exchange_back();
  give_decoder_back();
  worker_.release(*this);
}

}  // namespace videosync
