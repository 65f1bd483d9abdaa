// Connection: one connection's life in the program: HTTP first, then perhaps a WebSocket.
//
// A state machine over its phases. What only a busy connection needs is borrowed from the worker:
// an HttpExchange while a request is in progress, a WebSocketDecoder while a frame is. So an idle
// viewer is this object and nothing else. Answers that need another thread come back by
// ConnectionRef; a connection that is gone by then is not found. Belongs to its worker's thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/base/assert.h"
#include "core/base/uuid.h"
#include "core/reactor/tcp_stream.h"
#include "core/reactor/timer_wheel.h"
#include "proto/http/http_request.h"
#include "proto/http/http_response.h"
#include "proto/session/session_values.h"
#include "proto/websocket/websocket_frames.h"
#include "server/access/ip_address.h"
#include "server/connection/body_sink.h"
#include "server/connection/hub.h"
#include "server/connection/message_rate.h"

namespace videosync {

class Worker;

// What a request in progress needs; pooled.
struct HttpExchange {
  explicit HttpExchange(const HttpLimits& limits) : parser(limits) {}

  HttpRequestParser parser;
  std::string pending;        // bytes behind the request that is being worked on
  std::int64_t asked_us = 0;  // when the request that is being worked on was whole; 0: none is
  std::int64_t answer_wait_us = 0;  // for an answer that comes later
  std::string cookie;               // is set with the upgrade that is asked for
  BodySink* sink = nullptr;         // of the body that is coming; set exactly in streaming_body
  bool is_body_paused = false;      // the sink wants no more for now
};

class Connection final : public StreamOwner {
 public:
  Connection(Worker& worker, bool is_admin) noexcept;
  ~Connection();

  // `address`: the socket's other end; none for a unix socket. It has to speak within the time that
  // a head is given, from the moment at which the far end opened it.
  void open(UniqueFd descriptor, const std::optional<IpAddress>& address) noexcept;
  // Refuses the connection: 503 and the end.
  void refuse(HttpFault fault) noexcept;

  // --- For routes: exactly one answer a request -------------------------------------------------
  const HttpRequest& request() const noexcept;
  bool is_admin() const noexcept { return is_admin_; }
  std::optional<IpAddress> socket_address() const noexcept {
    VS_ASSERT(phase_ < Phase::websocket);
    return address_.is_unspecified() ? std::nullopt : std::optional(address_);
  }
  ResponseContext response_context() noexcept;
  // HEAD: the body is measured, not sent.
  void answer(int status, std::string_view content_type, std::string_view body,
              std::span<const HttpField> extra = {}) noexcept;
  void answer_json(int status, std::string_view body,
                   std::span<const HttpField> extra = {}) noexcept;
  // 200 with a body that others share: it is not copied.
  void answer_shared_json(const BufferRef& body, std::span<const HttpField> extra = {}) noexcept;
  void answer_error(const HttpFault& fault, std::span<const HttpField> extra = {}) noexcept;
  // A head made by the caller, then what it queues through stream().
  void begin_answer(std::string_view head) noexcept;
  void send_body(BufferRef body) noexcept { stream_.send(std::move(body)); }
  void send_file(FileRange range) noexcept { stream_.send_file(std::move(range)); }
  void end_answer() noexcept;
  // The answer comes later, by ConnectionRef.
  // From within its route: after so long it is answered 503 and the connection ends.
  void limit_answer_wait(std::int64_t wait_us) noexcept;
  bool is_awaiting_answer() const noexcept { return phase_ == Phase::awaiting_answer; }
  // Of a request whose body is streamed and has not been read yet: reads it into `sink`. What comes
  // after on_body_end() is the answer.
  void begin_body(BodySink& sink) noexcept;
  void resume_body() noexcept;
  // The rest is not wanted: the request is refused, and the connection ends.
  void fail_body(const HttpFault& fault, std::span<const HttpField> extra = {}) noexcept;

  // --- WebSocket --------------------------------------------------------------------------------
  // From within its route: for Set-Cookie, if it comes to an upgrade.
  void set_upgrade_cookie(std::string cookie) noexcept;
  // The session has let this connection in: 101, `welcome`, and frames from now on.
  void begin_websocket(const Uuid& session, MemberId member, ConnectionNumber number,
                       const BufferRef& welcome) noexcept;
  // It is to wait for the host's word: 101 and `frame`. begin_websocket() may follow.
  void begin_knocking(const Uuid& session, ConnectionNumber number,
                      const BufferRef& frame) noexcept;
  bool is_knocking() const noexcept { return phase_ == Phase::websocket && !member_; }
  void send_frame(const BufferRef& frame, SendClass send_class) noexcept;
  // Sends a Close frame and ends the connection soon. Repeated calls do nothing.
  void close_websocket(std::uint16_t code, std::string_view reason) noexcept;
  bool is_member() const noexcept { return phase_ == Phase::websocket; }
  // REQUIRES is_member().
  const Uuid& session_key() const noexcept;
  // The hub's: where it stands among its session's members.
  std::uint32_t place() const noexcept { return place_; }
  void set_place(std::uint32_t place) noexcept { place_ = place; }
  // Into the cache with what a delivery touches: see the order of the fields.
  void prefetch_for_send() const noexcept {
    const auto* bytes = reinterpret_cast<const std::byte*>(this);
    __builtin_prefetch(bytes);
    __builtin_prefetch(bytes + 64);
  }
  // A drain has begun: idle ones end, others after what they are doing.
  void begin_drain() noexcept;
  void close() noexcept { stream_.close(CloseReason::by_owner); }

