#include "storage/redis/link/redis_link.h"

#include <hiredis/async.h>
#include <hiredis/hiredis.h>
#if VIDEOSYNC_REDIS_TLS
#include <hiredis/hiredis_ssl.h>
#endif
#include <poll.h>

#include <algorithm>
#include <array>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "core/base/assert.h"
#include "core/base/log.h"
#include "core/reactor/fd_watcher.h"
#include "core/reactor/reactor.h"
#include "storage/redis/link/redis_backoff.h"
#include "storage/redis/link/redis_tls.h"

namespace videosync {

struct RedisLink::Impl {
  enum class State : std::uint8_t { resting, connecting, greeting, ready, stopped };

  static constexpr std::size_t arguments_max = 256;

  struct Pending {
    OnReply done;
    std::int64_t since_ms;
    std::size_t bytes;
  };

  Impl(Reactor& on, RedisLinkOwner& to, RedisAddress where, const Options& with)
      : reactor(on),
        owner(to),
        address(std::move(where)),
        options(with),
        backoff(with.backoff_min_ms, with.backoff_max_ms),
        timer([](void* self) noexcept { static_cast<Impl*>(self)->on_timer(); }, this) {}
  ~Impl() { VS_ASSERT(context == nullptr && is_idle()); }

  void connect() noexcept;
  void secure() noexcept;
  void greet() noexcept;
  void on_greeted(const RedisReply& reply) noexcept;
  void become_ready() noexcept;
  void give_up(const Error& why) noexcept;
  std::string reason(std::string_view said) const;
  void on_timer() noexcept;
  void set_timer(std::int64_t delay_ms) noexcept;
  void send(std::span<const std::string_view> arguments, redisCallbackFn* callback) noexcept;
  void answer_all(const Error& why) noexcept;
  bool is_idle() const noexcept;

  // hiredis' view of us.
  void adopt(redisAsyncContext* fresh) noexcept;
  void update_interest(std::uint32_t set, std::uint32_t clear) noexcept;
  void release_watcher() noexcept;
  void on_ready(std::uint32_t events) noexcept;
  void on_tls_ready(bool is_readable, bool is_writable) noexcept;

  static Impl& of(const redisAsyncContext* context) noexcept {
    return *static_cast<Impl*>(context->data);
  }
  static void on_connected(const redisAsyncContext* from, int status) noexcept;
  static void on_disconnected(const redisAsyncContext* from, int status) noexcept;
  static void on_greeting_reply(redisAsyncContext* from, void* reply, void*) noexcept;
  static void on_command_reply(redisAsyncContext* from, void* reply, void*) noexcept;

