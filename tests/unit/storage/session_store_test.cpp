// What every SessionStore does: the same scenarios with the embedded one and with a real Redis.
#include "storage/session_store.h"

#include <criterion/criterion.h>
#include <unistd.h>

#include <array>

#include "tests/support/store_bench.h"

using namespace videosync;
using namespace videosync::test;

namespace {

constexpr StoreVersion at(std::uint64_t revision) {
  return {1, revision};
}

template <class Scenario>
void with_each_store(Scenario&& scenario) {
  MemoryBench memory;
  scenario(memory);
  RedisServer server;
  RedisBench redis(server);
  scenario(redis);
}

ShortCode some_code() {
  std::array<std::uint8_t, 5> bytes;
  fill_random(bytes);
  return ShortCode::of_random(bytes);
}

ErrorCode code_of(const Result<>& result) {
  cr_assert_not(result.has_value());
  return result.error().code;
}

}  // namespace

Test(session_store, a_value_is_created_loaded_changed_and_removed) {
  with_each_store([](StoreBench& bench) {
    const Uuid key = Uuid::random_v4();
    cr_assert_not(bench.exists(key));
    cr_assert(bench.load(key).error().code == ErrorCode::not_found);
    cr_assert(code_of(bench.touch(key)) == ErrorCode::not_found);
    const std::string odd("one\0\r\n\xff", 7);
    cr_assert(bench.create(key, at(1), odd).has_value());
    cr_assert(code_of(bench.create(key, at(9), "again")) == ErrorCode::conflict);
    cr_assert(bench.exists(key));
    cr_assert_eq(text_of(bench.load(key)->bytes), odd);
    cr_assert(bench.change(key, at(1), at(2), "").has_value());
    cr_assert_eq(bench.load(key)->bytes.size(), 0);
    cr_assert(bench.load(key)->version == at(2));
    cr_assert(bench.touch(key).has_value());
    cr_assert(bench.remove(key, at(2)).has_value());
    cr_assert_not(bench.exists(key));
    cr_assert(bench.load(key).error().code == ErrorCode::conflict);
    cr_assert(code_of(bench.touch(key)) == ErrorCode::not_found);
  });
}

Test(session_store, a_queue_lies_beside_the_bytes_until_another_is_written) {
  with_each_store([](StoreBench& bench) {
    const Uuid key = Uuid::random_v4();
    cr_assert(bench.create(key, at(1), "one").has_value());
    cr_assert_not(bench.load(key)->queue);
    const std::string odd("q\0\r\n\xff", 5);
    cr_assert(bench.change(key, at(1), at(2), "two", {}, StoreBench::ttl_us, odd).has_value());
    cr_assert(bench.change(key, at(2), at(3), "three", "event").has_value());
    cr_assert_eq(text_of(bench.load(key)->queue), odd, "it stays");
    cr_assert_eq(text_of(bench.load(key)->bytes), "three");
    cr_assert(code_of(bench.change(key, at(1), at(4), "late", {}, StoreBench::ttl_us, "late")) ==
              ErrorCode::conflict);
    cr_assert_eq(text_of(bench.load(key)->queue), odd, "under the same version");
    cr_assert(bench.touch(key).has_value());
    cr_assert(
        bench.change(key, at(3), at(4), "four", "event", StoreBench::ttl_us, "r").has_value());
    cr_assert_eq(text_of(bench.load(key)->queue), "r");
    cr_assert(bench.remove(key, at(4)).has_value());
    const Uuid lost = Uuid::random_v4();
    cr_assert(bench.change(lost, at(1), at(2), "back", {}, StoreBench::ttl_us, "q").has_value());
    cr_assert_eq(text_of(bench.load(lost)->queue), "q");
  });
}

