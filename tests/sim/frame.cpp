#include "tests/sim/frame.h"

#include <charconv>
#include <utility>

#include "proto/wire/token.h"

namespace videosync::sim {

namespace {

// A cursor over JSON. After the first thing that does not fit everything is false or empty.
class Reader {
 public:
  explicit Reader(std::string_view text) noexcept : rest_(text) {}

  bool ok() const noexcept { return ok_; }
  bool at_end() const noexcept { return rest_.empty(); }

  // Calls `visit(key)` for each field, which reads the value.
  template <class Visit>
  void object(Visit&& visit) {
    expect('{');
    if (take('}')) return;
    do {
      const std::string_view key = string();
      expect(':');
      if (ok_) visit(key);
    } while (ok_ && take(','));
    expect('}');
  }
  template <class Visit>
  void array(Visit&& visit) {
    expect('[');
    if (take(']')) return;
    do {
      if (ok_) visit();
    } while (ok_ && take(','));
    expect(']');
  }

  std::string_view string() {
    expect('"');
    const std::size_t end = rest_.find('"');
    if (!ok_ || end == rest_.npos) return broken();
    const std::string_view text = rest_.substr(0, end);
    if (text.find('\\') != text.npos) return broken();
    rest_.remove_prefix(end + 1);
    return text;
  }
  bool boolean() {
    if (literal("true")) return true;
    if (!literal("false")) broken();
    return false;
  }
  template <class Value>
  Value number() {
    Value value{};
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (error != std::errc()) broken();
    if (ok_) rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    return value;
  }
  // Of milliseconds with up to three decimals.
  std::int64_t microseconds() {
    std::int64_t us = number<std::int64_t>() * 1'000;
    if (!take('.')) return us;
    for (std::int64_t unit = 100; unit > 0 && !rest_.empty(); unit /= 10) {
      if (rest_.front() < '0' || rest_.front() > '9') break;
      us += unit * (rest_.front() - '0');
      rest_.remove_prefix(1);
    }
    return us;
  }
  MemberId member() {
    if (literal("null")) return {};
    const auto id = parse_member_id(string());
    if (!id) broken();
    return id.value_or(MemberId{});
  }
  QueueItemId item() {
    if (literal("null")) return {};
    const auto id = parse_queue_item_id(string());
    if (!id) broken();
    return id.value_or(QueueItemId{});
  }
  void skip() {
    if (!ok_ || rest_.empty()) {
      broken();
    } else if (rest_.front() == '{') {
      object([this](std::string_view) { skip(); });
    } else if (rest_.front() == '[') {
      array([this] { skip(); });
    } else if (rest_.front() == '"') {
      string();
    } else if (!literal("true") && !literal("false") && !literal("null")) {
      number<double>();
    }
  }

 private:
  bool take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void expect(char c) {
    if (!take(c)) broken();
  }
  bool literal(std::string_view word) {
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }
  std::string_view broken() {
    ok_ = false;
    rest_ = {};
    return {};
  }

