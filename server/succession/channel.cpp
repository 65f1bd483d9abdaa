#include "server/succession/channel.h"

#include <fmt/core.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "core/base/assert.h"
#include "core/base/byte_codec.h"

namespace videosync {

namespace {

using std::chrono::milliseconds;

// In front of a text: the word, and the length of the text.
constexpr std::size_t head_bytes = 1 + 8;
constexpr std::uint64_t text_bytes_max = std::uint64_t{8} << 30;
constexpr std::size_t growth_bytes = 1 << 20;  // no length is believed before the bytes are there

std::unexpected<Error> gone() {
  return fail(ErrorCode::unavailable, "the other program has ended");
}

}  // namespace

Result<> SuccessionChannel::await(short events, Deadline deadline) const noexcept {
  for (;;) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd waited{socket_.get(), events, 0};
    const int wait_ms = static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 3'600'000));
    const int ready = ::poll(&waited, 1, wait_ms);
    if (ready > 0) return {};
    if (ready == 0) return fail(ErrorCode::timed_out, "the other program says nothing");
    if (errno != EINTR) return fail_errno("wait for the other program", errno);
  }
}

Result<> SuccessionChannel::send_bytes(std::string_view bytes, std::span<const int> descriptors,
                                       Deadline deadline) noexcept {
  VS_ASSERT(descriptors.size() <= descriptors_max);
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * descriptors_max)> control;
  while (!bytes.empty()) {
    iovec part{const_cast<char*>(bytes.data()), bytes.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    if (!descriptors.empty()) {
      message.msg_control = control.data();
      message.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
      cmsghdr* head = CMSG_FIRSTHDR(&message);
      head->cmsg_level = SOL_SOCKET;
      head->cmsg_type = SCM_RIGHTS;
      head->cmsg_len = CMSG_LEN(descriptors.size_bytes());
      std::memcpy(CMSG_DATA(head), descriptors.data(), descriptors.size_bytes());
    }
    const ssize_t sent = ::sendmsg(socket_.get(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
      descriptors = {};  // they went with the first byte
    } else if (errno == EAGAIN) {
      if (auto room = await(POLLOUT, deadline); !room) return room;
    } else if (errno == EPIPE || errno == ECONNRESET) {
      return gone();
    } else if (errno != EINTR) {
      return fail_errno("tell the other program", errno);
    }
  }
  return {};
}

Result<> SuccessionChannel::send(SuccessionWord word, std::string_view text, Deadline deadline,
                                 std::span<const int> descriptors) noexcept {
  ByteWriter head;
  head.put(static_cast<std::uint8_t>(word));
  head.put(std::uint64_t{text.size()});
  if (auto sent = send_bytes(head.take_bytes(), descriptors, deadline); !sent) return sent;
  return send_bytes(text, {}, deadline);
}

Result<> SuccessionChannel::receive_bytes(std::span<char> bytes, std::vector<UniqueFd>& descriptors,
                                          Deadline deadline) {
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * descriptors_max)> control;
  while (!bytes.empty()) {
    iovec part{bytes.data(), bytes.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const ssize_t received = ::recvmsg(socket_.get(), &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (received < 0 && errno == EAGAIN) {
      if (auto there = await(POLLIN, deadline); !there) return there;
      continue;
    }
    if (received < 0 && errno == EINTR) continue;
    if (received == 0 || (received < 0 && errno == ECONNRESET)) return gone();
    if (received < 0) return fail_errno("hear the other program", errno);
    for (cmsghdr* head = CMSG_FIRSTHDR(&message); head != nullptr;
         head = CMSG_NXTHDR(&message, head)) {
      if (head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS) continue;
      const std::size_t count = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
      for (std::size_t i = 0; i < count; ++i) {
        int descriptor = -1;
        std::memcpy(&descriptor, CMSG_DATA(head) + i * sizeof(int), sizeof descriptor);
        descriptors.emplace_back(descriptor);
      }
    }
    if ((message.msg_flags & MSG_CTRUNC) != 0) {
      return fail(ErrorCode::exhausted, "no more descriptors are to be had (raise `ulimit -n`)");
    }
    bytes = bytes.subspan(static_cast<std::size_t>(received));
  }
  return {};
}

Result<SuccessionMessage> SuccessionChannel::receive(Deadline deadline) {
  SuccessionMessage message;
  std::array<char, head_bytes> head;
  if (auto got = receive_bytes(head, message.descriptors, deadline); !got) {
    return std::unexpected(std::move(got.error()));
  }
  ByteReader reader({head.data(), head.size()});
  message.word = reader.get_enum(SuccessionWord::released);
  const auto length = reader.get<std::uint64_t>();
  if (!reader.ok() || length > text_bytes_max) {
    return fail(ErrorCode::corrupt, "the other program says what this version does not understand");
  }
  while (message.text.size() < length) {
    const std::size_t before = message.text.size();
    message.text.resize(before + std::min<std::uint64_t>(growth_bytes, length - before));
    const std::span<char> part(message.text.data() + before, message.text.size() - before);
    if (auto got = receive_bytes(part, message.descriptors, deadline); !got) {
      return std::unexpected(std::move(got.error()));
    }
  }
  return message;
}

Result<SuccessionMessage> SuccessionChannel::receive(SuccessionWord expected, Deadline deadline) {
  auto message = receive(deadline);
  if (message && message->word != expected) {
    return fail(ErrorCode::corrupt,
                fmt::format("the other program says {} where {} was expected",
                            static_cast<int>(message->word), static_cast<int>(expected)));
  }
  return message;
}

}  // namespace videosync
