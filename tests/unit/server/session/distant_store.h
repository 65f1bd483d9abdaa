// DistantStore: a store that answers when the test says so, as one across the network does.
#pragma once

#include <criterion/criterion.h>

#include <functional>
#include <memory>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/clock.h"
#include "storage/memory_store.h"

namespace videosync::test {

// Answers when told to, in order; while `is_away` it answers that.
class DistantStore final : public SessionStore {
 public:
  explicit DistantStore(const Clock& clock) noexcept : clock_(clock) {}

  bool is_away = false;
  SlotSet away;  // while it is there
  int changes = 0;
  int queues = 0;  // of these, with a queue
  std::set<Uuid> followed;
  std::vector<std::move_only_function<void()>> answers;

  void answer_all() {
    for (auto& answer : std::exchange(answers, {}))
      answer();
  }

  // As if the store had lost everything.
  void forget_all() {
    near_ = std::make_unique<MemoryStore>(clock_);
    near_->listen(*listener_);
    for (const Uuid& channel : followed)
      near_->follow(channel, [](Result<>) noexcept {});
  }

  void listen(SessionListener& listener) noexcept override {
    listener_ = &listener;
    near_->listen(listener);
  }
  void create(const SessionName& name, StoreVersion version, BufferRef bytes, std::int64_t ttl_us,
              OnDone done) override {
    later(name.key, std::move(done),
          [=, this](OnDone d) { near_->create(name, version, bytes, ttl_us, std::move(d)); });
  }
  void load(const Uuid& key, OnValue done) override {
    later(key, std::move(done), [=, this](OnValue d) { near_->load(key, std::move(d)); });
  }
  void exists(const Uuid& key, OnExists done) override {
    later(key, std::move(done), [=, this](OnExists d) { near_->exists(key, std::move(d)); });
  }
  void find(ShortCode code, OnKey done) override {
    later(code, std::move(done), [=, this](OnKey d) { near_->find(code, std::move(d)); });
  }
  void change(const SessionName& name, StoreVersion expected, StoreVersion next, SessionBytes bytes,
              std::int64_t ttl_us, BufferRef event, OnDone done) override {
    ++changes;
    queues += bool{bytes.queue};
    later(name.key, std::move(done), [=, this](OnDone d) {
      near_->change(name, expected, next, bytes, ttl_us, event, [&](Result<> changed) noexcept {
        cr_expect(changed || changed.error().code != ErrorCode::conflict, "a stale version");
        d(std::move(changed));
      });
    });
  }
  void touch(const SessionName& name, std::int64_t ttl_us, OnDone done) override {
    later(name.key, std::move(done),
          [=, this](OnDone d) { near_->touch(name, ttl_us, std::move(d)); });
  }
  void remove(const SessionName& name, StoreVersion version, BufferRef event,
              OnDone done) override {
    later(name.key, std::move(done),
          [=, this](OnDone d) { near_->remove(name, version, event, std::move(d)); });
  }
  void publish(const Channel& channel, BufferRef event, OnReceivers done) override {
    later(channel, std::move(done),
          [=, this](OnReceivers d) { near_->publish(channel, event, std::move(d)); });
  }
  void follow(const Channel& channel, OnDone done) override {
    followed.insert(channel.id);
    later(channel, std::move(done), [=, this](OnDone d) { near_->follow(channel, std::move(d)); });
  }
  void unfollow(const Channel& channel) override {
    followed.erase(channel.id);
    near_->unfollow(channel);
  }

 private:
  bool lacks(const Uuid& key) const { return is_away || away.test(slot_of(key)); }
  bool lacks(ShortCode code) const { return is_away || away.test(slot_of(code)); }
  bool lacks(const Channel& channel) const {
    return channel.reach == Channel::Reach::part ? lacks(channel.id) : is_away;
  }

  template <class Name, class Done, class Ask>
  void later(const Name& name, Done done, Ask ask) {
    answers.emplace_back([this, name, done = std::move(done), ask = std::move(ask)]() mutable {
      if (lacks(name)) {
        done(fail(ErrorCode::unavailable, "the store is away"));
      } else {
        ask(std::move(done));
      }
    });
  }

  const Clock& clock_;
  SessionListener* listener_ = nullptr;
  std::unique_ptr<MemoryStore> near_ = std::make_unique<MemoryStore>(clock_);
};

}  // namespace videosync::test