  std::string_view rest_;
  bool ok_ = true;
};

Frame::Type type_of(std::string_view name) noexcept {
  using Type = Frame::Type;
  constexpr std::pair<std::string_view, Type> names[] = {
      {"welcome", Type::welcome},   {"state", Type::state},       {"host", Type::host},
      {"members", Type::members},   {"settings", Type::settings}, {"queue", Type::queue},
      {"upNext", Type::up_next},    {"pong", Type::pong},         {"viewers", Type::viewers},
      {"waiting", Type::waiting},   {"chat", Type::chat},         {"history", Type::history},
      {"reaction", Type::reaction}, {"notice", Type::notice},     {"error", Type::error},
      {"knocking", Type::knocking}, {"knock", Type::knock}};
  for (const auto& [known, type] : names) {
    if (name == known) return type;
  }
  return Type::other;
}

bool read_state_field(Reader& reader, std::string_view key, SeenState& state) {
  if (key == "epoch") {
    state.place.epoch = reader.number<std::uint64_t>();
  } else if (key == "seq") {
    state.place.seq = reader.number<std::uint64_t>();
  } else if (key == "playing") {
    state.playing = reader.boolean();
  } else if (key == "position") {
    state.position = reader.number<double>();
  } else if (key == "rate") {
    state.rate = reader.number<double>();
  } else if (key == "atMs") {
    state.at_us = reader.microseconds();
  } else if (key == "video") {
    state.video = reader.string();
  } else if (key == "by") {
    state.by = reader.member();
  } else if (key == "cause") {
    state.cause = reader.string();
  } else {
    return false;
  }
  return true;
}

void read_state(Reader& reader, SeenState& state) {
  reader.object([&](std::string_view key) {
    if (!read_state_field(reader, key, state)) reader.skip();
  });
}

void read_members(Reader& reader, std::vector<SeenMember>& list) {
  reader.array([&] {
    SeenMember& member = list.emplace_back();
    reader.object([&](std::string_view key) {
      if (key == "id") {
        member.id = reader.member();
      } else if (key == "name") {
        member.name = reader.string();
      } else if (key == "role") {
        member.is_host = reader.string() == "host";
      } else {
        reader.skip();
      }
    });
  });
}

void read_talk(Reader& reader, std::string_view key, SeenTalk& talk) {
  if (key == "from") {
    talk.from = reader.member();
  } else if (key == "text" || key == "emoji") {
    talk.text = reader.string();
  } else if (key == "id") {
    const auto id = parse_chat_id(reader.string());
    if (id) talk.id = *id;
  } else {
    reader.skip();
  }
}

void read_taken_over(Reader& reader, std::vector<TakenOver>& list) {
  reader.array([&] {
    TakenOver& taken = list.emplace_back();
    reader.object([&](std::string_view key) {
      if (key == "epoch") {
        taken.epoch = reader.number<std::uint64_t>();
      } else if (key == "after") {
        SeenState after;
        read_state(reader, after);
        taken.after = after.place;
      } else {
        reader.skip();
      }
    });
  });
}

void read_up_next_field(Reader& reader, std::string_view key, Frame& frame) {
  if (key == "item") {
    frame.up_next = reader.item();
  } else {
    reader.skip();
  }
}

void read_rights_field(Reader& reader, std::string_view key, Frame& frame) {
  if (key == "queue") {
    frame.queue_right = reader.string();
  } else if (key == "controllers") {
    reader.array([&] { frame.controllers.push_back(reader.member()); });
  } else if (key == "door") {
    frame.door = reader.string();
  } else {
    reader.skip();
  }
}

void read_welcome_field(Reader& reader, std::string_view key, Frame& frame) {
  if (key == "you") {
    reader.object([&](std::string_view of_you) {
      if (of_you == "id") {
        frame.you = reader.member();
      } else if (of_you == "name") {
        frame.your_name = reader.string();
      } else if (of_you == "resume") {
        frame.resume = reader.string();
      } else {
        reader.skip();
      }
    });
  } else if (key == "session") {
    reader.object([&](std::string_view of_session) {
      if (of_session == "control") {
        frame.control = reader.string();
      } else if (of_session == "onStall") {
        frame.on_stall = reader.string();
      } else if (of_session == "audioLanguage") {
        frame.audio_language = reader.string();
      } else {
        read_rights_field(reader, of_session, frame);
      }
    });
  } else if (key == "members") {
    reader.object([&](std::string_view of_members) {
      if (of_members == "count") {
        frame.count = reader.number<std::uint32_t>();
      } else if (of_members == "ready") {
        frame.ready = reader.number<std::uint32_t>();
      } else if (of_members == "list") {
        read_members(reader, frame.joined);
      } else {
        reader.skip();
      }
    });
  } else if (key == "state") {
    read_state(reader, frame.state);
  } else if (key == "host") {
    frame.host = reader.member();
  } else if (key == "serverTimeMs") {
    frame.server_us = reader.microseconds();
  } else if (key == "upNext") {
    reader.object([&](std::string_view of_next) { read_up_next_field(reader, of_next, frame); });
  } else if (key == "takenOver") {
    read_taken_over(reader, frame.taken_over);
  } else if (key == "hostAway") {
    frame.is_host_away = true;
    reader.skip();
  } else {
    reader.skip();
  }
}

void read_members_field(Reader& reader, std::string_view key, Frame& frame) {
  if (key == "count") {
    frame.count = reader.number<std::uint32_t>();
  } else if (key == "ready") {
    frame.ready = reader.number<std::uint32_t>();
  } else if (key == "joined") {
    read_members(reader, frame.joined);
  } else if (key == "left") {
    read_members(reader, frame.left);
  } else if (key == "changed") {
    read_members(reader, frame.changed);
  } else {
    frame.is_host_away = frame.is_host_away || key == "hostAway";
    reader.skip();
  }
}

void read_other_field(Reader& reader, std::string_view key, Frame& frame) {
  if (key == "epoch") {
    frame.epoch = reader.number<std::uint64_t>();
  } else if (key == "id" && frame.type == Frame::Type::host) {
    frame.host = reader.member();
  } else if (key == "id" && frame.type == Frame::Type::knock) {
    frame.knock = parse_knock_id(reader.string()).value_or(KnockId{});
  } else if (key == "gone") {
    frame.is_gone = reader.boolean();
  } else if (key == "reason") {
    frame.reason = reader.string();
  } else if (key == "control") {
    frame.control = reader.string();
  } else if (key == "onStall") {
    frame.on_stall = reader.string();
  } else if (key == "audioLanguage") {
    frame.audio_language = reader.string();
  } else if (key == "code") {
    frame.code = reader.string();
  } else if (key == "re") {
    frame.re = reader.string();
  } else {
    read_rights_field(reader, key, frame);
  }
}

void read_talk_field(Reader& reader, std::string_view key, Frame& frame) {
  if (frame.talk.empty()) frame.talk.emplace_back();
  if (key != "more") return read_talk(reader, key, frame.talk.front());
  reader.array([&] {
    SeenTalk talk;
    reader.object([&](std::string_view of_one) { read_talk(reader, of_one, talk); });
    frame.talk.push_back(talk);
  });
}

void read_history_field(Reader& reader, std::string_view key, Frame& frame) {
  if (key != "list") return reader.skip();
  reader.array([&] {
    SeenTalk& line = frame.talk.emplace_back();
    reader.object([&](std::string_view of_one) { read_talk(reader, of_one, line); });
  });
}

void read_queue_field(Reader& reader, std::string_view key, Frame& frame) {
  if (key == "epoch") {
    frame.epoch = reader.number<std::uint64_t>();
  } else if (key == "version") {
    frame.version = reader.number<std::uint64_t>();
  } else if (key == "from") {
    frame.from = reader.number<std::uint64_t>();
  } else if (key == "list") {
    reader.array([&] {
      reader.object([&](std::string_view of_one) {
        if (of_one != "item") return reader.skip();
        frame.items.push_back(reader.item());
      });
    });
  } else {
    reader.skip();
  }
}

void read_field(Reader& reader, std::string_view key, Frame& frame) {
  switch (frame.type) {
    case Frame::Type::welcome:
      return read_welcome_field(reader, key, frame);
    case Frame::Type::state:
      if (!read_state_field(reader, key, frame.state)) reader.skip();
      return;
    case Frame::Type::members:
      return read_members_field(reader, key, frame);
    case Frame::Type::chat:
    case Frame::Type::reaction:
      return read_talk_field(reader, key, frame);
    case Frame::Type::queue:
      return read_queue_field(reader, key, frame);
    case Frame::Type::up_next:
      return read_up_next_field(reader, key, frame);
    case Frame::Type::history:
      return read_history_field(reader, key, frame);
    case Frame::Type::host:
    case Frame::Type::knock:
    case Frame::Type::settings:
    case Frame::Type::notice:
    case Frame::Type::error:
      return read_other_field(reader, key, frame);
    default:
      reader.skip();
  }
}

std::string_view payload_of(const BufferRef& bytes) noexcept {
  const auto span = bytes.bytes();
  const std::string_view all(reinterpret_cast<const char*>(span.data()), span.size());
  if (all.size() < 2 || all.front() == '{') return all;
  const auto length = static_cast<unsigned char>(all[1]) & 0x7f;
  return all.substr(length < 126 ? 2 : length == 126 ? 4 : 10);
}

}  // namespace

FrameRef read_frame(const BufferRef& bytes) {
  auto frame = std::make_shared<Frame>();
  frame->bytes = bytes;
  frame->text = payload_of(bytes);
  Reader reader(frame->text);
  reader.object([&](std::string_view key) {
    if (key == "type") {
      frame->type = type_of(reader.string());
    } else {
      read_field(reader, key, *frame);
    }
  });
  if (!reader.ok() || !reader.at_end()) frame->type = Frame::Type::broken;
  return frame;
}

}  // namespace videosync::sim
