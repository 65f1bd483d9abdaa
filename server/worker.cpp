#include "server/worker.h"

#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "core/base/assert.h"
#include "core/base/log.h"
#include "core/kernel/kernel.h"
#include "server/form_asks.h"
#include "server/media_opens.h"
#include "server/nodes/nodes.h"
#include "server/uploads/upload_asks.h"
#include "server/uploads/upload_route.h"

namespace videosync {

namespace {

// Beyond the configured connections: the internal listener's, and newcomers that are told 503.
constexpr std::size_t spare_slots = 256;
constexpr std::size_t idle_exchanges_max = 256;
constexpr std::size_t idle_frame_decoders_max = 64;
constexpr std::int64_t drain_step_ms = 100;
constexpr std::uint32_t retry_after_ms = 1'000;
constexpr std::uint32_t back_step_ms = 50;  // after a hand-over: who comes back together
// What the kernel reads for a connection that has been closed is waited for so long.
constexpr std::int64_t hanging_wait_ms = 500;

constexpr HttpFault server_full{503, "too_many_connections",
                                "the server has as many connections as it may, try again"};
constexpr HttpFault address_full{503, "too_many_connections",
                                 "too many connections from this address"};

HttpLimits limits_of(const Config& config) {
  return {config.request_line_bytes_max, config.request_head_bytes_max, config.request_fields_max,
          config.request_body_bytes_max, is_upload_body};
}

BufferRef draining_notice(std::uint32_t after_ms) {
  std::string text;
  encode_notice(text, NoticeCode::draining, after_ms);
  return make_frame(WebSocketOpcode::text, text);
}

std::optional<IpAddress> far_address_of(int descriptor) noexcept {
  sockaddr_storage storage{};
  if (kernel::get_peer_name(descriptor, storage) != 0) return std::nullopt;
  return IpAddress::from_sockaddr(reinterpret_cast<const sockaddr*>(&storage));
}

}  // namespace

struct Worker::ListenerEntry {
  ListenerEntry(Worker& owner, UniqueFd descriptor, bool admin)
      : worker(owner),
        is_admin(admin),
        listener(
            *owner.reactor_, std::move(descriptor),
            [](void* self, UniqueFd accepted) noexcept {
              auto& entry = *static_cast<ListenerEntry*>(self);
              entry.worker.on_accepted(std::move(accepted), entry.is_admin);
            },
            this) {}

