#include "server/librarian.h"

#include <criterion/criterion.h>

#include "tests/support/descriptor_limit.h"

using videosync::Librarian;
using videosync::MediaLibrary;

Test(librarian, without_an_eventfd_there_is_none_and_it_says_why) {
  const auto library = MediaLibrary::make_empty();
  const videosync::test::NoDescriptorsLeft exhausted;
  const auto librarian = Librarian::create({}, "", library);
  cr_assert_not(librarian.has_value());
  cr_assert_eq(librarian.error().system_errno, EMFILE);
  cr_assert(librarian.error().message.contains("ulimit -n"));
}
