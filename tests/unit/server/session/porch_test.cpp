#include "server/session/porch.h"

#include <criterion/criterion.h>

using namespace videosync;

namespace {

Porch::Knocker knocker(std::uint32_t number, std::int64_t since_us, std::int64_t asks_at_us) {
  Porch::Knocker made;
  made.request.connection = ConnectionNumber{number};
  made.id = KnockId{number};
  made.since_us = since_us;
  made.asks_at_us = asks_at_us;
  return made;
}

}  // namespace

Test(porch, each_is_found_by_its_session_and_number) {
  Porch porch;
  const Uuid one = Uuid::random_v4(), other = Uuid::random_v4();
  cr_assert(porch.empty());
  cr_assert(porch.find(one, ConnectionNumber{1}) == nullptr);
  porch.add(one, knocker(1, 0, 5));
  porch.add(one, knocker(2, 3, 9));
  porch.add(other, knocker(1, 4, 1));
  cr_assert(porch.find(one, ConnectionNumber{2})->since_us == 3);
  cr_assert(porch.find(other, KnockId{1})->since_us == 4);
  cr_assert(porch.find(other, KnockId{2}) == nullptr);
  cr_assert(porch.take(one, ConnectionNumber{1}).has_value());
  cr_assert_not(porch.take(one, ConnectionNumber{1}).has_value());
  cr_assert(porch.take(one, ConnectionNumber{2}).has_value());
  cr_assert_not(porch.empty());
  cr_assert(porch.take(other, ConnectionNumber{1}).has_value());
  cr_assert(porch.empty());
}

Test(porch, it_tells_who_is_to_ask_and_who_has_waited_long) {
  Porch porch;
  const Uuid key = Uuid::random_v4();
  porch.add(key, knocker(1, 0, 5));
  porch.add(key, knocker(2, 3, 9));
  cr_assert_eq(porch.since(2).size(), 1u);
  cr_assert_eq(porch.asking_by(4).size(), 0u);
  cr_assert(porch.asking_by(5) == std::vector{Porch::Place(key, ConnectionNumber{1})});
  porch.find(key, ConnectionNumber{1})->is_asked = true;
  cr_assert_eq(porch.asking_by(5).size(), 0u);
  porch.hurry(key, 6);
  porch.hurry(Uuid::random_v4(), 6);
  cr_assert(porch.asking_by(6) == std::vector{Porch::Place(key, ConnectionNumber{2})});
}
