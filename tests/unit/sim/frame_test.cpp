// What a simulated member reads is what the server wrote.
#include "tests/sim/frame.h"

#include <criterion/criterion.h>

#include <string>

#include "proto/websocket/websocket_frames.h"
#include "proto/wire/messages.h"

using namespace videosync;
using namespace videosync::sim;

namespace {

FrameRef read(const std::string& text) {
  return read_frame(make_frame(WebSocketOpcode::text, text));
}

}  // namespace

Test(frame, a_state_is_read_to_the_last_digit) {
  PlaybackState state{.epoch = 1'700'000'000'000'001,
                      .seq = 17,
                      .playing = true,
                      .position = 0.1 + 0.2,
                      .rate = 0.5012,
                      .at_us = 1'700'000'000'000'070,
                      .video = "film",
                      .by = MemberId{7},
                      .cause = Cause::seek};
  std::string text;
  encode_state(text, state);
  const FrameRef frame = read(text);
  cr_assert(frame->type == Frame::Type::state);
  cr_assert((frame->state.place == Place{state.epoch, state.seq}));
  cr_assert(frame->state.playing);
  cr_assert(frame->state.position == state.position);
  cr_assert(frame->state.rate == state.rate);
  cr_assert_eq(frame->state.at_us, state.at_us);
  cr_assert(frame->state.by == state.by);
  cr_assert(frame->state.cause == "seek" && frame->state.video == "film");
}

Test(frame, a_list_of_members_tells_who_came_and_went) {
  MembersEffect effect;
  effect.count = 3;
  effect.joined = {{MemberId{1}, "Ann", Role::host}};
  effect.left = {{MemberId{2}, "Bob", Role::participant}};
  effect.host_away = HostAway{1'000, MemberId{}};
  std::string text;
  encode_members(text, effect);
  const FrameRef frame = read(text);
  cr_assert(frame->type == Frame::Type::members);
  cr_assert_eq(frame->count, 3);
  cr_assert(frame->joined.size() == 1 && frame->joined[0].name == "Ann" &&
            frame->joined[0].is_host);
  cr_assert(frame->left.size() == 1 && frame->left[0].id == MemberId{2});
  cr_assert(frame->changed.empty() && frame->is_host_away);
}

Test(frame, a_welcome_tells_of_all_take_overs) {
  const MemberInfo you{MemberId{5}, "Eve", Role::participant};
  const ResumeToken resume{MemberId{5}, {}};
  const Uuid key = Uuid::random_v4();
  const SessionSettings settings;
  PlaybackState state;
  state.epoch = 9;
  const Fork forks[] = {{1, 0, 7, 3, 4}, {2, 0, 9, 7, 6}};
  std::string text;
  encode_welcome(text, {.you = you,
                        .resume = resume,
                        .key = key,
                        .settings = settings,
                        .host = MemberId{},
                        .host_away = std::nullopt,
                        .state = state,
                        .member_count = 1,
                        .member_list = R"([{"id":"m5","name":"Eve","role":"participant"}])",
                        .forks = forks});
  const FrameRef frame = read(text);
  cr_assert(frame->type == Frame::Type::welcome);
  cr_assert(frame->you == MemberId{5} && !frame->host && frame->count == 1);
  cr_assert(frame->resume == "m5." + std::string(32, '0'));
  cr_assert_eq(frame->taken_over.size(), 2);
  cr_assert_eq(frame->taken_over[1].epoch, 9);
  cr_assert((frame->taken_over[1].after == Place{7, 6}));
}

Test(frame, what_is_no_message_is_broken) {
  for (const char* text :
       {"", "{", "{\"type\":\"state\"", "{\"type\":\"state\",\"epoch\":x}", "[]"})
    cr_assert(read(text)->type == Frame::Type::broken, "%s", text);
}
