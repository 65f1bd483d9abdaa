// What two programs say to each other: whole, with its descriptors, or an error in time.
#include "server/succession/channel.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <thread>

using namespace videosync;

namespace {

using std::chrono::milliseconds;

SuccessionChannel::Deadline in(milliseconds wait) {
  return std::chrono::steady_clock::now() + wait;
}

struct Pair {
  Pair() {
    int ends[2];
    cr_assert_eq(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    one = std::make_unique<SuccessionChannel>(UniqueFd(ends[0]));
    other = std::make_unique<SuccessionChannel>(UniqueFd(ends[1]));
  }
  std::unique_ptr<SuccessionChannel> one, other;
};

constexpr milliseconds soon{10'000};

}  // namespace

Test(channel, a_word_its_text_and_its_descriptors_arrive) {
  Pair pair;
  int pipe[2];
  cr_assert_eq(::pipe2(pipe, O_CLOEXEC), 0);
  const UniqueFd reader(pipe[0]), writer(pipe[1]);
  const int sent[] = {reader.get(), writer.get()};
  cr_assert(pair.one->send(SuccessionWord::listener, "an address", in(soon), sent).has_value());
  cr_assert(pair.one->send(SuccessionWord::ready, "", in(soon)).has_value());
  auto message = pair.other->receive(in(soon));
  cr_assert(message.has_value());
  cr_assert(message->word == SuccessionWord::listener && message->text == "an address");
  cr_assert_eq(message->descriptors.size(), 2U);
  cr_assert(::fcntl(message->descriptors[0].get(), F_GETFD) & FD_CLOEXEC);
  cr_assert_eq(::write(message->descriptors[1].get(), "x", 1), 1);
  char byte = 0;
  cr_assert(::read(reader.get(), &byte, 1) == 1 && byte == 'x');
  message = pair.other->receive(SuccessionWord::ready, in(soon));
  cr_assert(message.has_value() && message->descriptors.empty() && message->text.empty());
}

Test(channel, a_long_text_is_taken_in_parts) {
  Pair pair;
  std::string text(20 << 20, 'a');
  text.back() = 'z';
  std::jthread sender(
      [&] { cr_assert(pair.one->send(SuccessionWord::sessions, text, in(soon)).has_value()); });
  const auto message = pair.other->receive(SuccessionWord::sessions, in(soon));
  cr_assert(message.has_value() && message->text == text);
}

Test(channel, nobody_is_waited_for_longer_than_said) {
  Pair pair;
  cr_assert(pair.one->receive(in(milliseconds(20))).error().code == ErrorCode::timed_out);
  const std::string text(20 << 20, 'a');
  const auto sent = pair.one->send(SuccessionWord::sessions, text, in(milliseconds(20)));
  cr_assert(sent.error().code == ErrorCode::timed_out);
}

Test(channel, an_end_is_seen) {
  Pair pair;
  pair.other.reset();
  cr_assert(pair.one->receive(in(soon)).error().code == ErrorCode::unavailable);
  const auto sent = pair.one->send(SuccessionWord::ready, "", in(soon));
  cr_assert(sent.error().code == ErrorCode::unavailable);
}

Test(channel, what_is_not_understood_is_no_message) {
  Pair pair;
  cr_assert(pair.one->send(SuccessionWord::ready, "", in(soon)).has_value());
  cr_assert(pair.other->receive(SuccessionWord::serving, in(soon)).error().code ==
            ErrorCode::corrupt);
  for (const std::string& bytes : {std::string("GET / HTTP/1.1\r\n"), std::string(9, '\xff')}) {
    Pair other;
    cr_assert(::write(other.one->descriptor(), bytes.data(), bytes.size()) > 0);
    cr_assert(other.other->receive(in(soon)).error().code == ErrorCode::corrupt);
  }
}
