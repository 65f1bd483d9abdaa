// RedisChannels: which channels a connection for subscriptions is to hear, and what Redis has
// confirmed of them. Pure: it is told what was sent and answered and says what to send.
//
// A channel's UNSUBSCRIBE is waited for before its next SUBSCRIBE is sent: hiredis 0.14 would take
// the late answer of the first for the end of the second and drop its messages without a word.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace videosync {

class RedisChannels {
 public:
  // Whether SUBSCRIBE is to be sent now.
  bool want(std::string channel);
  // Whether UNSUBSCRIBE is to be sent now.
  bool unwant(std::string_view channel);

  // A new connection: all that are to be subscribed. Valid until the next call that changes.
  std::vector<std::string_view> on_connected();
  void on_lost();
  // Whether that is news: a channel is wanted and is heard from here on.
  bool on_subscribed(std::string_view channel);
  // Whether the channel is wanted again: SUBSCRIBE is to be sent now.
  bool on_unsubscribed(std::string_view channel);

  bool is_confirmed(std::string_view channel) const;
  // How many are wanted and not yet confirmed.
  std::size_t unconfirmed() const noexcept { return unconfirmed_; }

 private:
  struct Channel {
    bool is_wanted = false;
    bool is_confirmed = false;  // only while wanted and connected
    bool is_leaving = false;    // from UNSUBSCRIBE to its answer
  };

  std::map<std::string, Channel, std::less<>> channels_;
  std::size_t unconfirmed_ = 0;
  bool is_connected_ = false;
};

}  // namespace videosync
