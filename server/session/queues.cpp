// What a session is going to watch: told to members and other nodes, and kept by both. Titles are
// this node's own.
#include <string>
#include <utility>
#include <vector>

#include "core/base/assert.h"
#include "core/base/log.h"
#include "proto/websocket/websocket_frames.h"
#include "server/session/directory_impl.h"

namespace videosync {

using Impl = SessionDirectory::Impl;

// --- To members ----------------------------------------------------------------------------------

std::vector<BufferRef> Impl::queue_frames(const Queue& queue, std::uint64_t epoch) noexcept {
  std::vector<std::string> titles;
  titles.reserve(queue.items().size());
  for (const QueueItem& item : queue.items())
    titles.push_back(ports_.around.title_of(item.video.id));
  std::vector<BufferRef> frames;
  for (const std::string& text : encode_queue({epoch, queue, titles}))
    frames.push_back(make_frame(WebSocketOpcode::text, text));
  VS_ASSERT(!frames.empty());
  return frames;
}

// To one that has just been welcomed; who knows nothing of a queue need not hear that there is
// none.
void Impl::tell_queue(ConnectionRef to, const Queue& queue, std::uint64_t epoch) noexcept {
  VS_ASSERT(depth_ > 0);
  if (queue.version() == 0) return;
  for (const BufferRef& frame : queue_frames(queue, epoch))
    ports_.delivery.send(to, frame, SendClass::reliable);
}

void Impl::broadcast_queue(const Uuid& key, const std::vector<std::uint32_t>& members_on,
                           const Queue& queue, std::uint64_t epoch) noexcept {
  VS_ASSERT(members_on.size() == ports_.workers);
  for (const BufferRef& frame : queue_frames(queue, epoch)) {
    for (std::size_t i = 0; i < members_on.size(); ++i) {
      if (members_on[i] > 0) ports_.delivery.broadcast(i, key, frame, SendClass::reliable, 0);
    }
  }
}

// --- The home's ----------------------------------------------------------------------------------

void Impl::carry(Residence& residence, const QueueEffect& effect) noexcept {
  Home& home = residence.at_home();
  VS_ASSERT(home.machine->queue().version() > 0);
  VS_ASSERT(effect.epoch <= home.machine->state().epoch);
  broadcast_queue(residence.key, home.members_on, home.machine->queue(), effect.epoch);
  if (home.remote_members == 0) {
    home.has_untold = true;
    return;
  }
  home.cast.queue = queue_news(home);
}

void Impl::carry(Residence& residence, const UpNextEffect& effect) noexcept {
  VS_ASSERT(residence.is_home());
  VS_ASSERT(!effect.next.item || effect.next.at_us > 0);
  std::string title;
  if (effect.next.item) title = ports_.around.title_of(effect.next.video);
  std::string& text = scratch();
  encode_up_next(text, effect.next, title);
  broadcast(residence, text, SendClass::reliable);
}

// A film has ended, and nobody has said what comes next: an episode is followed by the next one.
void Impl::offer_next(Residence& residence) noexcept {
  SessionMachine& machine = *residence.at_home().machine;
  VS_ASSERT(effects_.empty());
  if (!machine.wants_next()) return;
  machine.offer_next(ports_.around.next_episode(machine.state().video), server_us(), effects_);
  VS_ASSERT(!machine.wants_next());
  carry_out(residence);
}

node::QueueNews Impl::queue_news(const Home& home) {
  return {home.machine->state().epoch, home.machine->queue().encode()};
}

// As a change is to write them. Null: the store has this queue. It need not have one that never had
// anything: then another home's, which this one is to write over, may lie there.
SessionBytes Impl::bytes_of(const std::string& record, const Queue* queue) {
  VS_ASSERT(!record.empty());
  return {BufferRef::copy_of(record),
          queue != nullptr ? BufferRef::copy_of(queue->encode()) : BufferRef()};
}

// --- The outpost's -------------------------------------------------------------------------------

Queue Impl::read_queue(std::string_view bytes) {
  auto queue = Queue::decode(bytes);
  if (queue) return std::move(*queue);
  log_error("session", "a queue cannot be read, and is taken for empty",
            field("why", queue.error().message));
  return {};
}

// The latest counts, as with states.
void Impl::hear_queue(Residence& residence, const node::QueueNews& news) noexcept {
  Outpost& outpost = residence.away();
  VS_ASSERT(depth_ > 0);
  Queue queue = read_queue(news.bytes);
  const auto told = std::pair(outpost.queue_epoch, outpost.queue.version());
  if (std::pair(news.epoch, queue.version()) <= told) return;
  const bool is_news = !queue.empty() || !outpost.queue.empty();
  outpost.queue = std::move(queue);
  outpost.queue_epoch = news.epoch;
  VS_ASSERT(std::pair(outpost.queue_epoch, outpost.queue.version()) > told);
  if (is_news)
    broadcast_queue(residence.key, outpost.members_on, outpost.queue, outpost.queue_epoch);
}

}  // namespace videosync
