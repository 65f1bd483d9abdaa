// RedisStore where servers have forgotten its scripts. What it does otherwise is
// session_store_test.cpp's.
#include "storage/redis/redis_store.h"

#include <criterion/criterion.h>

#include <string>
#include <string_view>
#include <vector>

#include "tests/support/scripted_cluster.h"

using namespace videosync;
using namespace videosync::test;

namespace {

using Texts = std::vector<std::string>;

constexpr std::string_view forgotten = "-NOSCRIPT No matching script.\r\n";
constexpr std::size_t place_of_bytes = 1;  // of a change without an event: before the queue

struct ForgetfulCluster final : ScriptedCluster, SessionListener {
  RedisStore store;
  bool is_ready = false;
  Texts answers;

  ForgetfulCluster()
      : ScriptedCluster(2), store(*reactor, location(), {.command_timeout_ms = 600'000}) {
    share({0, 1});
    store.listen(*this);
    store.start();
    until([&] { return is_ready; }, "the store");
  }
  virtual ~ForgetfulCluster() {
    store.stop();
    until([&] { return store.is_idle(); }, "rest");
  }

  // A session of the server with that index.
  static Uuid key_at(std::size_t server) {
    for (;;) {
      const Uuid key = Uuid::random_v4();
      if ((slot_of(key) >= key_slots / 2) == (server == 1)) return key;
    }
  }
  void change(const Uuid& key, std::uint64_t revision, std::string_view bytes) {
    store.change({key, {}}, {1, revision - 1}, {1, revision}, {BufferRef::copy_of(bytes), {}},
                 60'000'000, {}, [this, told = std::string(bytes)](Result<> result) noexcept {
                   answers.push_back(result ? told : "!" + result.error().message);
                 });
  }
  void until_waiting(std::size_t server, const Texts& expected, const char* what) {
    until([&] { return at(server).waiting(place_of_bytes) == expected; }, what);
  }

  void on_session_event(const Uuid&, const BufferRef&) noexcept override {}
  void on_store_ready() noexcept override { is_ready = true; }
};

}  // namespace

Test(redis_store, a_forgotten_script_is_sent_in_full_and_the_order_stays) {
  ForgetfulCluster cluster;
  const Uuid key = ForgetfulCluster::key_at(0);
  cluster.change(key, 2, "two");
  cluster.change(key, 3, "three");
  cluster.until_waiting(0, {"two", "three"}, "two changes");
  cluster.at(0).answer(forgotten);
  cluster.until([&] { return cluster.store.counters().errors == 1; }, "the first refusal");
  cluster.change(key, 4, "four");
  cr_assert_not(cluster.store.is_settled());
  cluster.at(0).answer(forgotten);
  cluster.until_waiting(0, {"two", "three", "four"}, "all in their order");
  cr_assert_eq(cluster.at(0).count("EVAL"), 3u);
  for (int i = 0; i < 3; ++i)
    cluster.at(0).answer(":1\r\n");
  cluster.until([&] { return cluster.answers == Texts{"two", "three", "four"}; }, "answers");
  cr_assert(cluster.store.is_settled());
}

Test(redis_store, a_server_that_hangs_keeps_nobody_from_recovering_at_another) {
  ForgetfulCluster cluster;
  const Uuid here = ForgetfulCluster::key_at(0);
  const Uuid there = ForgetfulCluster::key_at(1);
  cluster.change(there, 2, "silence");
  cluster.until_waiting(1, {"silence"}, "a change at the one that hangs");
  cluster.change(here, 2, "two");
  cluster.until_waiting(0, {"two"}, "a change at the other");
  cluster.at(0).answer(forgotten);
  cluster.until([&] { return cluster.at(0).count("EVAL") == 1; }, "the script in full");
  cluster.at(0).answer(":1\r\n");
  cluster.until([&] { return cluster.answers == Texts{"two"}; }, "its answer");
  cluster.at(1).answer(":1\r\n");
  cluster.until([&] { return cluster.answers.size() == 2; }, "the answer of the other");
}
