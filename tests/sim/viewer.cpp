#include "tests/sim/viewer.h"

#include <algorithm>
#include <charconv>
#include <utility>
#include <variant>

#include "core/base/assert.h"
#include "proto/wire/token.h"
#include "tests/sim/world.h"

namespace videosync::sim {

namespace {

constexpr double held_untold = 0.1;  // of the viewers
constexpr std::int64_t attempt_max_us = 10'000'000;
constexpr std::int64_t answer_max_us = 6'000'000;
constexpr std::int64_t time_error_max_us = 5'000;
constexpr std::int64_t resume_sure_us = 25'000'000;  // of the 30 s, some pass on the way

constexpr std::array<std::string_view, static_cast<std::size_t>(Kind::count_)> kind_names{
    "seek", "play", "pause", "rate", "chat", "reaction"};

std::string describe(const SeenState& state) {
  return fmt::format("({}, {}) {} {} at {} by m{}", state.place.epoch, state.place.seq, state.cause,
                     state.playing ? "playing" : "paused", state.position, state.by.value);
}

// Some of the plays count down, no longer than a start may be ahead without.
std::optional<std::uint32_t> countdown_of(std::uint64_t number) noexcept {
  if (number % 5 != 0) return std::nullopt;
  return static_cast<std::uint32_t>(number * 37 % 500);
}

// The number in "c17" or "r17".
std::optional<std::uint64_t> talk_number(std::string_view text) noexcept {
  if (text.size() < 2) return std::nullopt;
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data() + 1, text.data() + text.size(), number);
  return error == std::errc() ? std::optional(number) : std::nullopt;
}

}  // namespace

std::string_view kind_name(Kind kind) noexcept {
  return kind_names[static_cast<std::size_t>(kind)];
}

Viewer::Viewer(World& world, std::size_t index, SimSession& session, Random random) noexcept
    : world_(world), index_(index), session_(session), random_(random) {
  has_host_token_ = random_.chance(0.3) && !world.plan().is_spread;
  tells_held_ = !random_.fork(1).chance(held_untold);
}

void Viewer::set_phase(Phase phase) noexcept {
  phase_ = phase;
  changed_us_ = world_.now_us();
}

// --- Connecting ----------------------------------------------------------------------------------

void Viewer::come() {
  const bool is_away = phase_ == Phase::absent || phase_ == Phase::over;
  if (!is_away || !session_.is_made) return;
  if (phase_ == Phase::over && session_.is_end_asked) return;
  connect();
}

void Viewer::connect() {
  VS_ASSERT(connection_ == nullptr);
  JoinOrder order;
  if (random_.chance(0.7)) order.request.name = "v" + std::to_string(index_);
  if (!resume_.empty()) {
    order.request.resume = parse_resume_token(resume_);
    if (tells_held_) order.request.held = {state_.place.epoch, state_.place.seq};
  }
  order.request.chat_held = chat_held_;
  if (has_host_token_ && random_.chance(0.3)) order.request.host_token = session_.host_token;
  // Whoever a door has stopped has the host's word the next time: in the end everybody is in.
  if (std::exchange(was_stopped_, false)) order.request.host_token = session_.host_token;
  if (world_.plan().has_cookies) order.request.browser = BrowserId{index_ + 1};
  const std::size_t node =
      world_.plan().is_spread ? index_ % world_.nodes().size() : world_.choose_node(random_);
  world_.tell("{} connects to node {}{}{}", name(), node, resume_.empty() ? "" : " as m",
              resume_.empty() ? "" : std::to_string(id_.value));
  connection_ = &world_.open(node, session_.key, *this, std::move(order));
  set_phase(Phase::joining);
  const std::size_t number = connection_->number;
  world_.scheduler().after(attempt_max_us, [this, number]() noexcept { on_attempt_late(number); });
}