Test(session_store, a_code_is_found_as_long_as_its_key_lives) {
  with_each_store([](StoreBench& bench) {
    const Uuid key = Uuid::random_v4();
    const ShortCode code = some_code();
    cr_assert(bench.find(code).error().code == ErrorCode::not_found);
    cr_assert(bench.create({key, code}, at(1), "one").has_value());
    cr_assert(bench.find(code) == key);
    cr_assert(bench.change({key, code}, at(1), at(2), "two").has_value());
    cr_assert(bench.touch({key, code}).has_value());
    cr_assert(bench.find(code) == key);
    cr_assert(bench.remove({key, code}, at(2)).has_value());
    cr_assert(bench.find(code).error().code == ErrorCode::not_found);
    cr_assert(code_of(bench.change({key, code}, at(2), at(3), "late")) == ErrorCode::not_found);
    cr_assert_not(bench.find(code).has_value(), "what was removed brings none back");
  });
}

Test(session_store, a_change_brings_a_lost_code_back_and_prolongs_it) {
  constexpr std::int64_t short_us = 150'000;
  with_each_store([](StoreBench& bench) {
    const Uuid key = Uuid::random_v4();
    const ShortCode code = some_code();
    cr_assert(bench.change({key, code}, at(1), at(2), "one").has_value(), "the store lost it");
    cr_assert(bench.find(code) == key);
    const Uuid brief = Uuid::random_v4();
    const ShortCode another = some_code();
    cr_assert(bench.create({brief, another}, at(1), "one", short_us).has_value());
    cr_assert(bench.touch({brief, another}).has_value());
    const Uuid briefer = Uuid::random_v4();
    const ShortCode last = some_code();
    cr_assert(bench.create({briefer, last}, at(1), "one", short_us).has_value());
    ::usleep(2 * short_us);
    cr_assert(bench.find(another) == brief);
    cr_assert(bench.find(last).error().code == ErrorCode::not_found);
  });
}

Test(session_store, a_code_that_another_key_has_stays_that_ones) {
  with_each_store([](StoreBench& bench) {
    const Uuid first = Uuid::random_v4();
    const Uuid second = Uuid::random_v4();
    const ShortCode code = some_code();
    cr_assert(bench.create({first, code}, at(1), "one").has_value());
    cr_assert(code_of(bench.create({second, code}, at(1), "two")) == ErrorCode::conflict);
    cr_assert_not(bench.exists(second), "it is not made without");
    cr_assert(bench.change({second, code}, at(1), at(2), "two").has_value());
    cr_assert(bench.find(code) == first);
    cr_assert(bench.remove({second, code}, at(2)).has_value());
    cr_assert(bench.find(code) == first);
    cr_assert(bench.remove({first, code}, at(1)).has_value());
    const Uuid third = Uuid::random_v4();
    cr_assert(bench.create({third, code}, at(1), "three").has_value(), "it is free again");
    cr_assert(bench.find(code) == third);
  });
}

Test(session_store, versions_are_compared_as_64_bit_numbers) {
  constexpr std::uint64_t large = (std::uint64_t{1} << 53) + 1;
  with_each_store([](StoreBench& bench) {
    const Uuid key = Uuid::random_v4();
    cr_assert(bench.create(key, {9, large}, "x").has_value(), "%s", bench.failure.c_str());
    cr_assert(code_of(bench.change(key, {9, large - 1}, {9, large + 1}, "y")) ==
              ErrorCode::conflict);
    cr_assert(code_of(bench.remove(key, {8, UINT64_MAX})) == ErrorCode::conflict);
    cr_assert(bench.change(key, {9, large}, {10, 0}, "y").has_value());
    cr_assert(code_of(bench.change(key, {9, UINT64_MAX}, {10, 1}, "z")) == ErrorCode::conflict);
    cr_assert(bench.change(key, {10, 5}, {UINT64_MAX, UINT64_MAX}, "z").has_value());
    cr_assert((bench.load(key)->version == StoreVersion{UINT64_MAX, UINT64_MAX}));
  });
}

