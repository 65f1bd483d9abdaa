// StoreRelay: a worker's way to a store that lives on another worker's thread.
//
// RedisStore belongs to one reactor. Each worker has a relay: calls go to the store's thread by
// mailbox, in order, and the callbacks come back the same way; on the store's own worker both are
// direct. One allocation a call on the way there. Used by its worker's thread.
//
// What was asked before the worker has heard that the store was lost is not carried out on the
// connection that came after: the store may be another one by then, and what is written over it has
// to be looked at first. It fails with ErrorCode::unavailable, as what was lost on its way does.
// Where a part of the store was lost this is so of what lies in its slots: keys, the records of
// codes, sessions' channels. What reaches every part goes on.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <utility>

#include "server/session/ports.h"
#include "storage/key_slots.h"
#include "storage/session_store.h"

namespace videosync {

class StoreRelay final : public SessionStore {
 public:
  // A worker, as the others reach it.
  struct End {
    Surroundings& around;
    std::size_t worker;
  };

  // `owner`: the worker on whose thread `store` lives. All three outlive the relay's use.
  StoreRelay(SessionStore& store, const End& owner, const End& here) noexcept
      : store_(store), owner_(owner), here_(here) {}

  // What lies in these slots (null: all) is lost, and the worker's directory is being told so, by a
  // task that was posted before. On the store's thread.
  void on_store_lost(SharedSlots slots) noexcept {
    if (is_direct()) return;
    if (unheard_.size() == unheard_max) {  // the worker is slow: it is all the same then
      unheard_.clear();
      slots = nullptr;
    }
    unheard_.push_back({++losses_there_, std::move(slots)});
    owner_.around.post(here_.worker, [this]() noexcept { ++losses_here_; });
  }

  void listen(SessionListener& listener) noexcept override { store_.listen(listener); }

  void create(const SessionName& name, StoreVersion version, BufferRef bytes, std::int64_t ttl_us,
              OnDone done) override {
    relay(name.key, std::move(done),
          [name, version, bytes = std::move(bytes), ttl_us](SessionStore& store,
                                                            OnDone back) mutable noexcept {
            store.create(name, version, std::move(bytes), ttl_us, std::move(back));
          });
  }
  void load(const Uuid& key, OnValue done) override {
    relay(key, std::move(done),
          [key](SessionStore& store, OnValue back) noexcept { store.load(key, std::move(back)); });
  }
  void exists(const Uuid& key, OnExists done) override {
    relay(key, std::move(done), [key](SessionStore& store, OnExists back) noexcept {
      store.exists(key, std::move(back));
    });
  }
  void find(ShortCode code, OnKey done) override {
    relay(code, std::move(done),
          [code](SessionStore& store, OnKey back) noexcept { store.find(code, std::move(back)); });
  }
  void change(const SessionName& name, StoreVersion expected, StoreVersion next, SessionBytes bytes,
              std::int64_t ttl_us, BufferRef event, OnDone done) override {
    relay(name.key, std::move(done),
          [name, expected, next, bytes = std::move(bytes), ttl_us, event = std::move(event)](
              SessionStore& store, OnDone back) mutable noexcept {
            store.change(name, expected, next, std::move(bytes), ttl_us, std::move(event),
                         std::move(back));
          });
  }
  void touch(const SessionName& name, std::int64_t ttl_us, OnDone done) override {
    relay(name.key, std::move(done), [name, ttl_us](SessionStore& store, OnDone back) noexcept {
      store.touch(name, ttl_us, std::move(back));
    });
  }
  void remove(const SessionName& name, StoreVersion version, BufferRef event,
              OnDone done) override {
    relay(name.key, std::move(done),
          [name, version, event = std::move(event)](SessionStore& store,
                                                    OnDone back) mutable noexcept {
            store.remove(name, version, std::move(event), std::move(back));
          });
  }
  void publish(const Channel& channel, BufferRef event, OnReceivers done) override {
    relay(channel, std::move(done),
          [channel, event = std::move(event)](SessionStore& store,
                                              OnReceivers back) mutable noexcept {
            store.publish(channel, std::move(event), std::move(back));
          });
  }
  void follow(const Channel& channel, OnDone done) override {
    relay(channel, std::move(done), [channel](SessionStore& store, OnDone back) noexcept {
      store.follow(channel, std::move(back));
    });
  }
  void unfollow(const Channel& channel) override {
    if (is_direct()) return store_.unfollow(channel);
    here_.around.post(owner_.worker, [this, channel]() noexcept { store_.unfollow(channel); });
  }

 private:
  static constexpr std::size_t unheard_max = 64;
  struct Loss {
    std::uint64_t number;
    SharedSlots slots;  // null: all
  };

  bool is_direct() const noexcept { return owner_.worker == here_.worker; }

  // Nothing: it is in every part.
  static std::optional<std::uint16_t> slot_in(const Uuid& key) noexcept { return slot_of(key); }
  static std::optional<std::uint16_t> slot_in(ShortCode code) noexcept { return slot_of(code); }
  static std::optional<std::uint16_t> slot_in(const Channel& channel) noexcept {
    if (channel.reach != Channel::Reach::part) return std::nullopt;
    return slot_of(channel.id);
  }
  // Whether it was lost since the worker that asks had heard of so many losses.
  template <class Name>
  bool is_void(const Name& name, std::uint64_t heard) noexcept {
    while (!unheard_.empty() && unheard_.front().number <= heard)
      unheard_.pop_front();
    if (unheard_.empty()) return false;
    const auto slot = slot_in(name);
    return std::ranges::any_of(unheard_, [=](const Loss& loss) noexcept {
      return loss.slots == nullptr || (slot && loss.slots->test(*slot));
    });
  }

  // `name`: a key, a code or a channel, where that lies which is asked for.
  template <class Name, class Value, class Ask>
  void relay(const Name& name, std::move_only_function<void(Result<Value>) noexcept> done,
             Ask ask) {
    using Done = std::move_only_function<void(Result<Value>) noexcept>;
    struct Call {
      Done done;
      Ask ask;
      Name name;
      std::uint64_t losses;
    };
    if (is_direct()) return ask(store_, std::move(done));
    auto call = std::make_unique<Call>(std::move(done), std::move(ask), name, losses_here_);
    here_.around.post(owner_.worker, [this, call = std::move(call)]() mutable noexcept {
      Ask there = std::move(call->ask);
      const bool is_lost = is_void(call->name, call->losses);
      Done back([this, call = std::move(call)](Result<Value> result) mutable noexcept {
        owner_.around.post(here_.worker,
                           [call = std::move(call), result = std::move(result)]() mutable noexcept {
                             call->done(std::move(result));
                           });
      });
      if (is_lost) return back(fail(ErrorCode::unavailable, "the store was lost meanwhile"));
      there(store_, std::move(back));
    });
  }

  SessionStore& store_;
  const End owner_;
  const End here_;
  std::uint64_t losses_here_ = 0;   // as far as the worker has heard
  std::uint64_t losses_there_ = 0;  // of the store's thread, as unheard_
  std::deque<Loss> unheard_;        // in order; the worker may have heard of the first ones
};

}  // namespace videosync
