#include "proto/wire/node_messages.h"

#include <concepts>
#include <type_traits>
#include <utility>

#include "proto/wire/byte_codec.h"

namespace videosync {

namespace {

constexpr std::uint8_t version = 3;

template <class T, class Plain>
concept Is = std::same_as<std::remove_const_t<T>, Plain>;

// Each type's fields, once for both directions: `io` is an Encoder over const values or a Decoder.
void fields(auto& io, Is<PeerRef> auto& peer) {
  io(peer.worker, peer.slot);
}
void fields(auto& io, Is<ResumeToken> auto& token) {
  io(token.member, token.secret);
}
void fields(auto& io, Is<EnrolledMember> auto& member) {
  io(member.id, member.connection);
  io.name(member.name);
}
void fields(auto& io, Is<MemberInfo> auto& member) {
  io(member.id, member.role);
  io.name(member.name);
}
void fields(auto& io, Is<CastFrame> auto& frame) {
  io(frame.send_class, frame.text);
}
void fields(auto& io, Is<Newest> auto& newest) {
  io(newest.epoch, newest.seq, newest.video);
}
void fields(auto& io, Is<HostNews> auto& news) {
  io(news.epoch, news.id, news.reason);
}
void fields(auto& io, Is<Heard> auto& heard) {
  io(heard.node, heard.number);
}
void fields(auto& io, Is<Present> auto& present) {
  io(present.count, present.host_until_us, present.next_host, present.is_roll_call);
}

void fields(auto& io, Is<JoinAsk> auto& ask) {
  io(ask.peer);
  io.name(ask.name);
  io(ask.resume, ask.host_token);
}
void fields(auto& io, Is<Leave> auto& leave) {
  io(leave.member, leave.connection);
}
void fields(auto& io, Is<Said> auto& said) {
  io(said.member, said.text, said.number);
}
void fields(auto& io, Is<InfoAsk> auto& ask) {
  io(ask.peer);
}
void fields(auto& io, Is<DeleteAsk> auto& ask) {
  io(ask.peer, ask.host_token);
}
void fields(auto& io, Is<Enroll> auto& enroll) {
  io(enroll.members, enroll.is_first, enroll.is_last);
}
void fields(auto& io, Is<JoinAnswer> auto& answer) {
  io(answer.peer, answer.member, answer.connection, answer.welcome, answer.members, answer.host);
}
void fields(auto& io, Is<Answer> auto& answer) {
  io(answer.peer, answer.status, answer.body, answer.location);
}
void fields(auto& io, Is<Tell> auto& tell) {
  io(tell.member, tell.send_class, tell.text);
}
void fields(auto& io, Is<Close> auto& close) {
  io(close.member, close.connection, close.code);
}
void fields(auto&, Is<Take> auto&) {}
void fields(auto& io, Is<Returned> auto& returned) {
  io.bytes(returned.envelope);
}
void fields(auto& io, Is<Cast> auto& cast) {
  io(cast.frames, cast.newest, cast.joined, cast.left, cast.changed, cast.ended_code, cast.sent_us,
     cast.present, cast.hosts, cast.heard);
}
void fields(auto& io, Is<Moved> auto& moved) {
  io(moved.epoch);
}
void fields(auto& io, Is<Alive> auto& alive) {
  io(alive.members, alive.sessions, alive.draining);
}
void fields(auto&, Is<Bye> auto&) {}

class Encoder {
 public:
  void operator()(const auto&... values) { (one(values), ...); }
  void name(const std::string& name) { put_bounded(name, member_name_bytes_max); }
  void bytes(const std::string& bytes) { put_bounded(bytes, node_message_bytes_max); }

  void one(const Uuid& uuid) { writer_.put_uuid(uuid); }
  std::string take_bytes() noexcept {
    const bool fits = fits_ && writer_.size() <= node_message_bytes_max;
    return fits ? writer_.take_bytes() : std::string();
  }

 private:
  template <std::unsigned_integral Integer>
  void one(Integer value) {
    writer_.put(value);
  }
  void one(bool value) { writer_.put_flag(value); }
  void one(Role role) { writer_.put(static_cast<std::uint8_t>(role)); }
  void one(HostReason reason) { writer_.put(static_cast<std::uint8_t>(reason)); }
  void one(MemberId id) { writer_.put(id.value); }
  void one(ConnectionNumber connection) { writer_.put(connection.value); }
  void one(const Token& token) { writer_.put_token(token); }
  void one(const std::string& text) { put_bounded(text, node_text_bytes_max); }
  template <class Value>
  void one(const std::optional<Value>& value) {
    writer_.put_flag(value.has_value());
    if (value) one(*value);
  }
  template <class Value>
  void one(const std::vector<Value>& list) {
    fits_ = fits_ && list.size() <= node_list_max;
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
  void bytes(std::string& bytes) { bytes = reader_.get_bytes(node_message_bytes_max); }

  void one(Uuid& uuid) { uuid = reader_.get_uuid(); }
  // Only the message of the type at this place is read.
  template <std::size_t index = 0>
  void message(NodeMessage& message, std::size_t type) {
    if constexpr (index < std::variant_size_v<NodeMessage>) {
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
  // Nobody is spoken of without an id.
  void one(MemberId& id) {
    id.value = reader_.get<std::uint32_t>();
    reader_.require(bool{id});
  }
  void one(ConnectionNumber& connection) { connection.value = reader_.get<std::uint32_t>(); }
  void one(Token& token) { token = reader_.get_token(); }
  void one(std::string& text) { text = reader_.get_text(node_text_bytes_max); }
  template <class Value>
  void one(std::optional<Value>& value) {
    if (reader_.get_flag()) one(value.emplace());
  }
  template <class Value>
  void one(std::vector<Value>& list) {
    const auto size = reader_.get<std::uint32_t>();
    reader_.require(size <= node_list_max);
    for (std::uint32_t i = 0; i < size && reader_.ok(); ++i)
      one(list.emplace_back());
  }
  template <class Struct>
    requires std::is_aggregate_v<Struct>
  void one(Struct& value) {
    fields(*this, value);
  }

  ByteReader reader_;
};

}  // namespace

std::string encode(const NodeEnvelope& envelope) {
  Encoder out;
  out(version, envelope.hops, envelope.from, envelope.key,
      static_cast<std::uint8_t>(envelope.message.index()));
  std::visit([&out](const auto& message) { fields(out, message); }, envelope.message);
  return out.take_bytes();
}

Result<NodeEnvelope> decode_node_message(std::string_view bytes) {
  if (bytes.size() > node_message_bytes_max) {
    return fail(ErrorCode::corrupt, "node message: too long");
  }
  Decoder in(bytes);
  std::uint8_t first = 0, type = 0;
  NodeEnvelope envelope;
  in(first, envelope.hops, envelope.from, envelope.key, type);
  if (first != version) return fail(ErrorCode::corrupt, "node message: of another version");
  in.message(envelope.message, type);
  if (!in.ok()) return fail(ErrorCode::corrupt, "node message: bytes that make no sense");
  return envelope;
}

}  // namespace videosync
