// Customer: somebody outside who connects to a mill, asks, reads, and looks at every byte.
//
// It writes and reads at its own pace, in pieces of any size, and goes in its own way: when all is
// there, having ended its side first, by a reset in the middle, or without a word.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tests/sim/kernel/mill_words.h"
#include "tests/sim/kernel/simulated_kernel.h"

namespace videosync::sim {

class Customer final : public Actor {
 public:
  struct World {
    SimulatedKernel& kernel;
    std::vector<int> listeners;
    std::vector<std::int64_t> file_bytes;
  };

  Customer(const World& world, std::uint32_t number, Random dice);

  void act() override;
  bool is_done() const noexcept { return is_done_; }
  std::uint64_t bytes_read() const noexcept { return bytes_read_; }
  std::string describe() const;

 private:
  enum class Way : std::uint8_t { stays, ends_first, resets, vanishes };

  void plan_requests();
  MillRequest make_request(std::uint32_t number);
  void write_some();
  void read_some();
  void look_at(std::span<const std::uint8_t> bytes);
  bool take_head();
  bool was_overtaken() const noexcept;
  void next_answer() noexcept;
  void look_at_the_end();
  bool was_left() const noexcept;
  bool may_be_cut() const noexcept;
  [[noreturn]] void complain(const std::string& what) const;
  void go();

  const World& world_;
  const std::uint32_t number_;
  Random dice_;
  Way way_ = Way::stays;
  std::int64_t pace_us_ = 0;
  std::int64_t gives_up_us_ = never;
  std::int64_t reads_from_us_ = 0;
  std::int64_t idle_us_ = 0;
  std::vector<MillRequest> requests_;
  std::int64_t bytes_asked_ = 0;
  std::vector<std::uint8_t> to_write_;
  std::size_t written_ = 0;
  std::shared_ptr<Socket> socket_;

  // Where it is in what it reads.
  std::size_t answer_ = 0;  // of requests_
  MillHead head_{};
  std::size_t head_bytes_ = 0;
  std::uint32_t body_bytes_ = 0;
  std::int64_t next_news_ = 0;
  std::uint64_t bytes_read_ = 0;
  bool is_done_ = false;
};

}  // namespace videosync::sim
