// Metrics: what the process counts, and its text for Prometheus (exposition format 0.0.4).
//
// Each worker bumps its own WorkerMetrics: plain stores to its own cache lines, no locked
// instruction. render() adds the workers up; any thread may call it while they go on. Made once
// in Program with the number of workers, destroyed after they end.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "proto/session/session_values.h"

namespace videosync {

// In the order of the table in metric_tables.h. Families with a label have one enumerator a value.
enum class Counter : std::uint8_t {
  connections_accepted,
  refused_limit,        // connections: the process's limit
  refused_per_address,  // the address's limit
  accepts_exhausted,    // the machine ran out of descriptors or memory
  http_1xx,
  http_2xx,
  http_3xx,
  http_4xx,
  http_5xx,
  bytes_received,
  bytes_sent,
  video_bytes_warm,  // from the page cache
  video_bytes_cold,  // read by a kernel worker first
  websocket_upgrades,
  origins_refused,
  sessions_created,
  sessions_ended,
  sessions_rate_limited,
  codes_rate_limited,
  passwords_wrong,
  sessions_mended,  // told anew to a node that had them otherwise
  copies_dropped,   // of sessions that the store may lack: too many waited for it
  message_play,     // messages from members, in the order of ClientMessage
  message_pause,
  message_seek,
  message_rate,
  message_load,
  message_give,
  message_claim,
  message_settings,
  message_kick,
  message_end,
  message_ping,
  message_report,
  message_chat,
  message_reaction,
  message_name,
  message_ready,
  message_enqueue,
  message_dequeue,
  message_move,
  message_jump,
  message_next,
  message_cancel_next,
  message_admit,
  message_refuse,
  refusal_bad_json,  // in the order of Refusal
  refusal_bad_message,
  refusal_unknown_type,
  refusal_not_host,
  refusal_no_such_member,
  refusal_no_such_video,
  refusal_out_of_range,
  refusal_rate_limited,
  refusal_unavailable,
  refusal_no_such_item,
  refusal_queue_full,
  refusal_not_admitted,
  frames_sent,
  states_replaced,      // a newer state took the place of one not yet sent
  frames_dropped_news,  // chat and member updates that a slow reader's queue had no room for
  frames_dropped_answers,
  frames_dropped_pongs,     // a newer one took the place
  members_cut_queue_full,   // of frames that are to be kept
  members_cut_not_reading,  // nothing left for too long
  members_cut_silent,       // nothing was heard for too long
  requests_cut_late,        // not whole in time
  requests_cut_not_reading,
  close_normal,
  close_going_away,
  close_protocol_error,
  close_unsupported_data,
  close_invalid_payload,
  close_policy_violation,
  close_too_big,
  close_internal_error,
  close_session_ended,
  close_connected_elsewhere,
  close_too_slow,
  close_removed,
  close_turned_away,
  close_too_many_messages,
  close_other,
  report_unknown,  // reports while the film plays, in the order of Form
  report_file,
  report_copy,
  report_transcode,
  report_stream,
  reports_buffering,          // while the film is to play
  media_opens_given_up,       // answered 503, because the storage did not open a file in time
  media_opens_refused,        // answered 503 at once, because too many were waited for
  receive_buffers_exhausted,  // ENOBUFS
  mailbox_posts,
  loop_turns,
  count_,
};

enum class Gauge : std::uint8_t { connections, members, sessions, media_opens, count_ };

enum class Histogram : std::uint8_t {
  http_request_seconds,
  viewer_skew_seconds,
  first_frame_seconds,
  fanout_seconds,
  node_lag_seconds,
  redis_round_trip_seconds,
  count_
};

// One worker's numbers. Written by that worker only; read by any thread.
class alignas(64) WorkerMetrics {
 public:
  static constexpr std::size_t buckets_max = 14;  // the last one is +Inf

  void count(Counter counter, std::uint64_t n = 1) noexcept {
    bump(counters_[static_cast<std::size_t>(counter)], n);
  }
  void count_response(unsigned status) noexcept;  // 100 to 599
  void count_message(const ClientMessage& message) noexcept;
  void count_refusal(Refusal code) noexcept;
  void count_close(std::uint16_t code) noexcept;
  void count_playing(Form form) noexcept;  // a report

  // `n` may be negative. A member may leave on another worker than it came: only the sum over the
  // workers means something.
  void add(Gauge gauge, std::int64_t n) noexcept {
    bump(gauges_[static_cast<std::size_t>(gauge)], n);
  }

  void observe(Histogram histogram, std::int64_t duration_us) noexcept;

 private:
  friend class Metrics;

  struct Samples {
    std::array<std::atomic<std::uint64_t>, buckets_max> buckets{};  // not cumulative
    std::atomic<std::uint64_t> sum_us{0};
  };

  template <class T>
  static void bump(std::atomic<T>& cell, T n) noexcept {
    cell.store(cell.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }

  std::array<std::atomic<std::uint64_t>, static_cast<std::size_t>(Counter::count_)> counters_{};
  std::array<std::atomic<std::int64_t>, static_cast<std::size_t>(Gauge::count_)> gauges_{};
  std::array<Samples, static_cast<std::size_t>(Histogram::count_)> histograms_{};
};

class Metrics {
 public:
  Metrics(std::size_t workers, std::string version);

  WorkerMetrics& worker(std::size_t index) noexcept;

  std::uint64_t total(Counter counter) const noexcept;
  std::int64_t total(Gauge gauge) const noexcept;

  // The whole page: Content-Type "text/plain; version=0.0.4; charset=utf-8". Reads /proc/self.
  // What only nodes with a shared store can observe is left out where there is none.
  std::string render(bool is_store_shared = false) const;

 private:
  void render_counters(std::string& out) const;
  void render_gauges(std::string& out) const;
  void render_histogram(std::string& out, Histogram histogram) const;
  void render_process(std::string& out) const;

  const std::size_t worker_count_;
  const std::unique_ptr<WorkerMetrics[]> workers_;
  const std::string version_;
  const double start_time_s_;
};

}  // namespace videosync
