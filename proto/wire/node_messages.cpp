#include "proto/wire/node_messages.h"

#include <concepts>
#include <type_traits>
#include <utility>

#include "core/base/byte_codec.h"
#include "core/base/close_code.h"
#include "proto/session/playback.h"
#include "proto/session/session_record.h"

namespace videosync::node {

namespace {

constexpr std::uint8_t version = 13;

template <class T, class Plain>
concept Is = std::same_as<std::remove_const_t<T>, Plain>;

// Each type's fields, once for both directions: `io` is an Encoder over const values or a Decoder.
void fields(auto& io, Is<AskRef> auto& ask) {
  io(ask.attempt);
  io.count(ask.number);
  io.time(ask.expires_us);
}
void fields(auto& io, Is<ResumeToken> auto& token) {
  io(token.member, token.secret);
}
void fields(auto& io, Is<HeldState> auto& held) {
  io(held.epoch, held.seq);
}
void fields(auto& io, Is<EnrolledMember> auto& member) {
  io(member.id, member.connection);
  io.name(member.name);
  io.id_or_none(member.browser);
}
void fields(auto& io, Is<MemberInfo> auto& member) {
  io(member.id, member.role);
  io.name(member.name);
}
void fields(auto& io, Is<SessionSettings> auto& settings) {
  io(settings.control, settings.on_stall);
  io.language(settings.audio_language);
  io(settings.queue, settings.controllers, settings.door);
  io.require(settings.controllers.size() <= controllers_max);
}
void fields(auto& io, Is<PlaybackState> auto& state) {
  io.place(state.epoch, state.seq);
  io(state.playing);
  io.real(state.position, 0, 1e300);
  io.real(state.rate, Playback::rate_min, Playback::rate_max);
  io.time(state.at_us);
  io.video(state.video);
  io.id_or_none(state.by);
  io(state.cause);
}
void fields(auto& io, Is<Info> auto& info) {
  io(info.settings, info.members, info.state);
}
void fields(auto& io, Is<CastFrame> auto& frame) {
  io(frame.send_class, frame.text);
  io.require(!frame.text.empty());
}
void fields(auto& io, Is<Newest> auto& newest) {
  io.place(newest.epoch, newest.seq);
  io.video(newest.video);
}
void fields(auto& io, Is<ChatLine> auto& line) {
  io.place(line.id);
  io.require(line.id > 0);
  io(line.from);
  io.name(line.name);
  io(line.text);
  io.time(line.at_us);
}
void fields(auto& io, Is<QueueNews> auto& news) {
  io.place(news.epoch);
  io.bytes(news.bytes);
}
void fields(auto& io, Is<HostNews> auto& news) {
  io.place(news.epoch);
  io(news.id, news.reason, news.after);
}
void fields(auto& io, Is<Refused> auto& refused) {
  io.count(refused.number);
  io.refusal(refused.text);
}
void fields(auto& io, Is<Heard> auto& heard) {
  io.node(heard.node);
  io.count(heard.number);
  io(heard.refused);
  io.require(heard.refused.size() <= Heard::refused_max);
}
void fields(auto& io, Is<Present> auto& present) {
  io(present.count, present.ready);
  io.require(present.ready <= present.count);
  io.time(present.host_until_us);
  io(present.next_host, present.is_roll_call);
}
void fields(auto& io, Is<DigestEntry> auto& entry) {
  io(entry.key, entry.hash);
}

void fields(auto& io, Is<Join> auto& join) {
  io(join.ask, join.connection);
  io.name(join.name);
  io(join.resume, join.host_token, join.held);
  io.id_or_none(join.browser);
  io.place(join.chat_known);
}
void fields(auto& io, Is<Leave> auto& leave) {
  io(leave.member, leave.connection);
}
void fields(auto& io, Is<Said> auto& said) {
  io(said.member, said.text);
  io.count(said.number, said.previous, said.settled);
  io.time(said.expires_us);
}
void fields(auto& io, Is<KnockGone> auto& gone) {
  io(gone.id);
}
void fields(auto& io, Is<KnockDecided> auto& decided) {
  io(decided.id);
}
void fields(auto& io, Is<UploadNews> auto& news) {
  io(news.name, news.percent);
  io.require(!news.name.empty() && news.percent.value_or(0) <= 100);
}
void fields(auto& io, Is<AskInfo> auto& ask) {
  io(ask.ask);
}
void fields(auto& io, Is<AskDelete> auto& ask) {
  io(ask.ask, ask.host_token);
}
void fields(auto& io, Is<Enroll> auto& enroll) {
  io(enroll.members, enroll.is_first, enroll.is_last, enroll.casts);
}
void fields(auto& io, Is<Joined> auto& joined) {
  io(joined.ask, joined.member, joined.connection, joined.welcome, joined.members, joined.host,
     joined.welcomed_host);
  io.place(joined.epoch, joined.seq);
  io.count(joined.casts, joined.revision, joined.commands);
  io.require(joined.revision > 0);
  io.bytes(joined.record);
  io(joined.chat, joined.queue);
}
void fields(auto& io, Is<Answer> auto& answer) {
  io(answer.ask, answer.fault, answer.info);
}
void fields(auto& io, Is<Tell> auto& tell) {
  io(tell.member, tell.send_class, tell.text);
  io.require(!tell.text.empty());
}
void fields(auto& io, Is<Close> auto& close) {
  io(close.member, close.connection);
  io.close_code(close.code);
}
void fields(auto&, Is<Take> auto&) {}
void fields(auto& io, Is<Returned> auto& returned) {
  io.bytes(returned.envelope);
}
void fields(auto& io, Is<Gap> auto& gap) {
  io.count(gap.heard);
  io(gap.refused);
  io.require(gap.refused.size() <= Heard::refused_max);
}
void fields(auto& io, Is<Cast> auto& cast) {
  io.count(cast.number);
  io.require(cast.number > 0);
  io(cast.frames, cast.newest, cast.joined, cast.left, cast.changed);
  io.close_code(cast.ended_code);
  io.time(cast.sent_us);
  io(cast.present, cast.hosts, cast.chat, cast.queue, cast.heard);
  io.count(cast.revision, cast.commands);
  io.require(cast.revision > 0);
  io.bytes(cast.record);
}
void fields(auto&, Is<Moved> auto&) {}
void fields(auto& io, Is<Digest> auto& digest) {
  io(digest.is_home);
  io.time(digest.gathered_us);
  io(digest.sums);
}
void fields(auto& io, Is<DigestList> auto& list) {
  io.time(list.gathered_us);
  io(list.bucket, list.worker, list.workers, list.is_whole, list.entries);
  io.require(list.worker < list.workers);
}
void fields(auto& io, Is<Alive> auto& alive) {
  io(alive.members, alive.sessions, alive.draining, alive.has_unsaved);
}
void fields(auto&, Is<Bye> auto&) {}

class Encoder {
 public:
  void operator()(const auto&... values) { (one(values), ...); }
  void name(const std::string& name) { put_bounded(name, member_name_bytes_max); }
  void bytes(const std::string& bytes) { put_bounded(bytes, message_bytes_max); }
  void video(const std::string& id) { put_bounded(id, SessionRecord::video_bytes_max); }
  void language(const std::string& tag) { put_bounded(tag, language_bytes_max); }
  void refusal(const std::string& text) { put_bounded(text, refusal_bytes_max); }
  void id_or_none(const auto& id) { writer_.put(id.value); }
  void node(const Uuid& node) { one(node); }
  void count(const auto&... values) { (one(values), ...); }
  void place(const auto&... values) { (one(values), ...); }
  void time(const auto& time_us) { one(time_us); }
  void real(double value, double, double) { writer_.put_real(value); }
  void close_code(const auto& code) { one(code); }
  void require(bool) noexcept {}  // of what came, not of what goes

