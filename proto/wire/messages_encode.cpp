#include <fmt/compile.h>
#include <fmt/format.h>

#include <cstdlib>
#include <iterator>

#include "core/base/assert.h"
#include "proto/wire/json_format.h"
#include "proto/wire/messages.h"

namespace videosync {

namespace {

std::string_view role_name(Role role) noexcept {
  return role == Role::host ? "host" : "participant";
}

std::string_view cause_name(Cause cause) noexcept {
  switch (cause) {
    case Cause::play:
      return "play";
    case Cause::pause:
      return "pause";
    case Cause::seek:
      return "seek";
    case Cause::rate:
      return "rate";
    case Cause::load:
      return "load";
    case Cause::stall:
      return "stall";
    case Cause::resume:
      return "resume";
    case Cause::ended:
      return "ended";
  }
  std::abort();
}

std::string_view reason_name(HostReason reason) noexcept {
  switch (reason) {
    case HostReason::joined:
      return "joined";
    case HostReason::given:
      return "given";
    case HostReason::claimed:
      return "claimed";
    case HostReason::left:
      return "left";
  }
  std::abort();
}

std::string_view notice_name(NoticeCode code) noexcept {
  switch (code) {
    case NoticeCode::degraded:
      return "degraded";
    case NoticeCode::restored:
      return "restored";
    case NoticeCode::undone:
      return "undone";
    case NoticeCode::draining:
      return "draining";
  }
  std::abort();
}

// "[" what `write` makes of each, with commas between, "]".
template <class List, class Write>
void append_array(std::string& out, const List& list, Write write) {
  out += '[';
  bool is_first = true;
  for (const auto& element : list) {
    if (!is_first) out += ',';
    is_first = false;
    write(element);
  }
  out += ']';
}

void append_chat_fields(std::string& out, const ChatLine& line) {
  append_json(out, R"("id":"c{}","from":{},"name":{},"text":{},"atMs":{})", line.id, Id{line.from},
              Quoted{line.name}, Quoted{line.text}, Milliseconds{line.at_us});
}

void append_up_next_fields(std::string& out, const UpNext& next, std::string_view title) {
  append_json(out, R"("item":"q{}","video":{},"title":{},"atMs":{})", next.item.value,
              Quoted{next.video}, Quoted{title}, Milliseconds{next.at_us});
}

// Nothing at all while the host is here.
void append_host_away(std::string& out, const std::optional<HostAway>& away) {
  if (!away) return;
  append_json(out, R"(,"hostAway":{{"untilMs":{},"next":{}}})", Milliseconds{away->until_us},
              Id{away->next});
}

void append_code(std::string& out, ShortCode code) {
  if (code) append_json(out, R"(,"code":"{}")", code.to_string());
}

// The fields of a state, without the braces around them. Compiled, as it is written with every
// command (2,680 instructions instead of 4,690).
void append_state_fields(std::string& out, const PlaybackState& state) {
  fmt::memory_buffer buffer;
  fmt::format_to(fmt::appender(buffer),
                 FMT_COMPILE(R"("epoch":{},"seq":{},"playing":{},"position":{},"rate":{},)"
                             R"("atMs":{},{},"by":{},"cause":"{}")"),
                 state.epoch, state.seq, state.playing, Number{state.position}, Number{state.rate},
                 Milliseconds{state.at_us}, FilmFields{state.video}, Id{state.by},
                 cause_name(state.cause));
  out.append(buffer.data(), buffer.size());
}

// Without the braces around them.
void append_settings(std::string& out, const SessionSettings& settings) {
  append_json(out, R"("control":"{}","onStall":"{}")", wire_name(settings.control),
              wire_name(settings.on_stall));
  if (!settings.audio_language.empty())
    append_json(out, R"(,"audioLanguage":{})", Quoted{settings.audio_language});
  append_json(out, R"(,"queue":"{}","controllers":)", wire_name(settings.queue));
  append_ids(out, settings.controllers);
  append_json(out, R"(,"door":"{}")", wire_name(settings.door));
}

void append_sources(std::string& out, std::span<const std::string> origins) {
  if (origins.empty()) return;
  out += R"(,"sources":)";
  append_array(out, origins,
               [&out](const std::string& origin) { append_json(out, "{}", Quoted{origin}); });
}

void append_reaction_fields(std::string& out, const Reaction& reaction) {
  append_json(out, R"("from":{},"emoji":{},"atMs":{})", Id{reaction.from}, Quoted{reaction.emoji},
              Milliseconds{reaction.at_us});
}

void append_forks(std::string& out, std::span<const Fork> forks) {
  if (forks.empty()) return;
  out += R"(,"takenOver":[)";
  for (const Fork& fork : forks) {
    append_json(out, R"({}{{"epoch":{},"after":{{"epoch":{},"seq":{}}}}})",
                &fork == forks.data() ? "" : ",", fork.epoch, fork.after_epoch, fork.after_seq);
  }
  out += ']';
}

}  // namespace

// Without fmt, which made fifty of these a tenth of a join.
void encode_member_list(std::string& out, std::span<const MemberInfo> members) {
  append_array(out, members, [&out](const MemberInfo& member) {
    const fmt::format_int digits(member.id.value);
    out += R"({"id":"m)";
    out.append(digits.data(), digits.size());
    out += R"(","name":")";
    append_json_text(out, member.name);
    out += R"(","role":")";
    out += role_name(member.role);
    out += R"("})";
  });
}

