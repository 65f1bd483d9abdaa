// SessionMachine: one session's rules. An event and the time go in, effects come out.
//
// Pure: no I/O, no clock, no randomness, no threads. The session's home thread owns it and carries
// the effects out in order. `now_us` is server time; a time before the last one given counts as the
// last one. Whatever fell due before an event (a grace, a wait, the end of the media) is settled
// first, in order of time, so late ticks give right results.
//
// Nothing costs O(members): lists are capped at 50, the next in line is O(1), an event is
// O(log members), a list of viewers O(reports of the last second).
//
// Members speak through connections. join() numbers a member's connections; a member that connects
// again displaces its older connection, which gets CloseEffect 4002 with its number, and whose late
// leave() is ignored. Messages of members that are gone are ignored too: they were under way.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/assert.h"
#include "core/base/error.h"
#include "core/base/token_bucket.h"
#include "proto/session/chat_history.h"
#include "proto/session/effects.h"
#include "proto/session/knocks.h"
#include "proto/session/playback.h"
#include "proto/session/presence.h"
#include "proto/session/queue.h"
#include "proto/session/ready_members.h"
#include "proto/session/roster.h"
#include "proto/session/round_trips.h"
#include "proto/session/session_record.h"
#include "proto/session/session_values.h"
#include "proto/session/stall_wait.h"
#include "proto/session/viewer_reports.h"

namespace videosync {

class SessionMachine {
 public:
  // Ids are reserved in the record by so many, so that most joins need not be stored.
  static constexpr std::uint32_t reserved_ids = 1'024;

  struct Limits {
    std::int64_t host_grace_us = 10'000'000;
    std::int64_t resume_window_us = 30'000'000;  // the host's is never under its grace
    std::int64_t time_to_live_us = 86'400'000'000;
    // Between two messages about who is there: longer where there are many to tell, so that those
    // messages are so many a second at most, up to the longest interval.
    std::int64_t presence_interval_us = 250'000;
    std::int64_t presence_interval_max_us = 5'000'000;
    std::uint32_t presence_per_second_max = 4'000;
    std::int64_t up_next_us = 8'000'000;  // from the end of a film to the next one
    std::int64_t viewers_interval_us = 1'000'000;
    std::int64_t lead_max_us = 500'000;
    std::int64_t lead_default_us = 50'000;  // while no member has reported a round trip
    std::int64_t start_wait_us = 5'000'000;
    std::int64_t stall_wait_us = 3'000'000;
    std::int64_t wait_again_us = 30'000'000;
    std::int64_t unheard_us = 700'000;  // for members to be heard of after a takeover
    std::uint32_t members_max = 100'000;
    std::uint32_t report_every_ms = 5'000;
    std::uint32_t reports_per_second_max = 2'000;
    BucketRate talk{.events = 100, .burst = 100};  // chat and reactions together
    BucketRate queue{.events = 10, .burst = 50};   // its changes
  };

  struct JoinRequest {
    std::string name;  // empty or over member_name_bytes_max: "Guest <id>"
    std::optional<ResumeToken> resume;
    std::optional<Token> host_token;
    // `resume` is one that was made from resume_key() for that member; it counts only then.
    bool is_resume_proven = false;
    // Of the connection that joins; none: one more than the member's last, which tests can foresee.
    ConnectionNumber connection{};
    // The newest state that the joiner has seen, by its word; it counts only as above. One that
    // this machine has not reached tells that the session goes on elsewhere: see JoinRefusal.
    HeldState held{};
    // The newest line of chat that the joiner has: whoever welcomes it tells what came after that.
    std::uint64_t chat_held = 0;
    // By which it waits, where the host is to let it in.
    KnockRef knock{};
    BrowserId browser{};
  };
  struct JoinOutcome {
    MemberId id;
    ConnectionNumber connection;
    bool resumed = false;
    ConnectionNumber displaced;  // the connection that this one replaces, or none
  };
  // late: the member has come back by now, through a connection that is newer than this one. waits:
  // the host is asked; whoever waits asks again, often enough (Knocks) and after DecidedEffect.
  // removed: a member that came from this browser was.
  enum class JoinRefusal : std::uint8_t {
    full,
    ended,
    behind,
    late,
    locked,
    waits,
    turned_away,
    door_full,
    removed
  };

