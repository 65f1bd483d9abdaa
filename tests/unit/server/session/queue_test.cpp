// What comes next lies beside the record, and is known wherever the session is at home by then.
#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/unit/server/session/other_node.h"

using namespace videosync;
using namespace videosync::test;

namespace {

std::size_t count(const std::vector<std::string>& frames, std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      frames, [&](const std::string& frame) { return frame.find(text) != std::string::npos; }));
}

// The videos in the queue as the store has it; "none" where none was written.
std::string stored_queue(DirectoryFixture& node, const Uuid& key) {
  std::string videos = "none";
  node.store.load(key, [&](const Result<StoredValue>& value) noexcept {
    if (!value || !value->queue) return;
    const auto queue = Queue::decode(value->queue.text());
    cr_assert(queue.has_value());
    videos.clear();
    for (const QueueItem& item : queue->items())
      videos += item.video.id + " ";
  });
  node.store.answer_all();
  return videos;
}

std::string bytes_of(std::vector<std::string> videos) {
  Queue queue;
  for (std::string& video : videos)
    queue.add({std::move(video), 60}, MemberId{1}, "Ann", UINT32_MAX, 1'000);
  return queue.encode();
}

ConnectionRef join(DirectoryFixture& node, const Uuid& key) {
  const ConnectionRef from = node.connect();
  node.directory().on_join(key, {}, from);
  node.answer_all();
  return from;
}

// An outpost here, with a member who was welcomed with that queue.
struct OutpostHere : Other {
  ConnectionRef bob;
  OutpostHere(DirectoryFixture& at, std::vector<std::string> videos)
      : Other(at), bob(ask_to_join()) {
    node::Joined joined = grants(MemberId{1}, record_of(id));
    joined.queue = node::QueueNews{3, bytes_of(std::move(videos))};
    says(std::move(joined));
    cr_assert(node.client(bob).begun.has_value());
  }
};

constexpr std::string_view one = R"("video":"one")";
constexpr std::string_view film = R"("video":"film","title":"The film")";

}  // namespace

Test(queue, all_are_told_with_titles_and_who_comes_later_after_the_welcome) {
  DirectoryFixture node;
  HomeHere home(node);
  cr_assert_eq(node.client(join(node, home.key)).sent.size(), 0u, "there is none");
  home.ann_says(EnqueueMessage{"film"});
  cr_assert_eq(count(node.broadcasts, film), 1u);
  cr_assert_eq(count(node.client(join(node, home.key)).sent, film), 1u);
  const auto news = last_told<node::Cast>(node).queue;
  cr_assert(news && Queue::decode(news->bytes)->items().size() == 1);
  home.says(home.join(2));
  node.answer_all();
  cr_assert(last_told<node::Joined>(node).queue->bytes == news->bytes);
}

Test(queue, it_is_written_when_it_changes_and_not_with_each_command) {
  DirectoryFixture node;
  HomeHere home(node);
  cr_assert_eq(stored_queue(node, home.key), "none");
  home.ann_says(EnqueueMessage{"film"});
  cr_assert_eq(stored_queue(node, home.key), "film ");
  const int written = node.store.queues;
  home.ann_says(SeekMessage{3});
  cr_assert_eq(node.store.queues, written);
  cr_assert_eq(stored_queue(node, home.key), "film ", "it stays");
  home.ann_says(NextMessage{});
  cr_assert_eq(stored_queue(node, home.key), "");
  cr_assert_gt(node.store.queues, written);
}

Test(queue, a_store_that_was_away_is_told_again) {
  DirectoryFixture node;
  HomeHere home(node);
  node.store.is_away = true;
  home.ann_says(EnqueueMessage{"film"});
  node.store.is_away = false;
  home.ann_says(SeekMessage{3});
  cr_assert_eq(stored_queue(node, home.key), "film ", "with the next change");
  node.store.forget_all();
  node.directory().on_store_lost();
  node.directory().on_store_ready();
  node.pass(2 * seconds);
  node.answer_all();
  cr_assert_eq(stored_queue(node, home.key), "film ", "and where it has lost all");
}

// While this home could not write another one came to what the store had.
Test(queue, a_home_that_writes_over_another_says_that_it_has_none) {
  for (const bool is_reread : {false, true}) {
    DirectoryFixture node;
    HomeHere home(node);
    node.store.is_away = true;
    home.ann_says(PlayMessage{});
    node.store.is_away = false;
    node.store.forget_all();
    const BufferRef record = BufferRef::copy_of(record_of(Uuid::random_v4()));
    const auto is_done = [](Result<> done) noexcept { cr_assert(done.has_value()); };
    node.store.create(home.key, {1, 1}, record, 600 * seconds, is_done);
    node.store.change(home.key, {1, 1}, {1, 2}, {record, BufferRef::copy_of(bytes_of({"film"}))},
                      600 * seconds, {}, is_done);
    cr_assert_eq(stored_queue(node, home.key), "film ");
    if (is_reread) {
      node.directory().on_store_lost();
      node.directory().on_store_ready();
      node.pass(2 * seconds);
      node.answer_all();
    } else {
      home.ann_says(PauseMessage{});
    }
    cr_assert_eq(node.stored_version(home.key).fence, home.fence);
    cr_assert_eq(stored_queue(node, home.key), "", "%d", is_reread);
  }
}

