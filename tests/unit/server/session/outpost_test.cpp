// Sessions whose home is another node, over a store that answers when the test says so.
#include <criterion/criterion.h>

#include <optional>
#include <utility>

#include "tests/unit/server/session/node_fixture.h"

using namespace videosync;
using namespace videosync::test;

namespace {

// Without one nobody would receive what is published.
struct Listener final : SessionListener {
  void on_session_event(const Uuid&, const BufferRef&) noexcept override {}
};

struct SharingNode : Node {
  Listener listener;

  SharingNode() : Node(true) {
    store.listen(listener);
    worker->directory().on_store_ready();
  }
  // The clients have gone; as soon as that is noticed nobody needs the others any more.
  ~SharingNode() override {
    while (metrics.total(Gauge::members) > 0)
      turn(1);
    turn();
  }
};

BufferRef stored_at(const Uuid& home, std::vector<node::Heard> heard = {}) {
  SessionRecord record;
  record.occupied = true;
  return BufferRef::copy_of(
      encode(StoredSession{.home = home, .heard = std::move(heard), .record = record}));
}

// A session that another node, which hears, is home to; `client` is its member 1.
struct Elsewhere {
  Uuid key = Uuid::random_v4();
  Uuid home = Uuid::random_v4();

  explicit Elsewhere(SharingNode& node) {
    node.store.create(key, {1, 1}, stored_at(home), 60'000'000,
                      [](Result<> made) noexcept { cr_assert(made.has_value()); });
    node.store.follow(home, [](Result<> done) noexcept { cr_assert(done.has_value()); });
    node.store.answer_all();
  }
  node::Envelope says(node::Message message) const {
    return {.from = home, .key = key, .fence = 1, .message = std::move(message)};
  }
  void let_in(SharingNode& node, const Client& client) const {
    join(client, key.to_string());
    node.store.answer_all();  // who is home
    node.store.answer_all();  // its channel
    node.store.answer_all();  // it is asked
    node.worker->directory().on_envelope(
        says(node::Joined{.ask = {1, 1},
                          .member = MemberId{1},
                          .connection = ConnectionNumber{1},
                          .welcome = "{}",
                          .members = {},
                          .revision = 1,
                          .record = std::string(stored_at(home).text())}));
    const std::string answer = client.receive();
    cr_assert(answer.starts_with("HTTP/1.1 101"), "%s", answer.c_str());
  }
};

void say(const Client& client, const std::string& text) {
  // The mask is zero.
  const std::string head{'\x81', static_cast<char>(0x80 | text.size()), 0, 0, 0, 0};
  cr_assert_eq(::send(client.socket, (head + text).data(), head.size() + text.size(), 0),
               static_cast<ssize_t>(head.size() + text.size()));
  client.node.turn();
  client.node.store.answer_all();
}

bool is_refusal(const std::string& text, const std::string& type) {
  return text.find(R"("code":"unavailable")") != text.npos &&
         text.find(R"("re":")" + type + '"') != text.npos;
}

}  // namespace

Test(outpost, a_join_that_the_store_fails_leaves_no_channel_followed) {
  SharingNode node;
  const Uuid key = Uuid::random_v4();
  node.store.create(key, {1, 1}, stored_at(Uuid::random_v4()), 60'000'000,
                    [](Result<> made) noexcept { cr_assert(made.has_value()); });
  node.store.answer_all();

  const Client client(node);
  join(client, key.to_string());
  node.store.answer_all();  // who is home
  cr_assert(node.store.followed.contains(key));
  node.store.is_away = true;
  node.store.answer_all();  // its channel
  const std::string refusal = client.receive();
  cr_assert(refusal.starts_with("HTTP/1.1 503"), "%s", refusal.c_str());
  cr_assert(!node.store.followed.contains(key), "nobody will ever leave it");
}

Test(outpost, what_a_lost_home_has_not_heard_is_refused_by_who_comes_after_it) {
  SharingNode node;
  const Elsewhere session(node);
  const Client client(node);
  session.let_in(node, client);
  SessionDirectory& directory = node.worker->directory();

  say(client, R"({"type":"play"})");
  directory.on_envelope(session.says(node::Cast{.number = 1, .heard = {{node.nodes->self(), 2}}}));
  say(client, R"({"type":"pause"})");
  say(client, R"({"type":"seek","position":7})");
  const std::string nothing = client.receive();
  cr_assert(nothing.empty(), "%s", nothing.c_str());
  // Its last record tells of the pause.
  node.store.change(session.key, {1, 1}, {1, 2}, stored_at(session.home, {{node.nodes->self(), 3}}),
                    60'000'000, {}, [](Result<> done) noexcept { cr_assert(done.has_value()); });
  node.store.answer_all();
  directory.on_node_lost(session.home);
  for (int i = 0; i < 4; ++i)
    node.store.answer_all();  // who is home; this node is, now
  const std::string refused = client.receive();
  cr_assert(is_refusal(refused, "seek"), "got <%s>", refused.c_str());
  cr_assert(!is_refusal(refused, "play"), "it was heard");
  cr_assert(!is_refusal(refused, "pause"), "it was carried out");
}

