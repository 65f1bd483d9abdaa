#include "tests/sim/world.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "core/base/assert.h"
#include "proto/wire/node_messages.h"
#include "server/session/stored_session.h"

namespace videosync::sim {

namespace {

constexpr std::int64_t request_max_us = 12'000'000;

Uuid random_key(Random& random) {
  Uuid key;
  random.fill(key.bytes);
  key.bytes[6] = static_cast<std::uint8_t>((key.bytes[6] & 0x0f) | 0x40);
  key.bytes[8] = static_cast<std::uint8_t>((key.bytes[8] & 0x3f) | 0x80);
  return key;
}

// Who has its store back for so long has been told who is home.
constexpr std::int64_t apart_us = 2'000'000;
// After an ask has expired: its client has its refusal, and what was done in time has been said.
constexpr std::int64_t refused_us = 1'000'000;
constexpr std::int64_t done_max_us = 6'000'000;
constexpr std::int64_t lead_max_us = 500'000;  // a state may begin so much after it was said

}  // namespace

// One request over HTTP.
class World::Asker final : public ClientEnd {
 public:
  Asker(World& world, std::function<void(const SessionReply*)> done)
      : world_(world), done_(std::move(done)) {}

  void watch(SimConnection& connection) {
    world_.scheduler().after(request_max_us, [this, &connection]() noexcept {
      if (!done_) return;
      const bool was_awake =
          world_.awake_since_us(connection.node) < world_.now_us() - request_max_us;
      if (connection.phase == SimConnection::Phase::awaiting && was_awake) {
        world_.find("unanswered", "node {} did not answer a request in 12 s", connection.node);
      }
      connection.client = nullptr;
      answer(nullptr);
    });
  }
  bool is_done() const noexcept { return !done_; }

 private:
  void on_reply(SimConnection&, const SessionReply& reply) override { answer(&reply); }
  void on_frame(SimConnection&, const FrameRef&) override {
    answer(nullptr);  // it was let in, where it asked to be
  }
  void on_closed(SimConnection&, std::uint16_t) override { answer(nullptr); }
  void answer(const SessionReply* reply) {
    if (auto done = std::exchange(done_, nullptr)) done(reply);
  }

