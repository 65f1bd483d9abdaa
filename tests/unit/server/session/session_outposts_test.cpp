// Sessions whose home is another node, over a store that answers when the test says so.
#include "server/session/session_outposts.h"

#include <criterion/criterion.h>

#include "server/nodes/nodes.h"
#include "server/session/stored_session.h"
#include "tests/unit/server/session/node_fixture.h"

using namespace videosync;
using namespace videosync::test;

namespace {

// Without one nobody would receive what is published.
struct Listener final : SessionListener {
  void on_session_event(const Uuid&, const BufferRef&) noexcept override {}
};

// As far as outposts can tell, there are others.
struct SharingNode : Node {
  Nodes nodes{*service};
  Listener listener;

  SharingNode() {
    store.listen(listener);
    service->nodes = &nodes;
    worker->outposts().on_store_ready();
  }
  // The clients have gone; as soon as that is noticed nobody needs the others any more.
  ~SharingNode() {
    while (metrics.total(Gauge::members) > 0)
      turn(1);
    turn();
    service->nodes = nullptr;
  }
};

// A session that another node, which hears, is home to; `client` is its member 1.
struct Elsewhere {
  Uuid key = Uuid::random_v4();
  Uuid home = Uuid::random_v4();

  explicit Elsewhere(SharingNode& node) {
    const BufferRef record = encode_stored_session({home, ""});
    node.store.create(key, {1, 1}, record, 60'000'000,
                      [](Result<> made) noexcept { cr_assert(made.has_value()); });
    node.store.follow(home, [](Result<> done) noexcept { cr_assert(done.has_value()); });
    node.store.answer_all();
  }
  NodeEnvelope says(NodeMessage message) const {
    return {.from = home, .key = key, .message = std::move(message)};
  }
  void let_in(SharingNode& node, const Client& client) const {
    join(client, key.to_string());
    node.store.answer_all();  // who is home
    node.store.answer_all();  // its channel
    node.store.answer_all();  // it is asked
    node.worker->outposts().on_envelope(
        says(JoinAnswer{{1, 1}, MemberId{1}, ConnectionNumber{1}, "{}", {}}));
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

Test(session_outposts, a_join_that_the_store_fails_leaves_no_channel_followed) {
  SharingNode node;
  const Uuid key = Uuid::random_v4();
  const BufferRef at_another = encode_stored_session({Uuid::random_v4(), ""});
  node.store.create(key, {1, 1}, at_another, 60'000'000,
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

Test(session_outposts, what_a_lost_home_has_not_heard_is_refused) {
  SharingNode node;
  const Elsewhere session(node);
  const Client client(node);
  session.let_in(node, client);
  SessionOutposts& outposts = node.worker->outposts();

  say(client, R"({"type":"play"})");
  outposts.on_envelope(session.says(Cast{.heard = {{node.nodes.self(), 2}}}));
  say(client, R"({"type":"pause"})");
  const std::string nothing = client.receive();
  cr_assert(nothing.empty(), "%s", nothing.c_str());
  outposts.on_node_lost(session.home);
  const std::string refused = client.receive();
  cr_assert(is_refusal(refused, "pause"), "got <%s>", refused.c_str());
  cr_assert(!is_refusal(refused, "play"), "it was heard");
}

Test(session_outposts, what_cannot_be_sent_is_refused_at_once) {
  SharingNode node;
  const Elsewhere session(node);
  const Client client(node);
  session.let_in(node, client);
  node.store.is_away = true;
  say(client, R"({"type":"pause"})");
  const std::string refused = client.receive();
  cr_assert(is_refusal(refused, "pause"), "got <%s>", refused.c_str());
}

Test(session_outposts, what_comes_back_after_the_session_has_come_here_is_carried_out) {
  SharingNode node;
  const Client owner(node), client(node);
  owner.ask("POST /api/sessions", "Content-Length: 0\r\n");
  node.store.answer_all();
  const std::string made = owner.receive();
  const std::size_t at = made.find(R"("key":")") + 7;
  const auto created = Uuid::parse_v4(made.substr(at, 36));
  cr_assert(created.has_value(), "%s", made.c_str());
  join(client, created->to_string());
  node.store.answer_all();  // nobody is home
  node.store.answer_all();  // it is, now
  const std::string welcome = client.receive();
  const std::size_t id_at = welcome.find(R"("id":"m)") + 7;
  const MemberId member{static_cast<std::uint32_t>(std::stoul(welcome.substr(id_at)))};

  const NodeEnvelope said{.from = node.nodes.self(),
                          .key = *created,
                          .message = Said{member, R"({"type":"seek","position":7})", 1}};
  node.worker->outposts().on_envelope(
      {.from = Uuid::random_v4(), .key = *created, .message = Returned{encode(said)}});
  const std::string state = client.receive();
  cr_assert(state.find(R"("cause":"seek")") != state.npos, "%s", state.c_str());
}
