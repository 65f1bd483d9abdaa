// kernel_parity: random programs of calls on the kernel that it is linked with, and what each call
// was answered, as text. On Linux and on the simulated kernel the same seeds must print the same:
// as far as Linux answers the same way each time, which is what these programs keep to.
//
//   kernel_parity FILE SEEDS   FILE: of at least 100,000 bytes, to be sent
#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <sys/mman.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "core/base/assert.h"
#include "core/base/unique_fd.h"
#include "core/kernel/kernel.h"
#include "core/reactor/receive_buffers.h"
#include "core/reactor/ring.h"
#include "tests/sim/kernel/parity/peers.h"
#include "tests/sim/random.h"

namespace {

using namespace videosync;

constexpr int steps_a_seed = 200;
constexpr std::int64_t file_bytes = 100'000;
constexpr std::size_t unread_bytes_max = 100'000;

struct Asked : Operation {
  Asked() {
    on_complete = [](Operation& self, const Completion& completion) noexcept {
      static_cast<Asked&>(self).done.push_back(completion);
    };
  }
  std::vector<Completion> done;
};

std::uint64_t digest_of(std::string_view text) {
  std::uint64_t digest = text.size();
  for (const char c : text)
    digest = sim::Random::mix(digest ^ static_cast<std::uint8_t>(c));
  return digest;
}

class Program {
 public:
  Program(const std::string& file, std::uint64_t seed)
      : dice_(seed), file_(::open(file.c_str(), O_RDONLY | O_CLOEXEC)) {
    auto ring = Ring::create();
    VS_ASSERT(ring.has_value() && bool{file_});
    ring_ = std::move(*ring);
    auto buffers = ReceiveBuffers::create(*ring_);
    VS_ASSERT(buffers.has_value() && ring_->enable().has_value());
    buffers_ = std::move(*buffers);
    auto other = Ring::create();
    VS_ASSERT(other.has_value() && (*other)->enable().has_value());
    other_ = std::move(*other);
    event_ = UniqueFd(kernel::make_event());
    int ends[2];
    VS_ASSERT(kernel::make_pipe(ends, 65'536) == 0);
    pipe_ = {UniqueFd(ends[0]), UniqueFd(ends[1])};
    connect();
  }
  // The buffers outlive the ring that writes into them.
  ~Program() { ring_.reset(); }

  void run() {
    for (int i = 0; i < steps_a_seed; ++i)
      step();
  }

 private:
  void tell(std::string_view what, std::int64_t answer) { fmt::print("{}: {}\n", what, answer); }

  void connect() {
    connection_ = peers_->connect();
    to_us_ = from_us_ = 0;
    has_peer_ended_ = has_ended_ = is_shut_ = false;
  }

  // Until that one has so many completions.
  void wait_for(Ring& ring, Asked& asked, std::size_t count) {
    for (int i = 0; i < 1'000 && asked.done.size() < count; ++i) {
      ring.submit_and_wait(10'000);
      for (auto some = ring.drain(); !some.empty(); some = ring.drain()) {
        for (const Completion& one : some)
          one.operation->on_complete(*one.operation, one);
      }
    }
    VS_ASSERT(asked.done.size() >= count);
  }
  std::int64_t answer_to(Asked& asked) {
    wait_for(*ring_, asked, 1);
    return asked.done.back().result;
  }

  std::vector<std::uint8_t> make_bytes() {
    std::vector<std::uint8_t> bytes(1 + dice_.below(5'000));
    dice_.fill(bytes);
    return bytes;
  }

  void step() {
    switch (dice_.below(14)) {
      case 0:
        return send();
      case 1:
        return send_vectors();
      case 2:
        return send_directly();
      case 3:
        return send_from_file();
      case 4:
        return send_through_pipe();
      case 5:
        return receive();
      case 6:
        return be_written_to();
      case 7:
        return be_read();
      case 8:
        return poll();
      case 9:
        return cancel();
      case 10:
        return use_event();
      case 11:
        return wake_other();
      case 12:
        return end_somehow();
      default:
        return ask_of_file();
    }
  }

  // What has left is the peer's to read.
  std::int64_t sent(std::int64_t answer) {
    if (answer > 0) from_us_ += static_cast<std::size_t>(answer);
    return answer;
  }
  bool is_full() const noexcept { return from_us_ > unread_bytes_max; }

  void send() {
    if (is_full()) return;
    const auto bytes = make_bytes();
    Asked asked;
    ring_->send(asked, connection_.socket.get(), bytes, 0);
    tell("send", sent(answer_to(asked)));
  }

  void send_vectors() {
    if (is_full()) return;
    auto first = make_bytes();
    auto second = make_bytes();
    std::array<iovec, 2> vectors{iovec{first.data(), first.size()},
                                 iovec{second.data(), second.size()}};
    msghdr message{};
    message.msg_iov = vectors.data();
    message.msg_iovlen = vectors.size();
    Asked asked;
    ring_->send_message(asked, connection_.socket.get(), message, 0);
    tell("sendmsg", sent(answer_to(asked)));
  }

  void send_directly() {
    if (is_full()) return;
    auto bytes = make_bytes();
    iovec vector{bytes.data(), bytes.size()};
    msghdr message{};
    message.msg_iov = &vector;
    message.msg_iovlen = 1;
    tell("direct sendmsg", sent(kernel::send_message(connection_.socket.get(), message, 0)));
  }

  void send_from_file() {
    if (is_full()) return;
    const std::int64_t offset = dice_.between(0, file_bytes + 10);
    const std::size_t length = 1 + dice_.below(9'000);
    tell("sendfile",
         sent(kernel::send_file(connection_.socket.get(), file_.get(), offset, length)));
  }

  void send_through_pipe() {
    if (is_full()) return;
    Asked asked;
    ring_->splice_to_pipe(asked, file_.get(), dice_.between(0, file_bytes + 10), pipe_[1].get(),
                          static_cast<std::uint32_t>(1 + dice_.below(9'000)));
    std::int64_t left = answer_to(asked);
    tell("splice to a pipe", left);
    const int socket = connection_.socket.get();
    if (is_shut_ || has_ended_) {
      // What cannot leave stays: it is let out where it can.
      tell("splice of it", kernel::splice_from_pipe(pipe_[0].get(), socket, 10, 0));
      connect();
    }
    while (left > 0) {
      const std::int64_t moved = sent(kernel::splice_from_pipe(
          pipe_[0].get(), connection_.socket.get(), static_cast<std::size_t>(left), 0));
      VS_ASSERT(moved > 0);
      left -= moved;
    }
    tell("splice of nothing",
         kernel::splice_from_pipe(pipe_[0].get(), connection_.socket.get(), 10, 0));
  }

  void receive() {
    Asked asked;
    ring_->receive_multishot(asked, connection_.socket.get(), ReceiveBuffers::group);
    std::string text;
    std::size_t seen = 0;
    const bool ends = has_peer_ended_ || is_shut_;
    const std::size_t expected = is_shut_ ? 0 : to_us_;
    while (text.size() < expected || (ends && (asked.done.empty() || asked.done.back().more))) {
      wait_for(*ring_, asked, seen + 1);
      for (; seen < asked.done.size(); ++seen)
        take(asked.done[seen], text);
    }
    fmt::print("receive: {} bytes {:x}\n", text.size(), digest_of(text));
    to_us_ = 0;
    if (!ends) {
      ring_->cancel(asked);
      wait_for(*ring_, asked, seen + 1);
    }
    tell("its end", asked.done.back().result);
    if (ends) connect();
  }
  void take(const Completion& one, std::string& text) {
    if (!one.has_buffer) return;
    const auto bytes = buffers_->bytes(one.buffer_id, static_cast<std::size_t>(one.result));
    text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    buffers_->give_back(one.buffer_id);
  }

  void be_written_to() {
    if (has_peer_ended_ || is_shut_ || to_us_ > unread_bytes_max) return;
    const auto bytes = make_bytes();
    connection_.peer->write(bytes);
    to_us_ += bytes.size();
  }

  void be_read() {
    const std::string text = connection_.peer->read(from_us_);
    fmt::print("the peer reads: {} bytes {:x}\n", text.size(), digest_of(text));
    from_us_ = 0;
  }

  void poll() {
    Asked asked;
    const bool has_input = to_us_ > 0 || has_peer_ended_ || is_shut_;
    const std::uint32_t events = dice_.chance(0.5) ? POLLOUT : POLLIN;
    if (events == POLLIN && !has_input) return;
    ring_->poll(asked, connection_.socket.get(), events);
    tell(events == POLLIN ? "poll for input" : "poll for room", answer_to(asked));
  }

  void cancel() {
    if (to_us_ > 0 || has_peer_ended_ || is_shut_) return;
    Asked asked;
    ring_->poll(asked, connection_.socket.get(), POLLIN);
    ring_->cancel(asked);
    tell("cancelled poll", answer_to(asked));
    Asked nobody;
    ring_->cancel(nobody);  // not found: its answer is nobody's
  }

  void use_event() {
    if (dice_.chance(0.5)) tell("add", kernel::add_event(event_.get()));
    if (dice_.chance(0.5)) tell("add", kernel::add_event(event_.get()));
    tell("take", kernel::take_event(event_.get()));
    tell("take again", kernel::take_event(event_.get()));
    tell("add", kernel::add_event(event_.get()));
    Asked asked;
    ring_->poll(asked, event_.get(), POLLIN);
    tell("poll of an event", answer_to(asked));
    tell("take", kernel::take_event(event_.get()));
  }

  void wake_other() {
    Asked target;
    Asked failure;
    ring_->wake(other_->descriptor(), target, failure);
    ring_->submit_and_wait(0);
    wait_for(*other_, target, 1);
    tell("woken", target.done.front().result);
    tell("failures", static_cast<std::int64_t>(failure.done.size()));
  }

  void end_somehow() {
    switch (dice_.below(8)) {
      case 0:
        has_peer_ended_ = true;
        return connection_.peer->end();
      case 1:
        has_ended_ = true;
        return tell("shutdown of output", kernel::shut_down(connection_.socket.get(), SHUT_WR));
      case 2:
        // What the peer has said and we have not read would make this a reset.
        if (to_us_ > 0 || has_peer_ended_) return;
        has_ended_ = is_shut_ = true;
        return tell("shutdown", kernel::shut_down(connection_.socket.get(), SHUT_RDWR));
      case 3:
        if (to_us_ == 0) connect();
        return;
      default:
        return;
    }
  }

  void ask_of_file() {
    char byte = 0;
    const std::int64_t offset = dice_.between(0, file_bytes - 1);
    tell("a byte behind the end", kernel::read_byte_now(file_.get(), file_bytes + 5, byte));
    tell("pages of no file", kernel::count_cached_pages(-1, offset, 1));
  }

  sim::Random dice_;
  std::unique_ptr<parity::Peers> peers_ = parity::make_peers();
  UniqueFd file_;
  std::unique_ptr<ReceiveBuffers> buffers_;
  std::unique_ptr<Ring> ring_;
  std::unique_ptr<Ring> other_;
  UniqueFd event_;
  std::array<UniqueFd, 2> pipe_;
  parity::Connection connection_;
  std::size_t to_us_ = 0;    // unread at our side
  std::size_t from_us_ = 0;  // unread at the peer's
  bool has_peer_ended_ = false;
  bool has_ended_ = false;
  bool is_shut_ = false;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    fmt::print(stderr, "kernel_parity FILE SEEDS\n");
    return 2;
  }
  std::signal(SIGPIPE, SIG_IGN);  // as the reactor has it
  const std::uint64_t seeds = std::strtoull(argv[2], nullptr, 10);
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    fmt::print("seed {}\n", seed);
    Program(argv[1], seed).run();
  }
  return 0;
}
