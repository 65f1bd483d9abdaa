// Which parts of the store are there, and since when.
#include "server/session/store_presence.h"

#include <criterion/criterion.h>

#include "core/base/uuid.h"

using namespace videosync;

namespace {

const Uuid key = *Uuid::parse_v4("01020304-0506-4708-890a-0b0c0d0e0f10");

SlotSet part() {
  SlotSet slots;
  slots.set(slot_of(key));
  return slots;
}
std::uint16_t elsewhere() {
  return static_cast<std::uint16_t>((slot_of(key) + 1) % key_slots);
}

}  // namespace

Test(store_presence, nothing_is_there_before_the_store_is) {
  StorePresence presence;
  presence.on_part_ready(part(), 10);
  cr_assert_not(presence.has(key));
  cr_assert_not(presence.was_ever_there());
  presence.on_ready(20);
  cr_assert(presence.has(key) && presence.was_ever_there());
  cr_assert_eq(presence.times_of(slot_of(key)).returned_us, 0, "it was never away");
  cr_assert_eq(presence.times_of(slot_of(key)).ready_us, 20);
}

Test(store_presence, a_part_goes_and_comes_for_itself) {
  StorePresence presence;
  presence.on_ready(20);
  presence.on_part_lost(part());
  cr_assert(presence.is_there() && !presence.has(key) && presence.is_apart(key));
  cr_assert(presence.has_slot(elsewhere()));
  presence.on_part_ready(part(), 30);
  cr_assert(presence.has(key) && presence.has_parts());
  cr_assert_eq(presence.times_of(slot_of(key)).returned_us, 30);
  cr_assert_eq(presence.times_of(elsewhere()).returned_us, 0);
}

Test(store_presence, the_whole_is_more_than_what_was_known_of_its_parts) {
  StorePresence presence;
  presence.on_ready(20);
  presence.on_part_lost(part());
  presence.on_lost();
  cr_assert_not(presence.is_apart(key), "it is not this part alone");
  cr_assert_not(presence.has_slot(elsewhere()));
  presence.on_part_lost(part());
  presence.on_ready(40);
  cr_assert(presence.has(key) && !presence.has_parts());
  cr_assert_eq(presence.times_of(slot_of(key)).returned_us, 40);
}

Test(store_presence, only_the_last_return_of_a_slot_is_kept) {
  StorePresence presence;
  presence.on_ready(20);
  for (std::int64_t us = 30; us < 60; us += 10) {
    presence.on_part_lost(part());
    presence.on_part_ready(part(), us);
  }
  cr_assert_eq(presence.times_of(slot_of(key)).returned_us, 50);
  presence.forget_old_returns(50 + StorePresence::gone_back_us);
  cr_assert_not(presence.has_parts());
  cr_assert_eq(presence.times_of(slot_of(key)).ready_us, 20);
}

Test(store_presence, an_answer_that_took_long_gives_the_time_after_a_return_anew) {
  StorePresence presence;
  presence.on_ready(20);
  presence.on_part_lost(part());
  presence.on_part_ready(part(), 1'000);
  presence.on_slow_answer(1'050, 5'000, 100, 100);
  cr_assert_eq(presence.times_of(slot_of(key)).returned_us, 5'000);
  cr_assert_eq(presence.times_of(elsewhere()).ready_us, 20, "that was long ago");
}
