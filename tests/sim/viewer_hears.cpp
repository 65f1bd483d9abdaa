// Viewer: what comes to it, and whether it may.
#include <charconv>
#include <utility>
#include <variant>

#include "core/base/assert.h"
#include "proto/wire/token.h"
#include "tests/sim/viewer.h"
#include "tests/sim/world.h"

namespace videosync::sim {

namespace {

constexpr std::int64_t time_error_max_us = 5'000;
constexpr std::int64_t resume_sure_us = 25'000'000;  // of the 30 s, some pass on the way
constexpr std::size_t kinds = static_cast<std::size_t>(Kind::count_);

std::string describe(const SeenState& state) {
  return fmt::format("({}, {}) {} {} at {} by m{}", state.place.epoch, state.place.seq, state.cause,
                     state.playing ? "playing" : "paused", state.position, state.by.value);
}

// The number in "c17" or "r17".
std::optional<std::uint64_t> talk_number(std::string_view text) noexcept {
  if (text.size() < 2) return std::nullopt;
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data() + 1, text.data() + text.size(), number);
  return error == std::errc() ? std::optional(number) : std::nullopt;
}

}  // namespace

void Viewer::on_frame(SimConnection& connection, const FrameRef& frame) {
  if (&connection != connection_) return;
  if (frame->type == Frame::Type::knocking) return on_knocking();
  const bool is_first = phase_ == Phase::joining;
  const bool is_welcome = frame->type == Frame::Type::welcome;
  if (is_first != is_welcome) {
    world_.find("protocol", "{}: the first message is the welcome, and no other: {}", name(),
                frame->text);
    return;
  }
  switch (frame->type) {
    case Frame::Type::welcome:
      on_welcome(*frame);
      hold_state(frame->state, frame, true);
      break;
    case Frame::Type::state:
      hold_state(frame->state, frame, false);
      break;
    case Frame::Type::host:
      on_host(*frame);
      break;
    case Frame::Type::members:
      on_members(*frame);
      break;
    case Frame::Type::settings:
      hold_settings(*frame);
      break;
    case Frame::Type::up_next:
      up_next_ = frame->up_next;
      if (world_.is_told()) world_.tell("{} sees q{} up next", name(), up_next_.value);
      break;
    case Frame::Type::queue:
      hold_queue(*frame);
      break;
    case Frame::Type::knock:
      on_knock(*frame);
      break;
    case Frame::Type::error:
      on_error(*frame);
      break;
    case Frame::Type::chat:
    case Frame::Type::history:
    case Frame::Type::reaction:
      on_talk(*frame);
      break;
    case Frame::Type::notice:
      on_notice(*frame);
      break;
    case Frame::Type::broken:
    case Frame::Type::other:
      world_.find("protocol", "{} cannot read: {}", name(), frame->text);
      break;
    default:
      break;
  }
}