  Reactor& reactor;
  RedisLinkOwner& owner;
  RedisAddress address;
  const Options options;
  RedisBackoff backoff;
  TimerEntry timer;  // resting: until the next attempt; else: the time-out of connect or command
  State state = State::resting;
  redisAsyncContext* context = nullptr;
  ssl_st* tls = nullptr;                            // the context's; null: it has none
  std::unique_ptr<FdWatcher> watcher;               // of the context's descriptor
  std::vector<std::unique_ptr<FdWatcher>> retired;  // whose last completion is to come
  std::uint32_t interest = 0;                       // poll events that hiredis waits for
  std::deque<Pending> pending;                      // in the order of sending
  std::size_t pending_bytes = 0;                    // the sum of theirs
  unsigned greetings_left = 0;
  bool is_in_event = false;  // of a watcher, which may have been retired by it
};

void RedisLink::Impl::set_timer(std::int64_t delay_ms) noexcept {
  reactor.timers().schedule(timer, reactor.now_ms() + delay_ms);
}

bool RedisLink::Impl::is_idle() const noexcept {
  const bool is_closed = watcher == nullptr && !is_in_event;  // which may have retired its watcher
  return is_closed && std::ranges::all_of(retired, [](const auto& old) { return old->is_idle(); });
}

void RedisLink::Impl::connect() noexcept {
  VS_ASSERT(context == nullptr && !is_in_event);
  state = State::connecting;
  std::erase_if(retired, [](const auto& old) { return old->is_idle(); });
  redisAsyncContext* fresh = address.unix_path.empty()
                                 ? redisAsyncConnect(address.host.c_str(), address.port)
                                 : redisAsyncConnectUnix(address.unix_path.c_str());
  VS_ASSERT(fresh != nullptr);  // out of memory
  if (fresh->err != 0) {
    const Error why{ErrorCode::unavailable, fresh->errstr, 0};
    redisAsyncFree(fresh);
    give_up(why);
    return;
  }
  adopt(fresh);
  set_timer(options.connect_timeout_ms);
}

void RedisLink::Impl::adopt(redisAsyncContext* fresh) noexcept {
  context = fresh;
  interest = 0;
  watcher = std::make_unique<FdWatcher>(
      reactor.ring(), fresh->c.fd,
      [](void* self, std::uint32_t events) noexcept { static_cast<Impl*>(self)->on_ready(events); },
      this);
  fresh->data = this;
  fresh->ev.data = this;
  fresh->ev.addRead = [](void* self) { static_cast<Impl*>(self)->update_interest(POLLIN, 0); };
  fresh->ev.delRead = [](void* self) { static_cast<Impl*>(self)->update_interest(0, POLLIN); };
  fresh->ev.addWrite = [](void* self) { static_cast<Impl*>(self)->update_interest(POLLOUT, 0); };
  fresh->ev.delWrite = [](void* self) { static_cast<Impl*>(self)->update_interest(0, POLLOUT); };
  fresh->ev.cleanup = [](void* self) { static_cast<Impl*>(self)->release_watcher(); };
  redisAsyncSetConnectCallback(fresh, on_connected);
  redisAsyncSetDisconnectCallback(fresh, on_disconnected);
}

void RedisLink::Impl::update_interest(std::uint32_t set, std::uint32_t clear) noexcept {
  interest = (interest | set) & ~clear;
  if (watcher) watcher->watch(interest);
}

// hiredis is about to close the descriptor. A poll may still be armed on it: the watcher lives on
// until the kernel has answered.
void RedisLink::Impl::release_watcher() noexcept {
  if (!watcher) return;
  watcher->stop();
  retired.push_back(std::move(watcher));
}

void RedisLink::Impl::on_ready(std::uint32_t events) noexcept {
  constexpr std::uint32_t trouble = POLLERR | POLLHUP | POLLNVAL;
  const bool is_writable = (events & (POLLOUT | trouble)) != 0;
  const bool is_readable = (events & (POLLIN | trouble)) != 0;
  VS_ASSERT(!is_in_event);
  is_in_event = true;
  if (tls != nullptr) {
    on_tls_ready(is_readable, is_writable);
  } else {
    // Either call may end the connection and with it the context.
    if (context != nullptr && is_writable) redisAsyncHandleWrite(context);
    if (context != nullptr && is_readable) redisAsyncHandleRead(context);
  }
  is_in_event = false;
}

// Reads first: what a server said before it hung up tells why. What hiredis 1.2 does not see to:
// that the rest of a record may be read without a poll, and that a write waits for room although a
// read before it has waited for the rest of a record.
void RedisLink::Impl::on_tls_ready(bool is_readable, bool is_writable) noexcept {
  RedisTls::forget_errors();
  if (is_readable) redisAsyncHandleRead(context);
  while (tls != nullptr && RedisTls::has_pending(*tls))
    redisAsyncHandleRead(context);
  if (tls != nullptr && is_writable) redisAsyncHandleWrite(context);
  if (tls != nullptr && RedisTls::wants_room(*tls)) update_interest(POLLOUT, 0);
}

void RedisLink::Impl::on_connected(const redisAsyncContext* from, int status) noexcept {
  Impl& self = of(from);
  if (status == REDIS_OK) return self.address.is_tls ? self.secure() : self.greet();
  // hiredis frees the context behind this call.
  self.context = nullptr;
  self.give_up({ErrorCode::unavailable, from->errstr, 0});
}

void RedisLink::Impl::on_disconnected(const redisAsyncContext* from, int status) noexcept {
  Impl& self = of(from);
  if (self.context != from) return;  // given up by us
  const bool has_reason = status != REDIS_OK && from->errstr != nullptr && *from->errstr != '\0';
  const std::string why = self.reason(has_reason ? from->errstr : "the connection ended");
  self.context = nullptr;
  self.give_up({ErrorCode::unavailable, why, 0});
}

std::string RedisLink::Impl::reason(std::string_view said) const {
  if (tls == nullptr) return std::string(said);
  return RedisTls::failure(*tls, said, state == State::greeting);
}

void RedisLink::Impl::send(std::span<const std::string_view> arguments,
                           redisCallbackFn* callback) noexcept {
  std::array<const char*, arguments_max> texts;
  std::array<std::size_t, arguments_max> lengths;
  VS_ASSERT(!arguments.empty() && arguments.size() <= texts.size());
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    texts[i] = arguments[i].data();
    lengths[i] = arguments[i].size();
  }
  const int code = redisAsyncCommandArgv(
      context, callback, nullptr, static_cast<int>(arguments.size()), texts.data(), lengths.data());
  VS_ASSERT(code == REDIS_OK);
}

