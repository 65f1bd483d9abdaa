#include "core/reactor/reactor.h"

#include <algorithm>
#include <csignal>
#include <utility>

#include "core/base/assert.h"

namespace videosync {

namespace {

// So many completions later an operation that is fetched now is in the cache.
constexpr std::size_t looked_ahead = 4;

}  // namespace

Result<std::unique_ptr<Reactor>> Reactor::create(const Clock& clock, std::size_t index,
                                                 std::size_t count) {
  // sendfile and splice have no MSG_NOSIGNAL.
  std::signal(SIGPIPE, SIG_IGN);
  auto ring = Ring::create();
  if (!ring) return std::unexpected(ring.error());
  auto buffers = ReceiveBuffers::create(**ring);
  if (!buffers) return std::unexpected(buffers.error());
  std::unique_ptr<Reactor> reactor(new Reactor(clock, index, count, std::move(*ring)));
  reactor->buffers_ = std::move(*buffers);
  return reactor;
}

Reactor::Reactor(const Clock& clock, std::size_t index, std::size_t count,
                 std::unique_ptr<Ring> ring)
    : clock_(clock),
      index_(index),
      now_ms_(clock.monotonic_us() / 1'000),
      ring_(std::move(ring)),
      timers_(now_ms_),
      mailbox_(count, ring_->descriptor()),
      peers_{this},
      scratch_(std::make_unique<std::array<ScratchMessage, scratch_messages_max>>()) {
  VS_ASSERT(index < count);
}

Reactor::~Reactor() {
  VS_ASSERT(counters_.streams_open == 0);
  VS_ASSERT(flush_list_.empty() && pump_list_.empty() && retire_list_.empty());
  VS_ASSERT(pipe_waiters_.empty() && room_waiters_.empty());
}

void Reactor::connect(std::vector<Reactor*> peers) {
  VS_ASSERT(peers.size() > index_ && peers[index_] == this);
  peers_ = std::move(peers);
}

Result<> Reactor::start() {
  return ring_->enable();
}

void Reactor::post(std::size_t peer_index, InlineTask task) {
  VS_ASSERT(peer_index < peers_.size());
  ++counters_.mailbox_posts;
  peers_[peer_index]->mailbox_.post(index_, std::move(task));
}

void Reactor::run() noexcept {
  while (!is_stopping_ || (has_streams() && now_ms_ < streams_end_ms_))
    turn(is_stopping_ ? std::max<std::int64_t>(streams_end_ms_ - now_ms_, 0) : 1'000);
}

void Reactor::stop(std::int64_t streams_wait_ms) noexcept {
  if (std::exchange(is_stopping_, true)) return;
  streams_end_ms_ = now_ms_ + streams_wait_ms;
}

void Reactor::turn(std::int64_t wait_max_ms) noexcept {
  ++counters_.turns;
  read_clock();
  timers_.expire(now_ms_);
  pump_streams();
  run_hooks();
  flush_streams();
  flush_mailboxes();
  ring_->submit_and_wait(wait_us(wait_max_ms));
  read_clock();
  for (auto some = ring_->drain(); !some.empty(); some = ring_->drain())
    dispatch(some);
  retire_streams();
}

void Reactor::dispatch(std::span<const Completion> completions) noexcept {
  for (std::size_t i = 0; i < completions.size(); ++i) {
    if (i + looked_ahead < completions.size()) {
      __builtin_prefetch(completions[i + looked_ahead].operation);
    }
    const Completion& completion = completions[i];
    completion.operation->on_complete(*completion.operation, completion);
  }
}

std::optional<std::int64_t> Reactor::wait_us(std::int64_t wait_max_ms) const noexcept {
  if (!pump_list_.empty() || !flush_list_.empty() || !retire_list_.empty()) return 0;
  for (const Reactor* peer : peers_) {
    // A peer's lane is full: look again soon, the peer is busy emptying it.
    if (peer->mailbox_.needs_flush(index_)) return 1'000;
  }
  std::int64_t wait_ms = wait_max_ms;
  if (!pipe_waiters_.empty()) wait_ms = std::min(wait_ms, pipe_retry_ms);
  if (!room_waiters_.empty()) wait_ms = std::min(wait_ms, room_retry_at_ms_ - now_ms_);
  if (const auto wake = timers_.next_wake_ms()) wait_ms = std::min(wait_ms, *wake - now_ms_);
  return std::max<std::int64_t>(wait_ms, 0) * 1'000;
}

void Reactor::run_hooks() noexcept {
  for (const HookEntry& entry : hooks_)
    entry.hook(entry.owner);
}

void Reactor::flush_streams() noexcept {
  while (TcpStream* stream = flush_list_.pop_front())
    stream->flush();
}

// Streams whose quantum is used go to the back of the list: everyone gets a share before anyone
// gets a second one, and what the turn's share does not cover waits for the next turn.
void Reactor::pump_streams() noexcept {
  if (!pipe_waiters_.empty() && !file_pump_.has_lent_pipes()) pipe_returned();
  if (now_ms_ >= room_retry_at_ms_) {
    while (TcpStream* stream = room_waiters_.pop_front())
      pump_later(*stream);
  }
  std::int64_t moved = 0;
  while (moved < FilePump::turn_bytes) {
    TcpStream* stream = pump_list_.pop_front();
    if (stream == nullptr) break;
    moved += stream->pump();
  }
}

// All of them, not the first: its range may be cached by now, and then it takes no pipe and returns
// none, so nobody would ever call the second.
void Reactor::pipe_returned() noexcept {
  while (TcpStream* stream = pipe_waiters_.pop_front())
    pump_later(*stream);
}

void Reactor::pump_when_room(TcpStream& stream) noexcept {
  if (room_waiters_.empty()) room_retry_at_ms_ = now_ms_ + room_retry_ms;
  room_waiters_.push_back(stream);
}

void Reactor::flush_mailboxes() noexcept {
  for (Reactor* peer : peers_) {
    if (peer->mailbox_.needs_flush(index_)) peer->mailbox_.flush(index_, *ring_);
  }
}

void Reactor::retire_streams() noexcept {
  while (TcpStream* stream = retire_list_.pop_front())
    stream->retire();
}

std::span<iovec> Reactor::scratch_vectors() noexcept {
  return (*scratch_)[scratch_next_].vectors;
}

const msghdr& Reactor::scratch_message(std::span<iovec> vectors) noexcept {
  ScratchMessage& message = (*scratch_)[scratch_next_];
  VS_ASSERT(vectors.data() == message.vectors.data());
  scratch_next_ = (scratch_next_ + 1) % scratch_messages_max;
  message.header = {};
  message.header.msg_iov = vectors.data();
  message.header.msg_iovlen = vectors.size();
  return message.header;
}

}  // namespace videosync