void Viewer::on_welcome(const Frame& frame) {
  const std::int64_t now_us = world_.now_us();
  // Where there is one, it follows.
  queue_.clear();
  queue_place_ = {};
  const bool is_resumed = !resume_.empty();
  const bool is_soon = lost_us_ > 0 && now_us - lost_us_ < resume_sure_us;
  if (world_.is_told())
    world_.tell("{} is welcomed by node {} as m{} with {} ({} there, host m{})", name(),
                connection_->node, frame.you.value, describe(frame.state), frame.count,
                frame.host.value);
  check_time(frame.server_us);
  const bool may_be_removed = session_.to_be_kicked.contains(id_);
  // It may have come to the line that was taken over, where its id was never given: such a node
  // refuses only who says what it has held.
  const bool is_line_older = !tells_held_ && frame.state.place < held();
  const bool is_known = !may_be_removed && !is_line_older && !world_.may_have_forgotten(session_);
  if (is_resumed && is_soon && is_known && frame.you != id_) {
    world_.find("resume", "{} was m{}, came back after {} ms and is m{}", name(), id_.value,
                (now_us - lost_us_) / 1'000, frame.you.value);
  }
  const auto [owner, is_new] = session_.whose.try_emplace(frame.you, index_);
  const bool is_resumption = is_resumed && frame.you == id_;
  if (!is_new && !is_resumption && !world_.may_have_forgotten(session_)) {
    world_.find("one id", "{} is new, and is m{}, who viewer {} was before", name(),
                frame.you.value, owner->second);
  }
  id_ = frame.you;
  name_ = frame.your_name;
  resume_ = frame.resume;
  host_ = frame.host;
  is_host_away_ = frame.is_host_away;
  count_ = frame.count;
  ready_ = frame.ready;
  members_.clear();
  for (const SeenMember& member : frame.joined)
    members_.emplace(member.id, std::string(member.name));
  hold_settings(frame);
  up_next_ = frame.up_next;
  lost_us_ = 0;
  has_abandoned_ = has_abandoned_ && now_us - changed_us_ < attempt_max_us;
  set_phase(Phase::open);
  world_.note_keeper(*this);
  Talk& talk = talks_.emplace_back();
  talk.connection = connection_->number;
  talk.member = id_;
  talk.opened_us = now_us;
  talk.taken_over = frame.taken_over;
  talk.is_older = is_line_older;
  world_.note_disturbance();
}

// It was written after this viewer had asked and before it has come.
void Viewer::check_time(std::int64_t told_us) {
  const std::int64_t asked_us = NodeClock::epoch_us + changed_us_;
  const std::int64_t come_us = NodeClock::epoch_us + world_.now_us();
  if (told_us >= asked_us - time_error_max_us && told_us <= come_us + time_error_max_us) return;
  world_.find("one time", "{} asked at {} us, is welcomed at {} us, and is told that it is {} us",
              name(), asked_us, come_us, told_us);
}

void Viewer::hold_state(const SeenState& state, const FrameRef& frame, bool is_welcome) {
  if (!is_welcome && world_.is_told()) world_.tell("{} sees {}", name(), describe(state));
  const bool is_anew = is_welcome && !tells_held_;
  const bool is_older = state.place < state_.place || state.place.epoch < host_epoch_;
  if (is_older && !is_anew) {
    world_.find("order", "{} held ({}, {}), host of epoch {}, and then got{} ({}, {})", name(),
                state_.place.epoch, state_.place.seq, host_epoch_,
                is_welcome ? " a welcome with" : "", state.place.epoch, state.place.seq);
  }
  if (is_anew) host_epoch_ = 0;
  state_ = state;
  state_frame_ = frame;
  if (!is_welcome && state.cause == "load") up_next_ = {};
  newest_seen_ = std::max(newest_seen_, command_of(state).value_or(0));
  if (const auto command = command_of(state); command && state.by == id_ && !talks_.empty()) {
    for (Talk& talk : talks_) {
      for (auto& said : talk.said) {
        for (Talk::Said& each : said)
          if (each.number == *command) each.seen = std::max(each.seen, state.place);
      }
    }
  }
}

// The latest wins; a long one comes in parts.
void Viewer::hold_queue(const Frame& frame) {
  const Place place{frame.epoch, frame.version};
  if (place < queue_place_) return;
  if (frame.from == 0) queue_.clear();
  if (frame.from != queue_.size()) {
    world_.find("protocol", "{} has {} of the queue and got a part from {} on", name(),
                queue_.size(), frame.from);
  }
  queue_place_ = place;
  queue_.insert(queue_.end(), frame.items.begin(), frame.items.end());
  if (world_.is_told())
    world_.tell("{} sees a queue of {} ({}, {})", name(), queue_.size(), place.epoch, place.seq);
}

void Viewer::hold_settings(const Frame& frame) {
  settings_ = fmt::format("{}/{}/{}/{}/{}", frame.control, frame.on_stall, frame.audio_language,
                          frame.queue_right, frame.door);
  for (const MemberId id : frame.controllers)
    settings_ += fmt::format("/m{}", id.value);
}

void Viewer::on_host(const Frame& frame) {
  if (world_.is_told())
    world_.tell("{} sees host m{} of epoch {}, {}", name(), frame.host.value, frame.epoch,
                frame.reason);
  if (frame.epoch < host_epoch_ || frame.epoch < state_.place.epoch) {
    world_.find("order", "{} held epoch {} and got a host of epoch {}", name(),
                std::max(host_epoch_, state_.place.epoch), frame.epoch);
  }
  host_epoch_ = frame.epoch;
  host_ = frame.host;
  is_host_away_ = false;
}

void Viewer::on_members(const Frame& frame) {
  count_ = frame.count;
  ready_ = frame.ready;
  is_host_away_ = frame.is_host_away;
  for (const SeenMember& member : frame.left)
    members_.erase(member.id);
  for (const SeenMember& member : frame.joined)
    members_.insert_or_assign(member.id, std::string(member.name));
  for (const SeenMember& member : frame.changed) {
    const auto found = members_.find(member.id);
    if (found != members_.end()) found->second = member.name;
  }
  if (!world_.is_told()) return;
  std::string words;
  for (const auto& [member, of] : members_)
    words += " m" + std::to_string(member.value);
  world_.tell("{} sees {} members:{}", name(), count_, words);
}

void Viewer::on_knocking() {
  if (phase_ != Phase::joining) world_.find("protocol", "{} is in, and is to wait", name());
  world_.tell("{} waits at the door", name());
  if (world_.is_peace()) give_up_waiting();
}

// Nobody says anything in peace.
void Viewer::on_knock(const Frame& frame) {
  if (!frame.knock) world_.find("protocol", "{} hears of nobody: {}", name(), frame.text);
  if (frame.is_gone || world_.is_peace()) return;
  const bool is_welcome = random_.chance(0.7);
  world_.tell("{} {} k{}", name(), is_welcome ? "lets in" : "refuses", frame.knock.value);
  if (is_welcome) {
    say_plain(AdmitMessage{frame.knock});
  } else if (random_.chance(0.5)) {
    say_plain(RefuseMessage{frame.knock});
  }
}

void Viewer::on_error(const Frame& frame) {
  if (world_.is_told()) world_.tell("{} is refused {}: {}", name(), frame.re, frame.code);
  // What is said aloud is not said twice: as a session moves, it may have to be refused.
  const bool is_talk = frame.re == "chat" || frame.re == "reaction";
  if (frame.code == "unavailable" && !is_talk) world_.check_apart(session_, name(), frame.re);
  for (std::size_t i = 0; i < kinds; ++i) {
    if (kind_name(static_cast<Kind>(i)) != frame.re) continue;
    ++talks_.back().errors[i];
    if (frame.code == "unavailable") ++talks_.back().doubts[i];
  }
}

void Viewer::on_talk(const Frame& frame) {
  for (const SeenTalk& talk : frame.talk) {
    // After a return a line may come a second time: its id tells.
    if (talk.id > 0 && !heard_lines_.insert(talk.id).second) continue;
    const auto number = talk_number(talk.text);
    if (!number) continue;
    if (world_.is_told()) world_.tell("{} hears {} of m{}", name(), talk.text, talk.from.value);
    // Between several servers there is no order: who goes to another node may be there before what
    // it has heard, and a reaction has no id.
    const bool may_repeat = talk.id == 0 && world_.plan().shards > 1;
    if (!heard_.insert(*number).second && !may_repeat) {
      world_.find("at most once", "{} heard {} twice", name(), talk.text);
    }
    chat_held_ = std::max(chat_held_, talk.id);
  }
}

void Viewer::on_notice(const Frame& frame) {
  if (world_.is_told()) world_.tell("{} gets the notice {}", name(), frame.code);
  if (frame.code == "undone") talks_.back().undone_us.push_back(world_.now_us());
}

}  // namespace videosync::sim
