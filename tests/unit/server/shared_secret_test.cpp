#include "server/shared_secret.h"

#include <criterion/criterion.h>

#include "storage/memory_store.h"
#include "tests/support/manual_clock.h"

using namespace videosync;
using videosync::test::ManualClock;

namespace {

struct Store {
  ManualClock clock;
  MemoryStore memory{clock, 10};
};

}  // namespace

Test(shared_secret, without_others_it_is_there_at_once) {
  const SharedSecret one, other;
  cr_assert(one.get().has_value());
  cr_assert_not(one.get()->equals(*other.get()));
}

Test(shared_secret, all_of_a_store_have_the_one_of_who_came_first) {
  Store store;
  SharedSecret one(true), other(true);
  cr_assert_not(one.get().has_value());
  one.agree(store.memory);
  other.agree(store.memory);
  cr_assert(one.get()->equals(*other.get()));
  SharedSecret restarted(true);
  restarted.agree(store.memory);
  cr_assert(restarted.get()->equals(*one.get()));
}

Test(shared_secret, a_store_that_has_lost_it_gets_it_back) {
  Store before, after;
  SharedSecret one(true), newcomer(true);
  one.agree(before.memory);
  const Token known = *one.get();
  one.agree(after.memory);
  newcomer.agree(after.memory);
  cr_assert(one.get()->equals(known));
  cr_assert(newcomer.get()->equals(known));
}
