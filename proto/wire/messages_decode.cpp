#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/base/text.h"
#include "core/base/utf8.h"
#include "proto/wire/json_fields.h"
#include "proto/wire/json_format.h"
#include "proto/wire/member_name.h"
#include "proto/wire/messages.h"

namespace videosync {

namespace {

constexpr std::size_t echo_bytes_max = 64;
constexpr std::size_t chat_characters_max = 500;
constexpr std::size_t emoji_bytes_max = 16;
constexpr double rate_min = 0.25;
constexpr double rate_max = 4;

// C0, DEL and C1 (Unicode: Cc), the line and paragraph separators, and the marks that turn the
// direction of what follows them, also outside of the text.
bool is_control_character(char32_t c) noexcept {
  return c < 0x20 || (c >= 0x7f && c <= 0x9f) || (c >= 0x2028 && c <= 0x202e) ||
         (c >= 0x2066 && c <= 0x2069);
}

// REQUIRES valid UTF-8. All of these are below U+10000, so four-byte forms are passed over.
bool has_control_characters(std::string_view text) noexcept {
  const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  for (std::size_t i = 0; i < text.size(); ++i) {
    char32_t c = byte(i);
    if (c >= 0xc0 && c < 0xe0) {
      c = (c & 0x1f) << 6 | (byte(i + 1) & 0x3fu);
      i += 1;
    } else if (c >= 0xe0 && c < 0xf0) {
      c = (c & 0x0f) << 12 | (byte(i + 1) & 0x3fu) << 6 | (byte(i + 2) & 0x3fu);
      i += 2;
    } else if (c >= 0xf0) {
      i += 3;
      continue;
    }
    if (is_control_character(c)) return true;
  }
  return false;
}

bool is_of_a_tag(char c) noexcept {
  return is_letter(c) || is_digit(c) || c == '-';
}

// Reads fields as the types want them. What is wrong first is kept; from then on the values that
// come back mean nothing.
class FieldReader {
 public:
  explicit FieldReader(const JsonFields& fields) noexcept : fields_(fields) {}

  std::optional<double> optional_number(FieldKey key) {
    const JsonField& field = fields_[key];
    if (field.kind == JsonField::Kind::absent) return std::nullopt;
    if (field.kind != JsonField::Kind::number) {
      refuse(Refusal::bad_message, "{} must be a number", field_name(key));
    } else if (!std::isfinite(field.number)) {
      refuse(Refusal::out_of_range, "{} must be finite", field_name(key));
    }
    return field.number + 0.0;  // -0 becomes 0
  }

  std::optional<std::uint32_t> optional_milliseconds(FieldKey key, std::uint32_t ms_max) {
    const auto ms = optional_number(key);
    if (!ms || failure_) return std::nullopt;
    if (!(*ms >= 0 && *ms <= ms_max)) {
      refuse(Refusal::out_of_range, "{} must be 0 to {}", field_name(key), ms_max);
      return std::nullopt;
    }
    return static_cast<std::uint32_t>(std::lround(*ms));
  }

  double number(FieldKey key) {
    require(key);
    return optional_number(key).value_or(0);
  }

  std::optional<double> optional_position() {
    const auto position = optional_number(FieldKey::position);
    if (position && *position < 0) {
      refuse(Refusal::out_of_range, "position must not be negative");
    }
    return position;
  }

  std::optional<bool> optional_boolean(FieldKey key) {
    const JsonField& field = fields_[key];
    if (field.kind == JsonField::Kind::absent) return std::nullopt;
    if (field.kind != JsonField::Kind::boolean) {
      refuse(Refusal::bad_message, "{} must be true or false", field_name(key));
    }
    return field.boolean;
  }

  bool boolean(FieldKey key) {
    require(key);
    return optional_boolean(key).value_or(false);
  }

  std::optional<std::string_view> optional_string(FieldKey key) {
    const JsonField& field = fields_[key];
    if (field.kind == JsonField::Kind::absent) return std::nullopt;
    if (field.kind != JsonField::Kind::string) {
      refuse(Refusal::bad_message, "{} must be a string", field_name(key));
    }
    return field.text;
  }

  std::string_view string(FieldKey key) {
    require(key);
    return optional_string(key).value_or(std::string_view{});
  }

  // A number or a string as it was written.
  std::string_view echo(FieldKey key) {
    require(key);
    const JsonField& field = fields_[key];
    if (field.kind != JsonField::Kind::number && field.kind != JsonField::Kind::string) {
      refuse(Refusal::bad_message, "{} must be a number or a string", field_name(key));
    } else if (field.raw.size() > echo_bytes_max) {
      refuse(Refusal::out_of_range, "{} is longer than {} bytes", field_name(key), echo_bytes_max);
    }
    return field.raw;
  }