  Worker& worker;
  const bool is_admin;
  Listener listener;
};

Worker::Worker(Service& service, std::unique_ptr<Reactor> reactor, VideoCatalogRef catalog,
               std::unique_ptr<FileDesk> desk)
    : service_(service),
      reactor_(std::move(reactor)),
      metrics_(service.metrics.worker(reactor_->index())),
      http_limits_(limits_of(service.config)),
      catalog_(std::move(catalog)),
      exchanges_(idle_exchanges_max),
      frame_decoders_(idle_frame_decoders_max),
      hub_(metrics_),
      store_(&service.store),
      bridge_(*this),
      connections_(service.config.connections_max + spare_slots),
      second_timer_([](void* self) noexcept { static_cast<Worker*>(self)->on_second(); }, this),
      drain_timer_([](void* self) noexcept { static_cast<Worker*>(self)->on_drain_step(); }, this) {
  if (desk != nullptr) media_opens_ = std::make_unique<MediaOpens>(*this, std::move(desk));
  reactor_->add_hook([](void* self) noexcept { static_cast<Worker*>(self)->on_turn_end(); }, this);
}

Worker::~Worker() = default;

void Worker::set_store(std::unique_ptr<SessionStore> store) noexcept {
  own_store_ = std::move(store);
  store_ = own_store_.get();
}

void Worker::listen(UniqueFd descriptor, bool is_admin) {
  listeners_.push_back(std::make_unique<ListenerEntry>(*this, std::move(descriptor), is_admin));
}

void Worker::open_sessions() {
  directory_ = std::make_unique<SessionDirectory>(SessionPorts{
      .worker = index(),
      .workers = service_.workers.size(),
      .clock = service_.clock,
      .timers = reactor_->timers(),
      .store = *store_,
      .delivery = bridge_,
      .around = bridge_,
      .metrics = metrics_,
      .limits = service_.session_limits,
      .session_ttl_us = config().session_ttl_us,
      .nodes = service_.nodes,
  });
}

Result<> Worker::start(bool accepts) {
  if (auto started = reactor_->start(); !started) return started;
  is_resting_ = !accepts;
  if (accepts) resume_accepting();
  if (media_opens_) media_opens_->start();
  if (form_asks_) form_asks_->start();
  if (upload_asks_) upload_asks_->start();
  reactor_->timers().schedule(second_timer_, reactor_->now_ms() + 1'000);
  return {};
}

void Worker::run() noexcept {
  reactor_->run();
  if (media_opens_) media_opens_->stop();
  if (form_asks_) form_asks_->stop();
  if (upload_asks_) upload_asks_->stop();
  while (!std::ranges::all_of(listeners_, &Worker::is_idle) ||
         (media_opens_ && !media_opens_->is_idle()) || (form_asks_ && !form_asks_->is_idle()) ||
         (upload_asks_ && !upload_asks_->is_idle()))
    reactor_->turn(10);
}

void Worker::open_media(Connection& connection, MediaLibrary::Place place) {
  VS_ASSERT(media_opens_ != nullptr);
  media_opens_->open(connection, std::move(place));
}

void Worker::set_forms(FormMaker& maker, std::unique_ptr<FormDesk> desk) {
  form_asks_ = std::make_unique<FormAsks>(*this, maker, std::move(desk));
}

void Worker::set_uploads(UploadKeeper& keeper, std::unique_ptr<UploadDesk> desk) {
  upload_asks_ = std::make_unique<UploadAsks>(*this, keeper, std::move(desk));
}

void Worker::ask_form(Connection& connection, FormAsk ask) {
  VS_ASSERT(form_asks_ != nullptr);
  form_asks_->ask(connection, std::move(ask));
}

void Worker::on_asker_left(Connection& connection) noexcept {
  if (form_asks_) form_asks_->on_asker_left(connection);
}

// --- Tasks ---------------------------------------------------------------------------------------

void Worker::run_on(std::size_t worker, InlineTask task) {
  if (worker == index()) {
    tasks_.push_back(std::move(task));
  } else {
    reactor_->post(worker, std::move(task));
  }
}

// Tasks may bring tasks: all of them run before the turn's output leaves.
void Worker::on_turn_end() noexcept {
  for (;;) {
    run_tasks();
    if (!at_rest_ || !std::ranges::all_of(listeners_, &Worker::is_idle)) return;
    InlineTask task = std::move(*at_rest_);
    at_rest_.reset();
    task();
  }
}

void Worker::run_tasks() noexcept {
  do {
    while (!tasks_.empty()) {
      running_tasks_.swap(tasks_);
      for (InlineTask& task : running_tasks_)
        task();
      running_tasks_.clear();
    }
    directory_->on_turn_end();
  } while (!tasks_.empty());
}

void Worker::on_second() noexcept {
  service_.pulse.beat(index(), monotonic_us());
  report_counters();
  if (media_opens_) media_opens_->on_second();
  reactor_->timers().schedule(second_timer_, reactor_->now_ms() + 1'000);
}

void Worker::report_counters() noexcept {
  const ReactorCounters& now = reactor_->counters();
  const auto report = [&](Counter counter, auto ReactorCounters::* member) {
    metrics_.count(counter, now.*member - reported_.*member);
  };
  report(Counter::loop_turns, &ReactorCounters::turns);
  report(Counter::bytes_sent, &ReactorCounters::bytes_sent);
  report(Counter::video_bytes_warm, &ReactorCounters::file_bytes_cached);
  report(Counter::video_bytes_cold, &ReactorCounters::file_bytes_cold);
  report(Counter::receive_buffers_exhausted, &ReactorCounters::receive_buffers_exhausted);
  report(Counter::mailbox_posts, &ReactorCounters::mailbox_posts);
  const auto lost = [&](Counter counter, auto FrameLosses::* member) {
    metrics_.count(counter, now.losses.*member - reported_.losses.*member);
  };
  lost(Counter::states_replaced, &FrameLosses::states);
  lost(Counter::frames_dropped_news, &FrameLosses::news);
  lost(Counter::frames_dropped_answers, &FrameLosses::answers);
  lost(Counter::frames_dropped_pongs, &FrameLosses::pongs);
  reported_ = now;
  for (auto& entry : listeners_)
    metrics_.count(Counter::accepts_exhausted, entry->listener.take_exhaustions());
}

// --- Connections ---------------------------------------------------------------------------------

void Worker::on_accepted(UniqueFd descriptor, bool is_admin) noexcept {
  Connection* connection = connections_.acquire(*this, is_admin);
  if (connection == nullptr) {
    pause_accepting();
    return;
  }
  if (!is_admin) metrics_.count(Counter::connections_accepted);
  const auto address = far_address_of(descriptor.get());
  connection->open(std::move(descriptor), address);
  if (!is_admin) admit(*connection, address);
  // It came while the listener was closing.
  if (!is_admin && service_.is_draining) connection->begin_drain();
  if (connections_.live() == connections_.capacity()) pause_accepting();
}

// Who is refused is not counted: its connection lingers a while, in nobody's place.
void Worker::admit(Connection& connection, const std::optional<IpAddress>& address) noexcept {
  // A proxy's connections are its clients': they are counted when it names one.
  const bool is_client = address && !config().trusted_proxies.contains(address);
  if (is_client && !service_.per_address.try_add(address->group())) {
    metrics_.count(Counter::refused_per_address);
    connection.refuse(address_full);
    return;
  }
  if (is_client) connection.charge(address->group());
  if (service_.connections.fetch_add(1) < config().connections_max) {
    connection.set_admitted();
    return;
  }
  service_.connections.fetch_sub(1);
  metrics_.count(Counter::refused_limit);
  connection.refuse(server_full);
}

void Worker::pause_accepting() noexcept {
  is_accepting_paused_ = true;
  for (auto& entry : listeners_)
    entry->listener.pause();
}

void Worker::release(Connection& connection) noexcept {
  if (connection.is_admitted()) service_.connections.fetch_sub(1);
  connections_.release(connection);
  if (is_accepting_paused_ && !is_resting_ && !service_.is_draining) resume_accepting();
}

void Worker::resume_accepting() noexcept {
  is_accepting_paused_ = false;
  for (auto& entry : listeners_)
    entry->listener.resume();
}

bool Worker::is_idle(const std::unique_ptr<ListenerEntry>& entry) noexcept {
  return entry->listener.is_idle();
}

void Worker::come_to_rest(InlineTask at_rest) noexcept {
  is_resting_ = true;
  pause_accepting();
  at_rest_.emplace(std::move(at_rest));
}

void Worker::go_on() noexcept {
  VS_ASSERT(is_resting_ && !at_rest_);
  is_resting_ = false;
  const bool has_room = connections_.live() < connections_.capacity();
  if (has_room && !service_.is_draining) resume_accepting();
}

// --- Drain ---------------------------------------------------------------------------------------

void Worker::begin_drain() noexcept {
  if (drain_timer_.is_armed()) return;
  for (auto& entry : listeners_) {
    if (!entry->is_admin || service_.has_successor) entry->listener.close();
  }
  tell_members(draining_notice(retry_after_ms));
  end_requests();
  directory_->begin_drain();
  schedule_drain();
}

// Who is closed comes back to where the session is: nobody is kept where it is no more.
void Worker::begin_drain_after_handing_over(std::uint32_t spread_ms) noexcept {
  VS_ASSERT(!drain_timer_.is_armed());
  for (auto& entry : listeners_)
    entry->listener.close();
  std::size_t members = 0;
  connections_.for_each([&](Connection& connection) { members += connection.is_member() ? 1 : 0; });
  const std::size_t slices = spread_ms / back_step_ms + 1;
  const std::size_t slice = members / slices + 1;
  std::size_t number = 0;
  BufferRef notice;
  connections_.for_each([&](Connection& connection) {
    if (!connection.is_member()) return;
    if (number % slice == 0) {
      const std::size_t after_ms = back_step_ms * (number / slice + 1);
      notice = draining_notice(static_cast<std::uint32_t>(after_ms));
    }
    ++number;
    connection.send_frame(notice, SendClass::reliable);
    connection.close_websocket(close_code::going_away, "the server goes on in another process");
  });
  end_requests();
  schedule_drain();
}

void Worker::end_requests() noexcept {
  connections_.for_each([](Connection& connection) {
    if (!connection.is_member() && !connection.is_admin()) connection.begin_drain();
  });
}

void Worker::schedule_drain() noexcept {
  // Members leave during the first half, so that the second is theirs to say goodbye in.
  const std::int64_t drain_ms = config().drain_us / 1'000;
  // The first step only closes them: without any time at all they hear at least why.
  drain_end_ms_ = reactor_->now_ms() + std::max(drain_ms, drain_step_ms);
  drain_steps_left_ = static_cast<std::uint32_t>(drain_ms / 2 / drain_step_ms);
  reactor_->timers().schedule(drain_timer_, reactor_->now_ms() + 1);
}

void Worker::tell_members(const BufferRef& notice) noexcept {
  connections_.for_each([&](Connection& connection) {
    if (connection.is_member()) connection.send_frame(notice, SendClass::reliable);
  });
}

void Worker::show_catalog(VideoCatalogRef catalog) noexcept {
  VS_ASSERT(catalog != nullptr);
  // It is published every other second while pictures are made: sessions are not bothered with
  // that.
  const bool has_other_lengths = catalog->lengths != catalog_->lengths;
  catalog_ = std::move(catalog);
  if (has_other_lengths) directory_->on_library_changed();
}

void Worker::tell_degraded(const SlotSet& slots, bool is_degraded) noexcept {
  std::string& text = scratch();
  encode_notice(text, is_degraded ? NoticeCode::degraded : NoticeCode::restored);
  const BufferRef notice = make_frame(WebSocketOpcode::text, text);
  if (slots.all()) return tell_members(notice);
  connections_.for_each([&](Connection& connection) {
    const bool is_meant = connection.is_member() && slots.test(slot_of(connection.session_key()));
    if (is_meant) connection.send_frame(notice, SendClass::reliable);
  });
}

void Worker::on_drain_step() noexcept {
  std::size_t members = 0;
  connections_.for_each([&](Connection& connection) { members += connection.is_member() ? 1 : 0; });
  const std::size_t steps = std::max<std::size_t>(1, drain_steps_left_);
  std::size_t slice = (members + steps - 1) / steps;
  if (drain_steps_left_ > 0) --drain_steps_left_;
  connections_.for_each([&](Connection& connection) {
    if (slice == 0 || !connection.is_member()) return;
    --slice;
    connection.close_websocket(close_code::going_away, "the server is about to end");
  });
  const bool is_late = reactor_->now_ms() >= drain_end_ms_;
  if (is_late || (service_.connections == 0 && directory_->is_settled())) {
    for (auto& entry : listeners_)
      entry->listener.close();
    connections_.for_each([](Connection& connection) { connection.close(); });
    reactor_->stop(hanging_wait_ms);
  }
  reactor_->timers().schedule(drain_timer_, reactor_->now_ms() + drain_step_ms);
}

}  // namespace videosync
