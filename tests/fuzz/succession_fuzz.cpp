// Fuzzes what one process leaves to the next: the state file, and the talk between the two.
//
// The first byte: which of them, and whether the file's digest is made right. Of a state that is
// read nothing is lost when it is written and read again; a talk is the same in pieces.
//
// Reads: server/succession/channel.cpp, server/succession/state_file.cpp
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/assert.h"
#include "core/base/unique_fd.h"
#include "server/digest.h"
#include "server/succession/channel.h"
#include "server/succession/state_file.h"
#include "tests/fuzz/support/fuzz_lines.h"

using namespace videosync;
using namespace videosync::fuzz;

namespace {

constexpr std::int64_t now_us = 1'700'000'000'000'000;
constexpr std::string_view first_line = "videosync sessions 2\n";

void check_state(std::string_view bytes) {
  const auto state = decode_state(bytes, now_us);
  if (!state) {
    VS_ASSERT(state.error().code == ErrorCode::corrupt);
    return;
  }
  for (const SavedSession& session : state->sessions)
    VS_ASSERT(session.kept.left_us > 0);
  const std::string written = encode_state(*state, now_us);
  VS_ASSERT(written.size() <= bytes.size());
  const auto again = decode_state(written, now_us);
  VS_ASSERT(again && again->sessions.size() == state->sessions.size());
  VS_ASSERT(again->uploads.size() == state->uploads.size() && again->secret.equals(state->secret));
  VS_ASSERT(encode_state(*again, now_us) == written);
  std::string damaged = written;
  damaged[damaged.size() / 2] ^= 1;
  VS_ASSERT(!decode_state(damaged, now_us));
  // A day later no more is left, and never more time.
  const auto later = decode_state(written, now_us + std::int64_t{86'400} * 1'000'000);
  VS_ASSERT(later && later->sessions.size() <= state->sessions.size());
}

struct Talk {
  std::vector<std::pair<SuccessionWord, std::string>> said;
  ErrorCode end{};

  friend bool operator==(const Talk&, const Talk&) = default;
};

// All that `bytes` say, by one who then hangs up.
Talk hear(std::string_view bytes) {
  std::array<int, 2> ends{};
  VS_ASSERT(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
  SuccessionChannel channel{UniqueFd(ends[0])};
  {
    const UniqueFd other(ends[1]);
    VS_ASSERT(::write(other.get(), bytes.data(), bytes.size()) == ssize_t(bytes.size()));
  }
  Talk talk;
  for (;;) {
    auto message = channel.receive(std::chrono::steady_clock::time_point{});
    if (!message) {
      talk.end = message.error().code;
      return talk;
    }
    VS_ASSERT(message->word <= SuccessionWord::released && message->descriptors.empty());
    VS_ASSERT(message->text.size() < bytes.size());
    talk.said.emplace_back(message->word, std::move(message->text));
  }
}

// What was understood is understood again when it is said.
void check_talk(std::string_view bytes) {
  constexpr std::size_t bytes_max = 16'384;  // a socket takes that much without a reader
  const Talk talk = hear(bytes.substr(0, bytes_max));
  VS_ASSERT(talk.end == ErrorCode::corrupt || talk.end == ErrorCode::unavailable);
  std::array<int, 2> ends{};
  VS_ASSERT(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
  SuccessionChannel ours{UniqueFd(ends[0])};
  SuccessionChannel theirs{UniqueFd(ends[1])};
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  for (const auto& [word, text] : talk.said) {
    VS_ASSERT(theirs.send(word, text, deadline));
    const auto heard = ours.receive(word, deadline);
    VS_ASSERT(heard && heard->text == text);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::string_view bytes = text_of(data + 1, size - 1);
  switch (data[0] % 4) {
    case 0:
      check_talk(bytes);
      break;
    case 1:
      check_state(bytes);
      break;
    default: {
      const std::string body = std::string(first_line) + std::string(bytes);
      check_state(body + entity_tag(body));
    }
  }
  return 0;
}
