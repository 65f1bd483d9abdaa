// Slots of keys: those that a Redis Cluster says for the same names (CLUSTER KEYSLOT).
#include "storage/key_slots.h"

#include <criterion/criterion.h>

#include "core/base/short_code.h"
#include "core/base/uuid.h"

using namespace videosync;

Test(key_slots, of_names_as_redis_has_them) {
  cr_assert_eq(slot_of_name("123456789"), 12'739);
  cr_assert_eq(slot_of_name(""), 0);
  cr_assert_eq(slot_of_name("videosync:clock"), 8'376);
}

Test(key_slots, what_stands_in_the_first_braces_decides) {
  const std::uint16_t user = slot_of_name("user1000");
  cr_assert_eq(slot_of_name("{user1000}.following"), user);
  cr_assert_eq(slot_of_name("foo{user1000}{bar}"), user);
  cr_assert_eq(slot_of_name("foo{{user1000}}"), slot_of_name("{user1000"));
  cr_assert_neq(slot_of_name("foo{}{user1000}"), user, "with nothing in them the whole counts");
  cr_assert_neq(slot_of_name("foo{user1000"), user);
}

Test(key_slots, a_session_has_its_keys_slot) {
  const Uuid key = Uuid::random_v4();
  cr_assert_eq(slot_of(key), slot_of_name("videosync:{" + key.to_string() + "}:session"));
  cr_assert_eq(slot_of(key), slot_of_name("videosync:{" + key.to_string() + "}:events"));
}

Test(key_slots, a_code_has_that_of_the_record_which_says_whose_it_is) {
  const auto code = ShortCode::parse("7K3M-Q0TZ");
  cr_assert(code.has_value());
  cr_assert_eq(slot_of(*code), slot_of_name("videosync:{7K3MQ0TZ}:code"));
}
