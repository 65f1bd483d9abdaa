// Outbox: what members of an outpost said, until their session's home has heard it.
//
// A saying is unsent while nobody is known to be home. From its sending on it waits under a number,
// greater with each sending, until the node that it was sent to says up to which number it has
// heard. What certainly reached nobody is taken back and sent again, in order; what may have
// reached somebody never is, but taken out to be refused. So nothing is carried out twice, and
// nothing is lost in silence. Plain values, no I/O; SessionOutposts' thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/uuid.h"
#include "proto/wire/node_messages.h"

namespace videosync {

class Outbox {
 public:
  static constexpr std::size_t size_max = 1'024;

  struct Saying {
    MemberId member;
    std::string_view type;  // a literal: what a refusal is about
    std::string text;
    std::int64_t said_us = 0;
    std::uint64_t number = 0;
    Uuid node{};  // it was sent to; unsent: nobody
  };

  bool empty() const noexcept { return sent_.empty() && unsent_.empty(); }
  bool is_full() const noexcept { return sent_.size() + unsent_.size() >= size_max; }

  // REQUIRES not full, and a number greater than all before.
  void keep(Saying saying) noexcept { unsent_.push_back(std::move(saying)); }
  Said send(const Uuid& node, Saying saying) noexcept;
  // Raises `last_number` with each.
  std::vector<Said> send_unsent(const Uuid& node, std::uint64_t& last_number) noexcept;

  void on_heard(const Uuid& node, std::uint64_t number) noexcept;
  // It reached nobody: unsent again, if it still waits.
  void take_back(std::uint64_t number) noexcept;

  // These are no longer kept.
  std::vector<Saying> take_sent(std::uint64_t number) noexcept;
  std::vector<Saying> take_sent_to(const Uuid& node) noexcept;
  std::vector<Saying> take_sent() noexcept;
  std::vector<Saying> take_unsent() noexcept;
  std::vector<Saying> take_older(std::int64_t said_us) noexcept;

 private:
  // By number, which is the order of saying too.
  std::deque<Saying> sent_;
  std::deque<Saying> unsent_;
};

}  // namespace videosync
