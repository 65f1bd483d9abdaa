// How a session ends. Where others share the store it is asked first: who was cut off, or stood
// still, may not know yet that another node has taken the session over, and then there is nothing
// to end here.
#include <optional>
#include <utility>

#include "core/base/assert.h"
#include "server/session/directory_impl.h"

namespace videosync {

using Impl = SessionDirectory::Impl;

// --- On demand -----------------------------------------------------------------------------------

void Impl::end_home(Residence& residence, const std::optional<Token>& host_token,
                    ConnectionRef from) noexcept {
  VS_ASSERT(effects_.empty());
  if (!host_token) return answer(from, SessionFault::token_missing);
  if (!residence.at_home().machine->holds_host_token(*host_token)) {
    return answer(from, SessionFault::not_the_host);
  }
  const Uuid key = residence.key;
  demand_end(residence, [this, key, host_token, from](bool is_over) noexcept {
    if (is_over) return answer(from, SessionDeleted{});
    end(key, host_token, from);
  });
}

void Impl::on_home(Residence& residence, const node::Envelope& from,
                   const node::AskDelete& ask) noexcept {
  const SessionMachine& machine = *residence.at_home().machine;
  const std::uint64_t fence = residence.at_home().version.fence;
  if (!ask.host_token || !machine.holds_host_token(*ask.host_token)) {
    const auto fault = ask.host_token ? SessionFault::not_the_host : SessionFault::token_missing;
    return send(from.from, residence.key, fence,
                node::Answer{ask.ask, static_cast<std::uint8_t>(fault), {}});
  }
  demand_end(residence, [this, from, ask, fence](bool is_over) noexcept {
    if (is_over) return send(from.from, from.key, fence, node::Answer{ask.ask, {}, {}});
    to_home(from);
  });
}

// `then` is told whether it is over; if not, this node is not the session's home any more.
void Impl::demand_end(Residence& residence, OnEnd then) noexcept {
  VS_ASSERT(effects_.empty());
  VS_ASSERT(depth_ > 0);
  if (is_alone() || !presence_.has(residence.key)) {
    residence.at_home().machine->end(server_us(), effects_);
    settle(residence);
    return then(true);
  }
  flush(residence);
  Home& home = residence.at_home();
  home.is_ending = true;
  home.cast.ended_code = close_code::session_ended;
  const StoreVersion last{home.version.fence, home.version.revision + 1};
  auto beneath = ask_beneath(residence.key, last.fence);
  ports_.store.remove(
      name_of(residence), last, take_cast(residence),
      answered([this, key = residence.key, fence = last.fence, beneath = std::move(beneath),
                then = std::move(then)](const Result<>& result) mutable noexcept {
        if (result) tell_beneath(*beneath, key, fence);
        on_end_answered(key, fence, std::move(then), result);
      }));
}

void Impl::on_end_answered(const Uuid& key, std::uint64_t fence, OnEnd then,
                           const Result<>& result) noexcept {
  Residence* residence = find(key);
  const bool is_gone = result || result.error().code == ErrorCode::not_found;
  const bool is_home =
      residence != nullptr && residence->is_home() && residence->home->version.fence == fence;
  if (!is_home) return then(is_gone);
  if (!is_gone && result.error().code == ErrorCode::conflict) {
    superseded(*residence);
    return then(false);
  }
  // A store that fails now is told later, see remove().
  Home& home = residence->at_home();
  VS_ASSERT(!home.is_over);
  VS_ASSERT(effects_.empty());
  home.is_removed = is_gone;
  home.machine->end(server_us(), effects_);
  settle(*residence);
  then(true);
}

// --- The end -------------------------------------------------------------------------------------

void Impl::forget(Residence& residence) noexcept {
  VS_ASSERT(residence.at_home().is_over);
  VS_ASSERT(effects_.empty());
  ports_.metrics.count(Counter::sessions_ended);
  ports_.metrics.add(Gauge::sessions, -1);
  stop_talking(residence);
  Home& home = residence.at_home();
  const StoreVersion last{home.version.fence, home.version.revision + 1};
  Removal removal{residence.key, home.machine->code(), last, take_cast(residence)};
  const bool is_removed = home.is_removed;
  ports_.around.on_session_ended(residence.key);
  set_unsaved(residence.key, "");
  erase(residence);
  if (!is_removed) return remove(removal);
  removal.done_us = now_us();
  unremoved_.insert_or_assign(removal.key, removal);
  // For those who were let in meanwhile.
  if (const BufferRef& event = removal.event) {
    ports_.store.publish(removal.key, event, [](Result<std::uint32_t>) noexcept {});
  }
}

// What has ended stays so: where the store is away, or takes no changes, it is told again; and so
// it is after a failover, which may have lost the end.
void Impl::remove(const Removal& removal) noexcept {
  VS_ASSERT(find(removal.key) == nullptr || find(removal.key)->kind() != Residence::Kind::home);
  if (!is_alone()) unremoved_.insert_or_assign(removal.key, removal);
  const std::uint64_t fence = removal.last.fence;
  auto beneath = ask_beneath(removal.key, fence);
  ports_.store.remove({removal.key, removal.code}, removal.last, removal.event,
                      answered([this, key = removal.key, fence,
                                beneath = std::move(beneath)](const Result<>& result) noexcept {
                        if (result) tell_beneath(*beneath, key, fence);
                        on_removed(key, result);
                      }));
}

void Impl::on_removed(const Uuid& key, const Result<>& result) noexcept {
  const auto removal = unremoved_.find(key);
  if (removal == unremoved_.end()) return;
  VS_ASSERT(removal->second.key == key);
  VS_ASSERT(depth_ > 0);
  const bool is_done = result || result.error().code == ErrorCode::conflict ||
                       result.error().code == ErrorCode::not_found;
  const bool is_over = is_done && (result || result.error().code != ErrorCode::conflict);
  if (is_over) {
    removal->second.done_us = now_us();
  } else if (is_done) {
    unremoved_.erase(removal);
  } else if (const BufferRef& event = removal->second.event) {
    // It may still carry what is said.
    ports_.store.publish(key, event, [](Result<std::uint32_t>) noexcept {});
  }
}

void Impl::forget_removals() noexcept {
  std::erase_if(unremoved_, [now = now_us()](const auto& entry) noexcept {
    const std::int64_t done_us = entry.second.done_us;
    return done_us > 0 && now - done_us >= failover_us;
  });
}

}  // namespace videosync
