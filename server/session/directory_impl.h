// SessionDirectory::Impl: the directory's own parts. Its sources' affair only:
//   session_directory.cpp  the event at hand, finding, requests
//   home_members.cpp       members of sessions at home here, and what follows every event of theirs
//   ending.cpp             how a session ends
//   home_effects.cpp       what the machine wants done
//   codes.cpp              short codes: drawn, found, told
//   knocking.cpp           who waits before a door
//   queues.cpp             what a session is going to watch: told, heard, kept
//   home_nodes.cpp         what other nodes say to a home and are told by it
//   store_return.cpp       the store goes and comes back, and parts of it do
//   moving.cpp             from home to outpost and back
//   outpost.cpp            what local clients want of a session elsewhere; time
//   outpost_home.cpp       who is home, asked of the store, and becoming it
//   outpost_messages.cpp   what an outpost is told and what it says
//   outpost_casts.cpp      what a home tells all outposts at once
//   agreement.cpp          digests, by which two nodes see that they agree
//   surveying.cpp          what sessions there are, for operators
//   restoring.cpp          what another process has left
//   copies.cpp             what the store may lack of sessions that nobody here has open any more
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "proto/session/effects.h"
#include "proto/wire/messages.h"
#include "server/metrics/metrics.h"
#include "server/session/porch.h"
#include "server/session/residence.h"
#include "server/session/session_directory.h"
#include "server/session/store_presence.h"

namespace videosync {

class SessionDirectory::Impl {
 public:
  explicit Impl(const SessionPorts& ports);

  // An event is at hand from its first line to its last: then what the store has answered meanwhile
  // has its turn.
  class Event {
   public:
    explicit Event(Impl& impl) noexcept : impl_(impl) { ++impl_.depth_; }
    ~Event() {
      if (impl_.depth_ == 1) impl_.run_answers();
      --impl_.depth_;
    }
    Event(const Event&) = delete;
    Event& operator=(const Event&) = delete;

   private:
    Impl& impl_;
  };

  Result<> restore(const Uuid& key, const StoredValue& value, SessionCompany company) noexcept;
  SessionCompany company_of(const Uuid& key) const;
  void hand_away() noexcept;
  bool is_handed_away() const noexcept { return is_handed_away_; }
  void refuse(ConnectionRef from) noexcept { answer(from, SessionFault::unavailable); }

  // --- Requests ---------------------------------------------------------------------------------
  void create(const Uuid& key, const CreateOrder& order, ConnectionRef from) noexcept;
  void join(const Uuid& key, SessionMachine::JoinRequest request, ConnectionRef from) noexcept;
  struct NewSession {
    std::unique_ptr<SessionMachine> machine;
    Token host_token;
    ConnectionRef from;
    unsigned draws_left = 4;  // by then the store refuses it for another reason
  };
  void store_new(const Uuid& key, NewSession made) noexcept;
  ShortCode draw_code() noexcept;
  void ask_to_join(const Uuid& key, SessionMachine::JoinRequest request,
                   ConnectionRef from) noexcept;
  void knocker_left(const Uuid& key, ConnectionNumber number) noexcept;
  void info(const Uuid& key, const SessionProof& proof, ConnectionRef from) noexcept;
  void info_of_empty(const Uuid& key, const SessionProof& proof, ConnectionRef from) noexcept;
  void answer_info(const Residence& residence, const SessionProof& proof,
                   ConnectionRef from) noexcept;
  static void tell_more(SessionInfo& info, const SessionProof& proof,
                        const SessionRecord& record) noexcept;
  void tell_upload(const Uuid& key, std::string_view name,
                   std::optional<std::uint8_t> percent) noexcept;
  void validate(const Uuid& key, ConnectionRef from) noexcept;
  void validate_code(ShortCode code, ConnectionRef from) noexcept;
  void validate_later(const Uuid& key, ConnectionRef from) noexcept;
  void validate_unsure() noexcept;
  void video(const Uuid& key, ConnectionRef from) noexcept;
  void end(const Uuid& key, const std::optional<Token>& host_token, ConnectionRef from) noexcept;

  void message(const Uuid& key, MemberId member, ConnectionNumber number, ConnectionRef from,
               const ClientMessage& message) noexcept;
  void leave(const Uuid& key, MemberId member, ConnectionNumber number) noexcept;