  // `limits` must outlive the machine: thousands of sessions share one.
  SessionMachine(const Limits& limits, SessionSettings settings, const Token& host_token,
                 VideoChoice video, std::int64_t now_us, const Token& resume_key = {});
  // A session from the store. Its host, if it had one, is away from now on and may resume.
  SessionMachine(const Limits& limits, const SessionRecord& record, std::int64_t now_us);
  // Taking a session over from a place that is gone: as from the store, in a new epoch, so that it
  // is newer than whatever the old one may still have said. What that was nobody here can know, so
  // the epoch is server time in microseconds (above `epoch_floor` and the record's in any case): no
  // home raises its own a million times a second. `fence`: see Fork. The members
  // in `known` count as connected until they are heard of, by enroll() or join(); those that are
  // not within `unheard_us` have left. A resume token that is proven makes whoever brings it the
  // same member again, known or not.
  static std::unique_ptr<SessionMachine> reopen(const Limits& limits, const SessionRecord& record,
                                                std::uint64_t epoch_floor, std::uint64_t fence,
                                                std::span<const MemberInfo> known,
                                                std::int64_t now_us);
  // A member whose connection is there already, as the place that has it says. Ignored where the
  // member has a newer one or was removed: see connection_of(). Of members that `known`
  // named nobody is told anything.
  struct Enrollment {
    MemberId id;
    ConnectionNumber connection;
    std::string name;
    BrowserId browser{};
  };
  void enroll(const Enrollment& enrolled, std::int64_t now_us, Effects& effects);
  // What a record does not say of the members: for one that goes on from it.
  struct KnownMember {
    MemberId id;
    std::string name;
    BrowserId browser{};
  };
  // Those who are connected, or may still resume.
  std::vector<KnownMember> known_members() const;
  // Right after reopen(): these were members until now, and may resume, and nobody else.
  void expect_back(std::span<const KnownMember> known);
  SessionMachine(const SessionMachine&) = delete;
  SessionMachine& operator=(const SessionMachine&) = delete;

  // What has fallen due by now, before something that is told with the state after it: see join().
  void catch_up(std::int64_t now_us, Effects& effects) { begin_event(now_us, effects); }

  // A resume token that is wrong or too late makes a new member; a wrong host token is ignored.
  // The joiner's WelcomeEffect is the first effect, also before those of timers that were due.
  std::expected<JoinOutcome, JoinRefusal> join(const JoinRequest& request, std::int64_t now_us,
                                               Effects& effects);
  // The connection is gone. Ignored unless it is the member's newest.
  void leave(MemberId id, ConnectionNumber connection, std::int64_t now_us, Effects& effects);
  // Whoever waited at the door does so no more.
  void leave_door(KnockId id, std::int64_t now_us, Effects& effects);
  // Any message but `ping`, which the connection answers, `load` and `enqueue`.
  void handle(MemberId id, const ClientMessage& message, std::int64_t now_us, Effects& effects);
  // A `load`, its video already looked up: nothing where the library has none of that id.
  void handle_load(MemberId id, std::optional<VideoChoice> video, std::int64_t now_us,
                   Effects& effects);
  // An `enqueue`, the same way.
  void handle_enqueue(MemberId id, const EnqueueMessage& message, std::optional<VideoChoice> video,
                      std::int64_t now_us, Effects& effects);
  // How long its video is was learned, or is another than before: 0 where nobody knows it, which
  // takes nothing back. Ignored where that is not what is shown.
  void learn_duration(const VideoChoice& video, std::int64_t now_us, Effects& effects);
  // Ends it for the owner of the host token (DELETE): see holds_host_token.
  void end(std::int64_t now_us, Effects& effects);

  // Everything that is due. To be called at next_deadline_us or later.
  void tick(std::int64_t now_us, Effects& effects);
  // INT64_MAX: nothing will ever be due by itself. Always later than the last tick, right after it.
  std::int64_t next_deadline_us() const noexcept;
  // The reactions gathered in this turn, as one effect. tick() does it too.
  void flush_turn(Effects& effects);
  // Who came and who went, and the queue, before it is due: the machine is about to go elsewhere.
  void flush_presence(Effects& effects);

