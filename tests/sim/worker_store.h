// WorkerStore: a worker's way to the store on its node's first worker: see StoreRelay.
//
// Calls go there by the lane between the two, in order, and answers come back the same way.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "server/session/ports.h"
#include "storage/session_store.h"

namespace videosync::sim {

class WorkerStore final : public SessionStore {
 public:
  // `first` and `here`: the surroundings of the first worker and of this one, which is another.
  WorkerStore(SessionStore& store, Surroundings& first, Surroundings& here,
              std::size_t index) noexcept
      : store_(store), first_(first), here_(here), index_(index) {}

  void listen(SessionListener& listener) noexcept override { store_.listen(listener); }

  void create(const Uuid& key, StoreVersion version, BufferRef bytes, std::int64_t ttl_us,
              OnDone done) override {
    relay(std::move(done), [key, version, bytes = std::move(bytes), ttl_us](
                               SessionStore& store, OnDone back) mutable noexcept {
      store.create(key, version, std::move(bytes), ttl_us, std::move(back));
    });
  }
  void load(const Uuid& key, OnValue done) override {
    relay(std::move(done),
          [key](SessionStore& store, OnValue back) noexcept { store.load(key, std::move(back)); });
  }
  void exists(const Uuid& key, OnExists done) override {
    relay(std::move(done), [key](SessionStore& store, OnExists back) noexcept {
      store.exists(key, std::move(back));
    });
  }
  void change(const Uuid& key, StoreVersion expected, StoreVersion next, BufferRef bytes,
              std::int64_t ttl_us, BufferRef event, OnDone done) override {
    relay(std::move(done),
          [key, expected, next, bytes = std::move(bytes), ttl_us, event = std::move(event)](
              SessionStore& store, OnDone back) mutable noexcept {
            store.change(key, expected, next, std::move(bytes), ttl_us, std::move(event),
                         std::move(back));
          });
  }
  void touch(const Uuid& key, std::int64_t ttl_us, OnDone done) override {
    relay(std::move(done), [key, ttl_us](SessionStore& store, OnDone back) noexcept {
      store.touch(key, ttl_us, std::move(back));
    });
  }
  void remove(const Uuid& key, StoreVersion version, BufferRef event, OnDone done) override {
    relay(std::move(done), [key, version, event = std::move(event)](SessionStore& store,
                                                                    OnDone back) mutable noexcept {
      store.remove(key, version, std::move(event), std::move(back));
    });
  }
  void publish(const Uuid& channel, BufferRef event, OnReceivers done) override {
    relay(std::move(done), [channel, event = std::move(event)](SessionStore& store,
                                                               OnReceivers back) mutable noexcept {
      store.publish(channel, std::move(event), std::move(back));
    });
  }
  void follow(const Uuid& channel, OnDone done) override {
    relay(std::move(done), [channel](SessionStore& store, OnDone back) noexcept {
      store.follow(channel, std::move(back));
    });
  }
  void unfollow(const Uuid& channel) override {
    here_.post(0, [store = &store_, channel]() noexcept { store->unfollow(channel); });
  }

 private:
  template <class Value, class Ask>
  void relay(std::move_only_function<void(Result<Value>) noexcept> done, Ask ask) {
    using Done = decltype(done);
    auto call = std::make_unique<std::pair<Done, Ask>>(std::move(done), std::move(ask));
    here_.post(0, [this, call = std::move(call)]() mutable noexcept {
      Ask there = std::move(call->second);
      there(store_, Done([this, call = std::move(call)](Result<Value> result) mutable noexcept {
              first_.post(index_,
                          [call = std::move(call), result = std::move(result)]() mutable noexcept {
                            call->first(std::move(result));
                          });
            }));
    });
  }

  SessionStore& store_;
  Surroundings& first_;
  Surroundings& here_;
  const std::size_t index_;
};

}  // namespace videosync::sim