  void turn_end() noexcept;
  void library_changed() noexcept;
  void begin_drain() noexcept;
  bool is_settled() const noexcept;

  void envelope(node::Envelope envelope) noexcept;
  void event(const Uuid& key, const BufferRef& event) noexcept;
  void node_lost(const Uuid& node) noexcept;
  void node_alive(const Uuid& node) noexcept;
  void store_ready() noexcept;
  void store_lost() noexcept;
  void part_ready(const SlotSet& slots) noexcept;
  void part_lost(const SlotSet& slots) noexcept;
  bool is_apart(const Uuid& key) const noexcept { return presence_.is_apart(key); }
  void store_judged(bool may_lack) noexcept { may_store_lack_ = may_lack; }

  void collect_sums(std::uint64_t round) noexcept;
  void list_shared(const Uuid& home, std::int64_t gathered_us, std::size_t bucket) noexcept;
  static const Home::Remote& remote_of(const Home& home, const Uuid& node) noexcept;
  bool may_be_on_its_way(const Home& home, const Home::Remote& remote,
                         std::int64_t gathered_us) const noexcept;
  void compare_list(const Uuid& from, const node::DigestList& list) noexcept;
  using Listed = std::unordered_map<Uuid, std::uint64_t>;  // hashes, as another node lists them
  Listed read_list(const Uuid& from, const node::DigestList& list) noexcept;
  static bool differs(const Uuid& key, const Home& home, const Home::Remote& remote,
                      const std::uint64_t* there, bool is_list_whole) noexcept;
  std::vector<Uuid> find_different(const Uuid& from, const node::DigestList& list,
                                   const Listed& there) noexcept;

  void check_invariants() const;
  void survey(SessionSurvey& survey) const;

 private:
  static void on_residence_timer(void* residence) noexcept;
  static void on_tick_timer(void* impl) noexcept;
  static void on_porch_timer(void* impl) noexcept;

  // --- The event at hand; the world -------------------------------------------------------------
  // The store's answer, as an event of its own.
  template <class Value = void, class Handler>
  auto answered(Handler handler) noexcept {
    return std::move_only_function<void(Result<Value>) noexcept>(
        [this, asked_us = now_us(),
         handler = std::move(handler)](Result<Value> result) mutable noexcept {
          note_answer(asked_us);
          if (depth_ > 0) {
            answers_.emplace_back(
                [handler = std::move(handler), result = std::move(result)]() mutable noexcept {
                  handler(std::move(result));
                });
          } else {
            const Event event(*this);
            handler(std::move(result));
          }
        });
  }
  void run_answers() noexcept;
  void note_answer(std::int64_t asked_us) noexcept;
  bool is_alone() const noexcept { return ports_.nodes == nullptr; }
  const Uuid& self() const noexcept { return ports_.nodes->self(); }
  Uuid own_node() const noexcept { return is_alone() ? Uuid{} : self(); }
  std::int64_t now_us() const noexcept { return ports_.clock.monotonic_us(); }
  std::int64_t server_us() const noexcept { return ports_.clock.server_us(); }
  std::int64_t store_ttl_us() const noexcept;
  std::uint64_t next_fence(std::uint64_t known) const noexcept;
  ConnectionNumber draw_connection() noexcept;
  void schedule(TimerEntry& timer, std::int64_t wait_us) noexcept;
  void answer(ConnectionRef to, SessionReply reply) noexcept {
    ports_.delivery.answer(to, std::move(reply));
  }
  std::string& scratch() noexcept {
    scratch_.clear();
    return scratch_;
  }
  static SessionFault fault_of(const Error& error) noexcept;
  template <class Task>
  void to_nodes(Task task) noexcept {
    ports_.around.post(
        0, [nodes = ports_.nodes, task = std::move(task)]() mutable noexcept { task(*nodes); });
  }

  Residence* find(const Uuid& key) noexcept;
  // As the store is to know it. REQUIRES a home, or one that is on its way.
  static SessionName name_of(const Residence& residence) noexcept {
    VS_ASSERT(residence.home);
    return {residence.key, residence.home->machine->code()};
  }
  Residence& open(const Uuid& key) noexcept;
  void erase(Residence& residence) noexcept;