  // Over for good, by `end` or old age: EndedEffect was given, every call is ignored from now on.
  bool ended() const noexcept { return ended_; }

  const PlaybackState& state() const noexcept { return playback_.state(); }
  double duration_s() const noexcept { return playback_.duration_s(); }  // 0: unknown
  const SessionSettings& settings() const noexcept { return settings_; }
  MemberId host() const noexcept { return host_; }  // none, connected, or away in its grace
  HostReason host_reason() const noexcept { return host_reason_; }  // of the last change
  std::optional<HostAway> host_away() const noexcept;  // nothing while it is here, or none is
  bool holds_host_token(const Token& token) const noexcept { return host_token_.equals(token); }
  std::uint32_t member_count() const noexcept;  // the connected ones
  // Of these, those who are ready to begin.
  std::uint32_t ready_count() const noexcept { return ready_.count(); }
  bool is_ready(MemberId id) const noexcept;
  // Of these, those who count as connected though nobody has heard of them: see reopen().
  std::uint32_t unheard_count() const noexcept { return unheard_; }
  // The connected members, the host first, then the longest connected; at most 50.
  std::vector<MemberInfo> members() const;
  // Grows with everything that may make members() another than it was: who joins a long list does
  // not. Never 0.
  std::uint64_t members_version() const noexcept { return members_version_; }
  // Of a member that is connected or may still resume; nothing otherwise.
  std::optional<MemberInfo> info(MemberId id) const;
  ConnectionNumber connection_of(MemberId id) const noexcept;  // none: not connected
  // The host has removed it, since this machine was reopened and as far as that is remembered.
  bool is_removed(MemberId id) const noexcept;
  BrowserId browser_of(MemberId id) const noexcept;
  // That member is given another list of who is there, as a joiner is: whoever stands in it is to
  // be told of when leaving.
  void relist(MemberId id) noexcept;
  MemberId next_id() const noexcept { return MemberId{roster_.next_id()}; }
  const Queue& queue() const noexcept { return queue_; }
  // What the store has beside the record, or another place had. REQUIRES a machine that is new.
  void adopt_queue(Queue queue);
  // Under which people find it, if it has one. To be given once, to a new session.
  void adopt_code(ShortCode code) noexcept { code_ = code; }
  ShortCode code() const noexcept { return code_; }
  // What is about to be played by itself; without an item: nothing.
  UpNext up_next() const;
  // A film has ended, and the queue is empty: what comes after it by itself, if anything, is to be
  // offered.
  bool wants_next() const noexcept { return is_next_wanted_; }
  void offer_next(std::optional<VideoChoice> video, std::int64_t now_us, Effects& effects);
  // True when the queue is another than when this was last asked; the record is then, too.
  bool take_queue_changed() noexcept { return std::exchange(is_queue_changed_, false); }
  // What was said, as far as it is remembered; another place has told of some of it.
  const ChatHistory& chat() const noexcept { return chat_; }
  void learn_chat(const ChatHistory& told);
  const Token& resume_key() const noexcept { return resume_key_; }
  std::uint64_t commands() const noexcept { return commands_; }
  std::span<const Fork> forks() const noexcept { return forks_; }
  std::uint32_t report_every_ms() const noexcept;

  // What is to be stored, as values and as bytes.
  SessionRecord record() const;
  std::string encode() const { return videosync::encode(record()); }
  static Result<std::unique_ptr<SessionMachine>> decode(const Limits& limits,
                                                        std::string_view bytes,
                                                        std::int64_t now_us);
  // The state of a session that nobody has open: as in its record, or where everybody has left it
  // by now. Its place in the order is that of the record.
  static PlaybackState state_as_left(const Limits& limits, const SessionRecord& record,
                                     std::int64_t now_us);
  // True when the record is another than when this was last asked; true at first for a new session,
  // false for one from the store.
  bool take_durable_changed() noexcept;

  // Asserts what must hold between calls. O(members): for tests.
  void check_invariants() const;

