#include "proto/session/roster.h"

#include <criterion/criterion.h>

using namespace videosync;

Test(roster, a_resumed_member_keeps_its_place) {
  Roster roster(5);
  Member& first = roster.add("a", 0);
  Member& second = roster.add("b", 1);
  cr_assert_eq(first.id.value, 5u);
  roster.set_away(first, 2);
  cr_assert_eq(roster.longest_connected(), &second);
  cr_assert_eq(roster.find_connected(first.id), nullptr);
  cr_assert_eq(roster.find(first.id), &first);
  roster.reconnect(first, 3);
  cr_assert_eq(roster.longest_connected(), &first);
  cr_assert(first.connection.value == 2 && first.since_us == 3);
}

Test(roster, who_went_first_is_the_longest_away) {
  Roster roster(1);
  Member& first = roster.add("a", 0);
  Member& second = roster.add("b", 0);
  roster.set_away(second, 1);
  roster.set_away(first, 2);
  cr_assert_eq(roster.longest_away(), &second);
  roster.forget(second);
  cr_assert_eq(roster.longest_away(), &first);
  roster.reconnect(first, 3);
  cr_assert_eq(roster.longest_away(), nullptr);
  cr_assert_eq(roster.add("c", 4).id.value, 3u, "an id is not given twice");
}

Test(roster, buffering_members_take_turns) {
  Roster roster(1);
  Member& first = roster.add("a", 0);
  Member& second = roster.add("b", 0);
  cr_assert_eq(roster.next_buffering(), nullptr);
  roster.set_buffering(first, true);
  roster.set_buffering(second, true);
  roster.set_buffering(second, true);
  cr_assert_eq(roster.buffering_count(), 2u);
  cr_assert_eq(roster.next_buffering(), &first);
  cr_assert_eq(roster.next_buffering(), &second);
  cr_assert_eq(roster.next_buffering(), &first);
  roster.set_buffering(first, false);
  cr_assert_eq(roster.next_buffering(), &second);
  cr_assert_eq(roster.buffering_count(), 1u);
}