  // --- Before the door
  // ------------------------------------------------------------------------------
  void answer_join(const Uuid& key, const SessionMachine::JoinRequest& request, ConnectionRef from,
                   SessionFault fault) noexcept;
  void knock(const Uuid& key, const SessionMachine::JoinRequest& request,
             ConnectionRef from) noexcept;
  void begin_member(const Uuid& key, ConnectionRef from, MemberId member, ConnectionNumber number,
                    std::string_view welcome) noexcept;
  void ask_again(const Uuid& key, ConnectionNumber number) noexcept;
  void on_decided(const Uuid& key, KnockId id) noexcept;
  void leave_door(Residence& residence, KnockId id) noexcept;
  void tend_porch() noexcept;

  // --- Home: members
  // ------------------------------------------------------------------------------
  Home& adopt(Residence& residence, std::unique_ptr<SessionMachine> machine, StoreVersion version);
  std::expected<SessionMachine::JoinOutcome, SessionMachine::JoinRefusal> let_in(
      Residence& residence, SessionMachine::JoinRequest request, Seat seat) noexcept;
  void seat(const Uuid& key, Home& home, MemberId member, const Seat& seat) noexcept;
  bool begins_anew(Residence& residence, SessionMachine::JoinRefusal refusal,
                   const HeldState& seen) noexcept;
  static SessionFault refuse_join(SessionMachine::JoinRefusal refusal) noexcept;
  void unseat(Home& home, MemberId member) noexcept;
  void join_home(Residence& residence, const SessionMachine::JoinRequest& request,
                 ConnectionRef from) noexcept;
  void leave_home(Residence& residence, MemberId member, ConnectionNumber number) noexcept;
  void load_video(SessionMachine& machine, MemberId member, const LoadMessage& load) noexcept;
  void message_home(Residence& residence, MemberId member, const ClientMessage& message) noexcept;
  SessionInfo info_of(const Residence& residence) const;
  // What the library here has under its video's id, where it tells another length.
  std::optional<VideoChoice> find_other_length(const SessionMachine& machine) const noexcept;
  void learn_length(SessionMachine& machine) noexcept;
  void await_turn_end(Residence& residence) noexcept;
  void stop_talking(Residence& residence) noexcept;
  // After every call of the machine: carries out effects_, stores, casts, arms the timer; may end
  // the session or hand it over, after which `residence` may be gone.
  void settle(Residence& residence) noexcept;
  void commit(Residence& residence) noexcept;
  void store(Residence& residence, const Uuid& home) noexcept;
  void say_unstored(Residence& residence) noexcept;
  void on_stored(const Uuid& key, std::uint64_t fence, const BufferRef& cast,
                 std::optional<std::uint64_t> queue_version, const Result<>& result) noexcept;
  void on_conflict(Residence& residence) noexcept;
  void store_again(Residence& residence) noexcept;
  // Of the keys in these slots; null: of all.
  void give_up_store(const SlotSet* slots) noexcept;
  void take_up_store(const SlotSet* slots) noexcept;
  void forget_plans(const SlotSet& slots) noexcept;
  void retry_unsaved() noexcept;
  void tend_homes() noexcept;
  void read_again() noexcept;
  void store_codes() noexcept;
  void on_reread(const Uuid& key, const Result<StoredValue>& value) noexcept;
  void set_unsaved(const Uuid& key, std::string why) noexcept;
  bool is_unsaved(const Uuid& key) const noexcept {
    return unsaved_.contains(key) || unsaved_away_.contains(key);
  }
  void set_aside_unsaved() noexcept;
  void tell_unsaved() noexcept;
  void arm_timer(Residence& residence) noexcept;
  void on_timer(Residence& residence) noexcept;

  // --- The end
  // --------------------------------------------------------------------------------------
  using OnEnd = std::move_only_function<void(bool is_over) noexcept>;
  void end_home(Residence& residence, const std::optional<Token>& host_token,
                ConnectionRef from) noexcept;
  void demand_end(Residence& residence, OnEnd then) noexcept;
  void on_end_answered(const Uuid& key, std::uint64_t fence, OnEnd then,
                       const Result<>& result) noexcept;
  void forget(Residence& residence) noexcept;
  struct Removal {
    Uuid key;
    ShortCode code;
    StoreVersion last;
    BufferRef event;
    std::int64_t done_us = 0;  // when the store said that it knows; 0: it has not
  };
  void remove(const Removal& removal) noexcept;
  void on_removed(const Uuid& key, const Result<>& result) noexcept;
  void forget_removals() noexcept;

