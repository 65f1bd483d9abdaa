#include "core/reactor/receive_buffers.h"

#include <criterion/criterion.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/reactor/ring.h"

using namespace videosync;

namespace {

// A ring with its receive buffers and one socket that receives from the test's end.
struct Receiver : Operation {
  std::unique_ptr<Ring> ring;
  std::unique_ptr<ReceiveBuffers> buffers;
  std::vector<Completion> arrived;
  int socket = -1;
  int peer = -1;
  bool is_armed = false;

  Receiver() {
    auto made = Ring::create();
    cr_assert(made.has_value(), "%s", made ? "" : made.error().message.c_str());
    ring = std::move(*made);
    cr_assert(ring->enable().has_value());
    auto made_buffers = ReceiveBuffers::create(*ring);
    cr_assert(made_buffers.has_value());
    buffers = std::move(*made_buffers);
    int ends[2];
    cr_assert_eq(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    socket = ends[0];
    peer = ends[1];
    on_complete = [](Operation& receive, const Completion& completion) noexcept {
      auto& receiver = static_cast<Receiver&>(receive);
      receiver.is_armed = completion.more;
      receiver.arrived.push_back(completion);
    };
  }
  // The buffers outlive the ring that writes into them.
  ~Receiver() {
    ::close(peer);
    while (is_armed)
      turn();
    ring.reset();
    ::close(socket);
  }

  void arm() {
    is_armed = true;
    ring->receive_multishot(*this, socket, ReceiveBuffers::group);
  }
  void turn() {
    ring->submit_and_wait(100'000);
    for (const Completion& completion : ring->drain())
      completion.operation->on_complete(*completion.operation, completion);
  }
  void send_byte(std::size_t number) {
    const char byte = static_cast<char>('a' + number % 26);
    cr_assert_eq(::send(peer, &byte, 1, 0), 1);
  }
  // Sends one byte at a time until the receive ends. The kernel takes a buffer before it looks for
  // bytes, so the end may come with the last buffer or with the byte behind it.
  void receive_until_end() {
    for (std::size_t i = 0; is_armed; ++i) {
      send_byte(i);
      turn();
    }
  }
  std::string text_of(const Completion& completion) {
    const auto bytes =
        buffers->bytes(completion.buffer_id, static_cast<std::size_t>(completion.result));
    return {bytes.begin(), bytes.end()};
  }
};

}  // namespace

Test(receive_buffers, the_kernel_fills_a_buffer_and_names_it) {
  Receiver receiver;
  receiver.arm();
  cr_assert_eq(::send(receiver.peer, "hello", 5, 0), 5);
  receiver.turn();
  cr_assert_eq(receiver.arrived.size(), 1u);
  const Completion& completion = receiver.arrived.front();
  cr_assert(completion.has_buffer && completion.more);
  cr_assert(receiver.text_of(completion) == "hello");
  receiver.buffers->give_back(completion.buffer_id);
}

Test(receive_buffers, each_buffer_is_handed_out_once_and_none_overlap) {
  Receiver receiver;
  receiver.arm();
  receiver.receive_until_end();
  receiver.arrived.pop_back();
  cr_assert_eq(receiver.arrived.size(), ReceiveBuffers::buffers_initial);
  std::set<std::uint16_t> ids;
  std::set<const std::uint8_t*> places;
  for (std::size_t i = 0; i < receiver.arrived.size(); ++i) {
    const Completion& completion = receiver.arrived[i];
    cr_assert(ids.insert(completion.buffer_id).second, "buffer %d twice", completion.buffer_id);
    places.insert(receiver.buffers->bytes(completion.buffer_id, 1).data());
    cr_assert(receiver.text_of(completion) == std::string(1, static_cast<char>('a' + i % 26)));
  }
  const std::uint8_t* last = nullptr;
  for (const std::uint8_t* place : places) {
    cr_assert(last == nullptr ||
              place >= last + static_cast<std::ptrdiff_t>(ReceiveBuffers::buffer_bytes));
    last = place;
  }
}

Test(receive_buffers, running_out_ends_the_receive_and_growing_lets_it_go_on) {
  Receiver receiver;
  receiver.arm();
  receiver.receive_until_end();
  cr_assert_eq(receiver.arrived.back().result, -ENOBUFS);
  receiver.send_byte(0);
  receiver.buffers->grow();
  cr_assert_eq(receiver.buffers->count(), 2 * ReceiveBuffers::buffers_initial);
  receiver.arrived.clear();
  receiver.arm();
  receiver.turn();
  // What found no buffer was not lost.
  cr_assert(!receiver.arrived.empty());
  cr_assert(receiver.arrived.front().has_buffer);
  cr_assert_geq(receiver.arrived.front().buffer_id, ReceiveBuffers::buffers_initial);
}

Test(receive_buffers, the_set_grows_to_its_limit_and_no_further) {
  Receiver receiver;
  for (int i = 0; i < 20; ++i)
    receiver.buffers->grow();
  cr_assert_eq(receiver.buffers->count(), ReceiveBuffers::buffers_max);
  receiver.arm();
  receiver.receive_until_end();
  cr_assert_eq(receiver.arrived.back().result, -ENOBUFS);
  std::set<std::uint16_t> ids;
  for (const Completion& completion : receiver.arrived) {
    if (completion.has_buffer) ids.insert(completion.buffer_id);
  }
  cr_assert_eq(ids.size(), ReceiveBuffers::buffers_max);
}

// The tail is a 16-bit number that the kernel reads: it goes round here.
Test(receive_buffers, a_buffer_goes_round_many_times) {
  Receiver receiver;
  receiver.arm();
  for (int i = 0; i < 70'000; ++i) {
    receiver.send_byte(static_cast<std::size_t>(i));
    receiver.turn();
    cr_assert_eq(receiver.arrived.size(), 1u);
    const Completion completion = receiver.arrived.front();
    cr_assert(receiver.text_of(completion) == std::string(1, static_cast<char>('a' + i % 26)));
    receiver.buffers->give_back(completion.buffer_id);
    receiver.arrived.clear();
  }
}