  World& world_;
  std::function<void(const SessionReply*)> done_;
};

World::World(const Plan& plan, std::FILE* story)
    : plan_(plan),
      random_(Random(plan.seed).fork(2)),
      story_(scheduler_, story),
      redis_(scheduler_, random_.fork(1), plan.redis, plan.nodes.size(), plan.shards),
      still_since_us_(plan.nodes.size()),
      unheard_since_us_(plan.nodes.size()),
      started_us_(plan.nodes.size()),
      woke_us_(plan.nodes.size()),
      ready_us_(plan.nodes.size()) {
  redis_.set_witness(this);
  for (std::size_t i = 0; i < plan.shards; ++i)
    masters_.push_back(i);
  const NodeWorld world{scheduler_, redis_, *this, limits_};
  for (std::size_t i = 0; i < plan.nodes.size(); ++i) {
    nodes_.push_back(
        std::make_unique<SimNode>(world, i, plan.nodes[i], random_.fork(100 + i), plan.shards));
  }
  for (std::size_t i = 0; i < plan.sessions; ++i)
    sessions_.emplace_back().key = random_key(random_);
  for (std::size_t i = 0; i < plan.viewers; ++i) {
    SimSession& session = sessions_[i % plan.sessions];
    viewers_.emplace_back(*this, i, session, random_.fork(1'000 + i));
  }
}

World::~World() {
  for (auto& node : nodes_)
    node->crash(true);
}

RunTotals World::totals() const noexcept {
  return {scheduler_.steps(), faults_, commands_, checks_,    redis_.commands(),
          wrong_doubts_,      gone_,   silences_, slow_times_};
}

SimSession* World::session_of(const Uuid& key) noexcept {
  const auto found = std::find_if(sessions_.begin(), sessions_.end(),
                                  [&](const SimSession& each) { return each.key == key; });
  return found == sessions_.end() ? nullptr : &*found;
}

// --- Running -------------------------------------------------------------------------------------

void World::run() {
  prepare();
  std::size_t next = 0;
  for (std::uint32_t round = 0; round < plan_.rounds_us.size() && !finding_; ++round) {
    if (plan_.rounds_us[round] == 0) continue;
    const std::int64_t start_us = now_us();
    tell("--- round {}", round);
    for (; next < plan_.actions.size() && plan_.actions[next].round == round; ++next) {
      if (!run_until(start_us + plan_.actions[next].at_us)) return;
      perform(plan_.actions[next]);
    }
    if (!run_until(start_us + plan_.rounds_us[round])) return;
    make_peace();
  }
  if (!finding_) keep_silence();
}

void World::prepare() {
  for (auto& node : nodes_)
    node->start();
  run_while(
      [this] {
        return !std::all_of(nodes_.begin(), nodes_.end(),
                            [](const auto& node) { return node->process().store().is_ready(); });
      },
      10'000'000);
  // Workers are to have heard which of several servers leads.
  if (plan_.shards > 1) run_until(now_us() + 100'000);
  for (SimSession& session : sessions_) {
    SessionDirectory::CreateOrder order;
    if (random_.chance(plan_.everyone)) order.settings.control = Control::everyone;
    if (plan_.has_doors) order.settings.door = Door::knock;
    if (random_.chance(0.3)) order.settings.on_stall = OnStall::wait;
    ask(session, choose_node(random_), std::move(order),
        [this, &session](const SessionReply* reply) {
          const auto* made = reply == nullptr ? nullptr : std::get_if<SessionCreated>(reply);
          if (made == nullptr) return find("create", "a session could not be made in peace");
          session.is_made = true;
          session.host_token = made->host_token;
          session.code = made->code;
        });
  }
  run_while(
      [this] {
        return !std::all_of(sessions_.begin(), sessions_.end(),
                            [](const SimSession& session) { return session.is_made; });
      },
      10'000'000);
}

bool World::run_until(std::int64_t time_us) {
  while (!finding_ && scheduler_.next_us() <= time_us)
    scheduler_.step();
  if (!finding_) scheduler_.run_until(time_us);
  return !finding_;
}

bool World::run_while(const std::function<bool()>& condition, std::int64_t longest_us) {
  const std::int64_t end_us = now_us() + longest_us;
  while (!finding_ && condition()) {
    if (scheduler_.next_us() > end_us || !scheduler_.step()) return false;
  }
  return !finding_;
}

std::size_t World::choose_node(Random& random) const {
  const std::size_t wished = random.below(nodes_.size());
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    const std::size_t node = (wished + i) % nodes_.size();
    if (nodes_[node]->is_up() && !nodes_[node]->process().is_draining()) return node;
  }
  return wished;
}

SimConnection& World::open(std::size_t node, const Uuid& key, ClientEnd& client, Order order) {
  const std::size_t number = connections_.size();
  SimConnection& made = connections_.emplace_back(number, node, key, client, scheduler_,
                                                  random_.fork(1'000'000 + number), plan_.client);
  const std::size_t starts = nodes_[node]->starts();
  made.up.send(
      [this, &made, starts, boxed = std::make_unique<Order>(std::move(order))]() mutable noexcept {
        SimNode& there = *nodes_[made.node];
        // A process that has come after it knows nothing of a connection to the one before.
        const bool is_known =
            made.phase == SimConnection::Phase::on_its_way && there.starts() == starts;
        if (is_known) there.on_connect(made, std::move(*boxed));
      });
  return made;
}

void World::ask(SimSession& session, std::size_t node, Order order,
                std::function<void(const SessionReply*)> done) {
  auto& asker = *askers_.emplace_back(std::make_unique<Asker>(*this, std::move(done)));
  asker.watch(open(node, session.key, asker, std::move(order)));
}

std::int64_t World::awake_since_us(std::size_t node) const noexcept {
  return still_since_us_[node] != 0 ? now_us() : woke_us_[node];
}

// Somebody was told that the session is over. Is it?
void World::note_end(SimSession& session, const char* who, const char* how) {
  if (session.is_end_asked || session.may_be_gone) return;
  find("one end", "{} learned that the session is over ({}), and nobody has ended it", who, how);
}

void World::note_over(SimSession& session) {
  session.is_over = true;
  for (const auto& node : nodes_) {
    if (!node->is_up()) continue;
    const std::int64_t ready_us =
        node->process().store().is_ready() ? ready_us_[node->index()] : now_us();
    if (now_us() - ready_us < apart_us) session.was_over_apart = true;
  }
}

void World::check_apart(const SimSession& session, const std::string& who, std::string_view what) {
  if (!plan_.only_shard || shard_of(session.key) == *plan_.only_shard) return;
  if (is_peace_) return;             // in the silence after it messages are lost
  if (session.is_end_asked) return;  // its home may be gone before it is asked
  find("apart", "{} was refused {}, and nothing broke but another part of the store", who, what);
}

// --- Witnesses -----------------------------------------------------------------------------------

void World::on_store_ready(std::size_t node) {
  tell("node {} has its store", node);
  ready_us_[node] = now_us();
  note_disturbance();
}

void World::on_let_in(std::size_t node, const Uuid& key, MemberId member, ConnectionNumber number) {
  tell("node {} lets m{} in, by connection {:x}", node, member.value, number.value);
  SimSession* session = session_of(key);
  if (session != nullptr) check_reserved(*session, node, member);
}

// An id is given when the store has it as given: whoever takes over gives none of them again.
void World::check_reserved(SimSession& session, std::size_t node, MemberId member) {
  if (session.has_gone_back) return;
  if (session.whose.contains(member)) return;  // it comes back with what it was given
  const RedisData::Entry* entry = server_of(session).data.find(session.key, now_us());
  if (entry == nullptr || !entry->bytes) return;
  const auto stored = decode_stored_session(entry->bytes.text());
  if (!stored || member.value < stored->record.next_member_id) return;
  // Who was cut off may have skipped all ids that the line that took over comes to.
  const bool is_cut_off = stored->home != nodes_[node]->process().id();
  if (is_cut_off) return;
  find("one id", "node {} gives m{}, and for the store m{} is the next one", node, member.value,
       stored->record.next_member_id);
}

void World::on_gone(std::size_t node, MemberId member, ConnectionNumber number) {
  tell("node {}: connection {:x} of m{} is gone", node, number.value, member.value);
  for (SimSession& session : sessions_) {
    const bool may_have_left = session.is_record_lost && has_nobody(session, node);
    const std::size_t shard = shard_of(session.key);
    if (may_have_left && nodes_[node]->process().store().server(shard) != masters_[shard])
      note_let_go(session, node);
  }
}

bool World::has_nobody(const SimSession& session, std::size_t node) const noexcept {
  return std::none_of(viewers_.begin(), viewers_.end(), [&](const Viewer& viewer) {
    const SimConnection* connection = viewer.connection();
    return &viewer.session() == &session && connection != nullptr && connection->node == node &&
           connection->phase != SimConnection::Phase::gone;
  });
}

void World::on_frame_said(std::size_t node, const Uuid& key, const FrameRef& frame) {
  SimSession* session = session_of(key);
  if (session == nullptr) return;
  const bool is_news = frame->type == Frame::Type::state || frame->type == Frame::Type::host ||
                       frame->type == Frame::Type::members || frame->type == Frame::Type::queue ||
                       frame->type == Frame::Type::up_next;
  // Who is forgotten is no controller any more: that comes by itself, too.
  const bool has_settings = frame->type == Frame::Type::settings;
  if (is_news || has_settings) said_us_ = now_us();
  if (has_settings) news_us_ = now_us();
  const bool has_state = frame->type == Frame::Type::state || frame->type == Frame::Type::welcome;
  if (has_state) check_late(frame->state);
  const std::size_t known = session->ledger.size();
  if (has_state && !session->ledger.note(frame->state)) {
    find("one order", "node {} says another state than was known as ({}, {}): {}", node,
         frame->state.place.epoch, frame->state.place.seq, frame->text);
  }
  const bool has_host = frame->type == Frame::Type::host || frame->type == Frame::Type::welcome;
  const std::uint64_t epoch =
      frame->type == Frame::Type::host ? frame->epoch : frame->state.place.epoch;
  if (has_host && !session->ledger.note_host(epoch, frame->host)) {
    find("one order", "node {} says another host than was known in the epoch {}: m{}", node, epoch,
         frame->host.value);
  }
  if (session->ledger.size() > known) news_us_ = now_us();
  for (const SeenTalk& talk : frame->talk) {
    if (talk.text.size() > 1)
      session->talk.insert(std::strtoull(talk.text.data() + 1, nullptr, 10));
  }
}

// Also of a connection that has ended meanwhile: who came back and does not see it done may repeat
// it.
void World::check_late(const SeenState& state) {
  const auto command = command_of(state);
  const auto said = command ? said_.find(*command) : said_.end();
  if (said == said_.end()) return;
  const auto [said_us, node] = said->second;
  const std::int64_t from_us = std::max(said_us, awake_since_us(node));
  const std::int64_t took_us = state.at_us - NodeClock::epoch_us - from_us;
  if (took_us <= done_max_us + lead_max_us + 2 * plan_.client.slow_us) return;
  find("once or refused", "command {} was carried out {} ms after it was said", *command,
       took_us / 1'000);
}

void World::on_event_said(std::size_t node, const Uuid& channel, const BufferRef& event) {
  if (event.bytes().empty()) return;  // to itself
  const auto envelope = node::decode(event.text());
  if (!envelope) return find("protocol", "node {} says what cannot be read", node);
  if (const auto* joined = std::get_if<node::Joined>(&envelope->message)) {
    check_in_time(node, *joined);
  }
  SimSession* session = session_of(channel);
  if (session == nullptr) return;
  const auto* cast = std::get_if<node::Cast>(&envelope->message);
  if (cast == nullptr) return;
  for (const node::CastFrame& each : cast->frames)
    on_frame_said(node, channel, read_frame(BufferRef::copy_of(each.text)));
  for (const ChatLine& line : cast->chat)
    session->talk.insert(std::strtoull(line.text.c_str() + 1, nullptr, 10));
  if (cast->queue) said_us_ = now_us();
}

// Whose client has been refused is not let in.
void World::check_in_time(std::size_t node, const node::Joined& joined) {
  const auto expired_us = static_cast<std::int64_t>(joined.ask.expires_us) - NodeClock::epoch_us;
  const bool is_late = now_us() > expired_us + refused_us;
  if (!is_late || awake_since_us(node) > expired_us) return;
  find("once or refused", "node {} lets m{} in {} ms after the join has expired", node,
       joined.member.value, (now_us() - expired_us) / 1'000);
}

// A lower fence never overwrites a higher one, nor ends it, and one fence has one writer.
void World::check_fencing(SimSession& session, std::size_t node, const RedisCommand& command,
                          const RedisData::Entry* before) {
  if (before != nullptr && before->bytes && before->version > command.expected) {
    find("fencing", "node {}, which knew of version ({}, {}), overwrote ({}, {})", node,
         command.expected.fence, command.expected.revision, before->version.fence,
         before->version.revision);
  }
  if (command.kind == RedisCommand::Kind::remove) return;
  if (command.next.fence == command.expected.fence) session.changed.insert(command.next.fence);
  const auto [writer, is_new] = session.writers.try_emplace(command.next.fence, node);
  if (writer->second == node) return;
  // It may leave a copy to a store that has lost it, in the name of its home.
  const auto stored = decode_stored_session(command.bytes.text());
  const bool is_copy = !is_new && stored && stored->home != nodes_[node]->process().id();
  if (is_copy) return;
  find("fencing", "nodes {} and {} both wrote at the fence {}", writer->second, node,
       command.next.fence);
}

// The highest fence is the session: its home gives way to nobody, and has nothing to take over.
void World::check_take_over(const SimSession& session, std::size_t node,
                            const RedisCommand& command, const RedisData::Entry& before) {
  if (session.has_gone_back || session.is_end_asked || !before.bytes) return;
  // It may never have heard that it was made the home.
  const bool is_home = session.changed.contains(before.version.fence);
  if (!is_home || session.writers.at(before.version.fence) != node) return;
  const auto stored = decode_stored_session(before.bytes.text());
  if (!stored || stored->home != nodes_[node]->process().id()) return;
  find("fencing", "node {} is home at the fence {}, and takes the session over at {}", node,
       before.version.fence, command.next.fence);
}

// Also where the store does not take it: what goes with it is then not said.
void World::note_move(std::size_t node, const RedisCommand& command) {
  const auto stored = decode_stored_session(command.bytes.text());
  const bool is_another = stored && stored->home != nodes_[node]->process().id();
  if (is_another) moved_us_ = news_us_ = now_us();
}

// A node that has not heard of a failover leaves the session to a master whose changes are lost.
void World::note_let_go(SimSession& session, std::size_t node) {
  session.keepers.erase({node, nodes_[node]->starts()});
  note_left(session);
}

void World::note_given_away(SimSession& session, std::size_t node, const RedisCommand& command) {
  const auto stored = decode_stored_session(command.bytes.text());
  if (stored && stored->home != nodes_[node]->process().id()) note_let_go(session, node);
}

void World::on_redis_refused(std::size_t node, const RedisCommand& command) {
  if (command.kind == RedisCommand::Kind::change) note_move(node, command);
}

void World::on_redis_write(std::size_t node, std::size_t server, const RedisCommand& command,
                           RedisData::Outcome outcome, const RedisData::Entry* before) {
  if (census_ != nullptr) ++census_->scripts;
  SimSession* session = session_of(command.key);
  if (session == nullptr || outcome != RedisData::Outcome::done) return;
  const bool is_fenced =
      command.kind == RedisCommand::Kind::change || command.kind == RedisCommand::Kind::remove;
  if (is_fenced) check_fencing(*session, node, command, before);
  if (command.kind != RedisCommand::Kind::create && command.kind != RedisCommand::Kind::change) {
    return;
  }
  const bool is_master = server == masters_[shard_of(session->key)];
  if (is_master) session->is_record_lost = false;
  if (!is_master) note_given_away(*session, node, command);
  note_move(node, command);
  if (before != nullptr && command.next.fence > before->version.fence) {
    said_us_ = moved_us_ = now_us();
    if (nodes_[node]->is_up()) check_take_over(*session, node, command, *before);
  }
  if (is_told()) {
    tell("node {} stores ({}, {}) over ({}, {})", node, command.next.fence, command.next.revision,
         before != nullptr ? before->version.fence : 0,
         before != nullptr ? before->version.revision : 0);
  }
}

}  // namespace videosync::sim
