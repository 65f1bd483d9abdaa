// A SessionStore to ask and wait for: either kind behind the same calls.
#pragma once

#include <criterion/criterion.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/reactor/reactor.h"
#include "storage/memory_store.h"
#include "storage/redis/redis_store.h"
#include "storage/redis/store_clock.h"
#include "tests/support/redis_answer.h"
#include "tests/support/redis_server.h"

namespace videosync::test {

inline std::string text_of(const BufferRef& ref) {
  return {reinterpret_cast<const char*>(ref.bytes().data()), ref.size()};
}

class StoreBench : SessionListener {
 public:
  static constexpr std::int64_t ttl_us = 60'000'000;

  std::vector<std::pair<Uuid, std::string>> events;
  int ready = 0;
  std::vector<std::string> losses;
  std::string failure;  // the words of the latest answer that was an error

  virtual ~StoreBench() = default;
  virtual SessionStore& store() = 0;
  virtual void turn() = 0;

  template <class Condition>
  void until(Condition&& is_met, const char* what) {
    bool is_done = is_met();
    for (int i = 0; i < 2'000 && !is_done; ++i) {
      turn();
      is_done = is_met();
    }
    cr_assert(is_done, "waited in vain for: %s (last loss: %s)", what,
              losses.empty() ? "none" : losses.back().c_str());
  }
  // What `ask` answers, by the callback that it is given.
  template <class T, class Ask>
  Result<T> answer(Ask&& ask, const char* what) {
    std::optional<Result<T>> given;
    ask([&](Result<T> result) noexcept { given = std::move(result); });
    until([&] { return given.has_value(); }, what);
    if (!*given) failure = given->error().message;
    return std::move(*given);
  }

  Result<> create(const SessionName& name, StoreVersion version, std::string_view text,
                  std::int64_t life_us = ttl_us) {
    return answer<void>(
        [&](auto done) {
          store().create(name, version, BufferRef::copy_of(text), life_us, std::move(done));
        },
        "create");
  }
  Result<> change(const SessionName& name, StoreVersion expected, StoreVersion next,
                  std::string_view text, std::string_view event = {}, std::int64_t life_us = ttl_us,
                  std::string_view queue = {}) {
    return answer<void>(
        [&](auto done) {
          store().change(name, expected, next, {BufferRef::copy_of(text), buffer(queue)}, life_us,
                         buffer(event), std::move(done));
        },
        "change");
  }
  Result<> remove(const SessionName& name, StoreVersion version, std::string_view event = {}) {
    return answer<void>(
        [&](auto done) { store().remove(name, version, buffer(event), std::move(done)); },
        "remove");
  }
  Result<> touch(const SessionName& name, std::int64_t life_us = ttl_us) {
    return answer<void>([&](auto done) { store().touch(name, life_us, std::move(done)); }, "touch");
  }
  Result<StoredValue> load(const Uuid& key) {
    return answer<StoredValue>([&](auto done) { store().load(key, std::move(done)); }, "load");
  }
  Result<Uuid> find(ShortCode code) {
    return answer<Uuid>([&](auto done) { store().find(code, std::move(done)); }, "find");
  }
  bool exists(const Uuid& key) {
    return answer<bool>([&](auto done) { store().exists(key, std::move(done)); }, "exists").value();
  }
  Result<std::uint32_t> publish(const Channel& channel, std::string_view event) {
    return answer<std::uint32_t>(
        [&](auto done) { store().publish(channel, BufferRef::copy_of(event), std::move(done)); },
        "publish");
  }
  Result<> follow(const Channel& channel) {
    return answer<void>([&](auto done) { store().follow(channel, std::move(done)); }, "follow");
  }
  void until_events(std::size_t count) {
    until([&] { return events.size() >= count; }, "events");
    cr_assert_eq(events.size(), count);
  }

 protected:
  SessionListener& listener() noexcept { return *this; }

