#include "core/base/intrusive_list.h"

#include <criterion/criterion.h>

#include <csignal>
#include <string>
#include <string_view>

using namespace videosync;

namespace {

struct RedTag {};
struct BlueTag {};

struct Bead : ListLink<RedTag>, ListLink<BlueTag> {
  char letter;
  explicit Bead(char of) noexcept : letter(of) {}
};

using RedList = IntrusiveList<Bead, RedTag>;
using BlueList = IntrusiveList<Bead, BlueTag>;

template <class List>
std::string drain(List& list) {
  std::string text;
  while (Bead* bead = list.pop_front())
    text += bead->letter;
  return text;
}

}  // namespace

Test(intrusive_list, first_in_is_first_out) {
  Bead a('a'), b('b'), c('c');
  RedList list;
  cr_assert(list.empty());
  cr_assert_null(list.pop_front());
  list.push_back(a);
  list.push_back(b);
  list.push_back(c);
  cr_assert(drain(list) == "abc");
  cr_assert(list.empty());
}

Test(intrusive_list, an_element_leaves_from_the_front_the_middle_and_the_end) {
  for (const std::string_view leaving : {"b", "a", "d", "ad", "bc", "dcba"}) {
    Bead beads[] = {Bead('a'), Bead('b'), Bead('c'), Bead('d')};
    RedList list;
    for (Bead& bead : beads)
      list.push_back(bead);
    std::string staying = "abcd";
    for (const char letter : leaving) {
      static_cast<ListLink<RedTag>&>(beads[letter - 'a']).unlink();
      std::erase(staying, letter);
    }
    cr_assert_eq(list.empty(), staying.empty());
    cr_assert_eq(drain(list), staying);
  }
}

Test(intrusive_list, who_left_may_come_again_at_the_end) {
  Bead a('a'), b('b');
  RedList list;
  list.push_back(a);
  list.push_back(b);
  static_cast<ListLink<RedTag>&>(a).unlink();
  list.push_back(a);
  cr_assert_eq(drain(list), "ba");
}

Test(intrusive_list, an_element_is_in_one_list_of_each_kind) {
  Bead a('a'), b('b');
  RedList red;
  BlueList blue;
  red.push_back(a);
  red.push_back(b);
  blue.push_back(b);
  blue.push_back(a);
  static_cast<ListLink<RedTag>&>(a).unlink();
  cr_assert_eq(drain(red), "b");
  cr_assert_eq(drain(blue), "ba");
}

Test(intrusive_list, being_in_two_lists_of_a_kind_is_caught, .signal = SIGABRT) {
  Bead a('a');
  RedList list, other;
  list.push_back(a);
  other.push_back(a);
}

Test(intrusive_list, an_element_that_dies_in_a_list_is_caught, .signal = SIGABRT) {
  RedList list;
  Bead a('a');
  list.push_back(a);
}
