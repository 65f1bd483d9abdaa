#include "tests/sim/kernel/customer.h"

#include <fmt/core.h>

#include <algorithm>

#include "core/base/assert.h"

namespace videosync::sim {

namespace {

constexpr std::size_t unread_bytes_max = 16'384;  // of ours at the mill
constexpr std::size_t requests_max = 12;

}  // namespace

Customer::Customer(const World& world, std::uint32_t number, Random dice)
    : world_(world), number_(number), dice_(dice) {
  pace_us_ = dice_.chance(0.2) ? 50'000 : dice_.between(20, 2'000);
  due_us = world.kernel.monotonic_us() + 1 + dice_.between(0, dice_.chance(0.3) ? 10 : 3'000'000);
  const std::uint64_t way = dice_.below(10);
  way_ = way < 5 ? Way::stays : way < 7 ? Way::ends_first : way < 9 ? Way::resets : Way::vanishes;
  if (way_ == Way::resets || way_ == Way::vanishes) {
    gives_up_us_ = due_us + dice_.between(1, dice_.chance(0.7) ? 30'000 : 3'000'000);
  }
  // Some do not read for a while.
  if (dice_.chance(0.2)) reads_from_us_ = due_us + dice_.between(1, 4'000'000);
  plan_requests();
}

MillRequest Customer::make_request(std::uint32_t number) {
  MillRequest request{.number = number};
  request.verb = static_cast<Verb>(dice_.below(verbs - 2));
  const std::uint64_t size = dice_.below(10);
  request.bytes = static_cast<std::uint32_t>(size < 6   ? dice_.below(300)
                                             : size < 9 ? dice_.below(6'000)
                                                        : dice_.below(60'000));
  request.count = static_cast<std::uint8_t>(dice_.between(1, 40));
  request.extra = static_cast<std::uint16_t>(dice_.between(0, dice_.chance(0.8) ? 5 : 300));
  if (request.verb == Verb::news) request.bytes %= 700;
  if (request.verb != Verb::file) return request;
  const auto file_bytes = world_.file_bytes[request.count % world_.file_bytes.size()];
  request.extra =
      static_cast<std::uint16_t>(dice_.below(static_cast<std::uint64_t>(file_bytes / 4'096)));
  const std::int64_t there = file_bytes - std::int64_t{request.extra} * 4'096;
  request.bytes = static_cast<std::uint32_t>(
      std::min<std::int64_t>(there, dice_.chance(0.1) ? dice_.between(0, 400'000) : request.bytes));
  return request;
}

void Customer::plan_requests() {
  const std::size_t count = dice_.below(requests_max + 1);
  for (std::size_t i = 0; i < count; ++i)
    requests_.push_back(make_request(number_ * 256 + static_cast<std::uint32_t>(i)));
  for (const MillRequest& request : requests_)
    bytes_asked_ += request.bytes * (request.verb == Verb::news ? request.count : 1);
  if (!requests_.empty() && dice_.chance(0.2)) {
    const bool ends = dice_.chance(0.5);
    MillRequest& last = ends ? requests_.back() : requests_[dice_.below(count)];
    last.verb = ends ? Verb::end : Verb::leave;
    last.bytes %= 3'000;
  }
  for (const MillRequest& request : requests_) {
    const auto bytes = bytes_of(request);
    to_write_.insert(to_write_.end(), bytes.begin(), bytes.end());
  }
}

void Customer::act() {
  VS_ASSERT(!is_done_);
  const std::int64_t now_us = world_.kernel.monotonic_us();
  due_us = now_us + 1 + dice_.between(0, pace_us_);
  if (socket_ == nullptr) {
    const int listener = world_.listeners[dice_.below(world_.listeners.size())];
    // So that a thousand times of reading are enough.
    const std::int64_t least = 1 + bytes_asked_ / 1'000;
    const auto room = static_cast<std::size_t>(
        dice_.between(least, least + (dice_.chance(0.5) ? 3'000 : 300'000)));
    socket_ = std::make_shared<Socket>();
    socket_->room_bytes = room;
    world_.kernel.connect(listener, socket_);
  }
  if (now_us >= gives_up_us_) return go();
  write_some();
  if (now_us >= reads_from_us_) read_some();
}

void Customer::go() {
  ++socket_->changes;
  if (way_ == Way::resets) {
    socket_->is_reset = true;
    socket_->in.clear();
  } else {
    socket_->has_peer_ended = socket_->has_peer_left = true;
  }
  socket_->out.clear();
  is_done_ = true;
  due_us = never;
}

void Customer::write_some() {
  if (socket_->is_reset || socket_->is_closed || socket_->has_peer_ended) return;
  if (written_ == to_write_.size() && way_ != Way::ends_first) return;
  const std::size_t left = to_write_.size() - written_;
  if (left > 0 && socket_->in.size() < unread_bytes_max) {
    const std::size_t count = dice_.chance(0.5) ? left : 1 + dice_.below(left);
    socket_->in.put(std::span(to_write_).subspan(written_, count));
    written_ += count;
  }
  if (written_ == to_write_.size() && way_ == Way::ends_first) socket_->has_peer_ended = true;
  ++socket_->changes;
}

void Customer::read_some() {
  Fifo& out = socket_->out;
  if (!out.empty()) {
    std::uint8_t bytes[8'192];
    const std::size_t most = std::min(out.size(), sizeof bytes);
    const std::size_t count = dice_.chance(0.6) ? most : 1 + dice_.below(most);
    out.take({bytes, count});
    ++socket_->changes;
    idle_us_ = 0;
    bytes_read_ += count;
    look_at({bytes, count});
    // Who reads everything that is there reads on.
    if (!out.empty() && dice_.chance(0.5)) due_us = world_.kernel.monotonic_us() + 1;
    return;
  }
  look_at_the_end();
  // Nothing is there: it looks again, but not again and again.
  idle_us_ = std::min<std::int64_t>(idle_us_ * 2 + 10, 50'000);
  if (!is_done_) due_us += idle_us_;
}

void Customer::look_at(std::span<const std::uint8_t> bytes) {
  std::size_t i = 0;
  while (i < bytes.size()) {
    if (answer_ == requests_.size()) complain("more comes than was asked for");
    if (head_bytes_ < sizeof head_) {
      const std::size_t part = std::min(sizeof head_ - head_bytes_, bytes.size() - i);
      std::memcpy(reinterpret_cast<std::uint8_t*>(&head_) + head_bytes_, bytes.data() + i, part);
      head_bytes_ += part;
      i += part;
      if (head_bytes_ < sizeof head_ || !take_head()) continue;
    }
    const MillRequest& request = requests_[answer_];
    const bool is_file = request.verb == Verb::file;
    const std::uint64_t pattern =
        is_file ? file_pattern(request.count % world_.file_bytes.size()) : request.pattern();
    const std::int64_t base = is_file ? std::int64_t{request.extra} * 4'096 : 0;
    for (; i < bytes.size() && body_bytes_ < head_.bytes; ++i, ++body_bytes_) {
      if (bytes[i] != file_byte(pattern, base + body_bytes_)) {
        complain(fmt::format("byte {} of answer {} is {:#x}, not {:#x}", body_bytes_, answer_,
                             bytes[i], file_byte(pattern, base + body_bytes_)));
      }
    }
    if (body_bytes_ == head_.bytes) next_answer();
  }
}

// Whether bytes of a body follow.
bool Customer::take_head() {
  while (head_.number != requests_[answer_].number && was_overtaken()) {
    ++answer_;
    next_news_ = 0;
  }
  const MillRequest& request = requests_[answer_];
  if (head_.number != request.number || head_.bytes != request.bytes) {
    complain(fmt::format("answer {} has the head {}, {} bytes, not {}, {}", answer_, head_.number,
                         head_.bytes, request.number, request.bytes));
  }
  if (request.verb == Verb::news) {
    if (head_.news < next_news_ || head_.news >= request.count) {
      complain(fmt::format("news {} comes where {} or a later one should", head_.news, next_news_));
    }
    next_news_ = head_.news + 1;
  }
  if (head_.bytes > 0) return true;
  next_answer();
  return false;
}

// News that had not begun to leave when later news came.
bool Customer::was_overtaken() const noexcept {
  const auto later = requests_.begin() + static_cast<std::ptrdiff_t>(answer_) + 1;
  return requests_[answer_].verb == Verb::news &&
         std::any_of(later, requests_.end(),
                     [](const MillRequest& request) { return request.verb == Verb::news; });
}

void Customer::next_answer() noexcept {
  const MillRequest& request = requests_[answer_];
  const bool has_more_news = request.verb == Verb::news && next_news_ < request.count;
  head_bytes_ = 0;
  body_bytes_ = 0;
  if (has_more_news) return;
  next_news_ = 0;
  ++answer_;
}

// Nothing is there to read.
void Customer::look_at_the_end() {
  const bool has_all = answer_ == requests_.size() && written_ == to_write_.size();
  const bool is_over = socket_->is_reset || socket_->is_closed || socket_->has_ended;
  if (is_over && !has_all && !may_be_cut() && !was_left()) {
    complain(fmt::format("it was cut off after {} of {} answers", answer_, requests_.size()));
  }
  if (way_ == Way::ends_first && !is_over) return;  // the mill goes first
  if (has_all || is_over) go();
}

// The mill has been told to go.
bool Customer::was_left() const noexcept {
  const auto heard = static_cast<std::ptrdiff_t>(written_ / sizeof(MillRequest));
  return std::any_of(requests_.begin(), requests_.begin() + heard,
                     [](const MillRequest& request) { return request.verb == Verb::leave; });
}

bool Customer::may_be_cut() const noexcept {
  return socket_->was_refused_memory || world_.kernel.disk_faults() > 0;
}

void Customer::complain(const std::string& what) const {
  report_finding("bytes", fmt::format("customer {}: {}", number_, what));
}

std::string Customer::describe() const {
  return fmt::format(
      "customer {} wants {}: {} of {} bytes written, {} of {} answers read, {} bytes wait for it, "
      "its room "
      "is {}, {}",
      number_, answer_ < requests_.size() ? static_cast<int>(requests_[answer_].verb) : -1,
      written_, to_write_.size(), answer_, requests_.size(),
      socket_ == nullptr ? 0 : socket_->out.size(), socket_ == nullptr ? 0 : socket_->room_bytes,
      socket_ == nullptr        ? "not connected"
      : socket_->is_closed      ? "closed"
      : socket_->has_peer_ended ? "its side has ended"
                                : "open");
}

}  // namespace videosync::sim