  // --- Home: effects
  // --------------------------------------------------------------------------------
  void carry_out(Residence& residence) noexcept;
  void carry_out_states(Residence& residence) noexcept;
  void carry(Residence& residence, const WelcomeEffect& effect) noexcept;
  void carry(Residence& residence, const ErrorEffect& effect) noexcept;
  void carry(Residence& residence, const ViewersEffect& effect) noexcept;
  void carry(Residence& residence, const CloseEffect& effect) noexcept;
  void carry(Residence& residence, const StateEffect& effect) noexcept;
  void carry(Residence& residence, const HostEffect& effect) noexcept;
  void carry(Residence& residence, const MembersEffect& effect) noexcept;
  void carry(Residence& residence, const WaitingEffect& effect) noexcept;
  void carry(Residence& residence, const ChatEffect& effect) noexcept;
  void carry(Residence& residence, const ReactionsEffect& effect) noexcept;
  void carry(Residence& residence, const SettingsEffect& effect) noexcept;
  void carry(Residence& residence, const EndedEffect& effect) noexcept;
  void carry(Residence& residence, const QueueEffect& effect) noexcept;
  void carry(Residence& residence, const UpNextEffect& effect) noexcept;
  void carry(Residence& residence, const KnockEffect& effect) noexcept;
  void carry(Residence& residence, const DecidedEffect& effect) noexcept;
  void offer_next(Residence& residence) noexcept;
  std::vector<BufferRef> queue_frames(const Queue& queue, std::uint64_t epoch) noexcept;
  void tell_queue(ConnectionRef to, const Queue& queue, std::uint64_t epoch) noexcept;
  void broadcast_queue(const Uuid& key, const std::vector<std::uint32_t>& members_on,
                       const Queue& queue, std::uint64_t epoch) noexcept;
  static node::QueueNews queue_news(const Home& home);
  static SessionBytes bytes_of(const std::string& record, const Queue* queue);
  static Queue read_queue(std::string_view bytes);
  void hear_queue(Residence& residence, const node::QueueNews& news) noexcept;
  void tell_history(ConnectionRef to, const ChatHistory& chat, std::uint64_t held) noexcept;
  std::string_view write_welcome(Residence& residence, MemberId to) noexcept;
  void broadcast(Residence& residence, std::string_view text, SendClass send_class) noexcept;
  void broadcast_here(const Uuid& key, const std::vector<std::uint32_t>& members_on,
                      std::string_view text, SendClass send_class,
                      std::int64_t sent_us = 0) noexcept;
  void close_all_here(const Uuid& key, std::vector<std::uint32_t>& members_on,
                      std::uint16_t code) noexcept;
  void add_host_news(Home& home, const HostEffect& effect) noexcept;
  void send_to(Residence& residence, MemberId member, std::string_view text) noexcept;
  void send_error(ConnectionRef to, Refusal code, std::string_view message,
                  std::string_view re) noexcept;
  void close_seat(Residence& residence, MemberId member, const Seat& seat,
                  std::uint16_t code) noexcept;

  // --- Home: other nodes
  // ----------------------------------------------------------------------------
  std::uint32_t place_of(Home& home, const Uuid& node) noexcept;
  void home_envelope(Residence& residence, node::Envelope& envelope) noexcept;
  static std::optional<MemberId> find_joined(const Home& home, const node::Join& join,
                                             std::uint32_t place) noexcept;
  void on_home(Residence& residence, const node::Envelope& from, const node::Join& join) noexcept;
  void on_home(Residence& residence, const node::Envelope& from, const node::Said& said) noexcept;
  void on_home(Residence& residence, const node::Envelope& from,
               const node::Enroll& enroll) noexcept;
  void on_home(Residence& residence, const node::Envelope& from,
               const node::AskDelete& ask) noexcept;
  void carry_out_said(Residence& residence, const node::Said& said) noexcept;
  void enroll_one(Residence& residence, const Uuid& node, std::uint32_t place,
                  const node::EnrolledMember& member) noexcept;
  template <class Predicate>
  void leave_all(Residence& residence, Predicate is_gone) noexcept;
  BufferRef take_cast(Residence& residence) noexcept;
  void cast_everything(Residence& residence, bool is_roll_call) noexcept;
  void call_roll(Residence& residence) noexcept;
  void repeat_roll() noexcept;
  void end_roll() noexcept;
  StoredSession stored(const Home& home, const Uuid& home_node) const;
  void home_node_lost(const Uuid& node) noexcept;
  void tell_who_is_home(const Uuid& node, Residence& residence) noexcept;