Test(queue, the_next_one_is_loaded_with_the_length_that_the_library_knows_by_now) {
  DirectoryFixture node;
  HomeHere home(node);
  home.ann_says(EnqueueMessage{"film"});
  node.duration_s = 7;
  home.ann_says(NextMessage{});
  home.ann_says(PlayMessage{});
  node.broadcasts.clear();
  node.pass(8 * seconds);
  cr_assert_eq(count(node.broadcasts, R"("cause":"ended")"), 1u);
}

Test(queue, an_outpost_tells_the_latest_and_nothing_older) {
  DirectoryFixture node;
  OutpostHere other(node, {"one"});
  cr_assert_eq(count(node.client(other.bob).sent, one), 1u);
  other.says(node::Cast{.number = 1, .queue = node::QueueNews{3, bytes_of({"one", "two"})}});
  cr_assert_eq(count(node.broadcasts, R"("video":"two")"), 1u);
  node.broadcasts.clear();
  other.says(node::Cast{.number = 2, .queue = node::QueueNews{3, bytes_of({"one"})}});
  cr_assert_eq(count(node.broadcasts, one), 0u, "older");
  other.says(node::Cast{.number = 3, .queue = node::QueueNews{4, bytes_of({"one"})}});
  cr_assert_eq(count(node.broadcasts, one), 1u, "of a later epoch");
  other.says(node::Cast{.number = 4, .queue = node::QueueNews{5, "nonsense"}});
  cr_assert_eq(count(node.broadcasts, R"("list":[])"), 1u, "it is taken for empty");
}

Test(queue, in_a_cast_it_comes_before_the_state_that_it_leads_to) {
  DirectoryFixture node;
  OutpostHere other(node, {"one"});
  other.says(node::Cast{.number = 1,
                        .frames = {{static_cast<std::uint8_t>(SendClass::latest), "the state"}},
                        .newest = node::Newest{3, 1, "one"},
                        .queue = node::QueueNews{3, bytes_of({"one", "two"})}});
  cr_assert_eq(node.broadcasts.size(), 2u);
  cr_assert(node.broadcasts[1].find("the state") != std::string::npos);
}

Test(queue, who_takes_a_session_over_has_it_from_the_store) {
  DirectoryFixture node;
  OutpostHere other(node, {"one"});
  node.store.change(
      other.key, {1, 1}, {1, 2},
      {BufferRef::copy_of(record_of(other.id)), BufferRef::copy_of(bytes_of({"one", "film"}))},
      600 * seconds, {}, [](Result<> done) noexcept { cr_assert(done.has_value()); });
  node.store.answer_all();
  node.broadcasts.clear();
  node.directory().on_node_lost(other.id);
  node.pass(4 * seconds);
  node.answer_all();
  cr_assert_eq(count(node.broadcasts, film), 1u, "members hear of it in the new epoch");
  cr_assert_eq(stored_queue(node, other.key), "one film ");
}

Test(queue, or_from_its_own_copy_where_the_store_has_lost_it) {
  DirectoryFixture node;
  OutpostHere other(node, {"one"});
  node.store.forget_all();
  node.directory().on_node_lost(other.id);
  node.pass(4 * seconds);
  node.answer_all();
  cr_assert_eq(stored_queue(node, other.key), "one ");
  cr_assert_eq(count(node.client(join(node, other.key)).sent, one), 1u);
}

Test(queue, who_knows_a_session_last_leaves_it_to_the_store_with_its_queue) {
  DirectoryFixture node;
  OutpostHere other(node, {"one"});
  node.store.forget_all();
  const auto& bob = *node.client(other.bob).begun;
  node.directory().on_leave(other.key, bob.member, bob.number);
  node.directory().on_node_lost(other.id);
  node.pass(4 * seconds);
  node.answer_all();
  cr_assert_eq(stored_queue(node, other.key), "one ");
}

Test(queue, it_goes_along_to_another_home) {
  DirectoryFixture node;
  HomeHere home(node);
  home.ann_says(EnqueueMessage{"film"});
  home.fence = node.stored_version(home.key).fence + 1;
  home.says(node::Moved{});
  node.answer_all();
  const ConnectionRef dan = home.ask_to_join();
  home.says(home.grants(MemberId{9}, record_of(home.id)));
  cr_assert_eq(count(node.client(dan).sent, film), 1u);
}

Test(queue, at_the_end_of_an_episode_the_next_one_is_put_into_an_empty_one) {
  DirectoryFixture node;
  HomeHere home(node);
  node.following = VideoChoice{"two", 60};
  home.ann_says(PlayMessage{.position = 98});
  node.broadcasts.clear();
  node.pass(3 * seconds);
  node.answer_all();
  cr_assert_eq(count(node.broadcasts, R"("by":null}]})"), 1u);
  cr_assert_eq(count(node.broadcasts, R"("type":"upNext","item":"q)"), 1u);
  cr_assert_eq(stored_queue(node, home.key), "two ");
  const ConnectionRef dan = join(node, home.key);
  cr_assert(node.client(dan).begun->welcome.find(R"("upNext":{"item":"q)") != std::string::npos);
  node.pass(8 * seconds);
  node.answer_all();
  cr_assert_eq(count(node.broadcasts, R"("video":"two","by":null,"cause":"load")"), 1u);
  cr_assert_eq(stored_queue(node, home.key), "");
}
