// RedisChannels: which channels a connection for subscriptions is to hear, and what Redis has
// confirmed of them. Pure: it is told what was sent and answered and says what to send.
//
// Commands about a channel go out at once, also while answers to earlier ones are to come: answers
// come in the order of commands, so a channel is as the answer to the latest one says. Until then
// it is not confirmed, for the server may just be leaving it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace videosync {

// By which commands messages come: PUBLISH and SUBSCRIBE, or SPUBLISH and SSUBSCRIBE, which Redis
// Cluster has from 7.0 on and which stay within the servers of the channel's slot.
enum class RedisChannelKind : std::uint8_t { plain, sharded };

class RedisChannels {
 public:
  using Kind = RedisChannelKind;

  // Whether to subscribe now: also again, where the server has it not. A channel that is wanted
  // already is so by the same kind.
  bool want(std::string channel, Kind kind = Kind::plain);
  // The kind by which to unsubscribe now, if that is needed.
  std::optional<Kind> unwant(std::string_view channel);

  // A new connection: all that are to be subscribed. Valid until the next call that changes.
  std::vector<std::pair<std::string_view, Kind>> on_connected();
  void on_lost();

  // Subscribing was answered. Whether that is news: the channel is wanted and heard from here on.
  bool on_subscribed(std::string_view channel);
  // Subscribing was refused: its slot is elsewhere. Whether that is news: the channel is wanted.
  bool on_refused(std::string_view channel);
  // Unsubscribing was answered.
  void on_unsubscribed(std::string_view channel);
  // The server has left it on its own. Whether that is news: it was confirmed.
  bool on_dropped(std::string_view channel);

  bool is_confirmed(std::string_view channel) const;
  // How many are wanted and not confirmed.
  std::size_t unconfirmed() const noexcept { return unconfirmed_; }

 private:
  struct Channel {
    Kind kind = Kind::plain;  // of the latest command
    bool is_wanted = false;
    bool is_confirmed = false;   // only while wanted and connected, with no answer to come
    std::size_t unanswered = 0;  // commands; wanted, connected, 0 and not confirmed: not there
  };
  using Map = std::map<std::string, Channel, std::less<>>;

  // A command was answered. Null: others are still to be, or the channel is not wanted.
  Channel* settle(std::string_view channel);

  Map channels_;
  std::size_t unconfirmed_ = 0;
  bool is_connected_ = false;
};

}  // namespace videosync