 private:
  // A moment at which something falls due by itself, in the order in which they are settled when
  // they coincide.
  enum class Timer : std::uint8_t {
    none,
    start,
    media_end,
    up_next,
    stall_wait,
    unheard,
    door,
    host_grace,
    resume,
    left,
    time_to_live
  };
  struct Due {
    Timer timer = Timer::none;
    std::int64_t at_us = INT64_MAX;
  };

  // What must hold whenever an event comes in, as far as that is O(1).
  void assert_sound() const noexcept {
    VS_ASSERT(roster_.next_id() <= reserved_id_);
    VS_ASSERT(stall_wait_.size() <= roster_.buffering_count());
  }
  void begin_event(std::int64_t now_us, Effects& effects);
  Due earliest_due() const noexcept;
  std::int64_t presence_interval_us() const noexcept;
  // `member` came or went; it has another name or role.
  void touch(Member& member);
  void alter(Member& member);
  void note_listed(const Member& member) noexcept;
  void settle(Timer timer, Effects& effects);
  std::int64_t start_judged_at_us() const noexcept;
  std::int64_t host_grace_end_us() const noexcept;
  std::int64_t resume_end_us() const noexcept;
  std::int64_t left_due_us() const noexcept;
  std::int64_t time_to_live_end_us() const noexcept;

  Member* find_resumable(const JoinRequest& request);
  std::uint32_t skipped_blocks() const noexcept;
  void reserve_id(MemberId id) noexcept;
  Member* find_resumable_elsewhere(const JoinRequest& request);
  void leave_unheard(Effects& effects);
  void count_heard() noexcept;
  Member& add_member(const JoinRequest& request);
  void seat_joiner(Member& member, const JoinRequest& request, Effects& effects);
  std::optional<JoinRefusal> stop_at_door(const JoinRequest& request, Effects& effects);
  void tell_knock(KnockEffect knock, Effects& effects) const;
  void tell_knocks(Effects& effects);
  void leave_door_unheard(Effects& effects);
  void send_all_on(Effects& effects);
  bool is_barred(BrowserId browser) const noexcept;
  void bar(BrowserId browser);
  void decide_knock(const Member& member, KnockId id, bool is_admitted, Effects& effects);
  void disconnect(Member& member, Effects& effects);
  void clear_reports(Member& member, Effects& effects);
  void forget(Member& member, Effects& effects);
  void set_host(MemberId id, HostReason reason, Effects& effects);
  void finish(Effects& effects);

  static void refuse(const Member& member, Refusal code, std::string_view re, std::string message,
                     Effects& effects);
  bool require_host(const Member& member, std::string_view re, Effects& effects) const;
  bool controls(const Member& member) const noexcept;
  bool require_control(const Member& member, std::string_view re, Effects& effects) const;
  static bool require_position(const Member& member, std::optional<double> position,
                               std::string_view re, Effects& effects);
  void count_command(bool was_changed) noexcept;
  bool require_known(const Member& member, const std::vector<MemberId>& controllers,
                     Effects& effects) const;
  bool require_queue(const Member& member, std::string_view re, Effects& effects);
  const QueueItem* require_item(const Member& member, QueueItemId id, std::string_view re,
                                Effects& effects) const;
  bool require_talk(const Member& member, std::string_view re, Effects& effects);

  void on_message(Member& member, const PlayMessage& message, Effects& effects);
  void on_message(Member& member, const PauseMessage& message, Effects& effects);
  void on_message(Member& member, const SeekMessage& message, Effects& effects);
  void on_message(Member& member, const RateMessage& message, Effects& effects);
  void on_message(Member& member, const LoadMessage& message, Effects& effects);
  void on_message(Member& member, const GiveMessage& message, Effects& effects);
  void on_message(Member& member, const ClaimMessage& message, Effects& effects);
  void on_message(Member& member, const SettingsMessage& message, Effects& effects);
  void on_message(Member& member, const KickMessage& message, Effects& effects);
  void on_message(Member& member, const EndMessage& message, Effects& effects);
  void on_message(Member& member, const PingMessage& message, Effects& effects);
  void on_message(Member& member, const ReportMessage& message, Effects& effects);
  void on_message(Member& member, const ChatMessage& message, Effects& effects);
  void on_message(Member& member, const ReactionMessage& message, Effects& effects);
  void on_message(Member& member, const NameMessage& message, Effects& effects);
  void on_message(Member& member, const ReadyMessage& message, Effects& effects);
  void on_message(Member& member, const EnqueueMessage& message, Effects& effects);
  void on_message(Member& member, const DequeueMessage& message, Effects& effects);
  void on_message(Member& member, const MoveMessage& message, Effects& effects);
  void on_message(Member& member, const JumpMessage& message, Effects& effects);
  void on_message(Member& member, const NextMessage& message, Effects& effects);
  void on_message(Member& member, const CancelNextMessage& message, Effects& effects);
  void on_message(Member& member, const AdmitMessage& message, Effects& effects);
  void on_message(Member& member, const RefuseMessage& message, Effects& effects);

