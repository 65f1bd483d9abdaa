#include "server/session_bridge.h"

#include <memory>
#include <utility>

#include "core/base/random.h"
#include "server/routes/session_answers.h"
#include "server/service.h"
#include "server/uploads/upload_asks.h"
#include "server/worker.h"
#include "storage/library/next_episode.h"

namespace videosync {

// --- To connections ------------------------------------------------------------------------------

void SessionBridge::answer(ConnectionRef to, SessionReply reply) noexcept {
  Worker* worker = worker_.service().workers[to.worker];
  auto boxed = std::make_unique<SessionReply>(std::move(reply));
  worker_.run_on(to.worker, [worker, slot = to.slot, boxed = std::move(boxed)]() noexcept {
    Connection* connection = worker->find_connection(slot);
    if (connection == nullptr || !connection->is_awaiting_answer()) return;
    answer_with_session(*worker, *connection, *boxed);
  });
}

void SessionBridge::begin(ConnectionRef to, const Uuid& key, MemberId member,
                          ConnectionNumber number, const BufferRef& welcome) noexcept {
  Worker* worker = worker_.service().workers[to.worker];
  worker_.run_on(to.worker, [worker, key, slot = to.slot, member, number, welcome]() noexcept {
    Connection* connection = worker->find_connection(slot);
    const bool is_there =
        connection != nullptr && (connection->is_awaiting_answer() || connection->is_knocking());
    if (is_there) {
      return connection->begin_websocket(key, member, number, welcome);
    }
    // It is gone already: the session has to hear of it.
    const std::size_t owner = worker->service().worker_of(key);
    SessionDirectory* directory = &worker->service().workers[owner]->directory();
    worker->run_on(owner, [directory, key, member, number]() noexcept {
      directory->on_leave(key, member, number);
    });
  });
}

void SessionBridge::knock(ConnectionRef to, const Uuid& key, ConnectionNumber number,
                          const BufferRef& frame) noexcept {
  Worker* worker = worker_.service().workers[to.worker];
  worker_.run_on(to.worker, [worker, key, slot = to.slot, number, frame]() noexcept {
    Connection* connection = worker->find_connection(slot);
    if (connection != nullptr && connection->is_awaiting_answer()) {
      return connection->begin_knocking(key, number, frame);
    }
    const std::size_t owner = worker->service().worker_of(key);
    SessionDirectory* directory = &worker->service().workers[owner]->directory();
    worker->run_on(
        owner, [directory, key, number]() noexcept { directory->on_knocker_left(key, number); });
  });
}

void SessionBridge::send(ConnectionRef to, const BufferRef& frame, SendClass send_class) noexcept {
  Worker* worker = worker_.service().workers[to.worker];
  worker_.run_on(to.worker, [worker, slot = to.slot, frame, send_class]() noexcept {
    if (Connection* connection = worker->find_connection(slot)) {
      connection->send_frame(frame, send_class);
    }
  });
}

void SessionBridge::close(ConnectionRef to, std::uint16_t code) noexcept {
  Worker* worker = worker_.service().workers[to.worker];
  worker_.run_on(to.worker, [worker, slot = to.slot, code]() noexcept {
    if (Connection* connection = worker->find_connection(slot)) {
      connection->close_websocket(code, "");
    }
  });
}

void SessionBridge::broadcast(std::size_t to, const Uuid& key, const BufferRef& frame,
                              SendClass send_class, std::int64_t sent_us) noexcept {
  Worker* worker = worker_.service().workers[to];
  const std::int64_t since_us = worker_.monotonic_us();
  worker_.run_on(to, [worker, key, frame, send_class, sent_us, since_us]() noexcept {
    worker->hub().deliver(key, frame, send_class);
    worker->metrics().observe(Histogram::fanout_seconds, worker->monotonic_us() - since_us);
    if (sent_us == 0) return;
    worker->metrics().observe(Histogram::node_lag_seconds, worker->server_us() - sent_us);
  });
}

void SessionBridge::close_all(std::size_t to, const Uuid& key, std::uint16_t code) noexcept {
  Hub* hub = &worker_.service().workers[to]->hub();
  worker_.run_on(
      to, [hub, key, code]() noexcept { hub->close_all(key, code, "the session has ended"); });
}

// --- The worker ----------------------------------------------------------------------------------

void SessionBridge::post(std::size_t worker, InlineTask task) noexcept {
  worker_.run_on(worker, std::move(task));
}

SessionDirectory& SessionBridge::directory_of(std::size_t worker) noexcept {
  return worker_.service().workers[worker]->directory();
}

std::optional<VideoChoice> SessionBridge::choose_video(
    const std::optional<std::string>& id) noexcept {
  const MediaLibrary& library = worker_.library();
  const VideoEntry* video = id ? library.find(*id) : library.default_video();
  if (video == nullptr) return std::nullopt;
  // As it was asked for: whoever loads a film by one of its ids finds it under that.
  return VideoChoice{id.value_or(video->id), video->duration_s().value_or(0)};
}

bool SessionBridge::allows_film_url(const std::string& url) noexcept {
  return worker_.service().film_sources.allows(url);
}

std::span<const std::string> SessionBridge::film_sources() noexcept {
  return worker_.service().film_sources.origins();
}

std::optional<VideoChoice> SessionBridge::next_episode(const std::string& id) noexcept {
  const MediaLibrary& library = worker_.library();
  const VideoEntry* video = library.find(id);
  if (video != nullptr) video = find_next_episode(library, *video);
  if (video == nullptr) return std::nullopt;
  return VideoChoice{video->id, video->duration_s().value_or(0)};
}

std::string SessionBridge::title_of(const std::string& id) noexcept {
  const VideoEntry* video = worker_.library().find(id);
  return video != nullptr ? video->title() : id;
}

void SessionBridge::fill_random(std::span<std::uint8_t> bytes) noexcept {
  videosync::fill_random(bytes);
}

void SessionBridge::on_session_ended(const Uuid& key) noexcept {
  if (worker_.uploads() != nullptr) worker_.uploads()->forget(key);
}

bool SessionBridge::is_draining() const noexcept {
  return worker_.service().is_draining;
}

}  // namespace videosync