Test(session_store, what_was_lost_is_written_back_and_what_was_removed_is_not) {
  with_each_store([](StoreBench& bench) {
    const Uuid lost = Uuid::random_v4();
    cr_assert(bench.change(lost, at(4), at(5), "back").has_value());
    cr_assert_eq(text_of(bench.load(lost)->bytes), "back");
    cr_assert(bench.remove(lost, at(5)).has_value());
    cr_assert(code_of(bench.change(lost, at(9), at(10), "late")) == ErrorCode::not_found);
    cr_assert(code_of(bench.remove(lost, at(9))) == ErrorCode::not_found);
    cr_assert(code_of(bench.create(lost, at(9), "late")) == ErrorCode::conflict);
    const Uuid unknown = Uuid::random_v4();
    cr_assert(bench.remove(unknown, at(1)).has_value());
    cr_assert(code_of(bench.change(unknown, at(1), at(2), "late")) == ErrorCode::not_found);
  });
}

Test(session_store, events_reach_who_follows_in_the_order_of_the_changes) {
  with_each_store([](StoreBench& bench) {
    const Uuid key = Uuid::random_v4();
    const Uuid other = Uuid::random_v4();
    cr_assert_eq(bench.publish(key, "unheard").value(), 0);
    cr_assert(bench.follow(key).has_value());
    cr_assert(bench.follow(key).has_value());
    cr_assert(bench.create(key, at(1), "x").has_value());
    cr_assert(bench.change(key, at(1), at(2), "y", "first").has_value());
    cr_assert(bench.change(key, at(2), at(3), "y").has_value(), "and says nothing");
    cr_assert(code_of(bench.change(key, at(1), at(4), "y", "stale")) == ErrorCode::conflict);
    cr_assert_eq(bench.publish(key, "second").value(), 1);
    cr_assert_eq(bench.publish(other, "elsewhere").value(), 0);
    cr_assert(bench.remove(key, at(3), "third").has_value());
    bench.until_events(3);
    const char* const expected[] = {"first", "second", "third"};
    for (std::size_t i = 0; i < 3; ++i) {
      cr_assert(bench.events[i].first == key);
      cr_assert_eq(bench.events[i].second, expected[i]);
    }
    bench.store().unfollow(key);
    bench.until([&] { return bench.publish(key, "left").value() == 0; }, "silence");
    cr_assert(bench.follow(key).has_value());
    const std::size_t before = bench.events.size();
    cr_assert_eq(bench.publish(key, "back").value(), 1);
    bench.until_events(before + 1);
  });
}

Test(session_store, changes_need_not_wait_for_each_other) {
  with_each_store([](StoreBench& bench) {
    const Uuid key = Uuid::random_v4();
    cr_assert(bench.follow(key).has_value());
    std::uint64_t done = 0;
    for (std::uint64_t i = 0; i < 200; ++i) {
      bench.store().change(key, at(i), at(i + 1), BufferRef::copy_of(std::to_string(i + 1)),
                           StoreBench::ttl_us, BufferRef::copy_of(std::to_string(i + 1)),
                           [&done](Result<> result) noexcept {
                             cr_assert(result.has_value());
                             ++done;
                           });
    }
    bench.until([&] { return done == 200; }, "200 changes");
    cr_assert_eq(text_of(bench.load(key)->bytes), "200");
    bench.until_events(200);
    for (std::size_t i = 0; i < 200; ++i)
      cr_assert_eq(bench.events[i].second, std::to_string(i + 1));
  });
}

Test(session_store, following_and_leaving_in_one_breath_ends_as_asked_last) {
  with_each_store([](StoreBench& bench) {
    const Uuid kept = Uuid::random_v4();
    const Uuid left = Uuid::random_v4();
    int answers = 0;
    const auto follow = [&](const Uuid& channel) {
      bench.store().follow(channel, [&](Result<>) noexcept { ++answers; });
    };
    for (int i = 0; i < 3; ++i) {
      follow(kept);
      bench.store().unfollow(kept);
      follow(left);
      bench.store().unfollow(left);
    }
    follow(kept);
    bench.until([&] { return answers == 7; }, "an answer each");
    cr_assert_eq(bench.publish(left, "no").value(), 0);
    cr_assert_eq(bench.publish(kept, "yes").value(), 1);
    bench.until_events(1);
    cr_assert_eq(bench.events[0].second, "yes");
  });
}
