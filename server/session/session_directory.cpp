// SessionDirectory: its door, the event at hand, finding, and the requests.
#include "server/session/session_directory.h"

#include <algorithm>
#include <utility>

#include "core/base/assert.h"
#include "core/base/log.h"
#include "server/session/directory_impl.h"

namespace videosync {

using Impl = SessionDirectory::Impl;

SessionDirectory::SessionDirectory(const SessionPorts& ports)
    : impl_(std::make_unique<Impl>(ports)) {
  VS_ASSERT(ports.worker < ports.workers);
  VS_ASSERT(ports.session_ttl_us > 0);
}
SessionDirectory::~SessionDirectory() = default;

void SessionDirectory::on_create(const Uuid& key, const CreateOrder& order,
                                 ConnectionRef from) noexcept {
  const Impl::Event event(*impl_);
  if (impl_->is_handed_away()) return impl_->refuse(from);
  impl_->create(key, order, from);
}
void SessionDirectory::on_join(const Uuid& key, const SessionMachine::JoinRequest& request,
                               ConnectionRef from) noexcept {
  const Impl::Event event(*impl_);
  if (impl_->is_handed_away()) return impl_->refuse(from);
  impl_->join(key, request, from);
}
void SessionDirectory::on_info(const Uuid& key, ConnectionRef from,
                               const SessionProof& proof) noexcept {
  const Impl::Event event(*impl_);
  if (impl_->is_handed_away()) return impl_->refuse(from);
  impl_->info(key, proof, from);
}
void SessionDirectory::on_validate(const Uuid& key, ConnectionRef from) noexcept {
  const Impl::Event event(*impl_);
  if (impl_->is_handed_away()) return impl_->refuse(from);
  impl_->validate(key, from);
}
void SessionDirectory::on_validate_code(ShortCode code, ConnectionRef from) noexcept {
  const Impl::Event event(*impl_);
  if (impl_->is_handed_away()) return impl_->refuse(from);
  impl_->validate_code(code, from);
}
void SessionDirectory::on_video(const Uuid& key, ConnectionRef from) noexcept {
  const Impl::Event event(*impl_);
  if (impl_->is_handed_away()) return impl_->refuse(from);
  impl_->video(key, from);
}
void SessionDirectory::on_delete(const Uuid& key, const std::optional<Token>& host_token,
                                 ConnectionRef from) noexcept {
  const Impl::Event event(*impl_);
  if (impl_->is_handed_away()) return impl_->refuse(from);
  impl_->end(key, host_token, from);
}
void SessionDirectory::on_upload(const Uuid& key, const std::string& name,
                                 std::optional<std::uint8_t> percent) noexcept {
  if (impl_->is_handed_away()) return;
  const Impl::Event event(*impl_);
  impl_->tell_upload(key, name, percent);
}
void SessionDirectory::on_message(const Uuid& key, MemberId member, ConnectionNumber number,
                                  ConnectionRef from, const ClientMessage& message) noexcept {
  if (impl_->is_handed_away()) return;
  const Impl::Event event(*impl_);
  impl_->message(key, member, number, from, message);
}
void SessionDirectory::on_leave(const Uuid& key, MemberId member,
                                ConnectionNumber number) noexcept {
  if (impl_->is_handed_away()) return;
  const Impl::Event event(*impl_);
  impl_->leave(key, member, number);
}
void SessionDirectory::on_knocker_left(const Uuid& key, ConnectionNumber number) noexcept {
  if (impl_->is_handed_away()) return;
  const Impl::Event event(*impl_);
  impl_->knocker_left(key, number);
}
void SessionDirectory::on_turn_end() noexcept {
  if (impl_->is_handed_away()) return;
  const Impl::Event event(*impl_);
  impl_->turn_end();
}
void SessionDirectory::on_library_changed() noexcept {
  if (impl_->is_handed_away()) return;
  const Impl::Event event(*impl_);
  impl_->library_changed();
}
void SessionDirectory::begin_drain() noexcept {
  if (impl_->is_handed_away()) return;
  const Impl::Event event(*impl_);
  impl_->begin_drain();
}
bool SessionDirectory::is_settled() const noexcept {
  return impl_->is_settled();
}
void SessionDirectory::on_envelope(node::Envelope envelope) noexcept {
  const Impl::Event event(*impl_);
  impl_->envelope(std::move(envelope));
}
void SessionDirectory::on_event(const Uuid& key, const BufferRef& bytes) noexcept {
  const Impl::Event event(*impl_);
  impl_->event(key, bytes);
}
void SessionDirectory::on_node_lost(const Uuid& node) noexcept {
  const Impl::Event event(*impl_);
  impl_->node_lost(node);
}
void SessionDirectory::on_node_alive(const Uuid& node) noexcept {
  const Impl::Event event(*impl_);
  impl_->node_alive(node);
}
void SessionDirectory::collect_sums(std::uint64_t round) noexcept {
  const Impl::Event event(*impl_);
  impl_->collect_sums(round);
}
void SessionDirectory::list_shared(const Uuid& home, std::int64_t gathered_us,
                                   std::size_t bucket) noexcept {
  const Impl::Event event(*impl_);
  impl_->list_shared(home, gathered_us, bucket);
}
void SessionDirectory::compare_list(const Uuid& from, const node::DigestList& list) noexcept {
  const Impl::Event event(*impl_);
  impl_->compare_list(from, list);
}
void SessionDirectory::survey(SessionSurvey& survey) const {
  impl_->survey(survey);
}

void SessionDirectory::check_invariants() const {
  impl_->check_invariants();
}

// --- The event at hand; the world ----------------------------------------------------------------

Impl::Impl(const SessionPorts& ports)
    : ports_(ports),
      tick_timer_(&Impl::on_tick_timer, this),
      porch_timer_(&Impl::on_porch_timer, this) {}

void Impl::run_answers() noexcept {
  VS_ASSERT(depth_ == 1);
  while (!answers_.empty()) {
    auto answer = std::move(answers_.front());
    answers_.pop_front();
    answer();
    VS_ASSERT(depth_ == 1);
    VS_ASSERT(effects_.empty());
  }
}

void Impl::on_residence_timer(void* residence) noexcept {
  auto& expired = *static_cast<Residence*>(residence);
  auto& impl = *static_cast<Impl*>(expired.directory);
  VS_ASSERT(impl.depth_ == 0);
  VS_ASSERT(impl.find(expired.key) == &expired);
  const Event event(impl);
  impl.on_timer(expired);
}

void Impl::on_tick_timer(void* impl) noexcept {
  const Event event(*static_cast<Impl*>(impl));
  static_cast<Impl*>(impl)->tick();
}

std::int64_t Impl::store_ttl_us() const noexcept {
  // The machine ends a session of its own accord; the store only cleans up behind a lost process.
  return ports_.session_ttl_us + ports_.session_ttl_us / 4 + 60'000'000;
}

// Above all that is known of the session and, being of server time and of this node, above and
// unlike whatever anybody else has made, also where the store has gone back to an older copy.
std::uint64_t Impl::next_fence(std::uint64_t known) const noexcept {
  const std::uint8_t mark = is_alone() ? 0 : self().bytes[15];
  const auto time = static_cast<std::uint64_t>(std::max<std::int64_t>(server_us(), 0));
  return std::max(known + 1, time << 8 | mark);
}

ConnectionNumber Impl::draw_connection() noexcept {
  const ConnectionNumber before = last_connection_;
  const auto now_ms = static_cast<std::uint32_t>(server_us() / 1'000);
  const bool is_later = !last_connection_ || is_newer(ConnectionNumber{now_ms}, last_connection_);
  last_connection_.value = is_later ? now_ms : last_connection_.value + 1;
  if (!last_connection_) last_connection_.value = 1;
  VS_ASSERT(last_connection_);
  VS_ASSERT(!before || is_newer(last_connection_, before));
  return last_connection_;
}

void Impl::schedule(TimerEntry& timer, std::int64_t wait_us) noexcept {
  const std::int64_t wait_ms = std::max<std::int64_t>(0, (wait_us + 999) / 1'000);
  const std::int64_t deadline_ms = now_us() / 1'000 + wait_ms;
  if (timer.is_armed() && timer.deadline_ms == deadline_ms) return;
  ports_.timers.schedule(timer, deadline_ms);
}

SessionFault Impl::fault_of(const Error& error) noexcept {
  switch (error.code) {
    case ErrorCode::not_found:
    case ErrorCode::conflict:
    case ErrorCode::corrupt:
      return SessionFault::not_found;
    case ErrorCode::exhausted:
      return SessionFault::too_many_sessions;
    default:
      return SessionFault::unavailable;
  }
}

// --- Finding -------------------------------------------------------------------------------------

Residence* Impl::find(const Uuid& key) noexcept {
  const auto found = residences_.find(key);
  return found != residences_.end() ? found->second.get() : nullptr;
}

// An outpost, where there is nothing yet.
Residence& Impl::open(const Uuid& key) noexcept {
  VS_ASSERT(!is_alone());
  auto& residence = residences_[key];
  if (!residence) {
    VS_ASSERT(worker_of(key, ports_.workers) == ports_.worker);
    residence = std::make_unique<Residence>(key, &Impl::on_residence_timer, this);
    residence->outpost = std::make_unique<Outpost>(ports_.workers);
    take_back_copy(*residence);
  }
  return *residence;
}

void Impl::erase(Residence& residence) noexcept {
  VS_ASSERT(residence.kind() != Residence::Kind::moving);
  VS_ASSERT(depth_ > 0);
  VS_ASSERT(!residence.home || !residence.home->is_talking);
  if (residence.timer.is_armed()) ports_.timers.cancel(residence.timer);
  residences_.erase(Uuid(residence.key));
}

// --- Requests ------------------------------------------------------------------------------------

void Impl::create(const Uuid& key, const CreateOrder& order, ConnectionRef from) noexcept {
  VS_ASSERT(worker_of(key, ports_.workers) == ports_.worker);
  auto video = ports_.around.choose_video(order.video);
  if (!video && order.video) return answer(from, SessionFault::no_such_video);
  Token host_token, resume_key;
  ports_.around.fill_random(host_token.bytes);
  ports_.around.fill_random(resume_key.bytes);
  auto machine = std::make_unique<SessionMachine>(ports_.limits, order.settings, host_token,
                                                  video ? std::move(*video) : VideoChoice{},
                                                  server_us(), resume_key);
  machine->take_durable_changed();
  store_new(key, {std::move(machine), host_token, from});
}

void Impl::join(const Uuid& key, SessionMachine::JoinRequest request, ConnectionRef from) noexcept {
  VS_ASSERT(depth_ > 0);
  const bool is_waiting = request.connection && porch_.find(key, request.connection) != nullptr;
  if (!is_waiting) request.connection = draw_connection();
  ask_to_join(key, std::move(request), from);
}

void Impl::ask_to_join(const Uuid& key, SessionMachine::JoinRequest request,
                       ConnectionRef from) noexcept {
  VS_ASSERT(request.connection);
  Residence* residence = find(key);
  if (residence != nullptr && residence->is_home()) return join_home(*residence, request, from);
  if (is_alone()) return answer_join(key, request, from, SessionFault::not_found);
  // Who waits has asked before: the answer to that may have been lost.
  const std::uint32_t attempts = porch_.find(key, request.connection) != nullptr ? 1 : 0;
  add_ask(key, {.kind = Asks::Ask::Kind::join,
                .from = from,
                .request = std::move(request),
                .attempts = attempts});
}

void Impl::info(const Uuid& key, const SessionProof& proof, ConnectionRef from) noexcept {
  const Residence* residence = find(key);
  const bool is_home = residence != nullptr && residence->is_home();
  if (is_home && !is_alone() && residence->home->seats.empty() && presence_.has(key)) {
    return info_of_empty(key, proof, from);
  }
  if (is_home) return answer_info(*residence, proof, from);
  if (is_alone()) return answer(from, SessionFault::not_found);
  add_ask(key, {.kind = Asks::Ask::Kind::info, .from = from, .proof = proof});
}

// Nothing reminds a home without members that another node has taken it over.
void Impl::info_of_empty(const Uuid& key, const SessionProof& proof, ConnectionRef from) noexcept {
  ports_.store.load(
      key,
      answered<StoredValue>([this, key, proof, from](const Result<StoredValue>& value) noexcept {
        Residence* residence = find(key);
        const bool is_home = residence != nullptr && residence->is_home();
        const bool is_over =
            value && is_home && value->version.fence > residence->at_home().version.fence;
        if (is_home && !is_over) return answer_info(*residence, proof, from);
        if (is_over) superseded(*residence);
        add_ask(key, {.kind = Asks::Ask::Kind::info, .from = from, .proof = proof});
      }));
}

void Impl::validate(const Uuid& key, ConnectionRef from) noexcept {
  const Residence* residence = find(key);
  const bool is_open_here =
      residence != nullptr && (residence->home || !residence->outpost->members.empty());
  if (is_open_here || copies_.contains(key)) return answer(from, SessionValidity{key});
  if (unremoved_.contains(key)) return answer(from, SessionValidity{});
  ports_.store.exists(key, answered<bool>([this, key, from](Result<bool> exists) noexcept {
                        if (!exists) return answer(from, SessionFault::unavailable);
                        const bool is_unsure = !*exists && may_be_written_back(slot_of(key));
                        if (is_unsure) return validate_later(key, from);
                        answer(from, *exists ? SessionValidity{key} : SessionValidity{});
                      }));
}

// What has ended is not about to be brought back: the store knows it as removed.
void Impl::validate_later(const Uuid& key, ConnectionRef from) noexcept {
  ports_.store.load(
      key, answered<StoredValue>([this, key, from](const Result<StoredValue>& value) noexcept {
        const bool is_removed = !value && value.error().code == ErrorCode::conflict;
        if (value) return answer(from, SessionValidity{key});
        if (is_removed) return answer(from, SessionValidity{});
        if (unsure_.size() == unsure_max) return answer(from, SessionFault::unavailable);
        unsure_.push_back({key, from, now_us() + ask_us});
        VS_ASSERT(unsure_.size() <= unsure_max);
      }));
}

// Nobody is told no while the store may lack what others are about to bring it.
void Impl::validate_unsure() noexcept {
  VS_ASSERT(unsure_.size() <= unsure_max);
  for (const Unsure& unsure : std::exchange(unsure_, {})) {
    if (now_us() >= unsure.deadline_us) {
      answer(unsure.from, SessionFault::unavailable);
    } else if (!may_be_written_back(slot_of(unsure.key))) {
      validate(unsure.key, unsure.from);
    } else {
      unsure_.push_back(unsure);
    }
  }
}

void Impl::video(const Uuid& key, ConnectionRef from) noexcept {
  const Residence* residence = find(key);
  if (residence != nullptr && residence->home) {
    return answer(from, SessionVideo{residence->home->machine->state().video});
  }
  if (is_alone()) return answer(from, SessionFault::not_found);
  // An outpost does not hear of it before the first change.
  if (residence != nullptr && !residence->outpost->video.empty()) {
    return answer(from, SessionVideo{residence->outpost->video});
  }
  // Which video it is does not need the session's home.
  ports_.store.load(key, answered<StoredValue>([this, from](Result<StoredValue> value) noexcept {
                      if (!value) return answer(from, fault_of(value.error()));
                      const auto stored = decode_stored_session(value->bytes.text());
                      if (!stored) return answer(from, SessionFault::not_found);
                      answer(from, SessionVideo{stored->record.state.video});
                    }));
}

void Impl::end(const Uuid& key, const std::optional<Token>& host_token,
               ConnectionRef from) noexcept {
  VS_ASSERT(depth_ > 0);
  VS_ASSERT(effects_.empty());
  Residence* residence = find(key);
  if (residence != nullptr && residence->is_home()) return end_home(*residence, host_token, from);
  if (is_alone()) return answer(from, SessionFault::not_found);
  add_ask(key, {.kind = Asks::Ask::Kind::end, .from = from, .host_token = host_token});
}

void Impl::message(const Uuid& key, MemberId member, ConnectionNumber number, ConnectionRef from,
                   const ClientMessage& message) noexcept {
  VS_ASSERT(member);
  VS_ASSERT(number);
  Residence* residence = find(key);
  if (residence != nullptr && residence->is_home()) {
    const FlatMap<MemberId, Seat>& seats = residence->at_home().seats;
    const auto seat = seats.find(member);
    const bool is_seated = seat != seats.end() && seat->second.number == number;
    if (is_seated) return message_home(*residence, member, message);
  } else if (residence != nullptr) {
    const LocalMembers& members = residence->outpost_part().members;
    const auto found = members.find(member);
    const bool is_here = found != members.end() && found->second.number == number;
    if (is_here) return say(*residence, member, message);
  }
  // Nobody here knows this connection, or no longer: it may come back as a new one.
  ports_.delivery.close(from, close_code::going_away);
}

void Impl::leave(const Uuid& key, MemberId member, ConnectionNumber number) noexcept {
  VS_ASSERT(member);
  VS_ASSERT(number);
  Residence* residence = find(key);
  if (residence == nullptr) return;
  if (residence->is_home()) return leave_home(*residence, member, number);
  leave_outpost(*residence, member, number);
}

// --- Invariants ----------------------------------------------------------------------------------

void Impl::check_invariants() const {
  VS_ASSERT(depth_ == 0);
  VS_ASSERT(answers_.empty());
  std::size_t moving = 0, talking = 0;
  for (const auto& [key, residence] : residences_) {
    VS_ASSERT(residence->key == key);
    VS_ASSERT(worker_of(key, ports_.workers) == ports_.worker);
    check(*residence);
    moving += residence->kind() == Residence::Kind::moving;
    talking += residence->home && residence->home->is_talking;
  }
  VS_ASSERT(moving == moving_);
  VS_ASSERT(talking == talking_.size());
  VS_ASSERT(porch_.empty() || porch_timer_.is_armed());
  for (const auto* unsaved : {&unsaved_, &unsaved_away_}) {
    for (const Uuid& key : *unsaved) {
      const auto residence = residences_.find(key);
      const bool is_home = residence != residences_.end() && residence->second->is_home();
      VS_ASSERT(is_home || copies_.contains(key));
      VS_ASSERT(unsaved == &unsaved_ || !unsaved_.contains(key));
    }
  }
  for (const auto& [key, copy] : copies_) {
    const auto residence = residences_.find(key);
    VS_ASSERT(residence == residences_.end() ||
              residence->second->kind() == Residence::Kind::outpost);
  }
}

void Impl::check(const Residence& residence) const {
  if (residence.home) {
    const Home& home = *residence.home;
    std::vector<std::uint32_t> here(ports_.workers);
    std::vector<std::uint32_t> there(home.remotes.size());
    std::vector<std::uint64_t> sums(home.remotes.size());
    for (const auto& [id, seat] : home.seats) {
      VS_ASSERT(seat.number);
      VS_ASSERT(seat.node <= home.remotes.size());
      if (residence.is_home()) VS_ASSERT(home.machine->connection_of(id) == seat.number);
      if (seat.is_here()) ++here[seat.at().worker];
      if (seat.is_here()) continue;
      ++there[seat.node - 1];
      sums[seat.node - 1] += seat_hash(id, seat.number);
    }
    VS_ASSERT(here == home.members_on);
    std::uint32_t remote_members = 0;
    for (std::size_t i = 0; i < there.size(); ++i) {
      VS_ASSERT(there[i] == home.remotes[i].members);
      VS_ASSERT(sums[i] == home.remotes[i].members_sum);
      remote_members += there[i];
    }
    VS_ASSERT(remote_members == home.remote_members);
    VS_ASSERT(!home.is_over);
    VS_ASSERT(!home.machine->ended());
    if (residence.is_home()) {
      VS_ASSERT(home.seats.size() + home.machine->unheard_count() == home.machine->member_count());
    }
    home.machine->check_invariants();
  }
  if (residence.outpost) {
    const Outpost& outpost = *residence.outpost;
    std::vector<std::uint32_t> here(ports_.workers);
    std::uint64_t sum = 0;
    for (const auto& [id, member] : outpost.members) {
      VS_ASSERT(id);
      VS_ASSERT(member.number);
      ++here[member.at.worker];
      sum += seat_hash(id, member.number);
    }
    VS_ASSERT(here == outpost.members_on);
    VS_ASSERT(sum == outpost.members_sum);
    VS_ASSERT(residence.home || !outpost.is_idle() || outpost.phase != Outpost::Phase::settled);
    VS_ASSERT(outpost.phase != Outpost::Phase::settled || outpost.home != Uuid{});
  }
}

}  // namespace videosync