  std::int64_t lead_us() const noexcept;
  void push_state(Effects& effects);
  void note_ready();
  void clear_ready();
  void note_queue(Effects& effects);
  void tell_queue(Effects& effects);
  bool goes_on_playing() const noexcept;
  void show(QueueItem item, MemberId by, bool plays, Effects& effects);
  void begin_up_next(Effects& effects);
  void tell_up_next(Effects& effects);
  void call_off_next(Effects& effects);
  void play_up_next(Effects& effects);
  // onStall `wait`.
  bool is_awaitable(const Member& member) const noexcept;
  void await_at_start(Effects& effects);
  void note_buffering(Member& member, bool buffering, Effects& effects);
  void on_buffering(Member& member, Effects& effects);
  void stop_awaiting(Member& member, Effects& effects);
  void stand_still(Effects& effects);
  void go_on(Effects& effects);

  static constexpr std::uint32_t id_max = UINT32_MAX - 2 * reserved_ids;
  static constexpr std::size_t removed_max = 256;

  const Limits* limits_;
  Token host_token_;
  Token resume_key_;
  ShortCode code_;
  MemberId host_;
  HostReason host_reason_ = HostReason::joined;
  std::int64_t now_us_;
  std::int64_t last_activity_us_;  // when somebody was last connected; means something while empty
  std::int64_t reopened_us_ = INT64_MIN;  // when it came from another place
  std::uint32_t unheard_ = 0;             // members that are connected through no known connection
  bool knows_all_ = false;                // who was a member before it was reopened
  std::vector<MemberId> removed_;  // who may not come back; the newest few since reopened_us_
  std::vector<BrowserId> removed_browsers_;  // see SessionRecord
  std::int64_t started_us_ = 0;              // the last play, or seek while playing
  // Who is waited for at the end of a countdown is looked at so much before it, once: it was for
  // the countdown that ends at start_judged_us_.
  std::int64_t start_lead_us_ = 0;
  std::int64_t start_judged_us_ = 0;
  Playback playback_;
  Roster roster_;
  Presence presence_;
  ReadyMembers ready_;
  // Besides the host, nobody with this id or a higher one is in what members() last gave.
  mutable MemberId listed_until_{UINT32_MAX};
  std::uint64_t members_version_ = 1;
  RoundTrips round_trips_;
  ViewerReports viewer_reports_;
  StallWait stall_wait_;
  TokenBucket talk_;
  TokenBucket queue_talk_;
  std::vector<Reaction> reactions_;  // of this turn
  ChatHistory chat_;
  Knocks knocks_;
  Queue queue_;
  std::int64_t queue_told_us_ = INT64_MIN;
  std::int64_t queue_due_us_ = INT64_MAX;  // when its last change is told; INT64_MAX: it has been
  bool is_queue_changed_ = false;          // since it was last asked
  std::int64_t up_next_us_ = 0;            // when the first of it is played by itself; 0: it is not
  QueueItemId up_next_item_;               // the one of which members were told so
  bool is_next_wanted_ = false;
  std::vector<Fork> forks_;
  std::uint64_t commands_ = 0;
  std::uint32_t reserved_id_;  // the record's next_member_id: never under the roster's
  SessionSettings settings_;
  bool durable_changed_ = true;
  bool ended_ = false;
};

}  // namespace videosync
