// Worker: one thread, its reactor, its connections, its share of the sessions.
//
// Owns the pools from which connections take what they need only for a while: parsers for requests
// in progress, decoders for frames in progress. Everything but run_on's target side belongs to the
// worker's thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/slot_pool.h"
#include "core/base/unique_fd.h"
#include "core/reactor/listener.h"
#include "core/reactor/reactor.h"
#include "proto/http/http_request.h"
#include "proto/websocket/websocket_frames.h"
#include "proto/wire/messages.h"
#include "server/connection/connection.h"
#include "server/connection/date_cache.h"
#include "server/connection/hub.h"
#include "server/connection/object_pool.h"
#include "server/films/video_catalog.h"
#include "server/service.h"
#include "server/session/session_directory.h"
#include "server/session_bridge.h"
#include "server/uploads/upload_keeper.h"
#include "storage/files/file_desk.h"
#include "storage/forms/form_desk.h"
#include "storage/library/media_library.h"

namespace videosync {

class FormAsks;
class FormMaker;
class MediaOpens;
class UploadAsks;
struct FormAsk;

class Worker {
 public:
  // `desk`: where media files are opened; null where none need be (tests of other things).
  Worker(Service& service, std::unique_ptr<Reactor> reactor, VideoCatalogRef catalog,
         std::unique_ptr<FileDesk> desk);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // A listening descriptor. Before start().
  void listen(UniqueFd descriptor, bool is_admin);
  // Once, when all workers and what they share are there, and before any of them starts.
  void open_sessions();
  // Binds the reactor to this thread and begins to accept, at once or with go_on(); run() then
  // turns until the drain ends, and a moment longer for connections whose file a disk is still
  // reading.
  Result<> start(bool accepts = true);
  void run() noexcept;

  // After run(): connections were left, because their storage hangs. The kernel may still use their
  // memory, so the worker may not be destroyed.
  bool has_hanging_connections() const noexcept { return reactor_->has_streams(); }

  // Accepts nobody, and when the kernel has let go of the listeners runs `at_rest`, once, at the
  // end of a turn. One that has not run yet is forgotten.
  void come_to_rest(InlineTask at_rest) noexcept;
  void go_on() noexcept;

  // Stops accepting, tells members, closes them in even slices; run() returns when no connection of
  // any worker is left, or after the configured time.
  void begin_drain() noexcept;
  // The same where another process has the sessions already: members are closed at once, and told
  // to come back spread over so many milliseconds.
  void begin_drain_after_handing_over(std::uint32_t spread_ms) noexcept;
  // The store is away, or there again, for the sessions in these slots: their members of this
  // worker are told.
  void tell_degraded(const SlotSet& slots, bool is_degraded) noexcept;

  std::size_t index() const noexcept { return reactor_->index(); }
  Service& service() noexcept { return service_; }
  const Config& config() const noexcept { return service_.config; }
  Reactor& reactor() noexcept { return *reactor_; }
  WorkerMetrics& metrics() noexcept { return metrics_; }
  Hub& hub() noexcept { return hub_; }
  // From start() on.
  SessionDirectory& directory() noexcept { return *directory_; }
  Surroundings& surroundings() noexcept { return bridge_; }
  // The sessions' store, as this worker's thread may call it.
  SessionStore& store() noexcept { return *store_; }
  // Before start(), where Service::store belongs to another thread.
  void set_store(std::unique_ptr<SessionStore> store) noexcept;
  Connection* find_connection(SlotHandle handle) noexcept { return connections_.find(handle); }
  ConnectionRef ref_of(const Connection& connection) const noexcept {
    return {static_cast<std::uint32_t>(reactor_->index()), connections_.handle_of(connection)};
  }

  // Runs `task` on that worker's thread: soon, in order, never within this call. On this worker at
  // the end of the turn, which makes it the way out of a callback, too.
  void run_on(std::size_t worker, InlineTask task);