 private:
  static BufferRef buffer(std::string_view text) {
    return text.empty() ? BufferRef() : BufferRef::copy_of(text);
  }
  void on_session_event(const Uuid& channel, const BufferRef& event) noexcept override {
    events.emplace_back(channel, text_of(event));
  }
  void on_store_ready() noexcept override { ++ready; }
  void on_store_lost(const Error& why) noexcept override { losses.push_back(why.message); }
};

class MemoryBench final : public StoreBench {
 public:
  explicit MemoryBench(std::size_t sessions_max = 100) : store_(clock_, sessions_max) {
    store_.listen(listener());
  }
  SessionStore& store() override { return store_; }
  void turn() override {}

 private:
  SystemClock clock_;
  MemoryStore store_;
};

class RedisBench final : public StoreBench {
 public:
  explicit RedisBench(RedisLocation location, const RedisLink::Options& options = {},
                      bool has_clock = false) {
    auto made = Reactor::create(local_clock_);
    cr_assert(made.has_value());
    reactor_ = std::move(*made);
    cr_assert(reactor_->start().has_value());
    store_ = std::make_unique<RedisStore>(*reactor_, std::move(location), options,
                                          has_clock ? &clock : nullptr);
    store_->listen(listener());
    store_->start();
  }
  explicit RedisBench(const RedisServer& server, const RedisLink::Options& options = {})
      : RedisBench(at(server), options) {
    until_ready(1);
  }
  ~RedisBench() override {
    store_->stop();
    for (int i = 0; i < 200 && !store_->is_idle(); ++i)
      turn();
    cr_assert(store_->is_idle());
  }

  static RedisLocation at(const RedisServer& server) {
    RedisLocation location;
    location.server.unix_path = server.socket_path();
    return location;
  }

  RedisStore& store() override { return *store_; }
  void turn() override { reactor_->turn(5); }
  void until_ready(int times) {
    until([&] { return ready >= times; }, "a store that is ready");
  }

 private:
  SystemClock local_clock_;

 public:
  StoreClock clock{local_clock_};

 private:
  std::unique_ptr<Reactor> reactor_;
  std::unique_ptr<RedisStore> store_;
};

// Another client of the same server, for what a store does not do.
class RedisProbe final : RedisLinkOwner {
 public:
  explicit RedisProbe(RedisAddress address) {
    auto made = Reactor::create(clock_);
    cr_assert(made.has_value());
    reactor_ = std::move(*made);
    cr_assert(reactor_->start().has_value());
    link_.reset(new RedisLink(*reactor_, *this, std::move(address), {}));
    link_->start();
    for (int i = 0; i < 1'000 && !link_->is_ready(); ++i)
      reactor_->turn(5);
    cr_assert(link_->is_ready());
  }
  ~RedisProbe() {
    link_->stop();
    for (int i = 0; i < 200 && !link_->is_idle(); ++i)
      reactor_->turn(5);
  }

  // The answer as text_of() has it.
  std::string ask(const std::vector<std::string_view>& words) {
    std::optional<std::string> answer;
    reactor_->turn(0);  // it may have rested: time-outs count from its last turn
    link_->command(words, [&](Result<RedisReply> reply) noexcept { answer = text_of(reply); });
    for (int i = 0; i < 1'000 && !answer; ++i)
      reactor_->turn(5);
    return answer.value();
  }
  // The calls of a command, subcommands as "script|load", since CONFIG RESETSTAT.
  int calls(const std::string& command) {
    const std::string statistics = ask({"INFO", "commandstats"});
    const std::string name = "cmdstat_" + command + ":calls=";
    const std::size_t found = statistics.find(name);
    return found == std::string::npos ? 0 : std::stoi(statistics.substr(found + name.size()));
  }

 private:
  void on_redis_ready() noexcept override {}
  void on_redis_lost(const Error&) noexcept override {}

  SystemClock clock_;
  std::unique_ptr<Reactor> reactor_;
  std::unique_ptr<RedisLink> link_;
};

}  // namespace videosync::test
