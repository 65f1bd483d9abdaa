// SessionFixture: a machine, a clock in the test's hand, and short words for scenarios.
#pragma once

#include <criterion/criterion.h>

#include <string>
#include <utility>
#include <vector>

#include "proto/session/session_machine.h"

namespace videosync {

constexpr std::int64_t ms = 1'000;
constexpr std::int64_t seconds = 1'000'000;
constexpr std::int64_t fixture_start_us = 1'700'000'000 * seconds;

inline Token token_of(std::uint8_t seed) {
  Token token;
  token.bytes.fill(seed);
  return token;
}

struct SessionFixture {
  static constexpr std::uint8_t host_token_seed = 200;

  SessionMachine::Limits limits;
  std::int64_t now = fixture_start_us;
  std::unique_ptr<SessionMachine> machine;
  Effects effects;  // of the last call

  explicit SessionFixture(SessionSettings settings = {}, double duration_s = 100)
      : machine(std::make_unique<SessionMachine>(limits, settings, token_of(host_token_seed),
                                                 VideoChoice{"film", duration_s}, now)) {}

  SessionMachine::JoinOutcome join(std::string name = "",
                                   std::optional<ResumeToken> resume = std::nullopt,
                                   std::optional<Token> host_token = std::nullopt) {
    auto outcome = try_join(std::move(name), resume, host_token);
    cr_assert(outcome.has_value());
    return *outcome;
  }
  auto try_join(std::string name = "", std::optional<ResumeToken> resume = std::nullopt,
                std::optional<Token> host_token = std::nullopt)
      -> decltype(machine->join({}, now, effects)) {
    effects.clear();
    const auto outcome =
        machine->join({std::move(name), resume, host_token, is_proven(resume)}, now, effects);
    machine->check_invariants();
    return outcome;
  }
  // The secrets of this fixture: one for every member.
  static bool is_proven(const std::optional<ResumeToken>& resume) {
    return resume && resume->secret.equals(token_of(7));
  }
  static ResumeToken resume_token(MemberId id) { return {id, token_of(7)}; }
  void leave(const SessionMachine::JoinOutcome& joined) {
    effects.clear();
    machine->leave(joined.id, joined.connection, now, effects);
    machine->check_invariants();
  }
  void say(MemberId id, const ClientMessage& message) {
    effects.clear();
    machine->handle(id, message, now, effects);
    machine->check_invariants();
  }
  void report(MemberId id, bool buffering, double rtt_ms = 0, double drift_ms = 0) {
    say(id, ReportMessage{.drift_ms = drift_ms, .rtt_ms = rtt_ms, .buffering = buffering});
  }
  // Time goes by in one step: a tick that comes late.
  void pass(std::int64_t us) {
    now += us;
    effects.clear();
    machine->tick(now, effects);
    machine->check_invariants();
  }
  void learn(double duration_s) {
    effects.clear();
    machine->learn_duration({"film", duration_s}, now, effects);
    machine->check_invariants();
  }
  const PlaybackState& state() const { return machine->state(); }

  template <class Kind>
  std::vector<Kind> all() const {
    std::vector<Kind> found;
    for (const Effect& effect : effects) {
      if (const auto* kind = std::get_if<Kind>(&effect)) found.push_back(*kind);
    }
    return found;
  }
  template <class Kind>
  bool has() const {
    return !all<Kind>().empty();
  }
  template <class Kind>
  Kind only() const {
    const auto found = all<Kind>();
    cr_assert_eq(found.size(), 1u, "expected exactly one effect of a kind, got %zu", found.size());
    return found[0];
  }
  bool refused(Refusal code) const {
    if (effects.size() != 1) return false;
    const auto* error = std::get_if<ErrorEffect>(&effects[0]);
    return error != nullptr && error->code == code;
  }
};

inline bool is_near(double a, double b, double within = 1e-6) {
  return a - b < within && b - a < within;
}

}  // namespace videosync