  void one(const Uuid& uuid) { writer_.put_raw(uuid.bytes); }
  std::string take_bytes() noexcept {
    const bool fits = fits_ && writer_.size() <= message_bytes_max;
    return fits ? writer_.take_bytes() : std::string();
  }

 private:
  template <std::unsigned_integral Integer>
  void one(Integer value) {
    writer_.put(value);
  }
  void one(bool value) { writer_.put_flag(value); }
  void one(std::int64_t time_us) { writer_.put_time(time_us); }
  template <class Enum>
    requires std::is_enum_v<Enum>
  void one(Enum value) {
    writer_.put(static_cast<std::uint8_t>(value));
  }
  void one(MemberId id) { writer_.put(id.value); }
  void one(KnockId id) { writer_.put(id.value); }
  void one(ConnectionNumber connection) { writer_.put(connection.value); }
  void one(const Token& token) { writer_.put_raw(token.bytes); }
  void one(const std::string& text) { put_bounded(text, text_bytes_max); }
  template <class Value>
  void one(const std::optional<Value>& value) {
    writer_.put_flag(value.has_value());
    if (value) one(*value);
  }
  template <class Value>
  void one(const std::vector<Value>& list) {
    fits_ = fits_ && list.size() <= list_max;
    if (!fits_) return;
    writer_.put(static_cast<std::uint32_t>(list.size()));
    for (const Value& value : list)
      one(value);
  }
  template <class Struct>
    requires std::is_aggregate_v<Struct>
  void one(const Struct& value) {
    fields(*this, value);
  }

