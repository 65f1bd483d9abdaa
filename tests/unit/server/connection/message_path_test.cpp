// The way of a command, from the bytes of a frame to the sockets of the members: what it allocates.
#include <array>
#include <memory>
#include <string>
#include <vector>

#include "proto/session/session_machine.h"
#include "proto/websocket/websocket_frames.h"
#include "proto/wire/messages.h"
#include "tests/support/allocations.h"
#include "tests/unit/core/stream_fixture.h"

namespace videosync::test {

namespace {

constexpr int warm_up_rounds = 50;
constexpr int rounds = 100;

// One session, its host's decoder, and what a worker reuses from message to message.
struct Path {
  SystemClock clock;
  std::unique_ptr<Reactor> reactor = make_reactor(clock);
  std::vector<std::unique_ptr<Connection>> members;
  WebSocketDecoder frames;
  MessageDecoder messages;
  SessionMachine::Limits limits;
  SessionMachine machine;
  Effects effects;
  std::string text;
  MemberId host;
  std::vector<std::string> sent;  // the host's frames, made before

  explicit Path(const std::string& video) : machine(limits, {}, {}, {video, 3'600}, 0) {
    for (int i = 0; i < 10; ++i)
      members.push_back(std::make_unique<Connection>(*reactor));
    host = machine.join({}, 1, effects)->id;
    for (int i = 0; i < warm_up_rounds + rounds; ++i) {
      sent.emplace_back();
      append_masked_frame(sent.back(), WebSocketOpcode::text,
                          R"({"type":"seek","position":)" + std::to_string(i) + ".5}",
                          {1, 2, 3, 4});
    }
  }

  // From the host's `index`-th frame to what the members' sockets hold.
  void seek(int index) {
    const std::string& frame = sent[static_cast<std::size_t>(index)];
    frames.feed({reinterpret_cast<const std::uint8_t*>(frame.data()), frame.size()});
    const WebSocketEvent event = frames.next();
    VS_ASSERT(event.kind == WebSocketEvent::Kind::text);
    auto message = decode_client_message(event.payload, messages);
    VS_ASSERT(message.has_value());
    effects.clear();
    machine.handle(host, *message, (index + 2) * std::int64_t{1'000'000}, effects);
    for (const Effect& effect : effects) {
      const auto* state = std::get_if<StateEffect>(&effect);
      if (state == nullptr) continue;
      text.clear();
      encode_state(text, state->state);
      const BufferRef shared = make_frame(WebSocketOpcode::text, text);
      for (auto& member : members)
        member->stream.send(shared, SendClass::latest);
    }
    VS_ASSERT(frames.next().kind == WebSocketEvent::Kind::need_more && frames.at_boundary());
    reactor->turn(0);
  }

  std::uint64_t allocations_of_seeks() {
    for (int i = 0; i < warm_up_rounds; ++i)
      seek(i);
    return allocations_of([this] {
      for (int i = 0; i < rounds; ++i)
        seek(warm_up_rounds + i);
    });
  }
};

}  // namespace

Test(message_path, a_seek_reaches_the_sockets_without_an_allocation) {
  if (!can_count_allocations) cr_skip_test("a sanitizer has its own allocator");
  Path path("big-buck-bunny");
  const std::uint64_t allocations = path.allocations_of_seeks();
  cr_assert_eq(allocations, 0, "%zu in %d seeks", std::size_t{allocations}, rounds);
  const std::string heard = path.members.front()->read_at_peer();
  cr_assert_neq(heard.find(R"("cause":"seek")"), std::string::npos, "it did the work");
}

// What remains: a state carries its video's id by value, and the effect a copy of it. An id of more
// than 15 bytes, which std::string keeps apart, is one allocation a command.
Test(message_path, a_long_video_id_costs_one_allocation_a_command) {
  if (!can_count_allocations) cr_skip_test("a sanitizer has its own allocator");
  Path path("a-film-with-a-long-name-1080p");
  cr_assert_eq(path.allocations_of_seeks(), rounds);
}

}  // namespace videosync::test
