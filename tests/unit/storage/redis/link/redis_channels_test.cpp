// RedisChannels beside a server that does as it is told, in order, and now and then has a slot no
// more.
#include "storage/redis/link/redis_channels.h"

#include <criterion/criterion.h>

#include <deque>
#include <random>
#include <set>
#include <string>

using namespace videosync;

namespace {

using Kind = RedisChannels::Kind;

enum class Word : std::uint8_t {
  subscribe,
  unsubscribe,
  subscribed,
  refused,
  unsubscribed,
  dropped
};
struct Said {
  Word word;
  std::string channel;
};

// Both ends of a connection and what is on its way between them.
struct ChannelWalk {
  static constexpr int names = 4;

  explicit ChannelWalk(unsigned with) : seed(with), random(with) { reconnect(); }

  int below(int count) { return std::uniform_int_distribution(0, count - 1)(random); }
  std::string any_name() { return std::string(1, static_cast<char>('a' + below(names))); }

  void want() {
    const std::string name = any_name();
    wanted.insert(name);
    if (channels.want(name, Kind::sharded)) up.push_back({Word::subscribe, name});
  }
  void unwant() {
    const std::string name = any_name();
    wanted.erase(name);
    if (channels.unwant(name)) up.push_back({Word::unsubscribe, name});
  }
  void serve() {
    if (up.empty()) return;
    const Said said = up.front();
    up.pop_front();
    if (said.word == Word::unsubscribe) {
      heard.erase(said.channel);
      down.push_back({Word::unsubscribed, said.channel});
    } else if (below(8) == 0 && !heard.contains(said.channel)) {
      down.push_back({Word::refused, said.channel});
    } else {
      heard.insert(said.channel);
      down.push_back({Word::subscribed, said.channel});
    }
  }
  void drop() {
    const std::string name = any_name();
    if (heard.erase(name) > 0) down.push_back({Word::dropped, name});
  }
  void receive() {
    if (down.empty()) return;
    const Said said = down.front();
    down.pop_front();
    if (said.word == Word::subscribed) {
      if (channels.on_subscribed(said.channel)) missing.erase(said.channel);
    } else if (said.word == Word::unsubscribed) {
      channels.on_unsubscribed(said.channel);
    } else if (said.word == Word::refused) {
      if (channels.on_refused(said.channel)) missing.insert(said.channel);
    } else if (channels.on_dropped(said.channel)) {
      missing.insert(said.channel);
    }
  }
  void reconnect() {
    channels.on_lost();
    up.clear();
    down.clear();
    heard.clear();
    missing.clear();
    for (const auto& [name, kind] : channels.on_connected()) {
      cr_assert(kind == Kind::sharded);
      up.push_back({Word::subscribe, std::string(name)});
    }
  }
  void settle() {
    while (!up.empty() || !down.empty()) {
      serve();
      receive();
    }
  }

  // What holds at any time, and what once nothing is on its way.
  void check() {
    std::size_t confirmed = 0;
    for (char letter = 'a'; letter < 'a' + names; ++letter) {
      const std::string name(1, letter);
      if (!wanted.contains(name)) missing.erase(name);
      if (!channels.is_confirmed(name)) continue;
      ++confirmed;
      cr_assert(wanted.contains(name), "seed %u", seed);
      for (const Said& said : up)
        cr_assert(said.channel != name, "it is about to be left (seed %u)", seed);
    }
    cr_assert(channels.unconfirmed() == wanted.size() - confirmed, "seed %u", seed);
  }
  void check_settled() {
    check();
    for (const std::string& name : wanted) {
      cr_assert(channels.is_confirmed(name) == heard.contains(name), "seed %u", seed);
      cr_assert(channels.is_confirmed(name) != missing.contains(name), "seed %u", seed);
    }
    for (const std::string& name : heard)
      cr_assert(wanted.contains(name), "left, and heard on (seed %u)", seed);
  }

  const unsigned seed;
  std::mt19937 random;
  RedisChannels channels;
  std::set<std::string> wanted, heard, missing;  // by us; by the server; of which it was told
  std::deque<Said> up, down;
};

}  // namespace

Test(redis_channels, a_random_walk_ends_where_both_agree) {
  for (unsigned seed = 1; seed <= 300; ++seed) {
    ChannelWalk walk(seed);
    for (int step = 0; step < 400; ++step) {
      switch (walk.below(12)) {
        case 0:
        case 1:
          walk.want();
          break;
        case 2:
        case 3:
          walk.unwant();
          break;
        case 4:
          walk.drop();
          break;
        case 5:
          if (walk.below(10) == 0) walk.reconnect();
          break;
        case 6:
        case 7:
        case 8:
          walk.serve();
          break;
        default:
          walk.receive();
      }
      walk.check();
    }
    walk.settle();
    walk.check_settled();
  }
}

Test(redis_channels, what_is_not_wanted_is_not_asked_for) {
  RedisChannels channels;
  cr_assert(!channels.unwant("a"));
  cr_assert(!channels.want("a"));  // there is no connection
  cr_assert(!channels.unwant("a"));
  cr_assert(channels.on_connected().empty());
  cr_assert(channels.want("b"));
  cr_assert(!channels.want("b"));
  cr_assert(channels.unwant("b") == Kind::plain);
  cr_assert(!channels.unwant("b"));
}

Test(redis_channels, a_channel_that_is_not_there_is_asked_for_again_and_needs_no_leaving) {
  RedisChannels channels;
  channels.want("a", Kind::sharded);
  cr_assert_eq(channels.on_connected().size(), 1);
  cr_assert(channels.on_refused("a"));
  cr_assert(channels.want("a", Kind::sharded));
  cr_assert(channels.on_subscribed("a") && channels.is_confirmed("a"));
  cr_assert(channels.on_dropped("a") && !channels.is_confirmed("a"));
  cr_assert(!channels.on_dropped("a"));
  cr_assert(!channels.unwant("a"));
  cr_assert_eq(channels.unconfirmed(), 0);
  cr_assert(channels.want("a", Kind::plain));  // of another kind from now on
}