// A chat is in no record: who misses the cast that told it cannot be told it again.
Test(outpost, what_was_said_aloud_is_refused_where_the_cast_of_it_may_have_been_missed) {
  SharingNode node;
  const Elsewhere session(node);
  const Client client(node);
  session.let_in(node, client);
  const auto hears = [&](std::uint64_t cast, std::uint64_t heard) {
    node.worker->directory().on_envelope(
        session.says(node::Cast{.number = cast, .heard = {{node.nodes->self(), heard}}}));
    return client.receive();
  };
  cr_assert(hears(1, 0).empty());
  say(client, R"({"type":"chat","text":"a"})");
  const std::string seen = hears(2, 2);
  cr_assert(seen.empty(), "no cast is missing: %s", seen.c_str());
  say(client, R"({"type":"chat","text":"b"})");
  say(client, R"({"type":"pause"})");
  const std::string missed = hears(4, 4);
  cr_assert(is_refusal(missed, "chat"), "got <%s>", missed.c_str());
  cr_assert(!is_refusal(missed, "pause"), "the state tells what came of it");
}

Test(outpost, what_is_said_while_the_store_is_lost_is_refused_at_once) {
  SharingNode node;
  const Elsewhere session(node);
  const Client client(node);
  session.let_in(node, client);
  node.store.is_away = true;
  node.worker->directory().on_store_lost();
  say(client, R"({"type":"pause"})");
  const std::string refused = client.receive();
  cr_assert(is_refusal(refused, "pause"), "got <%s>", refused.c_str());
}

Test(outpost, what_a_node_says_at_a_lower_fence_is_not_the_home_s) {
  SharingNode node;
  const Elsewhere session(node);
  const Client client(node);
  session.let_in(node, client);
  const auto told = [&](const Uuid& from, std::uint64_t fence, const std::string& text) {
    node.worker->directory().on_envelope(
        {.from = from,
         .key = session.key,
         .fence = fence,
         .message = node::Tell{MemberId{1}, static_cast<std::uint8_t>(SendClass::answer), text}});
    return client.receive();
  };
  cr_assert(told(session.home, 1, "first").find("first") != std::string::npos);
  const Uuid later = Uuid::random_v4();
  cr_assert(told(later, 2, "second").find("second") != std::string::npos, "the higher one is");
  cr_assert(told(session.home, 1, "third").empty(), "and stays so");
}

Test(outpost, a_store_that_has_lost_the_session_does_not_end_it) {
  SharingNode node;
  const Elsewhere session(node);
  const Client client(node);
  session.let_in(node, client);
  node.store.forget_all();
  node.worker->directory().on_node_lost(session.home);
  for (int i = 0; i < 4; ++i)
    node.store.answer_all();  // nobody knows it; this node stores it anew
  const std::string told = client.receive();
  cr_assert(told.find(R"("type":"state")") != told.npos, "got <%s>", told.c_str());
  say(client, R"({"type":"seek","position":7})");
  const std::string state = client.receive();
  cr_assert(state.find(R"("cause":"seek")") != state.npos, "got <%s>", state.c_str());
}

Test(outpost, who_knows_a_session_last_leaves_it_to_the_store) {
  SharingNode node;
  const Elsewhere session(node);
  {
    const Client client(node);
    session.let_in(node, client);
    node.store.forget_all();
    node.worker->directory().on_node_lost(session.home);
  }
  while (node.metrics.total(Gauge::members) > 0)
    node.turn(1);
  cr_assert(!node.worker->directory().is_settled(), "a node that ends would take it along");
  node.store.is_away = true;
  node.store.answer_all();
  node.store.is_away = false;
  std::optional<Result<bool>> exists;
  for (int i = 0; i < 40 && !(exists && *exists && **exists); ++i) {
    node.turn(10);  // it looks again a quarter of a second later
    node.store.exists(session.key, [&](Result<bool> there) noexcept { exists = std::move(there); });
    node.store.answer_all();
  }
  cr_assert(exists && *exists && **exists, "nobody has it any more");
  node.store.answer_all();
  cr_assert(node.worker->directory().is_settled());
}