void encode_welcome(std::string& out, const WelcomeView& welcome) {
  const MemberInfo& you = welcome.you;
  append_json(out, R"({{"type":"welcome","protocol":1,"you":{{"id":{},"name":{},"role":"{}",)",
              Id{you.id}, Quoted{you.name}, role_name(you.role));
  append_json(out, R"("resume":"m{}.{}"{}}},)", welcome.resume.member.value,
              HexToken{welcome.resume.secret}, welcome.are_you_ready ? R"(,"ready":true)" : "");
  append_json(out, R"("session":{{"key":"{}")", welcome.key.to_string());
  append_code(out, welcome.code);
  append_json(out, ",{},", FilmFields{welcome.state.video});
  append_settings(out, welcome.settings);
  append_sources(out, welcome.film_sources);
  append_json(out, R"(}},"host":{},"state":{{)", Id{welcome.host});
  append_state_fields(out, welcome.state);
  append_json(out, R"(}},"members":{{"count":{},"ready":{},"list":)", welcome.member_count,
              welcome.ready_count);
  out += welcome.member_list;
  out += '}';
  append_host_away(out, welcome.host_away);
  append_forks(out, welcome.forks);
  if (welcome.up_next.item) {
    out += R"(,"upNext":{)";
    append_up_next_fields(out, welcome.up_next, welcome.up_next_title);
    out += '}';
  }
  append_json(out, R"(,"serverTimeMs":{},"reportEveryMs":{}}})", Milliseconds{welcome.server_us},
              welcome.report_every_ms);
}

void encode_state(std::string& out, const PlaybackState& state) {
  out += R"({"type":"state",)";
  append_state_fields(out, state);
  out += '}';
}

void encode_host(std::string& out, const HostEffect& host) {
  append_json(out, R"({{"type":"host","epoch":{},"id":{},"reason":"{}"}})", host.epoch,
              Id{host.host}, reason_name(host.reason));
}

void encode_members(std::string& out, const MembersEffect& members) {
  append_json(out, R"({{"type":"members","count":{},"ready":{},"joined":)", members.count,
              members.ready);
  encode_member_list(out, members.joined);
  out += R"(,"left":)";
  encode_member_list(out, members.left);
  out += R"(,"changed":)";
  encode_member_list(out, members.changed);
  append_host_away(out, members.host_away);
  out += '}';
}

void encode_pong(std::string& out, const PingMessage& ping, std::int64_t t2_us,
                 std::int64_t t3_us) {
  append_json(out, R"({{"type":"pong","id":{},"t1":{},"t2":{},"t3":{}}})", ping.id, ping.t1,
              Milliseconds{t2_us}, Milliseconds{t3_us});
}

void encode_viewers(std::string& out, const ViewersEffect& viewers) {
  out += R"({"type":"viewers","list":)";
  append_array(out, viewers.list, [&out](const ViewerReport& viewer) {
    append_json(out, R"({{"id":{},"driftMs":{},"rttMs":{},"buffering":{})", Id{viewer.id},
                Number{viewer.drift_ms}, Number{viewer.rtt_ms}, viewer.buffering);
    append_playing(out, viewer.form, viewer.cannot_play);
    if (viewer.is_ready) out += R"(,"ready":true)";
    out += '}';
  });
  out += '}';
}

void encode_waiting(std::string& out, const WaitingEffect& waiting) {
  out += R"({"type":"waiting","members":)";
  append_array(out, waiting.members, [&out](MemberId id) { append_json(out, "{}", Id{id}); });
  append_json(out, R"(,"untilMs":{}}})", Milliseconds{waiting.until_us});
}

void encode_settings(std::string& out, const SessionSettings& settings) {
  out += R"({"type":"settings",)";
  append_settings(out, settings);
  out += '}';
}

void encode_upload(std::string& out, std::string_view name, std::optional<std::uint8_t> percent) {
  append_json(out, R"({{"type":"upload","name":{},)", Quoted{name});
  if (percent) append_json(out, R"("percent":{}}})", *percent);
  if (!percent) out += R"("gone":true})";
}

