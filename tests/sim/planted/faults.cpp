#include "tests/sim/planted/faults.h"

#include <algorithm>
#include <array>
#include <utility>

namespace videosync::sim {

namespace {

using enum PlantedFault::Kind;

constexpr std::array faults{
    PlantedFault{"epoch-of-record", "a take-over's epoch is the stored one and one more", "order",
                 "proto/session/session_takeover.cpp", expression,
                 "std::max(epoch_floor, time - 1)", "record.state.epoch"},
    PlantedFault{"welcome-below", "a home welcomes who has seen a later state", "order",
                 "proto/session/session_machine.cpp", expression,
                 "request.held > HeldState{state().epoch, state().seq}", "false"},
    PlantedFault{"epoch-kept", "a new host begins no new epoch", "order",
                 "proto/session/session_machine.cpp", statement, "playback_.next_epoch();", ""},
    PlantedFault{"fence-unread", "the store compares revisions, and no fences", "fencing",
                 "tests/sim/redis_data.cpp", expression, "entry->version > expected",
                 "entry->version.revision > expected.revision"},
    PlantedFault{"fence-kept", "a take-over does not raise the fence", "fencing",
                 "server/session/outpost_home.cpp", expression,
                 "next_fence(std::max(known.fence, outpost.fence))", "known.fence"},
    PlantedFault{"lower-obeyed", "a home gives way to what one of a lower fence says", "fencing",
                 "server/session/outpost_messages.cpp", expression,
                 "if («fence <= residence->home->version.fence») return;",
                 "fence == residence->home->version.fence", 1},
    PlantedFault{"absent-is-ended", "what the store does not have has ended", "one end",
                 "server/session/outpost_home.cpp", statement,
                 "if (value.error().code == ErrorCode::not_found) return on_unknown(*residence);",
                 "if (value.error().code == ErrorCode::not_found) return on_ended(*residence);"},
    PlantedFault{"end-forgotten", "an end that the store did not take is not told again", "one end",
                 "server/session/ending.cpp", statement,
                 "if (!is_alone()) unremoved_.insert_or_assign(removal.key, removal);", "", 2100},
    PlantedFault{"copy-dropped", "who knows a session last forgets it with its last member",
                 "one end", "server/session/copies.cpp", expression,
                 "if («residence.away().record.empty()») return;\n  if (!copies_", "true", 3660},
    PlantedFault{"kept-dropped", "what the store has said that it has is forgotten at once",
                 "once or refused", "server/session/copies.cpp", expression,
                 "if («outpost.record.empty()») return;\n  VS_ASSERT(!copies_", "true", 9100229},
    PlantedFault{"queue-left", "who writes over another's record leaves its queue", "agreement",
                 "server/session/home_members.cpp", statement,
                 "«home.is_queue_unstored = true;»  // the store may have lost it", "", 9000323},
    PlantedFault{"bar-unasked", "whoever was removed is let in again", "removed",
                 "proto/session/session_door.cpp", expression,
                 "if («is_barred(request.browser)») return JoinRefusal::removed;", "false"},
    PlantedFault{"bar-forgotten", "who goes on from the record does not know who was removed",
                 "removed", "proto/session/session_machine.cpp", statement,
                 "removed_browsers_ = record.removed_browsers;", ""},
    PlantedFault{"end-unmarked", "the store keeps no mark of an end", "one end",
                 "tests/sim/redis_data.cpp", expression, "now_us + SessionStore::tombstone_us",
                 "now_us"},
    PlantedFault{"code-lost", "who goes on from the record does not know the code", "agreement",
                 "proto/session/session_machine.cpp", expression, "code_(«record.code»)",
                 "ShortCode{}"},
    PlantedFault{"conflict-ignored", "a take-over goes on though the store refused it", "one seat",
                 "server/session/outpost_home.cpp", expression,
                 "VS_ASSERT(residence->outpost->phase == Phase::taking);\n"
                 "  residence->outpost->phase = Phase::idle;\n"
                 "  if («!result») {",
                 "!result && result.error().code != ErrorCode::conflict"},
    PlantedFault{"closed-unasked", "an outpost closes the connection that followed the one meant",
                 "one seat", "server/session/outpost_messages.cpp", expression,
                 "found->second.number != close.connection", "false"},
    PlantedFault{"newer-closed", "who comes back is closed itself, not its old connection",
                 "one seat", "server/session/home_effects.cpp", expression,
                 "seat->second.number != effect.connection", "false"},
    PlantedFault{"old-leave-counts", "an old connection's end unseats the new one", "one seat",
                 "server/session/home_members.cpp", expression, "seat->second.number == number",
                 "true"},
    PlantedFault{"displaced-open", "the connection that a return displaces stays open", "one seat",
                 "server/session/home_members.cpp", statement,
                 "close_seat(residence, joined->id, before->second, "
                 "close_code::connected_elsewhere);",
                 ""},
    PlantedFault{"enrolled-open", "so does one that a return to another node displaces", "one seat",
                 "server/session/home_nodes.cpp", statement,
                 "close_seat(residence, member.id, displaced, close_code::connected_elsewhere);",
                 "static_cast<void>(displaced);", 1},
    PlantedFault{"ids-unreserved", "a take-over reserves no ids of its own", "one seat",
                 "proto/session/session_takeover.cpp", expression,
                 "machine->reserved_id_ += «reserved_ids»;", "0"},
    PlantedFault{"digest-unread", "digests are told, and not compared", "agreement",
                 "server/nodes/digest_exchange.cpp", expression, "digest.sums[i] == mine[i]",
                 "true"},
    PlantedFault{"digest-once", "a digest that was lost is told again a second later", "agreement",
                 "server/nodes/digest_exchange.cpp", expression,
                 "may_be_lost && view.*part != other.heard.*part", "false", 1},
    PlantedFault{"slow-is-lost", "a slow store is taken for one that loses messages", "agreement",
                 "server/session/agreement.cpp", expression,
                 "std::max(home.cast_us, remote.changed_us) >= gathered_us",
                 "now_us() - std::max(home.cast_us, remote.changed_us) < 100'000"},
    PlantedFault{"gap-unnoticed", "an outpost does not notice that it missed something",
                 "agreement", "server/session/outpost_casts.cpp", expression,
                 "outpost.knows_casts && cast.number > outpost.casts + 1", "false", 2400},
    PlantedFault{"node-never-lost", "a node that has died is not noticed", "agreement",
                 "server/nodes/nodes.cpp", statement,
                 "if (is_store_ready_ && !known.is_lost && is_gone(known, now)) lose(node, known);",
                 ""},
    PlantedFault{"dead-kept", "a home keeps the members of a node that has died", "agreement",
                 "server/session/home_nodes.cpp", statement,
                 "leave_all(*residence, [=](const Seat& seat) { return seat.node == place; });", "",
                 1},
    PlantedFault{"host-untold", "other nodes do not hear of a new host", "agreement",
                 "server/session/home_effects.cpp", statement,
                 "if (home.remote_members > 0) add_host_news(home, effect);", ""},
    PlantedFault{"left-untold", "other nodes' outposts do not hear who has left", "agreement",
                 "server/session/home_effects.cpp", statement,
                 "cast.left.insert(cast.left.end(), effect.left.begin(), effect.left.end());", ""},
    PlantedFault{
        "settings-untold", "other nodes do not hear of new settings", "agreement",
        "server/session/home_effects.cpp", statement,
        "encode_settings(text, effect.settings);\n  «broadcast(residence, text, "
        "SendClass::reliable);»",
        "broadcast_here(residence.key, residence.home->members_on, text, SendClass::reliable);"},
    PlantedFault{"done-twice", "a home carries out what it has heard before", "once or refused",
                 "server/session/home_nodes.cpp", statement, "if (is_heard) return;", ""},
    PlantedFault{"loss-unnoticed", "a home does not notice that a command was lost",
                 "once or refused", "server/session/home_nodes.cpp", expression,
                 "said.number > 0 && said.previous > remote.heard", "false"},
    PlantedFault{"restless",
                 "a home that is to be left later asks for a turn at once, again and again",
                 "nothing spins", "server/session/home_members.cpp", expression,
                 "std::max<std::int64_t>(leaves_us - now_us(), 0)", "0"},
    PlantedFault{"heard-unrecorded", "the record does not tell what of others was done",
                 "once or refused", "server/session/home_members.cpp", expression,
                 "remote->heard > 0", "false"},
    PlantedFault{"not-refused", "a command that nobody answered is not refused", "once or refused",
                 "server/session/outpost.cpp", statement,
                 "refuse_sayings(*outpost, outpost->outbox.take_older(now_us() - refused_us));",
                 ""},
    PlantedFault{"refusals-lost", "a refusal does not go with what was heard", "once or refused",
                 "server/session/home_effects.cpp", statement,
                 "refused.push_back({said_.number, text});", ""},
    PlantedFault{"waiting-dropped", "a join that waits for the home is forgotten",
                 "once or refused", "server/session/moving.cpp", statement,
                 "join(key, std::move(ask.request), ask.from);", ""},
    PlantedFault{"expired-done", "a home lets in whose client was refused meanwhile",
                 "once or refused", "server/session/home_nodes.cpp", expression,
                 "ask != nullptr && static_cast<std::uint64_t>(server_us()) >= ask->expires_us",
                 "false"},
    PlantedFault{"undone-untold", "nobody is told what the mend has undone", "once or refused",
                 "server/session/outpost_messages.cpp", expression,
                 "is_new_home && is_undone(outpost, stored->record.forks)", "false"},
    PlantedFault{"own-clock", "a welcome tells the machine's clock", "one time",
                 "server/session/home_effects.cpp", expression, "home.member_list, «server_us()»",
                 "now_us()"},
    PlantedFault{"offset-ignored", "the offset beside Redis' clock is not added", "one time",
                 "storage/redis/common_time.cpp", expression, "redis.offset_us + stored.offset_us",
                 "redis.offset_us"},
    PlantedFault{"part-is-all", "a part of the store that is away takes all sessions along",
                 "apart", "server/session/outpost.cpp", expression,
                 "if («!presence_.has(residence.key)» || outpost.outbox.is_full())",
                 "!presence_.is_there() || presence_.has_parts()", 1'796'000'000'000'000},
    PlantedFault{"jump-taken", "a jump of Redis' clock is taken for the time", "one time",
                 "storage/redis/common_time.cpp", expression, "off_us > within_us", "false"},
};

struct Promise {
  std::string_view check;  // or how its name begins
  std::string_view promise;
};

constexpr std::array promises{
    Promise{"order", "order"},
    Promise{"one order", "order"},
    Promise{"fencing", "fencing"},
    Promise{"one end", "one end"},
    Promise{"one seat", "one seat"},
    Promise{"one id", "one seat"},
    Promise{"home.seats.size() + home.machine->unheard_count()", "one seat"},  // an invariant
    Promise{"resume", "one seat"},
    Promise{"agreement", "agreement"},
    Promise{"stored", "agreement"},
    Promise{"once", "once or refused"},
    Promise{"at most", "once or refused"},
    Promise{"undone", "once or refused"},
    Promise{"unanswered", "once or refused"},
    Promise{"apart", "apart"},
    Promise{"removed", "removed"},
    Promise{"one time", "one time"},
    Promise{"idle_turns_ <=", "nothing spins"},  // an invariant of the simulator's worker
};

}  // namespace

std::size_t planted = 0;

std::span<const PlantedFault> planted_faults() noexcept {
  return faults;
}

std::string_view promise_of(std::string_view check) noexcept {
  const auto found = std::ranges::find_if(
      promises, [=](const Promise& each) { return check.starts_with(each.check); });
  return found != promises.end() ? found->promise : std::string_view("none by name");
}

}  // namespace videosync::sim
