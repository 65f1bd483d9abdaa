#include "server/succession/predecessor.h"

#include <fcntl.h>

#include <cerrno>
#include <cstdlib>
#include <utility>

#include "core/base/byte_codec.h"
#include "core/base/text.h"

namespace videosync {

namespace {

using std::chrono::steady_clock;

// Longer than the predecessor waits: it is the one to decide.
constexpr std::chrono::seconds patience{120};
// The form of this talk, and of what encode_state() makes.
constexpr std::string_view form = "videosync succession 1\n";

}  // namespace

std::string Predecessor::encode_offer(const Token& secret) {
  ByteWriter writer;
  writer.put_raw(secret.bytes);
  return std::string(form) + writer.take_bytes();
}

Result<std::unique_ptr<Predecessor>> Predecessor::from_environment() {
  const char* value = std::getenv(variable);
  const auto number = parse_decimal<int>(value == nullptr ? "" : value);
  ::unsetenv(variable);
  if (!number) return nullptr;
  if (::fcntl(*number, F_SETFD, FD_CLOEXEC) != 0) return fail_errno(variable, errno);
  std::unique_ptr<Predecessor> predecessor(
      new Predecessor(SuccessionChannel(UniqueFd(*number))));
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
    const bool is_offer = message->word == SuccessionWord::offered &&
                          message->text.starts_with(form) &&
                          message->text.size() == form.size() + secret_.bytes.size();
    if (!is_offer) {
      return fail(ErrorCode::unsupported,
                  "the running program is of a version that this one cannot take over from: restart it");
    }
    ByteReader reader(std::string_view(message->text).substr(form.size()));
    reader.get_raw(secret_.bytes);
    return {};
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