void encode_knocking(std::string& out) {
  out += R"({"type":"knocking"})";
}

void encode_knock(std::string& out, const KnockEffect& knock) {
  append_json(out, R"({{"type":"knock","id":"k{}")", knock.id.value);
  if (knock.is_gone) {
    out += R"(,"gone":true)";
  } else {
    append_json(out, R"(,"name":{})", Quoted{knock.name});
  }
  out += '}';
}

void encode_chat(std::string& out, const ChatLine& line) {
  out += R"({"type":"chat",)";
  append_chat_fields(out, line);
  out += '}';
}

std::size_t encode_history(std::string& out, std::span<const ChatLine> lines, std::size_t first) {
  VS_ASSERT(first < lines.size());
  constexpr std::string_view end = "]}";
  out += R"({"type":"history","list":[)";
  const std::size_t empty_size = out.size();
  std::size_t next = first;
  for (; next < lines.size(); ++next) {
    const std::size_t size = out.size();
    out += next > first ? ",{" : "{";
    append_chat_fields(out, lines[next]);
    out += '}';
    const bool fits = out.size() - empty_size + end.size() <= list_message_bytes_max;
    if (fits || next == first) continue;
    out.resize(size);
    break;
  }
  out += end;
  VS_ASSERT(next > first);
  return next;
}

void encode_reactions(std::string& out, const ReactionsEffect& reactions) {
  VS_ASSERT(!reactions.list.empty());
  const std::span<const Reaction> all(reactions.list);
  out += R"({"type":"reaction",)";
  append_reaction_fields(out, all.front());
  if (all.size() > 1) {
    out += R"(,"more":)";
    append_array(out, all.subspan(1), [&out](const Reaction& reaction) {
      out += '{';
      append_reaction_fields(out, reaction);
      out += '}';
    });
  }
  out += '}';
}

void encode_up_next(std::string& out, const UpNext& next, std::string_view title) {
  out += R"({"type":"upNext",)";
  if (next.item) append_up_next_fields(out, next, title);
  out += next.item ? "}" : R"("item":null})";
}

void encode_notice(std::string& out, NoticeCode code, std::optional<std::uint32_t> retry_after_ms) {
  append_json(out, R"({{"type":"notice","code":"{}")", notice_name(code));
  if (retry_after_ms) append_json(out, R"(,"retryAfterMs":{})", *retry_after_ms);
  out += '}';
}

void encode_error(std::string& out, Refusal code, std::string_view message, std::string_view re) {
  append_json(out, R"({{"type":"error","code":"{}","message":{},"re":{}}})", refusal_name(code),
              Quoted{message}, Quoted{re});
}

void encode_session_created(std::string& out, const Uuid& key, const Token& host_token,
                            ShortCode code) {
  const std::string key_text = key.to_string();
  append_json(out, R"({{"key":"{}")", key_text);
  append_code(out, code);
  append_json(out, R"(,"hostToken":"{}","url":"/player.html?session={}"}})", HexToken{host_token},
              key_text);
}

void encode_session_validity(std::string& out, const std::optional<Uuid>& key) {
  if (key) {
    append_json(out, R"({{"valid":true,"key":"{}"}})", key->to_string());
  } else {
    out += R"({"valid":false})";
  }
}

void encode_session_info(std::string& out, const SessionInfoView& session) {
  append_json(out, R"({{"key":"{}")", session.key.to_string());
  append_code(out, session.code);
  append_json(out, R"(,"video":{},)", session.video_json);
  append_settings(out, session.settings);
  append_json(out, R"(,"members":{})", session.member_count);
  const std::int64_t left_us = left_us_of(session.state);
  if (left_us != 0 && session.member_count == 0)
    append_json(out, R"(,"leftMs":{})", Milliseconds{left_us});
  out += R"(,"state":{)";
  append_state_fields(out, session.state);
  append_json(out, R"(}},"serverTimeMs":{}}})", Milliseconds{session.server_us});
}

std::string_view refusal_name(Refusal code) noexcept {
  switch (code) {
    case Refusal::bad_json:
      return "bad_json";
    case Refusal::bad_message:
      return "bad_message";
    case Refusal::unknown_type:
      return "unknown_type";
    case Refusal::not_host:
      return "not_host";
    case Refusal::no_such_member:
      return "no_such_member";
    case Refusal::no_such_video:
      return "no_such_video";
    case Refusal::out_of_range:
      return "out_of_range";
    case Refusal::rate_limited:
      return "rate_limited";
    case Refusal::unavailable:
      return "unavailable";
    case Refusal::no_such_item:
      return "no_such_item";
    case Refusal::queue_full:
      return "queue_full";
    case Refusal::not_admitted:
      return "not_admitted";
  }
  std::abort();
}

}  // namespace videosync
