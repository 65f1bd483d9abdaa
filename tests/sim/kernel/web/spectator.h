// Spectator: somebody outside who makes or joins a session by WebSocket, says things in frames of
// any cut, and looks at every frame that comes: whole, unmasked, in the order that the protocol
// promises.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/sim/kernel/simulated_kernel.h"

namespace videosync::sim {

// A session, from the moment that its host has made it.
struct Show {
  std::string key;
  bool is_called_off = false;  // its host was cut off before
};

class Spectator final : public Actor {
 public:
  using State = std::pair<std::uint64_t, std::uint64_t>;  // epoch, seq

  Spectator(SimulatedKernel& kernel, const std::vector<int>& listeners, Show& show, bool makes_it,
            std::uint32_t number, Random dice);

  void act() override;
  // It has said all that it wanted to say.
  bool is_quiet() const noexcept { return phase_ == Phase::gone || says_left_ == 0; }
  bool is_watching() const noexcept { return phase_ == Phase::watching; }
  bool is_gone() const noexcept { return phase_ == Phase::gone; }
  const Show& show() const noexcept { return show_; }
  State state() const noexcept { return state_; }
  std::uint64_t bytes_read() const noexcept { return bytes_read_; }
  void leave();
  std::string describe() const;

 private:
  enum class Phase : std::uint8_t { waits, creating, joining, watching, gone };

  void connect();
  void write(std::string_view text);
  void write_frame(std::uint8_t opcode, std::string_view payload, bool is_last);
  void say_something();
  void say(const std::string& text);
  void flush();
  void read_some();
  void take_answer();
  bool take_frame();
  void hear(std::uint8_t opcode, std::string_view payload);
  void hear_message(std::string_view text);
  void hear_state(std::string_view text, bool is_welcome);
  void hear_pong(std::string_view text);
  void look_at_the_end();
  [[noreturn]] void complain(const std::string& what) const;

  SimulatedKernel& kernel_;
  const std::vector<int>& listeners_;
  Show& show_;
  const bool makes_it_;
  const std::uint32_t number_;
  Random dice_;
  Phase phase_ = Phase::waits;
  std::size_t says_left_ = 0;
  std::int64_t pace_us_ = 0;
  std::int64_t idle_us_ = 0;
  std::shared_ptr<Socket> socket_;
  std::string to_write_;
  std::string heard_;
  std::string fragments_;
  bool is_fragmented_ = false;
  bool is_welcome_ = false;
  State state_{};
  std::uint64_t pings_ = 0;
  std::uint64_t ponged_ = 0;
  std::uint64_t control_pings_ = 0;
  std::uint64_t control_ponged_ = 0;
  std::uint64_t bytes_read_ = 0;
};

}  // namespace videosync::sim
