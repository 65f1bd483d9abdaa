#include "server/succession/predecessor.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <utility>

#include "core/base/byte_codec.h"
#include "core/base/log.h"
#include "core/base/text.h"

namespace videosync {

namespace {

using std::chrono::steady_clock;

// Longer than the predecessor waits: it is the one to decide.
constexpr std::chrono::seconds patience{120};
// The form of this talk, and of what encode_state() makes.
constexpr std::string_view form = "videosync succession 1\n";

// A stream that our parent has made: somebody else's descriptor, under a number that was left in
// the environment, is none.
bool is_of_parent(int descriptor) noexcept {
  int type = 0;
  int domain = 0;
  ucred maker{};
  const auto ask = [&](int name, void* value, socklen_t length) {
    return ::getsockopt(descriptor, SOL_SOCKET, name, value, &length) == 0;
  };
  return ask(SO_TYPE, &type, sizeof type) && type == SOCK_STREAM &&
         ask(SO_DOMAIN, &domain, sizeof domain) && domain == AF_UNIX &&
         ask(SO_PEERCRED, &maker, sizeof maker) && maker.pid == ::getppid();
}

}  // namespace

std::string Predecessor::encode(const Offer& offer) {
  ByteWriter writer;
  writer.put(static_cast<std::uint64_t>(offer.wall_offset_us));
  writer.put_flag(offer.secret.has_value());
  if (offer.secret) writer.put_raw(offer.secret->bytes);
  return std::string(form) + writer.take_bytes();
}

UniqueFd Predecessor::claim_socket() {
  const char* value = std::getenv(variable);
  if (value == nullptr) return {};
  const std::string text = value;
  ::unsetenv(variable);
  const auto number = parse_decimal<int>(text);
  if (number && *number > STDERR_FILENO && is_of_parent(*number)) {
    ::fcntl(*number, F_SETFD, FD_CLOEXEC);
    return UniqueFd(*number);
  }
  log_warn("main", "the environment names a predecessor that is none: this is an ordinary start",
           field(variable, text));
  return {};
}

Result<std::unique_ptr<Predecessor>> Predecessor::meet(UniqueFd socket) {
  std::unique_ptr<Predecessor> predecessor(new Predecessor(SuccessionChannel(std::move(socket))));
  if (auto heard = predecessor->hear_offer(); !heard) {
    return std::unexpected(std::move(heard.error()));
  }
  return predecessor;
}

Result<> Predecessor::hear_offer() {
  for (;;) {
    auto message = channel_.receive(steady_clock::now() + patience);
    if (!message) return std::unexpected(std::move(message.error()));
    if (message->word == SuccessionWord::listener) {
      listeners_.push_back({std::move(message->text), std::move(message->descriptors)});
      continue;
    }
    const bool is_known =
        message->word == SuccessionWord::offered && message->text.starts_with(form);
    ByteReader reader(std::string_view(message->text).substr(is_known ? form.size() : 0));
    offer_.wall_offset_us = static_cast<std::int64_t>(reader.get<std::uint64_t>());
    if (reader.get_flag()) reader.get_raw(offer_.secret.emplace().bytes);
    if (is_known && reader.ok() && reader.at_end()) return {};
    return fail(
        ErrorCode::unsupported,
        "the running program is of a version that this one cannot take over from: restart it");
  }
}

std::vector<UniqueFd> Predecessor::take_listeners(std::string_view address) {
  std::vector<UniqueFd> taken;
  for (Listener& listener : listeners_) {
    if (listener.address != address) continue;
    for (UniqueFd& descriptor : listener.descriptors)
      taken.push_back(std::move(descriptor));
    listener.descriptors.clear();
  }
  return taken;
}

Result<std::string> Predecessor::take_sessions() {
  const auto deadline = steady_clock::now() + patience;
  if (auto sent = channel_.send(SuccessionWord::ready, "", deadline); !sent) {
    return std::unexpected(std::move(sent.error()));
  }
  auto sessions = channel_.receive(SuccessionWord::sessions, deadline);
  if (!sessions) return std::unexpected(std::move(sessions.error()));
  return std::move(sessions->text);
}

Result<> Predecessor::tell_serving() {
  const auto deadline = steady_clock::now() + std::chrono::seconds(2);
  if (auto sent = channel_.send(SuccessionWord::serving, "", deadline); !sent) return sent;
  auto released = channel_.receive(SuccessionWord::released, deadline);
  if (!released) return std::unexpected(std::move(released.error()));
  return {};
}

}  // namespace videosync