  // --- Moving
  // -----------------------------------------------------------------------------------------
  // Not before then.
  static std::int64_t moves_at_us(const Home& home) noexcept;
  // When the session leaves this home for the store alone, or for its host's node, or tries it
  // again; INT64_MAX: not before something else has happened.
  std::int64_t leaves_at_us(const Residence& residence) const noexcept;
  std::optional<Uuid> better_home(const Residence& residence) const noexcept;
  void flush(Residence& residence) noexcept;
  void hand_over(Residence& residence, const Uuid& heir) noexcept;
  void on_handed_over(const Uuid& key, const Uuid& heir, const Result<>& result) noexcept;
  // The members go on from an outpost; what the machine knew beyond the record is the new home's to
  // find out.
  Outpost& make_outpost(Residence& residence) noexcept;
  void stay_home(Residence& residence, const Error& why) noexcept;
  void become_home(Residence& residence, std::unique_ptr<SessionMachine> machine,
                   StoreVersion version, const std::vector<node::Heard>& heard) noexcept;
  static MembersEffect who_is_there(const SessionMachine& machine, const Outpost& before);
  void superseded(Residence& residence) noexcept;
  void hand_waiting_to_home(const Uuid& key, Outpost& before) noexcept;

  // --- Outpost
  // ----------------------------------------------------------------------------------------
  void add_ask(const Uuid& key, Asks::Ask ask) noexcept;
  void refuse_ask(const Uuid& key, const Asks::Ask& ask, SessionFault fault) noexcept;
  void refuse_asks(Residence& residence, SessionFault fault) noexcept;
  void refuse_foreign(const node::Envelope& envelope, std::uint64_t fence,
                      SessionFault fault) noexcept;
  void say(Residence& residence, MemberId member, const ClientMessage& message) noexcept;
  void leave_outpost(Residence& residence, MemberId member, ConnectionNumber number) noexcept;
  void add_member(Residence& residence, MemberId id, LocalMember member) noexcept;
  void remove_member(Outpost& outpost, LocalMembers::iterator member) noexcept;
  void refuse_sayings(const Outpost& outpost, const std::vector<Outbox::Saying>& sayings) noexcept;
  // What came of sayings here, as a home or a record tells.
  void settle_heard(Outpost& outpost, const node::Heard& heard,
                    std::uint64_t missed_number) noexcept;
  void refuse_saying(const Outpost& outpost, const Outbox::Saying& saying) noexcept;
  void drop_if_idle(Residence& residence) noexcept;
  void unfollow(Residence& residence) noexcept;
  void tick() noexcept;
  void refuse_late() noexcept;

  // --- Copies
  // -----------------------------------------------------------------------------------------
  struct Copy {
    StoreVersion version;
    ShortCode code;
    std::string record;
    Queue queue;
    std::uint64_t queue_epoch = 0;
    std::int64_t kept_until_us = 0;  // in kept_
  };
  static Copy take_copy(Outpost& outpost) noexcept;
  void leave_copy(Residence& residence) noexcept;
  void drop_copy() noexcept;
  void store_copy(const Uuid& key) noexcept;
  void on_copy_answered(const Uuid& key, const Result<>& result) noexcept;
  void take_back_copy(Residence& residence) noexcept;
  void keep_copy(Residence& residence) noexcept;
  void forget_kept() noexcept;
  void doubt_kept(const SlotSet* slots) noexcept;

