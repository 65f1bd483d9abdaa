// The sessions' home over a store across the network: one that answers in a later turn, or is away.

#include <criterion/criterion.h>
#include <sys/socket.h>

#include <string>

#include "tests/unit/server/session/node_fixture.h"

using namespace videosync;
using namespace videosync::test;

namespace {

std::string value_of(const std::string& json, const std::string& name) {
  const std::size_t begin = json.find("\"" + name + "\":\"") + name.size() + 4;
  return json.substr(begin, json.find('"', begin) - begin);
}

struct MadeSession {
  std::string key, host_token;
};
MadeSession make_session(Node& node) {
  const Client client(node);
  client.ask("POST /api/sessions", "Content-Length: 0\r\n");
  node.store.answer_all();
  const std::string answer = client.receive();
  cr_assert(answer.starts_with("HTTP/1.1 201"), "%s", answer.c_str());
  return {value_of(answer, "key"), value_of(answer, "hostToken")};
}

}  // namespace

Test(home, a_store_that_is_away_is_not_an_unknown_session) {
  Node node(true);
  node.worker->directory().on_store_ready();
  const std::string key = "0b8ff5c5-2a9f-4f1d-8d23-3b2a1e6f9c11";
  const Client client(node);
  node.store.is_away = true;
  client.ask("GET /api/sessions/" + key);
  node.store.answer_all();
  const std::string away = client.receive();
  cr_assert(away.starts_with("HTTP/1.1 503") && away.find("Retry-After") != away.npos, "%s",
            away.c_str());
  // To a node that has just come it is not known what the store had before: it waits.
  node.store.is_away = false;
  client.ask("GET /api/sessions/" + key);
  node.store.answer_all();
  cr_assert(client.receive().empty());
  Node alone;
  const Client other(alone);
  other.ask("GET /api/sessions/" + key);
  const std::string unknown = other.receive();
  cr_assert(unknown.starts_with("HTTP/1.1 404"), "%s", unknown.c_str());
}

Test(home, an_answer_that_comes_after_the_session_has_ended_finds_nobody) {
  Node node;
  const MadeSession session = make_session(node);
  const Client member(node);
  join(member, session.key);
  cr_assert_eq(node.store.changes, 1, "the first host is a durable change");
  const Client owner(node);
  owner.ask("DELETE /api/sessions/" + session.key,
            "Authorization: Bearer " + session.host_token + "\r\n");
  const std::string answer = owner.receive();
  cr_assert(answer.starts_with("HTTP/1.1 204"), "%s", answer.c_str());
  node.store.answer_all();
  node.turn();
}

Test(home, changes_do_not_wait_for_each_other) {
  Node node;
  const MadeSession session = make_session(node);
  const Client first(node), second(node);
  join(first, session.key);
  cr_assert_eq(node.store.changes, 1);
  // A masked text frame, the mask being zero.
  const std::string pause = R"({"type":"seek","position":0})";
  const std::string head{'\x81', static_cast<char>(0x80 | pause.size()), 0, 0, 0, 0};
  for (int i = 0; i < 3; ++i) {
    ::send(first.socket, (head + pause).data(), head.size() + pause.size(), 0);
    node.turn();
  }
  cr_assert_eq(node.store.changes, 4, "one for each, though the first is still under way");
  node.store.answer_all();  // the store says if one of them expects another version
  cr_assert_eq(node.store.changes, 4);
}

Test(home, that_a_part_of_the_store_is_away_its_members_hear_alone) {
  Node node(true);
  node.worker->directory().on_store_ready();
  const MadeSession away = make_session(node);
  MadeSession there = make_session(node);
  const auto slot = [](const MadeSession& session) {
    return slot_of(*Uuid::parse_v4(session.key));
  };
  while (slot(there) == slot(away))
    there = make_session(node);
  const Client ann(node), bob(node);
  join(ann, away.key);
  join(bob, there.key);
  for (int i = 0; i < 4; ++i) {
    node.store.answer_all();
    node.turn();
  }
  cr_assert(ann.receive().find("welcome") != std::string::npos);
  cr_assert(bob.receive().find("welcome") != std::string::npos);
  SlotSet slots;
  slots.set(slot(away));
  node.worker->tell_degraded(slots, true);
  cr_assert(ann.receive().find("degraded") != std::string::npos);
  cr_assert(bob.receive().find("degraded") == std::string::npos);
  node.worker->tell_degraded(SlotSet().set(), false);
  for (const Client* each : {&ann, &bob})
    cr_assert(each->receive().find("restored") != std::string::npos);
}
