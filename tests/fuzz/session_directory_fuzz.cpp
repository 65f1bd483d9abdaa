// What other nodes and the store may say, in any order and with any values that can be decoded, to
// a node with members, homes and outposts: it goes on, with its invariants, whatever it is.
//
// Reads: server/nodes/digest_exchange.cpp, server/nodes/nodes.cpp, server/session/moving.cpp,
// server/session/outpost_casts.cpp, server/session/outpost_home.cpp,
// server/session/outpost_messages.cpp, server/session/home_nodes.cpp
#include <fcntl.h>

#include "core/base/log.h"
#include "proto/wire/messages.h"
#include "proto/wire/node_messages.h"
#include "server/digest.h"
#include "server/session/stored_session.h"
#include "storage/session_store.h"
#include "tests/fuzz/support/fuzz_bytes.h"
#include "tests/fuzz/support/fuzz_world.h"

using namespace videosync;
using namespace videosync::fuzz;

namespace {

constexpr std::size_t steps_max = 300;
constexpr std::array<std::string_view, 16> said_texts{
    R"({"type":"play"})",
    R"({"type":"pause","position":1e308})",
    R"({"type":"seek","position":7})",
    R"({"type":"rate","rate":2})",
    R"({"type":"load","video":"film"})",
    R"({"type":"give","to":"2"})",
    R"({"type":"claim","hostToken":"07070707070707070707070707070707"})",
    R"({"type":"settings","control":"everyone","onStall":"wait"})",
    R"({"type":"kick","id":"1"})",
    R"({"type":"end"})",
    R"({"type":"ping","id":1,"t1":2})",
    R"({"type":"report","driftMs":1e300,"rttMs":50,"buffering":true})",
    R"({"type":"report","driftMs":0,"rttMs":0,"buffering":false})",
    R"({"type":"chat","text":"hello"})",
    R"({"type":"reaction","emoji":"!"})",
    R"({"type":"name","name":"Bob"})"};

Uuid node_of(FuzzBytes& in) {
  constexpr std::array<std::uint8_t, 8> seeds{2, 3, 4, 2, 3, 2, 1, 0};
  return uuid_of(seeds[in.below(seeds.size())]);
}
Uuid key_of(FuzzBytes& in) {
  return uuid_of(static_cast<std::uint8_t>(0x40 + in.below(3)));
}
MemberId member_of(FuzzBytes& in) {
  constexpr std::array<std::uint32_t, 4> ends{0, UINT32_MAX, UINT32_MAX - 2'049, 1'025};
  const std::uint8_t first = in.byte();
  return MemberId{first < 230 ? 1 + first % 5U : ends[first % ends.size()]};
}
ConnectionNumber connection_of(FuzzBytes& in, const FuzzWorld& world) {
  const std::uint8_t first = in.byte();
  if (first < 60 && !world.clients.empty()) {
    return world.clients[first % world.clients.size()].number;
  }
  return ConnectionNumber{first < 230 ? 1 + first % 4U : static_cast<std::uint32_t>(in.number())};
}
std::string name_of(FuzzBytes& in) {
  return in.flag() ? "Ann" : in.text(6);
}
std::vector<MemberInfo> members_of(FuzzBytes& in) {
  std::vector<MemberInfo> members(in.below(4));
  for (MemberInfo& member : members)
    member = {member_of(in), name_of(in), in.flag() ? Role::host : Role::participant};
  return members;
}
std::vector<node::Refused> refused_of(FuzzBytes& in) {
  std::vector<node::Refused> refused(in.below(3));
  for (node::Refused& each : refused)
    each = {in.number(), in.text(4)};
  return refused;
}
std::vector<node::Heard> heard_of(FuzzBytes& in) {
  std::vector<node::Heard> heard(in.below(3));
  for (node::Heard& each : heard)
    each = {node_of(in), in.number(), refused_of(in)};
  return heard;
}
double real_of(FuzzBytes& in) {
  constexpr std::array<double, 6> reals{0, 1, 50, 1e300, -1, 1e-300};
  return reals[in.below(reals.size())];
}
std::int64_t time_of(FuzzBytes& in, const FuzzWorld& world) {
  return in.flag() ? world.clock.server_us() : static_cast<std::int64_t>(in.number());
}
std::uint64_t place_of(FuzzBytes& in, const FuzzWorld& world) {
  return in.flag() ? static_cast<std::uint64_t>(world.clock.server_us()) + in.byte() : in.number();
}
PlaybackState state_of(FuzzBytes& in, const FuzzWorld& world) {
  return {.epoch = place_of(in, world),
          .seq = in.number(),
          .playing = in.flag(),
          .position = real_of(in),
          .rate = in.flag() ? 1 : real_of(in),
          .at_us = time_of(in, world),
          .video = in.flag() ? "film" : in.text(3),
          .by = member_of(in),
          .cause = Cause::load};
}

std::string record_of(FuzzBytes& in, const FuzzWorld& world) {
  const std::uint8_t kind = in.byte();
  if (kind < 30) return {};
  if (kind < 50) return in.text(40);
  SessionRecord record;
  record.resume_key.bytes.fill(7);
  record.host_token.bytes.fill(7);
  record.settings.on_stall = in.flag() ? OnStall::wait : OnStall::keep_going;
  record.state = state_of(in, world);
  record.duration_s = real_of(in);
  record.waiting = in.flag() && !record.state.playing;
  record.next_member_id = in.flag() ? 1'025 : static_cast<std::uint32_t>(in.number());
  record.last_activity_us = time_of(in, world);
  record.occupied = in.flag();
  record.commands = in.number();
  record.code.value = in.flag() ? in.byte() : 0;
  for (std::size_t i = in.below(3); i > 0; --i)
    record.forks.push_back({in.number(), in.number(), in.number(), in.number(), in.number()});
  if (in.flag()) {
    record.host = SessionRecord::Host{member_of(in), connection_of(in, world), name_of(in),
                                      HostReason::joined};
  }
  return encode(StoredSession{.home = node_of(in), .heard = heard_of(in), .record = record});
}

node::AskRef ask_of(FuzzBytes& in, const FuzzWorld& world) {
  return {
      static_cast<std::uint32_t>(in.below(4)), in.number(),
      in.flag() ? static_cast<std::uint64_t>(world.clock.server_us() + 1'000'000) : in.number()};
}

node::Cast cast_of(FuzzBytes& in, const FuzzWorld& world) {
  node::Cast cast{.number = in.number()};
  for (std::size_t i = in.below(3); i > 0; --i)
    cast.frames.push_back({in.byte(), in.text(3)});
  if (in.flag()) cast.newest = {place_of(in, world), in.number(), "film"};
  cast.joined = members_of(in);
  cast.left = members_of(in);
  cast.changed = members_of(in);
  if (in.below(8) == 1) cast.ended_code = static_cast<std::uint16_t>(in.number() + 4'000);
  cast.sent_us = static_cast<std::uint64_t>(time_of(in, world));
  if (in.flag()) {
    cast.present =
        node::Present{.count = static_cast<std::uint32_t>(in.number()), .is_roll_call = in.flag()};
    if (in.flag()) cast.present->host_until_us = static_cast<std::uint64_t>(time_of(in, world));
    if (in.flag()) cast.present->next_host = member_of(in);
  }
  for (std::size_t i = in.below(3); i > 0; --i)
    cast.hosts.push_back({place_of(in, world), member_of(in), HostReason::given,
                          static_cast<std::uint32_t>(in.number())});
  cast.heard = heard_of(in);
  cast.revision = in.number();
  cast.commands = in.number();
  cast.record = record_of(in, world);
  return cast;
}

node::Joined joined_of(FuzzBytes& in, const FuzzWorld& world) {
  return {.ask = ask_of(in, world),
          .member = member_of(in),
          .connection = connection_of(in, world),
          .welcome = in.text(3),
          .members = members_of(in),
          .host = in.flag() ? std::optional(member_of(in)) : std::nullopt,
          .welcomed_host = in.flag() ? std::optional(member_of(in)) : std::nullopt,
          .epoch = place_of(in, world),
          .seq = in.number(),
          .casts = in.number(),
          .revision = in.number(),
          .commands = in.number(),
          .record = record_of(in, world)};
}

node::Enroll enroll_of(FuzzBytes& in, const FuzzWorld& world) {
  node::Enroll enroll{.members = {}, .is_first = in.flag(), .is_last = in.flag()};
  enroll.casts = in.number();
  for (std::size_t i = in.below(5); i > 0; --i)
    enroll.members.push_back({member_of(in), connection_of(in, world), name_of(in)});
  return enroll;
}

node::Join join_of(FuzzBytes& in, const FuzzWorld& world) {
  node::Join join{.ask = ask_of(in, world),
                  .connection = connection_of(in, world),
                  .name = name_of(in),
                  .resume = {},
                  .host_token = {}};
  Token key;
  key.bytes.fill(7);
  const MemberId member = member_of(in);
  if (in.flag() && member) join.resume = ResumeToken{member, resume_secret(key, member)};
  if (in.flag()) join.host_token = key;
  if (in.flag()) join.held = {place_of(in, world), in.number()};
  return join;
}

node::Message message_of(FuzzBytes& in, const FuzzWorld& world) {
  switch (in.below(std::variant_size_v<node::Message>)) {
    case 0:
      return join_of(in, world);
    case 1:
      return node::Leave{member_of(in), connection_of(in, world)};
    case 2:
      return node::Said{.member = member_of(in),
                        .text = std::string(said_texts[in.below(said_texts.size())]),
                        .number = in.number(),
                        .previous = in.number(),
                        .settled = in.number(),
                        .expires_us = static_cast<std::uint64_t>(world.clock.server_us()) + 9};
    case 3:
      return node::AskInfo{ask_of(in, world)};
    case 4:
      return node::AskDelete{ask_of(in, world), Token{}};
    case 5:
      return enroll_of(in, world);
    case 6:
      return joined_of(in, world);
    case 7: {
      node::Answer answer{ask_of(in, world)};
      if (in.flag()) answer.fault = in.byte();
      if (in.flag()) answer.info = node::Info{{}, in.byte(), state_of(in, world)};
      return answer;
    }
    case 8:
      return node::Tell{member_of(in), in.byte(), in.text(3)};
    case 9:
      return node::Close{member_of(in), connection_of(in, world),
                         static_cast<std::uint16_t>(in.number() + 4'000)};
    case 10:
      return node::Take{};
    case 11:
      return node::Returned{in.text(3)};
    case 12:
      return node::Gap{in.number(), refused_of(in)};
    case 13:
      return cast_of(in, world);
    case 14:
      return node::Moved{};
    case 15:
      return node::Digest{in.flag(), time_of(in, world),
                          std::vector<std::uint64_t>(in.flag() ? 64 : in.byte(), 5)};
    case 16: {
      node::DigestList list{time_of(in, world),
                            static_cast<std::uint32_t>(in.number()),
                            static_cast<std::uint32_t>(in.number()),
                            static_cast<std::uint32_t>(in.number()),
                            in.flag(),
                            {}};
      for (std::size_t i = in.below(3); i > 0; --i)
        list.entries.push_back({key_of(in), in.number()});
      return list;
    }
    case 17:
      return node::Alive{in.byte(), in.byte(), in.flag(), in.flag()};
    default:
      return node::Bye{};
  }
}

// What it decodes to encodes to the same bytes; what cannot be decoded is nobody's message.
void tell(FuzzBytes& in, FuzzWorld& world, std::uint64_t fence_seen) {
  constexpr std::array<std::uint64_t, 4> fences{1, 2, 3, 0};
  node::Envelope envelope{.hops = static_cast<std::uint8_t>(in.below(6)),
                          .from = node_of(in),
                          .key = key_of(in),
                          .message = {}};
  const std::uint8_t fence = in.byte();
  if (fence < 100) {
    envelope.fence = fence_seen + fence % 3;
  } else {
    envelope.fence = fence < 200 ? fences[fence % fences.size()] : in.number();
  }
  envelope.message = message_of(in, world);
  const std::string bytes = encode(envelope);
  if (const auto decoded = node::decode(bytes)) VS_ASSERT(encode(*decoded) == bytes);
  constexpr std::uint8_t everybody = 0xff;
  const std::array channels{uuid_of(1), uuid_of(1), envelope.key, uuid_of(everybody)};
  world.nodes.on_session_event(channels[in.below(channels.size())], BufferRef::copy_of(bytes));
}

std::uint64_t stored_fence(FuzzWorld& world, const Uuid& key) {
  std::uint64_t fence = 0;
  world.store.now().load(key, [&](const Result<StoredValue>& value) noexcept {
    if (value) fence = value->version.fence;
  });
  return fence;
}

// Another node, of whatever version, has written, or ended it.
void write_into_store(FuzzBytes& in, FuzzWorld& world) {
  const Uuid key = key_of(in);
  if (in.below(8) == 1) {
    return world.store.now().remove(key, {UINT64_MAX, UINT64_MAX}, {}, [](Result<>) noexcept {});
  }
  const std::uint64_t fence = in.flag() ? stored_fence(world, key) + in.byte() : in.number();
  world.store.planted = StoredValue{BufferRef::copy_of(record_of(in, world)), {fence, in.number()}};
}

SessionProof proof_of(FuzzBytes& in) {
  Token secret;
  secret.bytes.fill(7);
  const MemberId member = member_of(in);
  if (in.flag()) return {};
  if (in.flag()) return secret;
  return ResumeToken{member, resume_secret(secret, member)};
}

void ask(FuzzBytes& in, FuzzWorld& world) {
  const Uuid key = key_of(in);
  SessionDirectory& directory = world.directory_for(key);
  const std::size_t kind = in.below(8);
  const ConnectionRef from = world.connect(key, kind < 4);
  if (kind < 4) {
    SessionMachine::JoinRequest request{.name = name_of(in), .resume = {}, .host_token = {}};
    Token secret;
    secret.bytes.fill(7);
    const MemberId member = member_of(in);
    if (in.flag() && member) request.resume = ResumeToken{member, resume_secret(secret, member)};
    if (in.flag()) request.held = {place_of(in, world), in.number()};
    return directory.on_join(key, request, from);
  }
  if (kind == 4) return directory.on_info(key, from, proof_of(in));
  if (kind == 5) {
    const ShortCode code{in.byte()};
    return code ? directory.on_validate_code(code, from) : directory.on_validate(key, from);
  }
  if (kind == 6) return directory.on_video(key, from);
  if (in.flag()) return directory.on_create(key, {}, from);
  Token token;
  token.bytes.fill(7);
  directory.on_delete(key, token, from);
}

void speak(FuzzBytes& in, FuzzWorld& world) {
  if (world.clients.empty()) return;
  const std::size_t place = in.below(world.clients.size());
  const FuzzWorld::Client& client = world.clients[place];
  if (!client.number) return;
  SessionDirectory& directory = world.directory_for(client.key);
  if (in.below(6) == 1) return directory.on_leave(client.key, client.member, client.number);
  static MessageDecoder decoder;
  std::string text(said_texts[in.below(said_texts.size())]);
  const std::size_t size = text.size();
  text.resize(size + json_padding);
  const auto message = decode_client_message({text.data(), size}, decoder);
  if (!message || std::holds_alternative<PingMessage>(*message)) return;
  const ConnectionRef from{0, {static_cast<std::uint32_t>(place), 1}};
  directory.on_message(client.key, client.member, client.number, from, *message);
}

void turn_store(FuzzBytes& in, FuzzWorld& world) {
  switch (in.below(8)) {
    case 0:
      world.store.is_away = true;
      return world.nodes.on_store_lost({ErrorCode::unavailable, "it is away"});
    case 1:
    case 2:
      world.store.is_away = false;
      return world.nodes.on_store_ready();
    case 3:
      world.store.answer_one();
      return;
    default:
      for (int i = 0; i < 50 && world.store.answer_one(); ++i)
        world.turn();
  }
}

void step(FuzzBytes& in, FuzzWorld& world) {
  constexpr std::array<std::int64_t, 8> waits_us{1'000,     50'000,    250'000,    250'000,
                                                 1'000'000, 5'000'000, 50'000'000, 100'000'000'000};
  switch (in.below(10)) {
    case 0:
      return ask(in, world);
    case 1:
      return speak(in, world);
    case 2:
      return world.pass(waits_us[in.below(waits_us.size())]);
    case 3:
    case 4:
      return turn_store(in, world);
    case 5:
      return write_into_store(in, world);
    case 6:
      if (in.below(16) == 1) {
        world.is_leaving = true;
        for (std::uint8_t seed = 0x40; seed < 0x43; ++seed)
          world.directory_for(uuid_of(seed)).begin_drain();
        return;
      }
      [[fallthrough]];
    default:
      const Uuid key = uuid_of(static_cast<std::uint8_t>(0x40 + in.below(3)));
      tell(in, world, stored_fence(world, key));
  }
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  log_settings.descriptor = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzBytes in({data, size});
  FuzzWorld world;
  for (std::size_t i = 0; i < steps_max && !in.empty(); ++i) {
    step(in, world);
    world.turn();
  }
  return 0;
}