void Viewer::connect_later(std::int64_t min_us, std::int64_t max_us) {
  set_phase(Phase::waiting);
  const std::int64_t wait_us = random_.between(min_us, max_us);
  world_.scheduler().after(world_.is_peace() ? std::min<std::int64_t>(wait_us, 300'000) : wait_us,
                           [this, attempt = ++attempt_]() noexcept {
                             if (attempt == attempt_ && phase_ == Phase::waiting) connect();
                           });
}

void Viewer::hurry() {
  if (is_at_door()) give_up_waiting();
  if (phase_ == Phase::waiting) connect_later(0, 300'000);
}

void Viewer::on_attempt_late(std::size_t number) {
  if (phase_ != Phase::joining || connection_->number != number) return;
  const std::size_t node = connection_->node;
  const bool was_awake = world_.awake_since_us(node) < world_.now_us() - attempt_max_us;
  if (connection_->phase == SimConnection::Phase::awaiting && was_awake) {
    world_.find("unanswered", "{} asked node {} to join and had no answer for 10 s", name(), node);
  }
  if (is_at_door()) return give_up_waiting();
  world_.tell("{} gives its attempt up", name());
  has_abandoned_ = true;
  part(world_.now_us());
  connect_later(100'000, 1'000'000);
}

bool Viewer::is_at_door() const noexcept {
  return phase_ == Phase::joining && connection_->phase == SimConnection::Phase::waiting;
}

void Viewer::give_up_waiting() {
  world_.tell("{} waits at the door no longer", name());
  was_stopped_ = true;
  part(world_.now_us());
  connect_later(0, 300'000);
}

// From our side, without a word to the viewer.
void Viewer::part(std::int64_t now_us) noexcept {
  SimConnection* old = std::exchange(connection_, nullptr);
  if (old == nullptr) return;
  if (phase_ == Phase::open) {
    Talk& talk = talks_.back();
    talk.closed_us = now_us;
    const std::int64_t due_us = now_us - answer_max_us - 2 * world_.plan().client.slow_us;
    const std::int64_t both_us = std::max(world_.awake_since_us(old->node), reading_since_us_);
    const bool is_due = is_reading_ && !old->is_vanished && both_us < due_us;
    if (is_due) talk.answered_us = due_us;
  }
  old->client = nullptr;
  old->down.release();
  is_reading_ = true;
  if (old->is_vanished) return;
  old->up.send([old]() noexcept {
    if (old->accepted != nullptr) {
      old->accepted->on_gone(*old);
    } else {
      old->phase = SimConnection::Phase::gone;
    }
  });
}

void Viewer::on_reply(SimConnection& connection, const SessionReply& reply) {
  if (&connection != connection_) return;
  const auto* fault = std::get_if<SessionFault>(&reply);
  VS_ASSERT(fault != nullptr && phase_ == Phase::joining);
  world_.tell("{} is refused by node {}: fault {}", name(), connection.node,
              static_cast<int>(*fault));
  part(world_.now_us());
  if (*fault == SessionFault::not_found) {
    world_.note_end(session_, name().c_str(), "a join that found nothing");
    return set_phase(Phase::over);
  }
  was_stopped_ = *fault == SessionFault::locked || *fault == SessionFault::door_full ||
                 *fault == SessionFault::turned_away || *fault == SessionFault::removed;
  if (*fault != SessionFault::unavailable && !was_stopped_) {
    world_.find("join", "{} was refused with fault {}", name(), static_cast<int>(*fault));
  }
  connect_later(200'000, 1'500'000);
}

void Viewer::on_closed(SimConnection& connection, std::uint16_t code) {
  if (&connection != connection_) return;
  world_.tell("{} is closed with {}", name(), code);
  const bool was_open = phase_ == Phase::open;
  if (was_open) lost_us_ = world_.now_us();
  part(world_.now_us());
  if (code == close_code::session_ended) {
    world_.note_end(session_, name().c_str(), "4001");
    session_.is_end_seen = true;
    world_.note_over(session_);
    return set_phase(Phase::over);
  }
  if (code == close_code::removed) {
    forget();
    return set_phase(Phase::over);
  }
  was_stopped_ = code == close_code::turned_away;
  // Its id may have been another's, too.
  const bool is_displaced = code == close_code::connected_elsewhere && !has_abandoned_;
  if (is_displaced && !world_.may_have_forgotten(session_)) {
    world_.find("one seat", "{} was closed with 4002 and has no other connection", name());
  } else if (is_displaced) {
    forget();
  }
  const bool is_again = code == close_code::going_away || code == close_code::internal_error;
  connect_later(code == code_refused || is_again ? 100'000 : 10'000, 2'000'000);
}

void Viewer::on_node_dead(std::int64_t after_us) {
  if (connection_ == nullptr) return;
  world_.scheduler().after(after_us,
                           [this, old = connection_]() noexcept { on_closed(*old, code_lost); });
}

// --- Acts ----------------------------------------------------------------------------------------

void Viewer::leave() {
  if (phase_ == Phase::absent || phase_ == Phase::over) return;
  world_.tell("{} leaves for good", name());
  part(world_.now_us());
  ++attempt_;
  forget();
  set_phase(Phase::absent);
}

// Who comes again after this is somebody else.
void Viewer::forget() noexcept {
  resume_.clear();
  lost_us_ = 0;
  state_ = {};
  state_frame_.reset();
  host_epoch_ = 0;
  queue_.clear();
  queue_place_ = {};
  for (Talk& talk : talks_)
    talk.is_anothers = true;
}

void Viewer::lose(std::uint64_t salt) {
  if (phase_ != Phase::open && phase_ != Phase::joining) return;
  world_.tell("{} loses its connection", name());
  if (phase_ == Phase::joining) has_abandoned_ = true;
  if (salt % 2 == 0) connection_->up.clear();
  lost_us_ = world_.now_us();
  part(world_.now_us());
  connect_later(1'000, salt % 8 == 0 ? 15'000'000 : 2'000'000);
}

void Viewer::vanish(std::uint64_t salt) {
  if (phase_ != Phase::open) return;
  world_.tell("{} vanishes without its node noticing", name());
  SimConnection* old = connection_;
  old->is_vanished = true;
  old->up.clear();
  lost_us_ = world_.now_us();
  part(world_.now_us());
  const std::int64_t noticed_us = 1'000'000 + static_cast<std::int64_t>(salt % 40'000'000);
  world_.scheduler().after(noticed_us, [old]() noexcept {
    if (old->accepted != nullptr) old->accepted->on_gone(*old);
  });
  connect_later(1'000, 3'000'000);
}

void Viewer::stop_reading(std::int64_t for_us) {
  if (phase_ != Phase::open || !is_reading_) return;
  world_.tell("{} stops reading for {} ms", name(), for_us / 1'000);
  is_reading_ = false;
  connection_->down.hold();
  world_.scheduler().after(for_us, [this, old = connection_]() noexcept {
    if (connection_ == old) read_again();
  });
}

void Viewer::read_again() {
  if (is_reading_ || connection_ == nullptr) return;
  is_reading_ = true;
  reading_since_us_ = world_.now_us();
  connection_->down.release();
}

void Viewer::send(ClientMessage message) {
  VS_ASSERT(phase_ == Phase::open);
  connection_->up.send([to = connection_, boxed = std::make_unique<ClientMessage>(
                                              std::move(message))]() mutable noexcept {
    if (to->worker != nullptr && !to->is_vanished) to->worker->on_message(*to, std::move(boxed));
  });
}

void Viewer::say_plain(ClientMessage message) {
  if (phase_ == Phase::open) send(std::move(message));
}

void Viewer::say(Kind kind) {
  if (phase_ != Phase::open) return;
  const std::uint64_t number = world_.next_command();
  if (number > command_max) return;
  ClientMessage message;
  if (kind == Kind::seek) message = SeekMessage{position_of(number)};
  if (kind == Kind::play) message = PlayMessage{position_of(number), countdown_of(number)};
  if (kind == Kind::pause) message = PauseMessage{position_of(number)};
  if (kind == Kind::rate) message = RateMessage{rate_of(number)};
  if (kind == Kind::chat) message = ChatMessage{"c" + std::to_string(number)};
  if (kind == Kind::reaction) message = ReactionMessage{"r" + std::to_string(number)};
  if (world_.is_told())
    world_.tell("{} (m{} on node {}) says {} {}", name(), id_.value, connection_->node,
                kind_name(kind), number);
  send(std::move(message));
  world_.note_said(number, connection_->node);
  const std::size_t talk = talks_.size() - 1;
  auto& said = talks_.back().said[static_cast<std::size_t>(kind)];
  said.push_back({number, world_.now_us(), held()});
  const std::int64_t due_us = answer_max_us + 2 * world_.plan().client.slow_us;
  world_.scheduler().after(due_us, [this, talk, kind, place = said.size() - 1]() noexcept {
    check_due(talk, kind, place);
  });
}

std::size_t Viewer::outstanding(Kind kind) const {
  if (talks_.empty()) return 0;
  const Talk& talk = talks_.back();
  const auto& said = talk.said[static_cast<std::size_t>(kind)];
  const bool is_talk = kind == Kind::chat || kind == Kind::reaction;
  const auto open = std::count_if(said.begin(), said.end(), [&](const Talk::Said& each) {
    return is_talk ? !session_.talk.contains(each.number)
                   : !session_.ledger.was_carried_out(each.number);
  });
  const auto errors = static_cast<std::ptrdiff_t>(talk.errors[static_cast<std::size_t>(kind)]);
  return static_cast<std::size_t>(std::max<std::ptrdiff_t>(0, open - errors));
}

// Once or refused, within the time. Where several of a kind were under way this cannot tell which
// of them an error was for; the count at peace can.
void Viewer::check_due(std::size_t talk_index, Kind kind, std::size_t place) {
  const Talk& talk = talks_[talk_index];
  if (!talk.is_open() || connection_ == nullptr || !is_reading_) return;
  if (connection_->is_vanished) return;  // its node is dead, and it does not know yet
  const auto& said = talk.said[static_cast<std::size_t>(kind)];
  const std::int64_t awake_us = world_.awake_since_us(connection_->node);
  const std::int64_t slack_us = 2 * world_.plan().client.slow_us;
  const std::int64_t due_us = std::max(awake_us, said[place].sent_us) + answer_max_us + slack_us;
  if (due_us > world_.now_us()) {  // its own node did not run
    world_.scheduler().at(
        due_us, [this, talk_index, kind, place]() noexcept { check_due(talk_index, kind, place); });
    return;
  }
  const bool is_talk = kind == Kind::chat || kind == Kind::reaction;
  std::size_t unknown = 0;
  for (std::size_t i = 0; i <= place; ++i) {
    const bool is_done = is_talk ? session_.talk.contains(said[i].number)
                                 : session_.ledger.was_carried_out(said[i].number) ||
                                       // Another passed it before anybody saw it.
                                       session_.ledger.has_unseen_after(said[i].held);
    if (!is_done) ++unknown;
  }
  if (unknown <= talk.errors[static_cast<std::size_t>(kind)]) return;
  world_.find("once or refused", "{} said {} {} on node {}: neither carried out nor refused in 6 s",
              name(), kind_name(kind), said[place].number, connection_->node);
}

// --- What comes ----------------------------------------------------------------------------------

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
  for (std::size_t i = 0; i < kind_names.size(); ++i) {
    if (kind_names[i] != frame.re) continue;
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
    if (!heard_.insert(*number).second) {
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
