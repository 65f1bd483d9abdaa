#include "tests/sim/kernel/web/asker.h"

#include <fmt/core.h>

#include <algorithm>

#include "core/base/assert.h"

namespace videosync::sim {

namespace {

constexpr std::size_t unread_bytes_max = 32'768;  // of ours at the server

}  // namespace

Asker::Asker(SimulatedKernel& kernel, const std::vector<int>& listeners, std::uint32_t number,
             Random dice)
    : kernel_(kernel), listeners_(listeners), number_(number), dice_(dice) {
  pace_us_ = dice_.between(20, dice_.chance(0.2) ? 20'000 : 1'000);
  due_us = kernel.monotonic_us() + 1 + dice_.between(0, dice_.chance(0.3) ? 10 : 1'000'000);
  if (dice_.chance(0.3)) {
    gives_up_us_ = due_us + dice_.between(1, 100'000);
    resets_ = dice_.chance(0.5);
  }
  const auto& all = web_exchanges();
  std::size_t bytes = 0;
  for (std::size_t count = 1 + dice_.below(8); count > 0; --count) {
    const WebExchange& one = all[dice_.below(all.size())];
    // A long film once in a while, not all the time.
    if (one.answer.size() > 100'000 && dice_.chance(0.9)) continue;
    bytes += one.answer.size();
    exchanges_.push_back(&one);
    to_write_ += one.request;
    if (one.ends) break;
  }
  const auto least = static_cast<std::int64_t>(1 + bytes / 500);
  const auto room =
      static_cast<std::size_t>(dice_.between(least, least + (dice_.chance(0.5) ? 3'000 : 300'000)));
  socket_ = std::make_shared<Socket>();
  socket_->room_bytes = room;
}

void Asker::act() {
  VS_ASSERT(!is_done_);
  const std::int64_t now_us = kernel_.monotonic_us();
  due_us = now_us + 1 + dice_.between(0, pace_us_);
  if (written_ == 0 && read_ == 0 && !socket_->is_waiting) {
    kernel_.connect(listeners_[dice_.below(listeners_.size())], socket_);
  }
  if (now_us >= gives_up_us_) return go();
  write_some();
  read_some();
}

void Asker::go() {
  ++socket_->changes;
  if (resets_) {
    socket_->is_reset = true;
    socket_->in.clear();
  } else {
    socket_->has_peer_ended = socket_->has_peer_left = true;
  }
  socket_->out.clear();
  is_done_ = true;
  due_us = never;
}

void Asker::write_some() {
  const std::size_t left = to_write_.size() - written_;
  if (left == 0 || socket_->is_reset || socket_->is_closed) return;
  if (socket_->in.size() >= unread_bytes_max) return;
  const std::size_t count = dice_.chance(0.5) ? left : 1 + dice_.below(left);
  socket_->in.put({reinterpret_cast<const std::uint8_t*>(to_write_.data()) + written_, count});
  written_ += count;
  ++socket_->changes;
}

void Asker::read_some() {
  Fifo& out = socket_->out;
  if (out.empty()) return look_at_the_end();
  std::uint8_t bytes[16'384];
  const std::size_t most = std::min(out.size(), sizeof bytes);
  const std::size_t count = dice_.chance(0.7) ? most : 1 + dice_.below(most);
  out.take({bytes, count});
  ++socket_->changes;
  idle_us_ = 0;
  for (std::size_t i = 0; i < count; ++i, ++read_) {
    if (at_ == exchanges_.size()) {
      report_finding("answer", fmt::format("asker {}: more comes than was asked for", number_));
    }
    const WebExchange& one = *exchanges_[at_];
    if (!one.varies[at_byte_] && static_cast<std::uint8_t>(one.answer[at_byte_]) != bytes[i]) {
      report_finding("answer",
                     fmt::format("asker {}: byte {} of the answer to \"{}\" is {:#x}, not "
                                 "{:#x}",
                                 number_, at_byte_, one.request.substr(0, 60), bytes[i],
                                 static_cast<std::uint8_t>(one.answer[at_byte_])));
    }
    if (++at_byte_ < one.answer.size()) continue;
    ++at_;
    at_byte_ = 0;
  }
}

void Asker::look_at_the_end() {
  const bool has_all = at_ == exchanges_.size();
  const bool is_over = socket_->is_reset || socket_->is_closed || socket_->has_ended;
  const bool may_be_cut = socket_->was_refused_memory || kernel_.disk_faults() > 0;
  if (is_over && !has_all && !may_be_cut) {
    report_finding("cut", describe());
  }
  if (has_all && !exchanges_.empty() && exchanges_.back()->ends && !is_over) return;  // it will be
  if (has_all || is_over) return go();
  idle_us_ = std::min<std::int64_t>(idle_us_ * 2 + 10, 50'000);
  due_us += idle_us_;
}

std::string Asker::describe() const {
  return fmt::format("asker {}: {} of {} bytes written, {} of {} answers read, wants \"{}\", {}",
                     number_, written_, to_write_.size(), at_, exchanges_.size(),
                     at_ < exchanges_.size() ? exchanges_[at_]->request.substr(0, 60) : "",
                     socket_->is_closed   ? "closed"
                     : socket_->has_ended ? "ended"
                                          : "open");
}

}  // namespace videosync::sim