  MemberId member(FieldKey key) {
    const auto id = parse_member_id(string(key));
    if (!id) refuse(Refusal::no_such_member, "{} is not a member's id", field_name(key));
    return id.value_or(MemberId{});
  }

  QueueItemId item() {
    const auto id = parse_queue_item_id(string(FieldKey::item));
    if (!id) refuse(Refusal::no_such_item, "item is not an item's id");
    return id.value_or(QueueItemId{});
  }

  // A place in a list; what is too large for any is its end.
  std::optional<std::uint32_t> optional_place(FieldKey key) {
    const auto at = optional_number(key);
    if (!at || failure_) return std::nullopt;
    if (*at < 0) {
      refuse(Refusal::out_of_range, "{} must not be negative", field_name(key));
      return std::nullopt;
    }
    return static_cast<std::uint32_t>(std::min(*at, 1e9));
  }

  std::optional<Control> control() {
    const auto text = optional_string(FieldKey::control);
    if (!text) return std::nullopt;
    if (*text == "host") return Control::host;
    if (*text != "everyone") {
      refuse(Refusal::bad_message, "control must be \"host\" or \"everyone\"");
    }
    return Control::everyone;
  }

  std::optional<OnStall> on_stall() {
    const auto text = optional_string(FieldKey::on_stall);
    if (!text) return std::nullopt;
    if (*text == "continue") return OnStall::keep_going;
    if (*text != "wait") refuse(Refusal::bad_message, "onStall must be \"continue\" or \"wait\"");
    return OnStall::wait;
  }

  std::optional<QueueRight> queue() {
    const auto text = optional_string(FieldKey::queue);
    if (!text) return std::nullopt;
    if (*text == "host") return QueueRight::host;
    if (*text != "everyone") {
      refuse(Refusal::bad_message, "queue must be \"host\" or \"everyone\"");
    }
    return QueueRight::everyone;
  }

  std::optional<Door> door() {
    const auto text = optional_string(FieldKey::door);
    if (!text) return std::nullopt;
    for (const Door one : {Door::open, Door::knock, Door::locked}) {
      if (*text == wire_name(one)) return one;
    }
    refuse(Refusal::bad_message, R"(door must be "open", "knock" or "locked")");
    return std::nullopt;
  }

  KnockId knock() {
    const auto id = parse_knock_id(string(FieldKey::id));
    if (!id) refuse(Refusal::no_such_member, "id is not of anybody who waits");
    return id.value_or(KnockId{});
  }

  // One that is named twice counts once.
  SharedIds controllers() {
    const JsonField& field = fields_[FieldKey::controllers];
    if (field.kind == JsonField::Kind::absent) return nullptr;
    if (field.kind != JsonField::Kind::strings) {
      refuse(Refusal::bad_message, "controllers must be a list of members' ids");
      return nullptr;
    }
    std::vector<MemberId> ids;
    for (const std::string_view text : fields_.strings) {
      const auto id = parse_member_id(text);
      if (!id) refuse(Refusal::no_such_member, "controllers has what is not a member's id");
      if (id && std::ranges::find(ids, *id) == ids.end()) ids.push_back(*id);
      if (ids.size() <= controllers_max) continue;
      refuse(Refusal::out_of_range, "controllers must have at most {} members", controllers_max);
      return nullptr;
    }
    return share_ids(std::move(ids));
  }

  // A language's tag (BCP 47) as far as its letters go; an empty one is none.
  std::optional<std::string> audio_language() {
    const auto tag = optional_string(FieldKey::audio_language);
    if (!tag) return std::nullopt;
    if (tag->size() > language_bytes_max) {
      refuse(Refusal::out_of_range, "audioLanguage must have at most {} bytes", language_bytes_max);
    } else if (!std::ranges::all_of(*tag, is_of_a_tag)) {
      refuse(Refusal::bad_message, "audioLanguage must be letters, digits and hyphens");
    }
    return std::string(*tag);
  }

  Form form() {
    const auto name = optional_string(FieldKey::form);
    if (!name) return Form::unknown;
    for (const Form one : {Form::file, Form::copy, Form::transcode, Form::stream}) {
      if (*name == wire_name(one)) return one;
    }
    refuse(Refusal::bad_message, R"(form must be "file", "copy", "transcode" or "stream")");
    return Form::unknown;
  }

  void require(FieldKey key) {
    if (fields_[key].kind == JsonField::Kind::absent) {
      refuse(Refusal::bad_message, "{} is missing", field_name(key));
    }
  }

  void require_length(FieldKey key, std::size_t length, std::size_t length_max,
                      std::string_view unit) {
    if (length >= 1 && length <= length_max) return;
    refuse(Refusal::out_of_range, "{} must have 1 to {} {}", field_name(key), length_max, unit);
  }

