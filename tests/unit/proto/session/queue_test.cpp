// The queue: a list that everybody sees the same way, and what of it lies in the store.
#include "proto/session/queue.h"

#include <criterion/criterion.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <random>
#include <string>
#include <utility>
#include <vector>

using namespace videosync;

namespace {

constexpr std::int64_t now = 1'000;

QueueItemId add(Queue& queue, std::string video, std::size_t at = UINT32_MAX) {
  return queue.add({std::move(video), 90}, MemberId{2}, "Bob", at, now);
}
std::string videos_of(const Queue& queue) {
  std::string videos;
  for (const QueueItem& item : queue.items())
    videos += item.video.id;
  return videos;
}
Queue four() {
  Queue queue;
  for (const char* video : {"a", "b", "c", "d"})
    add(queue, video);
  return queue;
}
bool is_corrupt(const std::string& bytes) {
  const auto queue = Queue::decode(bytes);
  return !queue && queue.error().code == ErrorCode::corrupt;
}

}  // namespace

Test(queue, items_are_added_where_they_are_wanted) {
  Queue queue;
  cr_assert(queue.empty() && queue.version() == 0);
  add(queue, "b");
  add(queue, "a", 0);
  add(queue, "d", 99);
  add(queue, "c", 2);
  cr_assert_eq(videos_of(queue), "abcd");
  cr_assert_eq(queue.version(), 4u);
  cr_assert(queue.items()[0].by == MemberId{2} && queue.items()[0].by_name == "Bob");
}

Test(queue, an_id_is_never_given_twice) {
  Queue queue;
  const QueueItemId first = add(queue, "a");
  cr_assert_eq(first.value, static_cast<std::uint64_t>(now));
  cr_assert(queue.take(first).has_value() && !queue.take(first));
  cr_assert_gt(add(queue, "a").value, first.value);
  auto again = Queue::decode(queue.encode());
  cr_assert(again.has_value());
  cr_assert_gt(add(*again, "b").value, queue.items()[0].id.value, "nor in another place");
}

// Every item to every place, the ones beyond the end included.
Test(queue, a_place_counts_without_the_item_itself) {
  for (std::size_t from = 0; from < 4; ++from) {
    for (std::size_t to = 0; to < 7; ++to) {
      Queue queue = four();
      std::string expected = "abcd";
      const char moved = expected[from];
      expected.erase(from, 1);
      expected.insert(std::min<std::size_t>(to, 3), 1, moved);
      cr_assert(queue.move(queue.items()[from].id, to));
      cr_assert_eq(videos_of(queue), expected, "%zu to %zu", from, to);
      cr_assert_eq(queue.version(), 5u);
    }
  }
  Queue queue = four();
  cr_assert_not(queue.move(QueueItemId{7}, 0));
  cr_assert_eq(queue.version(), 4u);
}

Test(queue, it_has_two_hundred_items) {
  Queue queue;
  for (std::size_t i = 0; i < Queue::items_max; ++i) {
    cr_assert_not(queue.full());
    queue.add({std::string(video_id_bytes_max, 'v'), 1e9}, MemberId{UINT32_MAX},
              std::string(member_name_bytes_max, 'n'), 0, now);
  }
  cr_assert(queue.full());
  const std::string bytes = queue.encode();
  cr_assert_leq(bytes.size(), 90u * 1024);
  const auto again = Queue::decode(bytes);
  cr_assert(again && again->full() && again->encode() == bytes);
}

Test(queue, bytes_that_make_no_sense_are_corrupt) {
  const std::string bytes = four().encode();
  cr_assert_not(is_corrupt(bytes));
  cr_assert_not(is_corrupt(Queue().encode()));
  for (std::size_t size = 0; size < bytes.size(); ++size)
    cr_assert(is_corrupt(bytes.substr(0, size)));
  cr_assert(is_corrupt(bytes + '\0'));
  const auto with = [&](std::size_t at, char byte) {
    std::string changed = bytes;
    changed[at] = byte;
    return changed;
  };
  constexpr std::size_t version = 1, newest = 9, count = 17, first_id = 18;
  cr_assert(is_corrupt(with(0, 2)), "of another version");
  cr_assert(is_corrupt(with(version + 7, '\x7f')));
  cr_assert(is_corrupt(with(newest + 7, 1)));
  cr_assert(is_corrupt(with(newest, 0)), "above the newest");
  cr_assert(is_corrupt(with(count, 3)) && is_corrupt(with(count, '\xff')));
  cr_assert(is_corrupt(with(first_id, bytes[first_id] + 1)), "twice");
}

// VIDEOSYNC_TEST_SEED chooses another walk.
Test(queue, it_agrees_with_a_naive_model) {
  const char* given = std::getenv("VIDEOSYNC_TEST_SEED");
  const std::uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : 815;
  std::mt19937_64 random(seed);
  Queue queue;
  std::vector<std::pair<QueueItemId, std::string>> model;
  std::uint64_t version = 0, newest = 0;
  for (int step = 0; step < 20'000; ++step) {
    const std::size_t at = random() % 12;
    const std::size_t which = random() % (model.size() + 1);
    const QueueItemId id =
        which < model.size() ? model[which].first : QueueItemId{random() % 9 + 1};
    const bool is_known = which < model.size();
    if (random() % 3 == 0 && model.size() < 12) {
      const std::string video(1, static_cast<char>('a' + random() % 26));
      const QueueItemId made = add(queue, video, at);
      cr_assert_gt(made.value, newest);
      newest = made.value;
      model.insert(model.begin() + static_cast<std::ptrdiff_t>(std::min(at, model.size())),
                   {made, video});
      ++version;
    } else if (random() % 3 == 0) {
      cr_assert_eq(queue.take(id).has_value(), is_known);
      if (is_known) model.erase(model.begin() + static_cast<std::ptrdiff_t>(which));
      version += is_known;
    } else if (random() % 20 == 0) {
      auto again = Queue::decode(queue.encode());
      cr_assert(again.has_value());
      queue = std::move(*again);
    } else {
      cr_assert_eq(queue.move(id, at), is_known);
      if (is_known) {
        const auto moved = model[which];
        model.erase(model.begin() + static_cast<std::ptrdiff_t>(which));
        model.insert(model.begin() + static_cast<std::ptrdiff_t>(std::min(at, model.size())),
                     moved);
      }
      version += is_known;
    }
    std::string expected;
    for (const auto& [item, video] : model) {
      cr_assert(queue.find(item) != nullptr);
      expected += video;
    }
    cr_assert_eq(videos_of(queue), expected, "seed %llu, step %d",
                 static_cast<unsigned long long>(seed), step);
    cr_assert_eq(queue.version(), version);
  }
}
