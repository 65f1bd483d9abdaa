// The embedded store: versions, the limit, expiry, the order of events, many threads.
#include "storage/memory_store.h"

#include <criterion/criterion.h>

#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <thread>

#include "tests/support/manual_clock.h"

using namespace videosync;
using videosync::test::ManualClock;

namespace {

constexpr std::int64_t second_us = 1'000'000;

BufferRef buffer(std::string_view text) {
  return BufferRef::copy_of(text);
}

std::string text_of(const BufferRef& ref) {
  return {reinterpret_cast<const char*>(ref.bytes().data()), ref.size()};
}

Uuid key_in_shard(std::uint8_t shard, std::uint8_t number) {
  Uuid key;
  key.bytes[0] = shard;
  key.bytes[15] = number;
  return key;
}

constexpr StoreVersion revision(std::uint64_t n) {
  return {1, n};
}

struct Recorder final : SessionListener {
  struct Event {
    Uuid channel;
    std::string text;
  };
  std::vector<Event> events;

  void on_session_event(const Uuid& channel, const BufferRef& event) noexcept override {
    events.push_back({channel, text_of(event)});
  }
};

// The memory store answers before it returns, so a test may wait for nothing.
struct Caller {
  SessionStore& store;

  Result<> create(const SessionName& name, std::string_view text, std::int64_t ttl_us) {
    std::optional<Result<>> answer;
    store.create(name, revision(1), buffer(text), ttl_us,
                 [&](Result<> result) noexcept { answer = std::move(result); });
    return answer.value();
  }
  // From the revision to the one behind it.
  Result<> change(const Uuid& key, std::uint64_t expected, std::string_view text,
                  std::int64_t ttl_us, BufferRef event = {}) {
    return change(key, revision(expected), revision(expected + 1), text, ttl_us, std::move(event));
  }
  Result<> change(const Uuid& key, StoreVersion expected, StoreVersion next, std::string_view text,
                  std::int64_t ttl_us, BufferRef event = {}) {
    std::optional<Result<>> answer;
    store.change(key, expected, next, buffer(text), ttl_us, std::move(event),
                 [&](Result<> result) noexcept { answer = std::move(result); });
    return answer.value();
  }
  Result<StoredValue> load(const Uuid& key) {
    std::optional<Result<StoredValue>> answer;
    store.load(key, [&](Result<StoredValue> result) noexcept { answer = std::move(result); });
    return answer.value();
  }
  Result<Uuid> find(ShortCode code) {
    std::optional<Result<Uuid>> answer;
    store.find(code, [&](Result<Uuid> result) noexcept { answer = std::move(result); });
    return answer.value();
  }
  bool exists(const Uuid& key) {
    std::optional<Result<bool>> answer;
    store.exists(key, [&](Result<bool> result) noexcept { answer = std::move(result); });
    return answer.value().value();
  }
  Result<> touch(const Uuid& key, std::int64_t ttl_us) {
    std::optional<Result<>> answer;
    store.touch(key, ttl_us, [&](Result<> result) noexcept { answer = std::move(result); });
    return answer.value();
  }
  Result<> remove(const Uuid& key, std::uint64_t version, BufferRef event = {}) {
    std::optional<Result<>> answer;
    store.remove(key, revision(version), std::move(event),
                 [&](Result<> result) noexcept { answer = std::move(result); });
    return answer.value();
  }
  void follow(const Uuid& channel) {
    bool is_done = false;
    store.follow(channel, [&](Result<> result) noexcept { is_done = result.has_value(); });
    cr_assert(is_done);
  }
  std::uint32_t publish(const Uuid& channel, std::string_view text) {
    std::optional<std::uint32_t> receivers;
    store.publish(channel, buffer(text),
                  [&](Result<std::uint32_t> result) noexcept { receivers = *result; });
    return receivers.value();
  }
};

}  // namespace

Test(memory_store, a_value_is_created_loaded_changed_and_removed) {
  ManualClock clock;
  MemoryStore store(clock);
  Caller caller{store};
  const Uuid key = Uuid::random_v4();

  cr_assert(!caller.exists(key));
  cr_assert(caller.load(key).error().code == ErrorCode::not_found);
  cr_assert(caller.create(key, "one", second_us).has_value());
  cr_assert(caller.create(key, "again", second_us).error().code == ErrorCode::conflict);
  cr_assert(caller.exists(key));
  cr_assert_eq(text_of(caller.load(key)->bytes), "one");

  cr_assert(caller.change(key, 1, "two", second_us).has_value());
  const StoredValue loaded = caller.load(key).value();
  cr_assert_eq(text_of(loaded.bytes), "two");
  cr_assert(loaded.version == revision(2));

  cr_assert(caller.remove(key, 2).has_value());
  cr_assert(!caller.exists(key));
  cr_assert_eq(store.size(), 0);
  cr_assert(caller.load(key).error().code == ErrorCode::conflict);
  cr_assert(caller.touch(key, second_us).error().code == ErrorCode::not_found);
}

