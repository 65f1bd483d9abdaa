// World: what viewers do.
#include <algorithm>
#include <array>
#include <utility>
#include <variant>

#include "tests/sim/world.h"

namespace videosync::sim {

namespace {

constexpr std::size_t burst_max = 5;

std::int64_t drawn(std::uint64_t salt, std::int64_t low_us, std::int64_t high_us) {
  return Random(salt).between(low_us, high_us);
}

}  // namespace

void World::perform(const Action& action) {
  if (action.act >= Act::crash) return break_something(action);
  Viewer& viewer = viewers_[action.salt % viewers_.size()];
  perform_by(viewer, {action.round, action.at_us, action.act, Random::mix(action.salt)});
}

void World::perform_by(Viewer& viewer, const Action& action) {
  const std::uint64_t salt = action.salt;
  switch (action.act) {
    case Act::seek:
    case Act::play:
    case Act::pause:
    case Act::rate: {
      const auto kind = static_cast<Kind>(static_cast<int>(action.act));
      if (viewer.outstanding(kind) == 0) viewer.say(kind);
      return;
    }
    case Act::chat:
    case Act::reaction: {
      const Kind kind = action.act == Act::chat ? Kind::chat : Kind::reaction;
      if (viewer.outstanding(kind) == 0) viewer.say(kind);
      return;
    }
    case Act::load:
      if (salt % 5 > 0) return change_queue(viewer, salt / 5);
      return viewer.say_plain(LoadMessage{salt % 3 == 0   ? "none"
                                          : salt % 3 == 1 ? "film"
                                                          : "other"});
    case Act::name:
      if (plan_.has_doors) close_door(viewer, salt / 5);
      if (salt % 3 == 0) change_queue(viewer, salt / 3);
      return viewer.say_plain(NameMessage{"n" + std::to_string(next_command())});
    case Act::report:
      if (salt % 3 == 0) viewer.say_plain(ReadyMessage{salt % 4 != 0});
      return viewer.say_plain(ReportMessage{.drift_ms = 1.5,
                                            .rtt_ms = static_cast<double>(salt % 300),
                                            .buffering = salt % 5 == 0,
                                            .form = static_cast<Form>(salt % 7 % 5),
                                            .cannot_play = salt % 11 == 0});
    case Act::settings: {
      SettingsMessage message;
      if (salt % 2 == 0) message.control = salt % 4 == 0 ? Control::host : Control::everyone;
      if (salt % 5 == 0) message.audio_language = salt % 10 == 0 ? "de" : "";
      if (salt % 7 == 0) message.queue = salt % 2 == 0 ? QueueRight::host : QueueRight::everyone;
      if (salt % 11 < 3) message.controllers = share_ids(some_of(viewer.session(), salt));
      if (salt % 3 != 0) message.on_stall = salt % 6 < 3 ? OnStall::wait : OnStall::keep_going;
      return viewer.say_plain(message);
    }
    case Act::give:
    case Act::kick:
      return give(viewer, salt, action.act == Act::kick);
    case Act::claim:
      return viewer.say_plain(ClaimMessage{salt % 4 == 0 ? Token{} : viewer.session().host_token});
    case Act::end:
      // Whoever is host may: the session may be over once that has been said.
      if (!viewer.is_open()) return;
      tell("{} says end", viewer.name());
      if (viewer.host() == viewer.id()) viewer.session().is_end_asked = true;
      if (viewer.host() == viewer.id()) viewer.say_plain(EndMessage{});
      return;
    case Act::burst:
      return burst(viewer, salt);
    case Act::leave:
      return viewer.leave();
    case Act::come:
      return viewer.come();
    case Act::lose:
      return viewer.lose(salt);
    case Act::vanish:
      return viewer.vanish(salt);
    case Act::stop_reading:
      return viewer.stop_reading(drawn(salt, 100'000, 8'000'000));
    case Act::ask_info:
      return ask_info(viewer, salt);
    case Act::ask_valid:
      return ask_valid(viewer, salt);
    case Act::remove:
      return remove(viewer, salt);
    default:
      return;
  }
}

// Some of whom the viewers are, or were.
std::vector<MemberId> World::some_of(const SimSession& session, std::uint64_t salt) const {
  std::vector<MemberId> ids;
  Random random(salt);
  for (const Viewer& other : viewers_) {
    const bool is_meant = &other.session() == &session && other.id() && random.chance(0.3);
    if (is_meant && std::ranges::find(ids, other.id()) == ids.end()) ids.push_back(other.id());
  }
  return ids;
}

void World::change_queue(Viewer& viewer, std::uint64_t salt) {
  if (!viewer.is_open()) return;
  Random random(salt);
  const auto& queue = viewer.queue();
  const QueueItemId item = queue.empty() ? QueueItemId{1} : queue[random.below(queue.size())];
  const auto at = static_cast<std::uint32_t>(random.below(4));
  tell("{} changes the queue", viewer.name());
  switch (random.below(9)) {
    case 8:
      return viewer.say_plain(CancelNextMessage{});
    case 0:
      return viewer.say_plain(DequeueMessage{item});
    case 1:
      return viewer.say_plain(MoveMessage{item, at});
    case 2:
      return viewer.say_plain(JumpMessage{item});
    case 3:
      return viewer.say_plain(NextMessage{});
    case 4:
      return viewer.say_plain(EnqueueMessage{"none", at});
    default:
      return viewer.say_plain(EnqueueMessage{random.chance(0.5) ? "film" : "other", at});
  }
}

// Or opens it.
void World::close_door(Viewer& viewer, std::uint64_t salt) {
  if (!viewer.is_open() || viewer.host() != viewer.id()) return;
  constexpr std::array doors{Door::knock, Door::knock, Door::knock, Door::open, Door::locked};
  const Door door = doors[salt % doors.size()];
  tell("{} sets the door to {}", viewer.name(), static_cast<int>(door));
  viewer.say_plain(SettingsMessage{.door = door});
}

void World::burst(Viewer& viewer, std::uint64_t salt) {
  Random random(salt);
  const std::size_t count = 2 + random.below(burst_max - 1);
  constexpr std::array kinds{Kind::seek, Kind::play, Kind::pause, Kind::chat};
  for (std::size_t i = 0; i < count; ++i) {
    const Kind kind = kinds[random.below(kinds.size())];
    if (viewer.outstanding(kind) < burst_max) viewer.say(kind);
  }
}

void World::give(Viewer& viewer, std::uint64_t salt, bool is_kick) {
  Viewer& other = viewers_[salt % viewers_.size()];
  if (!viewer.is_open() || &viewer.session() != &other.session() || !other.id()) return;
  tell("{} says {} m{}", viewer.name(), is_kick ? "kick" : "give", other.id().value);
  if (is_kick) {
    viewer.session().to_be_kicked.insert(other.id());
    viewer.say_plain(KickMessage{other.id()});
  } else {
    viewer.say_plain(GiveMessage{other.id()});
  }
}

void World::ask_info(Viewer& viewer, std::uint64_t salt) {
  SimSession& session = viewer.session();
  Random random(salt);
  if (!session.is_made) return;
  ask(session, choose_node(random), InfoOrder{}, [this, &session](const SessionReply* reply) {
    const auto* fault = reply == nullptr ? nullptr : std::get_if<SessionFault>(reply);
    if (fault != nullptr && *fault == SessionFault::not_found) {
      note_end(session, "somebody", "no information");
    }
  });
}

void World::ask_valid(Viewer& viewer, std::uint64_t salt) {
  SimSession& session = viewer.session();
  Random random(salt);
  if (!session.is_made) return;
  ask(session, choose_node(random), ValidateOrder{}, [this, &session](const SessionReply* reply) {
    const auto* valid = reply == nullptr ? nullptr : std::get_if<SessionValidity>(reply);
    if (valid != nullptr && !valid->key) note_end(session, "somebody", "not valid");
  });
}

void World::remove(Viewer& viewer, std::uint64_t salt) {
  SimSession& session = viewer.session();
  Random random(salt);
  if (!session.is_made) return;
  tell("somebody deletes the session of {}", viewer.name());
  session.is_end_asked = true;
  ask(session, choose_node(random), DeleteOrder{session.host_token},
      [this, &session](const SessionReply* reply) {
        if (reply == nullptr || !std::holds_alternative<SessionDeleted>(*reply)) return;
        tell("the session is deleted");
        session.is_end_granted = true;
        note_over(session);
      });
}

}  // namespace videosync::sim