  bool is_absent(const Uuid& home) const noexcept;
  bool is_store_returning(const Uuid& key) const noexcept;
  bool may_have_gone_back(const Uuid& key) const noexcept;
  bool is_lack_thinkable(std::uint16_t slot) const noexcept;
  // The store may lack there what a node that is just coming back to it has.
  bool may_be_written_back(std::uint16_t slot) const noexcept;
  void look(Residence& residence) noexcept;
  void look_later(Residence& residence) noexcept;
  void on_looked(const Uuid& key, const Result<StoredValue>& value) noexcept;
  void on_found(Residence& residence, const StoredValue& value, StoredSession stored) noexcept;
  void on_unknown(Residence& residence, StoreVersion unreadable = {}) noexcept;
  void on_ended(Residence& residence) noexcept;
  void close_outpost(Residence& residence, std::uint16_t code) noexcept;
  void return_foreign(Residence& residence) noexcept;
  void answer_infos(Residence& residence, const SessionRecord& record) noexcept;
  void settle_on(Residence& residence, const Uuid& home, std::uint64_t fence) noexcept;
  void on_followed(const Uuid& key, const Result<>& done) noexcept;
  std::shared_ptr<const Uuid> ask_beneath(const Uuid& key, std::uint64_t fence) noexcept;
  void tell_beneath(const Uuid& home, const Uuid& key, std::uint64_t fence) noexcept;
  void take_over(Residence& residence, StoreVersion known, const StoredSession& from,
                 const Uuid& written_by, const Queue* queue) noexcept;
  void on_taken(const Uuid& key, std::unique_ptr<SessionMachine> machine, StoreVersion version,
                const StoredSession& from, const Uuid& written_by, const Result<>& result) noexcept;

  void speak(Residence& residence) noexcept;
  static void log_unsaid(const Uuid& key) noexcept;
  void send(const Uuid& node, const Uuid& key, std::uint64_t fence, node::Message message) noexcept;
  void send_home(Residence& residence, node::Message message) noexcept;
  void on_sent_home(const Uuid& key, const Uuid& node, std::uint64_t said,
                    const Result<std::uint32_t>& receivers) noexcept;
  void on_farewell_heard(const Uuid& key, const Uuid& home) noexcept;
  void send_unsent(Residence& residence) noexcept;
  void enroll(Residence& residence) noexcept;

  void to_home(node::Envelope envelope) noexcept;
  void give_way(const Uuid& key, std::uint64_t fence) noexcept;
  template <class Message>
  void from_a_home(const node::Envelope& envelope, const Message& message) noexcept;
  void on_nobody(const node::Envelope& envelope, const auto& message) noexcept;
  // Whether `from` speaks as the session's home: at the fence that is known, or above it.
  bool accept_home(Residence& residence, const Uuid& from, std::uint64_t fence) noexcept;
  void learn_record(Residence& residence, std::uint64_t revision, std::uint64_t commands,
                    const std::string& record) noexcept;
  void judge_undone(Residence& residence, const Outpost& before) noexcept;
  void tell_undone(const Uuid& key, const std::vector<std::uint32_t>& members_on) noexcept;
  static void note_told(Outpost& outpost, std::uint64_t epoch, std::uint64_t seq) noexcept;
  void apply(Residence& residence, const node::Joined& joined) noexcept;
  void apply(Residence& residence, const node::Tell& tell) noexcept;
  void apply(Residence& residence, const node::Close& close) noexcept;
  void apply(Residence& residence, const node::Gap& gap) noexcept;
  void apply(Residence& residence, const node::Cast& cast) noexcept;
  void on_answer(const Uuid& key, const node::Answer& answer) noexcept;
  void pass_info(SessionInfo info, const SessionProof& proof, ConnectionRef from) noexcept;
  void on_take(const Uuid& key) noexcept;
  void on_moved(const Uuid& key, const Uuid& home, std::uint64_t fence, bool is_asked) noexcept;
  void on_returned(const Uuid& key, const Uuid& from) noexcept;
  void deliver_frames(Residence& residence, const node::Cast& cast) noexcept;
  void remember(Outpost& outpost, const MemberInfo& member) noexcept;
  static void forget(Outpost& outpost, MemberId member) noexcept;
  void tell_host(Residence& residence, const node::HostNews& news) noexcept;
  void tell_who_is_there(Residence& residence, const node::Cast& cast) noexcept;
  void hear_chat(Residence& residence, const std::vector<ChatLine>& lines,
                 std::uint64_t sent_us) noexcept;

  static void add_sum(std::vector<SharedSums>& all, const Uuid& node, bool is_home, const Uuid& key,
                      std::uint64_t hash) noexcept;

  void check(const Residence& residence) const;

