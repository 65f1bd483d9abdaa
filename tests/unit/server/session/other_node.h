// Another node, as one that is turned by a test hears it and speaks to it.
#pragma once

#include <criterion/criterion.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/unit/server/session/directory_fixture.h"

namespace videosync::test {

inline constexpr std::int64_t seconds = 1'000'000;

template <class Message>
std::vector<node::Envelope> told(const DirectoryFixture& node) {
  std::vector<node::Envelope> all;
  for (const node::Envelope& envelope : node.said)
    if (std::holds_alternative<Message>(envelope.message)) all.push_back(envelope);
  return all;
}
template <class Message>
Message last_told(const DirectoryFixture& node) {
  const auto all = told<Message>(node);
  cr_assert(!all.empty(), "it has not said so");
  return std::get<Message>(all.back().message);
}

inline std::string record_of(const Uuid& home, std::uint64_t commands = 0) {
  SessionRecord record;
  record.occupied = true;
  record.commands = commands;
  return encode(StoredSession{.home = home, .heard = {}, .record = record});
}

// Another node, which hears, and a session that is at home there.
struct Other {
  DirectoryFixture& node;
  Uuid id = Uuid::random_v4();
  Uuid key = Uuid::random_v4();
  std::uint64_t fence = 1;

  explicit Other(DirectoryFixture& at) : node(at) {
    node.store.create(key, {1, 1}, BufferRef::copy_of(record_of(id)), 600 * seconds,
                      [](Result<> made) noexcept { cr_assert(made.has_value()); });
    node.store.follow(id, [](Result<>) noexcept {});
    node.answer_all();
  }
  // As it comes over the wire.
  void says(node::Message message) {
    auto envelope = node::decode(encode(
        node::Envelope{.from = id, .key = key, .fence = fence, .message = std::move(message)}));
    cr_assert(envelope.has_value());
    node.directory().on_envelope(std::move(*envelope));
    node.turn();
  }
  ConnectionRef ask_to_join() {
    const ConnectionRef from = node.connect();
    node.directory().on_join(key, {}, from);
    node.answer_all();
    return from;
  }
  node::Joined grants(MemberId member, std::string record) {
    const auto join = last_told<node::Join>(node);
    return {.ask = join.ask,
            .member = member,
            .connection = join.connection,
            .welcome = "{}",
            .members = {},
            .record = std::move(record)};
  }
};

// A home here, and a member of it on another node.
struct HomeHere : Other {
  DirectoryFixture::Begun ann;
  node::Joined bob;

  explicit HomeHere(DirectoryFixture& at) : Other(at) {
    key = node.create();
    node.store.follow(key, [](Result<>) noexcept {});
    ann = node.join(key);
    fence = node.stored_version(key).fence;
    says(join(1));
    node.answer_all();
    bob = last_told<node::Joined>(node);
  }
  node::Join join(std::uint64_t number) const {
    return {.ask = {1, number, static_cast<std::uint64_t>(node.clock.server_us() + seconds)},
            .connection = ConnectionNumber{static_cast<std::uint32_t>(number)},
            .name = "Bob",
            .resume = {},
            .host_token = {}};
  }
  void ann_says(const ClientMessage& message) {
    node.directory().on_message(key, ann.member, ann.number, {}, message);
    node.answer_all();
  }
};

}  // namespace videosync::test