  template <class... Values>
  void refuse(Refusal code, fmt::format_string<Values...> format, Values&&... values) {
    if (failure_) return;
    failure_ = DecodeFailure{code, fmt::format(format, std::forward<Values>(values)...), {}};
  }

  std::optional<DecodeFailure>& failure() noexcept { return failure_; }

 private:
  const JsonFields& fields_;
  std::optional<DecodeFailure> failure_;
};

ClientMessage read_play(FieldReader& in) {
  PlayMessage play;
  play.position = in.optional_position();
  play.countdown_ms = in.optional_milliseconds(FieldKey::countdown_ms, countdown_ms_max);
  return play;
}

ClientMessage read_pause(FieldReader& in) {
  return PauseMessage{in.optional_position()};
}

ClientMessage read_seek(FieldReader& in) {
  in.require(FieldKey::position);
  return SeekMessage{in.optional_position().value_or(0)};
}

ClientMessage read_rate(FieldReader& in) {
  const double rate = in.number(FieldKey::rate);
  if (!(rate >= rate_min && rate <= rate_max)) {
    in.refuse(Refusal::out_of_range, "rate must be {} to {}", rate_min, rate_max);
  }
  return RateMessage{rate};
}

std::string read_video(FieldReader& in) {
  const std::string_view video = in.string(FieldKey::video);
  in.require_length(FieldKey::video, video.size(), video_id_bytes_max, "bytes");
  return std::string(video);
}

// Either a video of the library, or the address of another film.
ClientMessage read_load(FieldReader& in) {
  const auto url = in.optional_string(FieldKey::url);
  if (!url) {
    std::string video = read_video(in);
    if (is_film_url(video)) in.refuse(Refusal::no_such_video, "an address is no video");
    return LoadMessage{std::move(video)};
  }
  if (in.optional_string(FieldKey::video))
    in.refuse(Refusal::bad_message, "load has a video or a url");
  in.require_length(FieldKey::url, url->size(), film_url_bytes_max, "bytes");
  if (!is_film_url(*url))
    in.refuse(Refusal::no_such_video, "url must begin with {}", film_url_prefix);
  const double duration_s = in.optional_number(FieldKey::duration).value_or(0);
  if (!(duration_s >= 0 && duration_s <= film_url_duration_s_max)) {
    in.refuse(Refusal::out_of_range, "duration must be 0 to {}", film_url_duration_s_max);
  }
  return LoadMessage{std::string(*url), duration_s};
}

ClientMessage read_enqueue(FieldReader& in) {
  EnqueueMessage message{.video = read_video(in)};
  message.at = in.optional_place(FieldKey::at);
  return message;
}

ClientMessage read_dequeue(FieldReader& in) {
  return DequeueMessage{in.item()};
}

ClientMessage read_move(FieldReader& in) {
  MoveMessage message{.item = in.item()};
  in.require(FieldKey::at);
  message.at = in.optional_place(FieldKey::at).value_or(0);
  return message;
}

ClientMessage read_jump(FieldReader& in) {
  return JumpMessage{in.item()};
}

ClientMessage read_next(FieldReader&) {
  return NextMessage{};
}

ClientMessage read_cancel_next(FieldReader&) {
  return CancelNextMessage{};
}

ClientMessage read_give(FieldReader& in) {
  return GiveMessage{in.member(FieldKey::to)};
}

// A text that is no token is a wrong token.
ClientMessage read_claim(FieldReader& in) {
  const auto token = parse_token(in.string(FieldKey::host_token));
  if (!token) in.refuse(Refusal::not_host, "hostToken is not this session's");
  return ClaimMessage{token.value_or(Token{})};
}

ClientMessage read_settings(FieldReader& in) {
  return SettingsMessage{in.control(), in.on_stall(),       in.queue(),
                         in.door(),    in.audio_language(), in.controllers()};
}

ClientMessage read_kick(FieldReader& in) {
  return KickMessage{in.member(FieldKey::id)};
}

ClientMessage read_admit(FieldReader& in) {
  return AdmitMessage{in.knock()};
}

ClientMessage read_refuse(FieldReader& in) {
  return RefuseMessage{in.knock()};
}

ClientMessage read_end(FieldReader&) {
  return EndMessage{};
}

ClientMessage read_ping(FieldReader& in) {
  const std::string_view id = in.echo(FieldKey::id);
  const std::string_view t1 = in.echo(FieldKey::t1);
  if (in.failure()) return PingMessage{};
  return PingMessage{std::string(id), std::string(t1)};
}

ClientMessage read_report(FieldReader& in) {
  ReportMessage report;
  report.drift_ms = in.number(FieldKey::drift_ms);
  report.rtt_ms = std::max(in.number(FieldKey::rtt_ms), 0.0);
  report.buffering = in.boolean(FieldKey::buffering);
  report.position = in.optional_position();
  report.form = in.form();
  report.cannot_play = in.optional_boolean(FieldKey::cannot_play).value_or(false);
  report.own_pace = in.optional_boolean(FieldKey::own_pace).value_or(false);
  report.first_frame_ms = in.optional_milliseconds(FieldKey::first_frame_ms, first_frame_ms_max);
  return report;
}

ClientMessage read_chat(FieldReader& in) {
  const std::string_view text = in.string(FieldKey::text);
  in.require_length(FieldKey::text, count_code_points(text), chat_characters_max, "characters");
  return ChatMessage{std::string(text)};
}

ClientMessage read_reaction(FieldReader& in) {
  const std::string_view emoji = in.string(FieldKey::emoji);
  in.require_length(FieldKey::emoji, emoji.size(), emoji_bytes_max, "bytes");
  if (has_control_characters(emoji)) {
    in.refuse(Refusal::bad_message, "emoji has control characters");
  }
  return ReactionMessage{std::string(emoji)};
}

ClientMessage read_name(FieldReader& in) {
  auto name = clean_member_name(in.string(FieldKey::name));
  if (name) return NameMessage{std::move(*name)};
  if (name.error() == NameFault::empty) {
    in.refuse(Refusal::out_of_range, "nothing of this name can be seen");
  } else {
    in.refuse(Refusal::out_of_range, "name must have at most {} characters",
              member_name_characters_max);
  }
  return NameMessage{};
}

ClientMessage read_ready(FieldReader& in) {
  return ReadyMessage{in.boolean(FieldKey::ready)};
}

struct MessageType {
  std::string_view name;
  ClientMessage (*read)(FieldReader&);
};

// The most frequent first: the table is searched from the top.
constexpr std::array<MessageType, 24> message_types{{
    {"ping", read_ping},       {"report", read_report},
    {"play", read_play},       {"pause", read_pause},
    {"seek", read_seek},       {"rate", read_rate},
    {"chat", read_chat},       {"reaction", read_reaction},
    {"load", read_load},       {"give", read_give},
    {"claim", read_claim},     {"settings", read_settings},
    {"kick", read_kick},       {"end", read_end},
    {"name", read_name},       {"ready", read_ready},
    {"enqueue", read_enqueue}, {"dequeue", read_dequeue},
    {"move", read_move},       {"jump", read_jump},
    {"next", read_next},       {"cancelNext", read_cancel_next},
    {"admit", read_admit},     {"refuse", read_refuse},
}};

std::optional<DecodeFailure> parse_object(std::string_view text, MessageDecoder& scratch,
                                          JsonFields& fields) {
  switch (parse_json_fields(text, scratch, fields)) {
    case JsonVerdict::object:
      return std::nullopt;
    case JsonVerdict::other_value:
      return DecodeFailure{Refusal::bad_message, "not an object", {}};
    case JsonVerdict::too_deep:
      return DecodeFailure{
          Refusal::bad_json, fmt::format("nested deeper than {} levels", json_depth_max), {}};
    case JsonVerdict::malformed:
      break;
  }
  return DecodeFailure{Refusal::bad_json, "not valid JSON", {}};
}

}  // namespace

std::expected<ClientMessage, DecodeFailure> decode_client_message(std::string_view text,
                                                                  MessageDecoder& scratch) {
  JsonFields fields;
  if (auto failure = parse_object(text, scratch, fields))
    return std::unexpected(std::move(*failure));
  FieldReader reader(fields);
  const std::string_view name = reader.string(FieldKey::type);
  if (reader.failure()) return std::unexpected(std::move(*reader.failure()));
  const auto* type = std::find_if(message_types.begin(), message_types.end(),
                                  [name](const MessageType& each) { return each.name == name; });
  if (type == message_types.end()) {
    return std::unexpected(DecodeFailure{Refusal::unknown_type, "no such type of message", {}});
  }
  ClientMessage message = type->read(reader);
  if (reader.failure()) {
    reader.failure()->re = type->name;
    return std::unexpected(std::move(*reader.failure()));
  }
  return message;
}

std::expected<CreateSession, DecodeFailure> decode_create_session(std::string_view body,
                                                                  MessageDecoder& scratch) {
  CreateSession session;
  if (trim(body, json_blanks).empty()) return session;
  JsonFields fields;
  if (auto failure = parse_object(body, scratch, fields))
    return std::unexpected(std::move(*failure));
  FieldReader reader(fields);
  const auto video = reader.optional_string(FieldKey::video);
  session.settings.control = reader.control().value_or(Control::host);
  session.settings.on_stall = reader.on_stall().value_or(OnStall::keep_going);
  session.settings.queue = reader.queue().value_or(QueueRight::everyone);
  session.settings.door = reader.door().value_or(Door::open);
  if (reader.failure()) return std::unexpected(std::move(*reader.failure()));
  if (video) session.video = std::string(*video);
  return session;
}

}  // namespace videosync