Test(memory_store, only_who_knows_the_version_or_a_newer_one_may_write) {
  ManualClock clock;
  MemoryStore store(clock);
  Recorder recorder;
  store.listen(recorder);
  Caller caller{store};
  const Uuid key = Uuid::random_v4();
  caller.follow(key);
  cr_assert(caller.create(key, "one", second_us).has_value());
  cr_assert(caller.change(key, 1, "two", second_us, buffer("first")).has_value());

  cr_assert(caller.change(key, 1, "lost", second_us, buffer("lost")).error().code ==
            ErrorCode::conflict);
  cr_assert(caller.remove(key, 1, buffer("lost")).error().code == ErrorCode::conflict);
  cr_assert_eq(text_of(caller.load(key)->bytes), "two");

  cr_assert(caller.change(key, 7, "eight", second_us, buffer("second")).has_value());
  cr_assert(caller.change(key, {1, 8}, {2, 1}, "a new epoch", second_us).has_value());
  cr_assert(caller.change(key, {1, 99}, {1, 100}, "late", second_us, buffer("late")).error().code ==
            ErrorCode::conflict);
  cr_assert((caller.load(key)->version == StoreVersion{2, 1}));
  cr_assert_eq(recorder.events.size(), 2);
  cr_assert_eq(recorder.events[0].text, "first");
  cr_assert_eq(recorder.events[1].text, "second");
}

Test(memory_store, what_was_lost_is_written_back_and_what_was_removed_is_not) {
  ManualClock clock;
  MemoryStore store(clock);
  Caller caller{store};
  const Uuid lost = Uuid::random_v4();
  cr_assert(caller.change(lost, 4, "back", second_us).has_value());
  cr_assert(caller.load(lost)->version == revision(5));

  cr_assert(caller.remove(lost, 5).has_value());
  const auto is_refused = [&](ErrorCode change, ErrorCode create) {
    return caller.change(lost, 9, "late", second_us).error().code == change &&
           caller.create(lost, "again", second_us).error().code == create;
  };
  cr_assert(is_refused(ErrorCode::not_found, ErrorCode::conflict));
  cr_assert(caller.remove(lost, 9).error().code == ErrorCode::not_found);
  clock.advance_us(SessionStore::tombstone_us - 1);
  cr_assert(store.expire_some(100).empty());
  cr_assert(is_refused(ErrorCode::not_found, ErrorCode::conflict));
  clock.advance_us(1);
  cr_assert(store.expire_some(100).empty(), "it was removed, it has not lapsed");
  cr_assert(caller.change(lost, 9, "ten", second_us).has_value());

  const Uuid unknown = Uuid::random_v4();
  cr_assert(caller.remove(unknown, 1).has_value());
  cr_assert(caller.change(unknown, 1, "late", second_us).error().code == ErrorCode::not_found);
}

Test(memory_store, events_reach_who_follows_the_channel) {
  ManualClock clock;
  MemoryStore store(clock);
  Recorder recorder;
  store.listen(recorder);
  Caller caller{store};
  const Uuid key = Uuid::random_v4();
  cr_assert_eq(caller.publish(key, "nobody"), 0);
  caller.follow(key);
  caller.follow(key);
  cr_assert_eq(caller.publish(key, "chat"), 1);
  cr_assert_eq(caller.publish(Uuid::random_v4(), "elsewhere"), 0);
  cr_assert(caller.create(key, "one", second_us).has_value());
  cr_assert(caller.remove(key, 1, buffer("ended")).has_value());
  store.unfollow(key);
  cr_assert_eq(caller.publish(key, "unheard"), 0);

  cr_assert_eq(recorder.events.size(), 2);
  cr_assert_eq(recorder.events[0].text, "chat");
  cr_assert(recorder.events[0].channel == key);
  cr_assert_eq(recorder.events[1].text, "ended");
}

