#include "core/base/slot_pool.h"

#include <criterion/criterion.h>

#include <csignal>
#include <map>
#include <memory>
#include <random>
#include <utility>
#include <vector>

using namespace videosync;

namespace {

// Counts itself in `living`, so that a forgotten or doubled destructor shows.
struct Guest {
  int number;
  int& living;
  Guest(int number_of_guest, int& count) : number(number_of_guest), living(count) { ++living; }
  ~Guest() { --living; }
};

}  // namespace

Test(slot_pool, a_handle_finds_its_object_until_it_is_released) {
  int living = 0;
  SlotPool<Guest> pool(10);
  Guest* guest = pool.acquire(7, living);
  const SlotHandle handle = pool.handle_of(*guest);
  cr_assert_eq(pool.find(handle), guest);
  cr_assert_eq(pool.live(), 1u);
  pool.release(*guest);
  cr_assert_null(pool.find(handle));
  cr_assert_eq(living, 0);
}

Test(slot_pool, an_old_handle_does_not_find_the_slots_next_object) {
  int living = 0;
  SlotPool<Guest> pool(10);
  Guest* first = pool.acquire(1, living);
  const SlotHandle old = pool.handle_of(*first);
  pool.release(*first);
  Guest* second = pool.acquire(2, living);
  const SlotHandle fresh = pool.handle_of(*second);
  cr_assert_eq(fresh.slot, old.slot);
  cr_assert_neq(fresh.generation, old.generation);
  cr_assert_null(pool.find(old));
  cr_assert_eq(pool.find(fresh), second);
  pool.release(*second);
}

Test(slot_pool, handles_that_never_were_find_nothing) {
  int living = 0;
  SlotPool<Guest> pool(100);
  cr_assert_null(pool.find({}));
  cr_assert_null(pool.find({0, 1}));
  Guest* guest = pool.acquire(1, living);
  cr_assert_null(pool.find({0, 0}));
  cr_assert_null(pool.find({1, 1}), "a free slot");
  cr_assert_null(pool.find({64, 1}), "behind the last chunk");
  cr_assert_null(pool.find({UINT32_MAX, 1}));
  pool.release(*guest);
}

Test(slot_pool, a_full_pool_refuses_and_has_room_again_after_a_release) {
  int living = 0;
  SlotPool<Guest> pool(2);
  Guest* first = pool.acquire(1, living);
  Guest* second = pool.acquire(2, living);
  cr_assert_null(pool.acquire(3, living));
  cr_assert_eq(living, 2);
  pool.release(*first);
  first = pool.acquire(4, living);
  cr_assert_not_null(first);
  pool.release(*first);
  pool.release(*second);
}

Test(slot_pool, objects_stay_where_they_are_while_the_pool_grows) {
  int living = 0;
  SlotPool<Guest> pool(1'000);
  std::vector<Guest*> guests;
  for (int i = 0; i < 1'000; ++i)
    guests.push_back(pool.acquire(i, living));
  for (int i = 0; i < 1'000; ++i) {
    Guest* guest = guests[static_cast<std::size_t>(i)];
    cr_assert_eq(guest->number, i);
    cr_assert_eq(pool.find(pool.handle_of(*guest)), guest);
  }
  for (Guest* guest : guests)
    pool.release(*guest);
  cr_assert_eq(living, 0);
}

Test(slot_pool, a_visitor_may_release_what_it_visits) {
  int living = 0;
  SlotPool<Guest> pool(100);
  for (int i = 0; i < 100; ++i)
    pool.acquire(i, living);
  pool.for_each([&](Guest& guest) {
    if (guest.number % 2 == 0) pool.release(guest);
  });
  cr_assert_eq(living, 50);
  int visits = 0;
  pool.for_each([&](Guest& guest) {
    cr_assert_eq(guest.number % 2, 1);
    ++visits;
    pool.release(guest);
  });
  cr_assert_eq(visits, 50);
}

// A second release would hand one slot to two owners.
Test(slot_pool, releasing_twice_is_caught, .signal = SIGABRT) {
  SlotPool<int> pool(4);
  int* number = pool.acquire(1);
  pool.release(*number);
  pool.release(*number);
}

Test(slot_pool, a_random_walk_agrees_with_a_map) {
  constexpr unsigned seed = 20'240;
  std::mt19937 random(seed);
  int living = 0;
  SlotPool<Guest> pool(150);
  std::map<int, SlotHandle> held;
  std::vector<SlotHandle> stale;
  for (int step = 0; step < 20'000; ++step) {
    if (random() % 2 == 0) {
      Guest* guest = pool.acquire(step, living);
      cr_assert_eq(guest == nullptr, held.size() == 150, "seed %u, step %d", seed, step);
      if (guest != nullptr) held.emplace(step, pool.handle_of(*guest));
    } else if (!held.empty()) {
      const auto chosen = std::next(held.begin(), static_cast<long>(random() % held.size()));
      Guest* guest = pool.find(chosen->second);
      cr_assert(guest != nullptr && guest->number == chosen->first, "seed %u, step %d", seed, step);
      pool.release(*guest);
      stale.push_back(chosen->second);
      held.erase(chosen);
    }
    cr_assert_eq(pool.live(), held.size(), "seed %u, step %d", seed, step);
    if (!stale.empty()) cr_assert_null(pool.find(stale[random() % stale.size()]));
  }
  cr_assert_eq(living, static_cast<int>(held.size()));
  pool.for_each([&](Guest& guest) { pool.release(guest); });
}
