#include "tests/sim/viewer.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "core/base/assert.h"
#include "proto/wire/token.h"
#include "tests/sim/world.h"

namespace videosync::sim {

namespace {

constexpr double held_untold = 0.1;  // of the viewers
constexpr std::int64_t answer_max_us = 6'000'000;

constexpr std::array<std::string_view, static_cast<std::size_t>(Kind::count_)> kind_names{
    "seek", "play", "pause", "rate", "chat", "reaction"};

// Some of the plays count down, no longer than a start may be ahead without.
std::optional<std::uint32_t> countdown_of(std::uint64_t number) noexcept {
  if (number % 5 != 0) return std::nullopt;
  return static_cast<std::uint32_t>(number * 37 % 500);
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
  if (*fault == SessionFault::unavailable) world_.check_apart(session_, name(), "a join");
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

}  // namespace videosync::sim