Test(memory_store, tombstones_are_bounded) {
  ManualClock clock;
  MemoryStore store(clock, 2);
  Caller caller{store};
  std::array<Uuid, 3> keys{Uuid::random_v4(), Uuid::random_v4(), Uuid::random_v4()};
  for (const Uuid& key : keys) {
    cr_assert(caller.create(key, "x", second_us).has_value());
    cr_assert(caller.remove(key, 1).has_value());
  }
  cr_assert(caller.change(keys[1], 1, "late", second_us).error().code == ErrorCode::not_found);
  cr_assert(caller.change(keys[2], 1, "late", second_us).has_value(), "forgotten at once");
}

Test(memory_store, the_limit_of_sessions_refuses_and_recovers) {
  ManualClock clock;
  MemoryStore store(clock, 3);
  Caller caller{store};
  const Uuid first = Uuid::random_v4();
  cr_assert(caller.create(first, "a", second_us).has_value());
  cr_assert(caller.create(Uuid::random_v4(), "b", 5 * second_us).has_value());
  cr_assert(caller.create(Uuid::random_v4(), "c", 5 * second_us).has_value());
  cr_assert(caller.create(Uuid::random_v4(), "d", second_us).error().code == ErrorCode::exhausted);
  cr_assert_eq(store.size(), 3);

  cr_assert(caller.remove(first, 1).has_value());
  cr_assert(caller.create(Uuid::random_v4(), "d", second_us).has_value());

  clock.advance_us(second_us);
  cr_assert_eq(store.expire_some(100).size(), 1);
  cr_assert(caller.create(Uuid::random_v4(), "e", second_us).has_value());
}

Test(memory_store, a_key_lapses_at_its_instant_and_is_reported_once) {
  ManualClock clock;
  MemoryStore store(clock);
  Caller caller{store};
  const Uuid key = Uuid::random_v4();
  cr_assert(caller.create(key, "one", 10 * second_us).has_value());

  clock.advance_us(10 * second_us - 1);
  cr_assert(caller.exists(key));
  cr_assert(store.expire_some(100).empty());

  clock.advance_us(1);
  cr_assert(!caller.exists(key));
  cr_assert(caller.load(key).error().code == ErrorCode::not_found);
  cr_assert(caller.touch(key, second_us).error().code == ErrorCode::not_found);
  cr_assert_eq(store.size(), 1, "the sweep gives the memory back");
  const std::vector<Uuid> expired = store.expire_some(100);
  cr_assert_eq(expired.size(), 1);
  cr_assert(expired[0] == key);
  cr_assert(store.expire_some(100).empty());
  cr_assert_eq(store.size(), 0);
}

Test(memory_store, change_and_touch_move_the_end_both_ways) {
  ManualClock clock;
  MemoryStore store(clock);
  Caller caller{store};
  const Uuid key = Uuid::random_v4();
  cr_assert(caller.create(key, "one", 10 * second_us).has_value());
  clock.advance_us(9 * second_us);
  cr_assert(caller.touch(key, 10 * second_us).has_value());
  clock.advance_us(9 * second_us);
  cr_assert(store.expire_some(100).empty(), "touched: it lives on");
  cr_assert(caller.change(key, 1, "two", 10 * second_us).has_value());
  clock.advance_us(9 * second_us);
  cr_assert(store.expire_some(100).empty());
  cr_assert(caller.exists(key));

  cr_assert(caller.touch(key, second_us / 2).has_value());
  clock.advance_us(second_us / 2);
  cr_assert(!caller.exists(key), "a shorter life counts from now too");
  cr_assert_eq(store.expire_some(100).size(), 1);
}

Test(memory_store, a_lapsed_key_can_be_created_anew_before_the_sweep) {
  ManualClock clock;
  MemoryStore store(clock, 1);
  Caller caller{store};
  const Uuid key = Uuid::random_v4();
  cr_assert(caller.create(key, "old", second_us).has_value());
  clock.advance_us(2 * second_us);
  cr_assert(caller.create(key, "new", second_us).has_value());
  cr_assert_eq(store.size(), 1);
  cr_assert(store.expire_some(100).empty());
  cr_assert_eq(text_of(caller.load(key)->bytes), "new");
}

