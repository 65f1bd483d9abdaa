// A store of one worker's thread, asked from another's: what is on its way while it is lost.
#include "server/nodes/store_relay.h"

#include <criterion/criterion.h>

#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "tests/support/manual_clock.h"
#include "tests/unit/server/session/distant_store.h"

using namespace videosync;
using namespace videosync::test;

namespace {

// Two workers; what is posted waits until the test runs it.
struct Workers final : Surroundings {
  std::array<std::vector<InlineTask>, 2> tasks;

  void run(std::size_t worker) {
    for (InlineTask& task : std::exchange(tasks[worker], {}))
      task();
  }
  void post(std::size_t worker, InlineTask task) noexcept override {
    tasks[worker].push_back(std::move(task));
  }
  SessionDirectory& directory_of(std::size_t) noexcept override { std::abort(); }
  std::optional<VideoChoice> choose_video(const std::optional<std::string>&) noexcept override {
    return std::nullopt;
  }
  std::optional<VideoChoice> next_episode(const std::string&) noexcept override {
    return std::nullopt;
  }
  std::string title_of(const std::string& id) noexcept override { return id; }
  void fill_random(std::span<std::uint8_t>) noexcept override {}
  bool is_draining() const noexcept override { return false; }
};

struct Relayed {
  ManualClock clock;
  DistantStore store{clock};
  Workers workers;
  StoreRelay relay{store, {workers, 0}, {workers, 1}};
  std::vector<std::optional<ErrorCode>> answers;  // nothing: carried out

  void create(const Uuid& key = Uuid::random_v4()) {
    relay.create(key, {1, 1}, BufferRef::copy_of("it"), 1'000'000, [this](Result<> done) noexcept {
      answers.push_back(done ? std::nullopt : std::optional(done.error().code));
    });
  }
  void run_all() {
    workers.run(0);
    store.answer_all();
    workers.run(1);
  }
};

}  // namespace

Test(store_relay, what_is_asked_reaches_the_store_and_its_answer_the_worker) {
  Relayed far;
  far.create();
  cr_assert(far.store.answers.empty(), "not on the worker's thread");
  far.workers.run(0);
  far.store.answer_all();
  cr_assert(far.answers.empty(), "not on the store's");
  far.workers.run(1);
  cr_assert(far.answers == std::vector<std::optional<ErrorCode>>{std::nullopt});
}

Test(store_relay, what_was_asked_of_the_store_that_is_lost_does_not_reach_the_next) {
  Relayed far;
  far.create();
  far.relay.on_store_lost({});
  far.create();  // the worker has not heard of it yet
  far.workers.run(0);
  cr_assert(far.store.answers.empty(), "it may be another one by now");
  far.workers.run(1);
  cr_assert(far.answers == std::vector<std::optional<ErrorCode>>(2, ErrorCode::unavailable));
  far.create();
  far.run_all();
  cr_assert(far.answers.size() == 3 && !far.answers.back(), "it has heard of it");
}

Test(store_relay, where_a_part_is_lost_only_what_is_asked_of_that_is_void) {
  Relayed far;
  const Uuid key = Uuid::random_v4();
  Uuid beside = Uuid::random_v4();
  while (slot_of(beside) == slot_of(key))
    beside = Uuid::random_v4();
  SlotSet slots;
  slots.set(slot_of(key));
  far.relay.on_store_lost(std::make_shared<const SlotSet>(slots));
  far.create(key);  // the worker has not heard of it yet
  far.create(beside);
  int published = 0;
  const auto publish = [&](const Channel& channel) {
    far.relay.publish(channel, BufferRef::copy_of("it"),
                      [&](const Result<std::uint32_t>& done) noexcept { published += bool{done}; });
  };
  publish(key);
  publish(Channel::of_node(key));
  far.workers.run(0);
  cr_assert_eq(far.store.answers.size(), 2u, "of a key beside, and for all nodes");
  far.store.answer_all();
  far.workers.run(1);
  cr_assert(far.answers ==
            (std::vector<std::optional<ErrorCode>>{ErrorCode::unavailable, std::nullopt}));
  cr_assert_eq(published, 1);
  far.create(key);
  far.run_all();
  cr_assert(far.answers.size() == 3 && !far.answers.back(), "it has heard of it");
}