  void put_bounded(const std::string& bytes, std::size_t bytes_max) {
    fits_ = fits_ && bytes.size() <= bytes_max;
    if (fits_) writer_.put_text(bytes);
  }

  ByteWriter writer_;
  bool fits_ = true;
};

class Decoder {
 public:
  explicit Decoder(std::string_view bytes) noexcept : reader_(bytes) {}

  void operator()(auto&... values) { (one(values), ...); }
  void name(std::string& name) { name = reader_.get_text(member_name_bytes_max); }
  void bytes(std::string& bytes) { bytes = reader_.get_bytes(message_bytes_max); }
  void video(std::string& id) { id = reader_.get_text(SessionRecord::video_bytes_max); }
  void language(std::string& tag) { tag = reader_.get_text(language_bytes_max); }
  void refusal(std::string& text) { text = reader_.get_text(refusal_bytes_max); }
  void id_or_none(auto& id) { id.value = reader_.get<decltype(id.value)>(); }
  // One that is there.
  void node(Uuid& node) {
    one(node);
    require(node != Uuid{});
  }
  void count(std::same_as<std::uint64_t> auto&... values) { (at_most(values, count_max), ...); }
  // Of a state in the order.
  void place(std::same_as<std::uint64_t> auto&... values) {
    (at_most(values, told_number_max), ...);
  }
  void time(std::uint64_t& time_us) { at_most(time_us, told_number_max); }
  void time(std::int64_t& time_us) {
    std::uint64_t us = 0;
    time(us);
    time_us = static_cast<std::int64_t>(us);
  }
  void time(std::optional<std::uint64_t>& time_us) {
    if (reader_.get_flag()) time(time_us.emplace());
  }
  void real(double& value, double min, double max) { value = reader_.get_real(min, max); }
  // Connections are closed with it.
  void close_code(std::uint16_t& code) {
    one(code);
    require(close_code::is_valid(code));
  }
  void close_code(std::optional<std::uint16_t>& code) {
    if (reader_.get_flag()) close_code(code.emplace());
  }
  void require(bool holds) noexcept { reader_.require(holds); }

  void one(Uuid& uuid) { reader_.get_raw(uuid.bytes); }
  // Only the message of the type at this place is read.
  template <std::size_t index = 0>
  void message(Message& message, std::size_t type) {
    if constexpr (index < std::variant_size_v<Message>) {
      if (type != index) return this->message<index + 1>(message, type);
      fields(*this, message.emplace<index>());
    } else {
      reader_.require(false);
    }
  }
  bool ok() const noexcept { return reader_.ok() && reader_.at_end(); }

