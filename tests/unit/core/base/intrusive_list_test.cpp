#include "core/base/intrusive_list.h"

#include <criterion/criterion.h>

#include <csignal>
#include <string>

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
std::string letters_of(List& list) {
  std::string text;
  list.for_each([&](Bead& bead) { text += bead.letter; });
  return text;
}

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
  cr_assert_eq(&list.front(), &a);
  cr_assert(drain(list) == "abc");
  cr_assert(list.empty());
}

Test(intrusive_list, an_element_leaves_from_the_front_the_middle_and_the_end) {
  Bead a('a'), b('b'), c('c'), d('d');
  RedList list;
  for (Bead* bead : {&a, &b, &c, &d})
    list.push_back(*bead);
  static_cast<ListLink<RedTag>&>(b).unlink();
  cr_assert(letters_of(list) == "acd");
  static_cast<ListLink<RedTag>&>(a).unlink();
  cr_assert(letters_of(list) == "cd");
  static_cast<ListLink<RedTag>&>(d).unlink();
  cr_assert(letters_of(list) == "c");
  list.push_back(a);
  cr_assert(drain(list) == "ca");
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
  cr_assert(letters_of(red) == "b");
  cr_assert(letters_of(blue) == "ba");
  drain(red);
  drain(blue);
}

Test(intrusive_list, a_visitor_may_unlink_what_it_visits) {
  Bead a('a'), b('b'), c('c');
  RedList list, other;
  for (Bead* bead : {&a, &b, &c})
    list.push_back(*bead);
  list.for_each([&](Bead& bead) {
    static_cast<ListLink<RedTag>&>(bead).unlink();
    if (bead.letter != 'b') other.push_back(bead);
  });
  cr_assert(list.empty());
  cr_assert(drain(other) == "ac");
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
