// The names, help texts and buckets of the metrics. Only metrics.cpp includes this.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>
#include <string_view>

#include "server/metrics/metrics.h"

namespace videosync {

struct CounterInfo {
  std::string_view family;  // without the prefix and "_total"
  std::string_view help;    // where the family begins
  std::string_view label;
  std::string_view value;
};

// In the order of Counter.
inline constexpr CounterInfo counter_table[] = {
    {"connections_accepted", "Connections accepted by the public listeners.", "", ""},
    {"connections_refused", "Connections turned away.", "reason", "limit"},
    {"connections_refused", "", "reason", "per_address"},
    {"accepts_exhausted", "Times that accepting rested for want of descriptors or memory.", "", ""},
    {"http_responses", "HTTP responses by class of status.", "status", "1xx"},
    {"http_responses", "", "status", "2xx"},
    {"http_responses", "", "status", "3xx"},
    {"http_responses", "", "status", "4xx"},
    {"http_responses", "", "status", "5xx"},
    {"received_bytes", "Bytes received from clients.", "", ""},
    {"sent_bytes", "Bytes sent to clients, video included.", "", ""},
    {"video_sent_bytes", "Bytes of media files sent, by where they were.", "source", "warm"},
    {"video_sent_bytes", "", "source", "cold"},
    {"websocket_upgrades", "Connections that became WebSockets.", "", ""},
    {"origins_refused", "WebSocket handshakes refused for a foreign Origin.", "", ""},
    {"sessions_created", "Sessions created here.", "", ""},
    {"sessions_ended", "Sessions ended here.", "", ""},
    {"sessions_rate_limited", "Session creations refused to an address.", "", ""},
    {"codes_rate_limited", "Codes not looked up for an address that tried too many.", "", ""},
    {"passwords_wrong", "Wrong passwords said by who wants to make sessions or list films.", "",
     ""},
    {"sessions_mended", "Sessions told anew to a node that had them otherwise.", "", ""},
    {"copies_dropped", "Copies of sessions that the store may lack, not kept for want of room.", "",
     ""},
    {"messages_received", "Messages from members by type.", "type", "play"},
    {"messages_received", "", "type", "pause"},
    {"messages_received", "", "type", "seek"},
    {"messages_received", "", "type", "rate"},
    {"messages_received", "", "type", "load"},
    {"messages_received", "", "type", "give"},
    {"messages_received", "", "type", "claim"},
    {"messages_received", "", "type", "settings"},
    {"messages_received", "", "type", "kick"},
    {"messages_received", "", "type", "end"},
    {"messages_received", "", "type", "ping"},
    {"messages_received", "", "type", "report"},
    {"messages_received", "", "type", "chat"},
    {"messages_received", "", "type", "reaction"},
    {"messages_received", "", "type", "name"},
    {"messages_received", "", "type", "ready"},
    {"messages_received", "", "type", "enqueue"},
    {"messages_received", "", "type", "dequeue"},
    {"messages_received", "", "type", "move"},
    {"messages_received", "", "type", "jump"},
    {"messages_received", "", "type", "next"},
    {"messages_received", "", "type", "cancelNext"},
    {"messages_received", "", "type", "admit"},
    {"messages_received", "", "type", "refuse"},
    {"messages_refused", "Messages from members answered with an error.", "code", "bad_json"},
    {"messages_refused", "", "code", "bad_message"},
    {"messages_refused", "", "code", "unknown_type"},
    {"messages_refused", "", "code", "not_host"},
    {"messages_refused", "", "code", "no_such_member"},
    {"messages_refused", "", "code", "no_such_video"},
    {"messages_refused", "", "code", "out_of_range"},
    {"messages_refused", "", "code", "rate_limited"},
    {"messages_refused", "", "code", "unavailable"},
    {"messages_refused", "", "code", "no_such_item"},
    {"messages_refused", "", "code", "queue_full"},
    {"messages_refused", "", "code", "not_admitted"},
    {"frames_sent", "WebSocket frames sent to members.", "", ""},
    {"states_replaced", "States that a newer one replaced before they were sent.", "", ""},
    {"frames_dropped", "Frames dropped for slow readers: chat and member updates, answers, pongs.",
     "of", "news"},
    {"frames_dropped", "", "of", "answers"},
    {"frames_dropped", "", "of", "pongs"},
    {"members_cut", "Members cut off for being too slow or silent.", "reason", "queue_full"},
    {"members_cut", "", "reason", "not_reading"},
    {"members_cut", "", "reason", "silent"},
    {"requests_cut", "Requests that came too slowly, or whose answers were not read.", "reason",
     "late"},
    {"requests_cut", "", "reason", "not_reading"},
    {"websocket_closes", "WebSockets that the server closed, by code.", "code", "1000"},
    {"websocket_closes", "", "code", "1001"},
    {"websocket_closes", "", "code", "1002"},
    {"websocket_closes", "", "code", "1003"},
    {"websocket_closes", "", "code", "1007"},
    {"websocket_closes", "", "code", "1008"},
    {"websocket_closes", "", "code", "1009"},
    {"websocket_closes", "", "code", "1011"},
    {"websocket_closes", "", "code", "4001"},
    {"websocket_closes", "", "code", "4002"},
    {"websocket_closes", "", "code", "4003"},
    {"websocket_closes", "", "code", "4004"},
    {"websocket_closes", "", "code", "4005"},
    {"websocket_closes", "", "code", "4008"},
    {"websocket_closes", "", "code", "other"},
    {"reports_playing", "Reports of members who play while the film does, by what they play.",
     "form", "unknown"},
    {"reports_playing", "", "form", "file"},
    {"reports_playing", "", "form", "copy"},
    {"reports_playing", "", "form", "transcode"},
    {"reports_playing", "", "form", "stream"},
    {"reports_buffering", "Reports of members who buffer while the film is to play.", "", ""},
    {"media_opens_failed", "Media files that storage did not open in time.", "reason", "late"},
    {"media_opens_failed", "", "reason", "refused"},
    {"receive_buffers_exhausted", "Receives that found no provided buffer (ENOBUFS).", "", ""},
    {"mailbox_posts", "Messages from one worker to another.", "", ""},
    {"loop_turns", "Turns of the workers' loops.", "", ""},
};
static_assert(std::size(counter_table) == static_cast<std::size_t>(Counter::count_));

struct GaugeInfo {
  std::string_view name;
  std::string_view help;
};

inline constexpr GaugeInfo gauge_table[] = {
    {"connections", "Connections of the public listeners open now."},
    {"members", "Members connected here now."},
    {"sessions", "Sessions with members here now."},
    {"media_opens", "Media files that storage is asked to open now."},
};
static_assert(std::size(gauge_table) == static_cast<std::size_t>(Gauge::count_));

struct HistogramInfo {
  std::string_view name;
  std::string_view help;
  std::span<const std::int64_t> bounds_us;  // ascending, without +Inf
  bool is_of_nodes = false;                 // observed only where a store is shared
};

inline constexpr std::int64_t request_bounds_us[] = {
    100,    250,     500,     1'000,     2'500,      5'000,     10'000,
    25'000, 100'000, 500'000, 2'500'000, 10'000'000, 60'000'000};
inline constexpr std::int64_t loop_bounds_us[] = {
    50, 100, 250, 500, 1'000, 2'500, 5'000, 10'000, 25'000, 50'000, 100'000, 250'000, 1'000'000};

inline constexpr std::int64_t skew_bounds_us[] = {
    5'000, 10'000, 25'000, 50'000, 100'000, 250'000, 500'000, 1'000'000, 2'500'000, 5'000'000};
inline constexpr std::int64_t first_frame_bounds_us[] = {
    50'000,    100'000,   250'000,   500'000,    750'000,    1'000'000, 1'500'000,
    2'500'000, 4'000'000, 6'000'000, 10'000'000, 20'000'000, 60'000'000};

inline constexpr HistogramInfo histogram_table[] = {
    {"http_request_seconds",
     "From a request's last byte to its queued answer, a file's bytes and upgrades left out.",
     request_bounds_us},
    {"viewer_skew_seconds",
     "How far members who play are from where the film is, as each report of theirs says.",
     skew_bounds_us},
    {"first_frame_seconds",
     "From opening a session that one has made, or pressing Join, to the film's first frame.",
     first_frame_bounds_us},
    {"fanout_seconds",
     "From a broadcast at its session's worker to its queueing for the last member of a worker.",
     loop_bounds_us},
    {"node_lag_seconds",
     "From an event at a session's home on another node to its submission to the members here.",
     loop_bounds_us, true},
    {"redis_round_trip_seconds", "From a command to Redis to its answer.", loop_bounds_us, true},
};
static_assert(std::size(histogram_table) == static_cast<std::size_t>(Histogram::count_));
static_assert(std::size(request_bounds_us) < WorkerMetrics::buckets_max);
static_assert(std::size(skew_bounds_us) < WorkerMetrics::buckets_max);
static_assert(std::size(first_frame_bounds_us) < WorkerMetrics::buckets_max);
static_assert(std::size(loop_bounds_us) < WorkerMetrics::buckets_max);

}  // namespace videosync