 private:
  template <std::unsigned_integral Integer>
  void one(Integer& value) {
    value = reader_.get<Integer>();
  }
  void one(bool& value) { value = reader_.get_flag(); }
  void one(Role& role) { role = reader_.get_enum(Role::host); }
  void one(HostReason& reason) { reason = reader_.get_enum(HostReason::left); }
  void one(Control& control) { control = reader_.get_enum(Control::everyone); }
  void one(Door& door) { door = reader_.get_enum(Door::locked); }
  void one(QueueRight& right) { right = reader_.get_enum(QueueRight::everyone); }
  void one(OnStall& on_stall) { on_stall = reader_.get_enum(OnStall::wait); }
  void one(Cause& cause) { cause = reader_.get_enum(Cause::ended); }
  // Nobody is spoken of without an id.
  void one(MemberId& id) {
    id.value = reader_.get<std::uint32_t>();
    reader_.require(bool{id});
  }
  void one(KnockId& id) {
    id.value = reader_.get<std::uint64_t>();
    reader_.require(bool{id});
  }
  void one(ConnectionNumber& connection) {
    connection.value = reader_.get<std::uint32_t>();
    reader_.require(bool{connection});
  }
  void one(Token& token) { reader_.get_raw(token.bytes); }
  void one(std::string& text) { text = reader_.get_text(text_bytes_max); }
  template <class Value>
  void one(std::optional<Value>& value) {
    if (reader_.get_flag()) one(value.emplace());
  }
  template <class Value>
  void one(std::vector<Value>& list) {
    const auto size = reader_.get<std::uint32_t>();
    reader_.require(size <= list_max);
    for (std::uint32_t i = 0; i < size && reader_.ok(); ++i)
      one(list.emplace_back());
  }
  template <class Struct>
    requires std::is_aggregate_v<Struct>
  void one(Struct& value) {
    fields(*this, value);
  }

  void at_most(std::uint64_t& value, std::uint64_t max) {
    value = reader_.get<std::uint64_t>();
    reader_.require(value <= max);
  }

  ByteReader reader_;
};

// A home has a fence, and whoever hands a session on was one.
template <class Message>
constexpr bool is_of_a_home =
    Is<Message, Joined> || Is<Message, Tell> || Is<Message, Close> || Is<Message, Gap> ||
    Is<Message, Cast> || Is<Message, Moved> || Is<Message, Take> || Is<Message, KnockDecided>;

bool has_its_fence(const Envelope& envelope) {
  return std::visit(
      [&](const auto& message) {
        return envelope.fence > 0 || !is_of_a_home<std::remove_cvref_t<decltype(message)>>;
      },
      envelope.message);
}

}  // namespace

std::string encode(const Envelope& envelope) {
  Encoder out;
  out(version, envelope.hops, envelope.from, envelope.key, envelope.fence,
      static_cast<std::uint8_t>(envelope.message.index()));
  std::visit([&out](const auto& message) { fields(out, message); }, envelope.message);
  return out.take_bytes();
}

Result<Envelope> decode(std::string_view bytes) {
  if (bytes.size() > message_bytes_max) {
    return fail(ErrorCode::corrupt, "node message: too long");
  }
  Decoder in(bytes);
  std::uint8_t first = 0, type = 0;
  Envelope envelope;
  in(first);
  if (first != version) return fail(ErrorCode::corrupt, "node message: of another version");
  in(envelope.hops);
  in.node(envelope.from);
  in(envelope.key);
  in.count(envelope.fence);
  in(type);
  in.message(envelope.message, type);
  in.require(has_its_fence(envelope));
  if (!in.ok()) return fail(ErrorCode::corrupt, "node message: bytes that make no sense");
  return envelope;
}

}  // namespace videosync::node