  const SessionPorts ports_;
  std::unordered_map<Uuid, std::unique_ptr<Residence>> residences_;
  Effects effects_;
  MessageDecoder decoder_;
  std::string scratch_;
  std::deque<std::move_only_function<void() noexcept>> answers_;  // of the store, during an event
  int depth_ = 0;                    // of events: an answer's is within the one that it came in
  std::vector<Residence*> talking_;  // homes with something to flush at the end of the turn
  std::unordered_map<Uuid, Copy> copies_;  // of sessions that are not open here; at most copies_max
  std::unordered_map<Uuid, Copy> kept_;    // likewise, of such as the store is known to have
  // Of homes, answered in the order in which they were asked for.
  std::uint64_t changes_asked_ = 0;
  std::uint64_t changes_answered_ = 0;
  std::uint64_t copies_dropped_ = 0;  // for want of room, ever
  std::int64_t tell_dropped_us_ = 0;  // the log is not told again before then
  std::unordered_set<Uuid> unsaved_;  // homes, and copies, that the store has not been able to take
  std::unordered_set<Uuid> unsaved_away_;  // others, since their part of it was away
  Uuid unsaved_told_;                      // one of unsaved_, at least where there are parts: ...
  std::string unsaved_why_;                // ... Nodes know of it, and why it is that
  std::vector<Uuid> write_back_;           // homes to be stored and told again, a few at a time
  std::vector<Uuid> recode_;               // homes whose codes may be lost, likewise
  bool is_writing_back_ = false;           // as the other nodes are told
  std::size_t reread_ = 0;                 // of these, the records that the store was asked for
  std::vector<Uuid> roll_;                 // homes whose members elsewhere are to be named
  std::int64_t called_us_ = 0;             // when the last of these was added
  bool is_roll_repeated_ = false;          // since then
  std::unordered_map<Uuid, Removal> unremoved_;  // ended, and the store may not know it, or lose it
  std::int64_t retried_us_ = 0;                  // when unsaved_ and unremoved_ were last tried
  // The command of another node's member that is being carried out.
  struct {
    Home::Remote* remote = nullptr;
    std::uint64_t number = 0;
  } said_;
  std::size_t moving_ = 0;            // residences of that kind
  std::unordered_set<Uuid> waiting_;  // outposts of which somebody may await an answer
  ConnectionNumber last_connection_;
  std::uint64_t last_number_ = 0;  // of asks and sayings
  // Nodes that are gone, each with the sessions that were taken over from it since.
  std::unordered_map<Uuid, std::vector<Uuid>> dead_;
  std::unordered_set<Uuid> deaf_;  // nodes that messages from here did not reach
  std::vector<Uuid> look_later_;
  struct Unsure {
    Uuid key;
    ConnectionRef from;
    std::int64_t deadline_us = 0;
  };
  std::vector<Unsure> unsure_;  // whether they are valid is asked again when all have come back
  std::unordered_set<Uuid> shared_;  // that have members on both this node and another, or had
  TimerEntry tick_timer_;
  Porch porch_;
  TimerEntry porch_timer_;       // armed while anybody waits there
  bool is_handed_away_ = false;  // sessions are another process's
  StorePresence presence_;
  bool may_store_lack_ = false;
};

// A home does not carry out what is older, and half a second later its sender is told so: then the
// home's word that it was heard cannot be under way any more.
inline constexpr std::int64_t saying_us = 4'800'000;

// Null: all slots.
inline bool is_within(const SlotSet* slots, const Uuid& key) noexcept {
  return slots == nullptr || slots->test(slot_of(key));
}

// So long a client waits for the answer to a request.
inline constexpr std::int64_t ask_us = 5'000'000;
// More of them at once are told that it cannot be known now.
inline constexpr std::size_t unsure_max = 1'000;

// A master that has been replaced is heard of by then, whether it has died, hangs or goes on: what
// it has said that it has is kept until then.
inline constexpr std::int64_t failover_us = 10'000'000;

// More of them than a node can bring back in time: the latest are left to others.
inline constexpr std::size_t copies_max = 10'000;

// A session without members stays for those who come back, then only the store has it.
inline constexpr std::int64_t release_after_us = 45'000'000;

// Of another node: whatever it may be there, here it is one of ours.
inline SendClass send_class_of(std::uint8_t number) noexcept {
  return number <= static_cast<std::uint8_t>(SendClass::answer) ? static_cast<SendClass>(number)
                                                                : SendClass::droppable;
}

template <class... Callables>
struct Overloaded : Callables... {
  using Callables::operator()...;
};

}  // namespace videosync