// The greeting waits in hiredis until the handshake is over.
void RedisLink::Impl::secure() noexcept {
#if VIDEOSYNC_REDIS_TLS
  VS_ASSERT(options.tls != nullptr);
  RedisTls::Handle handle = options.tls->open(address.host);
  tls = handle.get();
  if (handle && redisInitiateSSL(&context->c, tls) == REDIS_OK) {
    handle.release();  // the context frees it
    return greet();
  }
  give_up({ErrorCode::unavailable, reason("TLS cannot begin: no memory, or no host's name"), 0});
#else
  VS_ASSERT(!address.is_tls);  // such an address is refused when it is read
#endif
}

void RedisLink::Impl::greet() noexcept {
  state = State::greeting;
  greetings_left = 1;
  if (!address.password.empty() && !address.user.empty()) {
    ++greetings_left;
    send(std::array<std::string_view, 3>{"AUTH", address.user, address.password},
         on_greeting_reply);
  } else if (!address.password.empty()) {
    ++greetings_left;
    send(std::array<std::string_view, 2>{"AUTH", address.password}, on_greeting_reply);
  }
  if (address.database != 0) {
    ++greetings_left;
    const std::string number = std::to_string(address.database);
    send(std::array<std::string_view, 2>{"SELECT", number}, on_greeting_reply);
  }
  // Redis may be up and unwilling: loading its data, or wanting a password that we do not have.
  send(std::array<std::string_view, 1>{"PING"}, on_greeting_reply);
}

void RedisLink::Impl::on_greeting_reply(redisAsyncContext* from, void* reply, void*) noexcept {
  Impl& self = of(from);
  if (reply != nullptr && self.context == from) self.on_greeted(RedisReply(reply));
}

void RedisLink::Impl::on_greeted(const RedisReply& reply) noexcept {
  if (reply.kind() == RedisReply::Kind::error) {
    give_up({ErrorCode::unavailable, std::string(reply.text()), 0});
  } else if (--greetings_left == 0) {
    become_ready();
  }
}

void RedisLink::Impl::become_ready() noexcept {
  state = State::ready;
  backoff.reset();
  reactor.timers().cancel(timer);
  owner.on_redis_ready();
}

void RedisLink::Impl::on_command_reply(redisAsyncContext* from, void* reply, void*) noexcept {
  Impl& self = of(from);
  if (reply == nullptr || self.context != from) return;  // give_up answers those
  VS_ASSERT(!self.pending.empty());
  OnReply done = std::move(self.pending.front().done);
  self.pending_bytes -= self.pending.front().bytes;
  self.pending.pop_front();
  done(RedisReply(reply));
}

void RedisLink::Impl::answer_all(const Error& why) noexcept {
  // A callback may ask again: that is answered at once, for the link is not ready.
  std::deque<Pending> unanswered = std::move(pending);
  pending.clear();
  pending_bytes = 0;
  for (Pending& each : unanswered)
    each.done(std::unexpected(why));
}

