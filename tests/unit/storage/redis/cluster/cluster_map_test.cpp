// What servers of a cluster say to whoever asks the wrong one, and who has which slots.
#include "storage/redis/cluster/cluster_map.h"

#include <criterion/criterion.h>

using namespace videosync;

Test(cluster_map, redirections_are_read) {
  const auto moved = Redirection::parse("MOVED 3999 127.0.0.1:6381");
  cr_assert(moved && !moved->is_ask && moved->slot == 3'999);
  cr_assert(moved->host == "127.0.0.1" && moved->port == 6'381);
  const auto ask = Redirection::parse("ASK 16383 ::1:7000");
  cr_assert(ask && ask->is_ask && ask->slot == 16'383 && ask->host == "::1" && ask->port == 7'000);
  const auto nameless = Redirection::parse("MOVED 0 :6381");
  cr_assert(nameless && nameless->host.empty(), "that of whoever says so");
}

Test(cluster_map, what_is_no_redirection_is_none) {
  for (const std::string_view text :
       {"", "MOVED", "MOVED ", "MOVED 1", "MOVED 1 ", "MOVED 1 host", "MOVED 16384 h:1",
        "MOVED -1 h:1", "MOVED x h:1", "MOVED 1 h:0", "MOVED 1 h:65536", "ASKING 1 h:1",
        "ERR MOVED 1 h:1", "moved 1 h:1", "MOVED 1:2 "}) {
    cr_assert_not(Redirection::parse(text).has_value(), "%s", std::string(text).c_str());
  }
}