  // Time that members are told, and the monotonic one for limits.
  std::int64_t server_us() const noexcept { return service_.clock.server_us(); }
  std::int64_t monotonic_us() const noexcept { return service_.clock.monotonic_us(); }
  // The machine's own, for HTTP: what nodes share may be off the time of day.
  std::int64_t wall_us() const noexcept { return reactor_->clock().server_us(); }
  std::string_view http_date() noexcept { return date_.at(wall_us()); }

  const MediaLibrary& library() const noexcept { return *catalog_->library; }
  const VideoCatalog& catalog() const noexcept { return *catalog_; }
  // To whoever asks from now on; sessions learn from it how long their films are.
  void show_catalog(VideoCatalogRef catalog) noexcept;
  // MediaOpens::open(). REQUIRES a desk.
  void open_media(Connection& connection, MediaLibrary::Place place);
  // Before start(). `maker` outlives the worker's thread.
  void set_forms(FormMaker& maker, std::unique_ptr<FormDesk> desk);
  // FormAsks::ask(). REQUIRES set_forms().
  void ask_form(Connection& connection, FormAsk ask);
  // Before start(). `keeper` outlives the worker's thread.
  void set_uploads(UploadKeeper& keeper, std::unique_ptr<UploadDesk> desk);
  // Null: nobody may bring films.
  UploadAsks* uploads() noexcept { return upload_asks_.get(); }
  // The connection that awaits an answer has closed, or its client sends no more.
  void on_asker_left(Connection& connection) noexcept;

  // Empty, with capacity; for one function at a time, no calls in between that use it too.
  std::string& scratch() noexcept {
    scratch_.clear();
    return scratch_;
  }
  MessageDecoder& message_decoder() noexcept { return message_decoder_; }
  ObjectPool<HttpExchange>& exchanges() noexcept { return exchanges_; }
  ObjectPool<WebSocketDecoder>& frame_decoders() noexcept { return frame_decoders_; }

  const HttpLimits& http_limits() const noexcept { return http_limits_; }

  // The connection's slot may be used again.
  void release(Connection& connection) noexcept;
  // Brings metrics up to the reactor's own counters.
  void report_counters() noexcept;

 private:
  struct ListenerEntry;

  void on_accepted(UniqueFd descriptor, bool is_admin) noexcept;
  void admit(Connection& connection, const std::optional<IpAddress>& address) noexcept;
  void on_turn_end() noexcept;
  void run_tasks() noexcept;
  void on_second() noexcept;
  void on_drain_step() noexcept;
  void pause_accepting() noexcept;
  void tell_members(const BufferRef& notice) noexcept;
  void resume_accepting() noexcept;
  static bool is_idle(const std::unique_ptr<ListenerEntry>& entry) noexcept;
  void end_requests() noexcept;
  void schedule_drain() noexcept;

  Service& service_;
  std::unique_ptr<Reactor> reactor_;
  WorkerMetrics& metrics_;
  const HttpLimits http_limits_;
  VideoCatalogRef catalog_;
  std::unique_ptr<MediaOpens> media_opens_;  // null without a desk
  std::unique_ptr<FormAsks> form_asks_;      // null without forms
  std::unique_ptr<UploadAsks> upload_asks_;  // null without uploads
  ObjectPool<HttpExchange> exchanges_;
  ObjectPool<WebSocketDecoder> frame_decoders_;
  MessageDecoder message_decoder_;
  std::string scratch_;
  DateCache date_;
  std::vector<InlineTask> tasks_;
  std::vector<InlineTask> running_tasks_;
  std::vector<std::unique_ptr<ListenerEntry>> listeners_;
  Hub hub_;
  std::unique_ptr<SessionStore> own_store_;
  SessionStore* store_;
  SessionBridge bridge_;
  std::unique_ptr<SessionDirectory> directory_;
  SlotPool<Connection> connections_;
  ReactorCounters reported_;
  TimerEntry second_timer_;
  TimerEntry drain_timer_;
  std::int64_t drain_end_ms_ = 0;
  std::uint32_t drain_steps_left_ = 0;
  bool is_accepting_paused_ = false;
  bool is_resting_ = false;
  std::optional<InlineTask> at_rest_;
};

}  // namespace videosync