void RedisLink::Impl::give_up(const Error& why) noexcept {
  log_debug("redis", "a connection is given up", field("server", to_string(address)),
            field("why", why.message));
  tls = nullptr;
  if (redisAsyncContext* old = std::exchange(context, nullptr)) {
    old->onDisconnect = nullptr;
    redisAsyncFree(old);
  }
  if (state != State::stopped) {
    state = State::resting;
    set_timer(backoff.next_ms());
  }
  answer_all(why);
  if (state != State::stopped) owner.on_redis_lost(why);
}

void RedisLink::Impl::on_timer() noexcept {
  switch (state) {
    case State::resting:
      connect();
      break;
    case State::connecting:
    case State::greeting:
      give_up({ErrorCode::timed_out, std::string(RedisTls::delay(tls)), 0});
      break;
    case State::ready: {
      if (pending.empty()) break;
      const std::int64_t due_ms = pending.front().since_ms + options.command_timeout_ms;
      if (reactor.now_ms() < due_ms) {
        reactor.timers().schedule(timer, due_ms);
      } else {
        give_up({ErrorCode::timed_out, "a command was not answered in time", 0});
      }
      break;
    }
    case State::stopped:
      break;
  }
}

RedisLink::RedisLink(Reactor& reactor, RedisLinkOwner& owner, RedisAddress address,
                     const Options& options)
    : impl_(std::make_unique<Impl>(reactor, owner, std::move(address), options)) {}
RedisLink::~RedisLink() = default;

void RedisLink::start() noexcept {
  VS_ASSERT(impl_->state == Impl::State::resting && !impl_->timer.is_armed());
  impl_->set_timer(0);
}

void RedisLink::stop() noexcept {
  impl_->state = Impl::State::stopped;
  impl_->reactor.timers().cancel(impl_->timer);
  impl_->give_up({ErrorCode::unavailable, "the link was stopped", 0});
}

bool RedisLink::is_idle() const noexcept {
  return impl_->is_idle();
}
bool RedisLink::is_settled() const noexcept {
  return impl_->pending.empty();
}
std::int64_t RedisLink::waited_ms() const noexcept {
  return is_settled() ? 0 : impl_->reactor.now_ms() - impl_->pending.front().since_ms;
}
bool RedisLink::is_ready() const noexcept {
  return impl_->state == Impl::State::ready;
}

void RedisLink::set_address(RedisAddress address) noexcept {
  impl_->address = std::move(address);
}

void RedisLink::move_to(RedisAddress address) noexcept {
  set_address(std::move(address));
  impl_->backoff.reset();
  reconnect({ErrorCode::unavailable, "another server is to be used", 0}, 0);
}

void RedisLink::reconnect(const Error& why, std::int64_t pause_ms) noexcept {
  if (impl_->state == Impl::State::stopped) return;
  if (impl_->state != Impl::State::resting) impl_->give_up(why);
  // The owner may have stopped the link when it heard of that.
  if (impl_->state == Impl::State::resting) impl_->set_timer(pause_ms);
}

void RedisLink::command(std::span<const std::string_view> arguments, OnReply done) {
  if (!is_ready()) {
    done(fail(ErrorCode::unavailable, "not connected to Redis"));
    return;
  }
  std::size_t bytes = 0;
  for (const std::string_view argument : arguments)
    bytes += argument.size();
  if (impl_->pending.size() >= impl_->options.commands_max ||
      impl_->pending_bytes + bytes > impl_->options.bytes_max) {
    done(fail(ErrorCode::unavailable, "too many commands wait for Redis"));
    return;
  }
  impl_->pending.push_back({std::move(done), impl_->reactor.now_ms(), bytes});
  impl_->pending_bytes += bytes;
  if (!impl_->timer.is_armed()) impl_->set_timer(impl_->options.command_timeout_ms);
  impl_->send(arguments, Impl::on_command_reply);
}

}  // namespace videosync
