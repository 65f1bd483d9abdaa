// Predecessor: the running program that this one is to replace, and that has started it.
//
// Its listening sockets, its clock and what browsers are known by are there from the start; its
// sessions when this program could serve. Where there is none, nobody was replaced: an ordinary
// start. One thread; calls wait for the predecessor, which ends this process if it has waited too
// long itself.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "core/base/unique_fd.h"
#include "proto/session/session_values.h"
#include "server/succession/channel.h"

namespace videosync {

class Predecessor {
 public:
  // Of the environment: the descriptor by which the two talk.
  static constexpr const char* variable = "VIDEOSYNC_PREDECESSOR_FD";

  // What it says of itself before all else.
  struct Offer {
    std::int64_t wall_offset_us = 0;  // of its SystemClock: time goes on as there
    std::optional<Token> secret{};    // by which browsers are known; nothing: it knows none yet
  };
  static std::string encode(const Offer& offer);

  // The socket that the variable names, which is taken out of the environment. None: it is not set,
  // or names no socket that this process's parent has made for it, which the log says. Before
  // anything else opens descriptors.
  static UniqueFd claim_socket();
  // Over that socket. Errors: of channels; unsupported where the two versions do not understand
  // each other.
  static Result<std::unique_ptr<Predecessor>> meet(UniqueFd socket);

  const Offer& offer() const noexcept { return offer_; }
  // Those of that address, in the order of the workers; none: it did not listen there.
  std::vector<UniqueFd> take_listeners(std::string_view address);
  // This program could serve: what the predecessor had, as encode_state() makes it.
  Result<std::string> take_sessions();
  // It serves. Returns when the supervisor knows that this process is the one to watch.
  Result<> tell_serving();

 private:
  struct Listener {
    std::string address;
    std::vector<UniqueFd> descriptors;
  };

  explicit Predecessor(SuccessionChannel channel) noexcept : channel_(std::move(channel)) {}
  Result<> hear_offer();

  SuccessionChannel channel_;
  Offer offer_;
  std::vector<Listener> listeners_;
};

}  // namespace videosync
