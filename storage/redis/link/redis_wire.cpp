#include "storage/redis/link/redis_wire.h"

#include <hiredis/hiredis.h>
#if VIDEOSYNC_REDIS_TLS
#include <hiredis/hiredis_ssl.h>
#endif
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "core/base/assert.h"
#include "core/reactor/fd_watcher.h"
#include "storage/redis/link/redis_tls.h"

namespace videosync {

namespace {

// What redisBufferRead() takes at a time, in 0.14 and in 1.2: less means that no more is there.
constexpr std::size_t read_bytes_max = 16 << 10;
constexpr unsigned reads_max = 16;  // in a turn; what is left then is for the next
// What hiredis' reader keeps for the next bytes once all are read: more than common messages need,
// so that it does not allocate for each, and little for a connection to hold. It bounds no message.
constexpr std::size_t kept_bytes_max = 128 << 10;

}  // namespace

void RedisWire::Free::operator()(redisContext* context) const noexcept {
  redisFree(context);
}
void RedisWire::Free::operator()(void* reply) const noexcept {
  freeReplyObject(reply);
}

RedisWire::RedisWire(Ring& ring, RedisWireOwner& owner, RedisTls* tls,
                     std::size_t message_bytes_max) noexcept
    : ring_(ring), owner_(owner), tls_settings_(tls), message_bytes_max_(message_bytes_max) {}

RedisWire::~RedisWire() {
  VS_ASSERT(context_ == nullptr && is_idle());
}

bool RedisWire::is_idle() const noexcept {
  const bool is_closed =
      watcher_ == nullptr && !is_in_event_;  // which may have retired its watcher
  return is_closed && std::ranges::all_of(retired_, [](const auto& old) { return old->is_idle(); });
}

std::string_view RedisWire::delay() const noexcept {
  return RedisTls::delay(tls_);
}

// --- Open and closed -----------------------------------------------------------------------------

void RedisWire::open(const RedisAddress& address) noexcept {
  VS_ASSERT(context_ == nullptr && watcher_ == nullptr);
  VS_ASSERT(!is_unsent_ && !is_in_event_);
  std::erase_if(retired_, [](const auto& old) { return old->is_idle(); });
  host_ = address.host;
  is_tls_ = address.is_tls;
  is_connecting_ = true;
  has_heard_ = false;
  context_.reset(address.unix_path.empty() ? redisConnectNonBlock(host_.c_str(), address.port)
                                           : redisConnectUnixNonBlock(address.unix_path.c_str()));
  VS_ASSERT(context_ != nullptr);  // out of memory
  if (context_->err != 0) return break_off({ErrorCode::unavailable, context_->errstr, 0});
  context_->reader->maxbuf = kept_bytes_max;
  watcher_ = std::make_unique<FdWatcher>(
      ring_, context_->fd,
      [](void* self, std::uint32_t events) noexcept {
        static_cast<RedisWire*>(self)->on_ready(events);
      },
      this);
  watcher_->watch(POLLOUT);
}

// hiredis does not look, on a context of this kind, whether connecting has succeeded.
void RedisWire::on_connected() noexcept {
  VS_ASSERT(is_connecting_ && tls_ == nullptr);
  is_connecting_ = false;
  int fault = 0;
  socklen_t size = sizeof fault;
  if (::getsockopt(context_->fd, SOL_SOCKET, SO_ERROR, &fault, &size) != 0) fault = errno;
  if (fault != 0) return break_off({ErrorCode::unavailable, std::strerror(fault), 0});
  if (is_tls_) secure();
  if (context_ != nullptr) owner_.on_wire_open();
}

void RedisWire::secure() noexcept {
#if VIDEOSYNC_REDIS_TLS
  VS_ASSERT(tls_settings_ != nullptr);
  RedisTls::Handle handle = tls_settings_->open(host_);
  tls_ = handle.get();
  if (handle && redisInitiateSSL(context_.get(), tls_) == REDIS_OK) {
    tls_ = handle.release();  // the context frees it
    return;
  }
  break_off_as("TLS cannot begin: no memory, or no host's name");
#else
  VS_ASSERT(!is_tls_);  // such an address is refused when it is read
#endif
}

void RedisWire::close() noexcept {
  partial_bytes_ = 0;
  is_unsent_ = false;
  tls_ = nullptr;
  // A poll may still be armed on the descriptor: the watcher lives on until the kernel has
  // answered.
  if (watcher_) {
    watcher_->stop();
    retired_.push_back(std::move(watcher_));
  }
  context_.reset();
}

void RedisWire::break_off(const Error& why) noexcept {
  VS_ASSERT(context_ != nullptr);
  close();
  owner_.on_wire_broken(why);
}

void RedisWire::break_off_as(std::string_view said) noexcept {
  const std::string why =
      tls_ == nullptr ? std::string(said) : RedisTls::failure(*tls_, said, !has_heard_);
  break_off({ErrorCode::unavailable, why, 0});
}

// --- Bytes ---------------------------------------------------------------------------------------

// Whatever is called from here may close, and with that the context is gone.
void RedisWire::on_ready(std::uint32_t events) noexcept {
  VS_ASSERT(context_ != nullptr && !is_in_event_);
  is_in_event_ = true;
  if (tls_ != nullptr) RedisTls::forget_errors();
  if ((events & POLLNVAL) != 0) {
    break_off({ErrorCode::unavailable, "the connection cannot be watched", 0});
  } else if (is_connecting_) {
    on_connected();
  } else {
    receive();  // first: what a server said before it hung up tells why
  }
  if (context_ != nullptr && is_unsent_) flush();
  is_in_event_ = false;
  if (context_ != nullptr) update_interest();
}

// Of TLS the rest of a record may be deciphered already, which no poll tells; and a handshake that
// waited for room goes on by reading, too.
void RedisWire::receive() noexcept {
  for (unsigned reads = 1;; ++reads) {
    const std::size_t before = context_->reader->len;
    if (redisBufferRead(context_.get()) != REDIS_OK) return break_off_as(context_->errstr);
    VS_ASSERT(context_->reader->len >= before);
    const std::size_t bytes = context_->reader->len - before;
    partial_bytes_ += bytes;
    take_replies();
    if (context_ == nullptr) return;
    if (partial_bytes_ > message_bytes_max_) {
      return break_off({ErrorCode::unavailable, "a message is too long", 0});
    }
    const bool has_pending = tls_ != nullptr && RedisTls::has_pending(*tls_);
    const bool has_more = bytes == read_bytes_max && reads < reads_max;
    if (!has_pending && !has_more) return;
  }
}

void RedisWire::take_replies() noexcept {
  while (context_ != nullptr) {
    void* reply = nullptr;
    if (redisGetReplyFromReader(context_.get(), &reply) != REDIS_OK) {
      return break_off({ErrorCode::unavailable, context_->errstr, 0});
    }
    if (reply == nullptr) return;
    partial_bytes_ = 0;
    has_heard_ = true;
    const std::unique_ptr<void, Free> owned(reply);  // the reader forgets it
    owner_.on_wire_reply(RedisReply(reply));
  }
}

void RedisWire::flush() noexcept {
  int is_done = 0;
  // Over TLS hiredis 1.2 repeats a write that waited for room as it was: what was said since is in
  // the next.
  for (int writes = 0; writes < 2 && is_done == 0; ++writes) {
    if (redisBufferWrite(context_.get(), &is_done) != REDIS_OK) {
      return break_off_as(context_->errstr);
    }
  }
  is_unsent_ = is_done == 0;
}

// Over TLS a write may wait for bytes rather than for room, and a read for room: libssl knows.
void RedisWire::update_interest() noexcept {
  VS_ASSERT(watcher_ != nullptr && !is_in_event_);
  const bool needs_room = tls_ == nullptr ? is_unsent_ : RedisTls::wants_room(*tls_);
  watcher_->watch(needs_room ? POLLIN | POLLOUT : POLLIN);
}

// Leaves when the socket has room, which the next turn tells: with all that is said until then.
void RedisWire::say(std::span<const std::string_view> words) noexcept {
  std::array<const char*, 3> texts;
  std::array<std::size_t, 3> lengths;
  VS_ASSERT(context_ != nullptr && !is_connecting_);
  VS_ASSERT(!words.empty() && words.size() <= texts.size());
  for (std::size_t i = 0; i < words.size(); ++i) {
    texts[i] = words[i].data();
    lengths[i] = words[i].size();
  }
  const int code = redisAppendCommandArgv(context_.get(), static_cast<int>(words.size()),
                                          texts.data(), lengths.data());
  VS_ASSERT(code == REDIS_OK);  // out of memory
  const bool is_first = !std::exchange(is_unsent_, true);
  if (is_first && !is_in_event_) watcher_->watch(POLLIN | POLLOUT);
}

}  // namespace videosync