  // This connection counts in Service::connections until it is released.
  void set_admitted() noexcept { is_admitted_ = true; }
  bool is_admitted() const noexcept { return is_admitted_; }
  // This connection now counts for `group` in the per-address counter. It is paid back at its end,
  // or after the request at hand where a proxy brought it: the next one may be another client's.
  void charge(AddressGroup group) noexcept;
  bool is_charged() const noexcept { return static_cast<bool>(group_); }

  void on_received(std::span<std::uint8_t> bytes) noexcept override;
  void on_input_ended() noexcept override;
  void on_output_empty() noexcept override;
  void on_closed(CloseReason reason) noexcept override;
  void on_retired() noexcept override;

 private:
  enum class Phase : std::uint8_t {
    idle,               // before the first request, timer: first word; between requests: idle
    reading_head,       // timer: head
    reading_body,       // timer: body
    streaming_body,     // into a BodySink; timer: nothing of it comes
    awaiting_answer,    // another thread works on it; input rests
    answering,          // the answer is leaving; timer: progress
    lingering,          // FIN is sent, or will be when output is empty; input is discarded
    websocket,          // timer: heartbeat
    websocket_closing,  // Close is sent; waiting for the far end's, at most `close_wait_us`
    closed,
  };

  void consume_http(std::span<const std::uint8_t> bytes) noexcept;
  bool is_reading() const noexcept { return phase_ <= Phase::streaming_body; }
  void on_head_complete() noexcept;
  void on_request() noexcept;
  void route() noexcept;
  void on_body_part() noexcept;
  void on_body_whole() noexcept;
  void feed_pending() noexcept;
  std::uint32_t discarded_most() const noexcept;
  void drop_sink() noexcept;
  void on_fault(const HttpFault& fault) noexcept;
  std::string& make_head(int status, std::string_view content_type, std::size_t body_bytes,
                         std::span<const HttpField> extra) noexcept;
  bool wants_body() const noexcept { return !exchange_ || request().method != HttpMethod::head; }
  void keep_pending(std::span<const std::uint8_t> bytes) noexcept;
  void next_request() noexcept;
  void pay_charge_back() noexcept;
  void begin_lingering() noexcept;
  void close_after_output() noexcept;
  void give_exchange_back() noexcept;

  void upgrade() noexcept;
  void take_upgraded_input() noexcept;
  void receive_frames(std::span<const std::uint8_t> bytes) noexcept;
  void on_frame(const WebSocketEvent& event) noexcept;
  void on_text(std::string_view text) noexcept;
  void on_websocket_ping(std::string_view payload) noexcept;
  void note_first_frame(const ReportMessage& report) noexcept;
  void answer_ping(const PingMessage& ping, std::int64_t received_us) noexcept;
  void refuse_message(Refusal code, std::string_view message, std::string_view re) noexcept;
  void send_answer(std::string_view text) noexcept;
  void leave_session() noexcept;
  void give_decoder_back() noexcept;
  void on_heartbeat() noexcept;

  void on_timer() noexcept;
  void cut_unread() noexcept;
  // True when output has stood still for the configured time; arms the next look otherwise.
  bool has_stalled() noexcept;
  void watch_output() noexcept;
  std::int64_t output_look_us() const noexcept;
  std::uint32_t now_ms() const noexcept;
  void set_timer(std::int64_t delay_us) noexcept;
  void cancel_timer() noexcept;

  // What a broadcast touches comes first: see prefetch_for_send().
  Worker& worker_;
  Phase phase_ = Phase::idle;
  std::uint8_t pongs_queued_ = 0;
  const bool is_admin_;
  bool is_admitted_ = false;
  bool keep_alive_ = true;  // after the answer at hand
  bool has_input_ended_ = false;
  bool is_consuming_ = false;        // within consume_http
  bool is_watching_output_ = false;  // the timer looks at output's progress
  TcpStream stream_;
  TimerEntry timer_;
  std::unique_ptr<HttpExchange> exchange_;
  std::unique_ptr<WebSocketDecoder> decoder_;  // null at message boundaries
  LocalSession* session_ = nullptr;            // set exactly in phase websocket
  MemberId member_;                            // none: it waits before the door, or is no WebSocket
  ConnectionNumber number_;
  // Of the reactor's time; differences are taken modulo 2^32.
  std::uint32_t last_received_ms_ = 0;
  std::uint32_t stalled_since_ms_ = 0;  // when output_progress() was last seen to move
  std::uint32_t progress_seen_ = 0;     // TcpStream::output_progress() at the last look
  std::uint32_t discarded_bytes_ = 0;   // while lingering
  std::uint32_t place_ = 0;             // means something in phase websocket
  bool has_told_first_frame_ = false;
  AddressGroup group_;  // none: not in the per-address counter
  // NOLINTBEGIN(readability-identifier-naming): private, but public in their nameless union
  union {
    IpAddress address_{};       // until the connection becomes a WebSocket
    MessageRate message_rate_;  // from then on
  };
  // NOLINTEND(readability-identifier-naming)
};
static_assert(sizeof(Connection) <= 240, "an idle viewer is this object and little else");

}  // namespace videosync
