// Asker: somebody outside who sends HTTP requests down one connection, pipelined, in pieces, and
// holds what comes against what the same requests were answered one by one, on a kernel that was
// kind: byte for byte, but for what differs from time to time (the date).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tests/sim/kernel/simulated_kernel.h"

namespace videosync::sim {

struct WebExchange {
  std::string request;
  std::string answer;
  std::vector<bool> varies;  // by byte of the answer
  bool ends = false;         // the connection, after this answer
};

// Every kind of request there is, with what it deserves: asked twice of a kind kernel, once a
// process.
const std::vector<WebExchange>& web_exchanges();

class Asker final : public Actor {
 public:
  Asker(SimulatedKernel& kernel, const std::vector<int>& listeners, std::uint32_t number,
        Random dice);

  void act() override;
  bool is_done() const noexcept { return is_done_; }
  std::uint64_t bytes_read() const noexcept { return read_; }
  std::string describe() const;

 private:
  void write_some();
  void read_some();
  void look_at_the_end();
  void go();

  SimulatedKernel& kernel_;
  const std::vector<int>& listeners_;
  const std::uint32_t number_;
  Random dice_;
  std::int64_t pace_us_ = 0;
  std::int64_t gives_up_us_ = never;
  std::int64_t idle_us_ = 0;
  bool resets_ = false;
  std::vector<const WebExchange*> exchanges_;
  std::string to_write_;
  std::size_t written_ = 0;
  std::shared_ptr<Socket> socket_;
  std::size_t at_ = 0;       // which exchange is being answered
  std::size_t at_byte_ = 0;  // of its answer
  std::uint64_t read_ = 0;
  bool is_done_ = false;
};

}  // namespace videosync::sim