Test(memory_store, a_code_lapses_with_its_key_and_is_free_after_the_sweep) {
  ManualClock clock;
  MemoryStore store(clock);
  Caller caller{store};
  const Uuid key = Uuid::random_v4();
  const Uuid next = Uuid::random_v4();
  constexpr ShortCode code{12'345};
  cr_assert(caller.create({key, code}, "old", second_us).has_value());
  clock.advance_us(2 * second_us);
  cr_assert(caller.find(code).error().code == ErrorCode::not_found);
  cr_assert(caller.create({next, code}, "new", second_us).error().code == ErrorCode::conflict);
  cr_assert_eq(store.expire_some(100).size(), 1);
  cr_assert(caller.create({next, code}, "new", second_us).has_value());
  cr_assert(caller.find(code) == next);
  cr_assert(caller.create({key, code}, "again", second_us).error().code == ErrorCode::conflict);
  cr_assert(caller.find(code) == next, "whoever was refused takes nothing along");
  cr_assert_eq(store.size(), 1);
}

Test(memory_store, the_sweep_is_bounded_and_comes_around) {
  ManualClock clock;
  MemoryStore store(clock);
  Caller caller{store};
  for (std::uint8_t shard = 0; shard < 8; ++shard) {
    for (std::uint8_t number = 0; number < 5; ++number) {
      cr_assert(caller.create(key_in_shard(shard, number), "x", second_us).has_value());
    }
  }
  clock.advance_us(second_us);
  std::size_t expired = 0;
  for (int turn = 0; turn < 6; ++turn) {
    const std::size_t now = store.expire_some(7).size();
    cr_assert_leq(now, 7);
    expired += now;
  }
  cr_assert_eq(expired, 40);
  cr_assert_eq(store.size(), 0);
}

Test(memory_store, a_callback_may_call_the_store_again) {
  ManualClock clock;
  MemoryStore store(clock);
  Caller caller{store};
  const Uuid key = Uuid::random_v4();
  cr_assert(caller.create(key, "one", second_us).has_value());
  bool is_changed = false;
  store.load(key, [&](Result<StoredValue> value) noexcept {
    store.change(key, value->version, revision(2), buffer("two"), second_us, {},
                 [&](Result<> changed) noexcept { is_changed = changed.has_value(); });
  });
  cr_assert(is_changed);
}

// Against a plain map of what must be there, at every step of a walk with a seed.
Test(memory_store, a_random_walk_agrees_with_a_naive_model) {
  struct Expected {
    std::uint64_t version = 0;  // 0: a tombstone
    std::int64_t ends_at_us = 0;
  };
  for (unsigned seed = 1; seed <= 20; ++seed) {
    std::mt19937 random(seed);
    const auto below = [&](unsigned n) { return static_cast<std::int64_t>(random() % n); };
    ManualClock clock;
    MemoryStore store(clock);
    Caller caller{store};
    std::map<Uuid, Expected> model;  // what was made and neither removed nor reported as expired
    for (int step = 0; step < 2'000; ++step) {
      clock.advance_us(below(20));
      const std::int64_t now_us = clock.monotonic_us();
      const std::int64_t ttl_us = 1 + below(400);
      const Uuid key =
          key_in_shard(static_cast<std::uint8_t>(below(3)), static_cast<std::uint8_t>(below(10)));
      const auto found = model.find(key);
      const bool is_known = found != model.end() && found->second.ends_at_us > now_us;
      const bool lives = is_known && found->second.version != 0;
      cr_assert_eq(caller.exists(key), lives, "seed %u step %d", seed, step);
      switch (below(5)) {
        case 0:
          cr_assert_eq(caller.create(key, "x", ttl_us).has_value(), !is_known, "seed %u", seed);
          if (!is_known) model[key] = {1, now_us + ttl_us};
          break;
        case 1: {
          const auto expected = 1 + static_cast<std::uint64_t>(below(5));
          const bool may = !is_known || (lives && found->second.version <= expected);
          cr_assert_eq(caller.change(key, expected, "y", ttl_us).has_value(), may, "seed %u", seed);
          if (may) model[key] = {expected + 1, now_us + ttl_us};
          break;
        }
        case 2:
          cr_assert_eq(caller.touch(key, ttl_us).has_value(), lives, "seed %u", seed);
          if (lives) found->second.ends_at_us = now_us + ttl_us;
          break;
        case 3:
          cr_assert_eq(caller.remove(key, 6).has_value(), lives || !is_known, "seed %u", seed);
          if (lives || !is_known) model[key] = {0, now_us + SessionStore::tombstone_us};
          break;
        default:
          for (const Uuid& gone : store.expire_some(static_cast<std::size_t>(below(4)))) {
            cr_assert_leq(model.at(gone).ends_at_us, now_us, "seed %u step %d", seed, step);
            model.erase(gone);
          }
      }
      const auto held = std::count_if(model.begin(), model.end(),
                                      [](const auto& each) { return each.second.version != 0; });
      cr_assert_eq(store.size(), static_cast<std::size_t>(held), "seed %u step %d", seed, step);
    }
  }
}

namespace {

// Sees each key's events, which are its numbers, in order, on whatever thread they are made.
struct OrderCheck final : SessionListener {
  std::array<std::atomic<int>, 8> last{};
  std::atomic<bool> in_order{true};

  void on_session_event(const Uuid& channel, const BufferRef& event) noexcept override {
    const int number = std::stoi(text_of(event));
    if (last[channel.bytes[15]].exchange(number) + 1 != number) in_order = false;
  }
};

}  // namespace

Test(memory_store, threads_that_race_lose_no_change_and_keep_the_order) {
  constexpr int thread_count = 4;
  constexpr int changes_each = 2'000;
  SystemClock clock;
  MemoryStore store(clock);
  OrderCheck check;
  store.listen(check);
  Caller maker{store};
  for (std::uint8_t i = 0; i < 8; ++i) {
    cr_assert(maker.create(key_in_shard(i % 2, i), "0", 60 * second_us).has_value());
    maker.follow(key_in_shard(i % 2, i));
  }

  std::vector<std::thread> threads;
  for (int t = 0; t < thread_count; ++t) {
    threads.emplace_back([&store, t] {
      Caller caller{store};
      for (int i = 0; i < changes_each; ++i) {
        const Uuid key = key_in_shard(static_cast<std::uint8_t>(i % 2),
                                      static_cast<std::uint8_t>((i + 2 * t) % 8));
        for (;;) {  // add one to the decimal number under the key, as often as it takes
          const StoredValue value = caller.load(key).value();
          const std::string next = std::to_string(std::stoi(text_of(value.bytes)) + 1);
          if (caller.change(key, value.version.revision, next, 60 * second_us, buffer(next))) break;
        }
      }
    });
  }
  for (std::thread& thread : threads)
    thread.join();

  int total = 0;
  for (std::uint8_t i = 0; i < 8; ++i) {
    total += std::stoi(text_of(maker.load(key_in_shard(i % 2, i))->bytes));
  }
  cr_assert_eq(total, thread_count * changes_each);
  cr_assert(check.in_order.load());
}

Test(memory_store, what_is_kept_can_be_restored_elsewhere) {
  ManualClock clock;
  MemoryStore before(clock, 10);
  Caller caller{before};
  const SessionName named(key_in_shard(1, 1), ShortCode{77});
  cr_assert(caller.create(named, "one", 10 * second_us).has_value());
  cr_assert(caller.create(key_in_shard(2, 1), "two", 5 * second_us).has_value());
  cr_assert(caller.create(key_in_shard(3, 1), "lapsed", 1 * second_us).has_value());
  cr_assert(caller.create(key_in_shard(4, 1), "ended", 10 * second_us).has_value());
  before.remove(key_in_shard(4, 1), revision(1), {}, [](const Result<>&) noexcept {});
  before.change(named, revision(1), revision(2), {buffer("one!"), buffer("queue")}, 10 * second_us,
                {}, [](const Result<>&) noexcept {});
  clock.advance_us(2 * second_us);

  const auto all = before.kept();
  cr_assert_eq(all.size(), 2U);
  MemoryStore after(clock, 10);
  for (const auto& kept : all)
    cr_assert(after.restore(kept).has_value());
  cr_assert_eq(after.size(), 2U);
  std::optional<Result<StoredValue>> found;
  after.load(named.key, [&](Result<StoredValue> value) noexcept { found = std::move(value); });
  cr_assert(found->has_value());
  cr_assert_eq(text_of((*found)->bytes), "one!");
  cr_assert_eq(text_of((*found)->queue), "queue");
  cr_assert((*found)->version == revision(2));
  std::optional<Uuid> owner;
  after.find(ShortCode{77}, [&](Result<Uuid> key) noexcept { owner = key.value_or(Uuid{}); });
  cr_assert(owner == named.key);
  // Their time goes on where it stood.
  clock.advance_us(3 * second_us);
  after.load(key_in_shard(2, 1),
             [&](Result<StoredValue> value) noexcept { found = std::move(value); });
  cr_assert_not(found->has_value());
}

Test(memory_store, no_more_are_restored_than_there_may_be) {
  ManualClock clock;
  MemoryStore before(clock, 10);
  Caller caller{before};
  for (std::uint8_t i = 0; i < 3; ++i)
    cr_assert(caller.create(key_in_shard(i, 1), "x", second_us).has_value());
  MemoryStore after(clock, 2);
  std::size_t restored = 0;
  for (const auto& kept : before.kept())
    restored += after.restore(kept) ? 1 : 0;
  cr_assert_eq(restored, 2U);
  cr_assert_eq(after.size(), 2U);
}
