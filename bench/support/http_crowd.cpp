#include "bench/support/http_crowd.h"

#include <fmt/core.h>

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>

#include "bench/support/load_process.h"
#include "core/base/assert.h"
#include "core/base/text.h"
#include "core/reactor/fd_watcher.h"

namespace videosync::bench {

namespace {

constexpr std::string_view end_of_head = "\r\n\r\n";
// A slow reader's kernel holds little, so that the server sees how slow it is.
constexpr int slow_receive_bytes = 32 * 1024;

// The value of Content-Length; -1 without one.
std::int64_t content_length(std::string_view head) {
  constexpr std::string_view name = "content-length:";
  const auto found = std::search(head.begin(), head.end(), name.begin(), name.end(),
                                 [](char a, char b) { return ascii_lower(a) == b; });
  if (found == head.end()) return -1;
  const char* digits = found + name.size();
  while (digits != head.end() && *digits == ' ')
    ++digits;
  std::int64_t length = -1;
  std::from_chars(digits, head.end(), length);
  return length;
}

}  // namespace

// Requests under way and the answer that is being read; how bytes come and go is the heirs' affair.
class HttpCrowd::Connection {
 public:
  explicit Connection(HttpCrowd& crowd) noexcept : crowd_(crowd) {}
  virtual ~Connection() = default;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void ask(BufferRef request, std::int64_t due_us) {
    due_.push_back(due_us);
    transmit(std::move(request));
  }
  virtual void close() noexcept = 0;
  virtual bool is_retired() const noexcept = 0;
  // A slow reader may read so many bytes more.
  virtual void allow(std::int64_t) noexcept {}

 protected:
  virtual void transmit(BufferRef request) noexcept = 0;

  bool is_well() const noexcept { return crowd_.trouble_.empty(); }
  void fail(std::string_view why) {
    if (!crowd_.is_closing_ && is_well()) crowd_.trouble_ = why;
  }
  std::int64_t body_left() const noexcept { return body_left_; }

  void feed(std::string_view text) {
    while (!text.empty() && is_well()) {
      if (body_left_ == 0) {
        text = take_head(text);
      } else {
        const auto taken = std::min(text.size(), static_cast<std::size_t>(body_left_));
        take_body(taken);
        text.remove_prefix(taken);
      }
    }
  }
  void take_body(std::size_t bytes) {
    crowd_.counts_.bytes += bytes;
    body_left_ -= static_cast<std::int64_t>(bytes);
    if (body_left_ == 0) end_answer();
  }

  HttpCrowd& crowd_;

 private:
  // A head that comes in pieces is put together in `held_`.
  std::string_view take_head(std::string_view text) {
    std::string_view head = text;
    const std::size_t held = held_.size();
    if (held > 0) {
      held_.append(text);
      head = held_;
    }
    const auto end = head.find(end_of_head);
    if (end == std::string_view::npos) {
      if (held == 0) held_ = text;
      return {};
    }
    const bool is_good = head.starts_with("HTTP/1.1 200 ") || head.starts_with("HTTP/1.1 206 ");
    body_left_ = content_length(head.substr(0, end));
    if (!is_good || body_left_ < 0) {
      fail("an answer: " + std::string(head.substr(0, head.find('\r'))));
      return {};
    }
    text.remove_prefix(end + end_of_head.size() - held);
    held_.clear();
    if (body_left_ == 0) end_answer();
    return text;
  }

  void end_answer() {
    const std::int64_t due_us = due_.front();
    due_.pop_front();
    crowd_.on_answer(*this, due_us);
  }

  std::deque<std::int64_t> due_;  // of the requests under way
  std::string held_;
  std::int64_t body_left_ = 0;
};

// For small answers: what arrives and leaves in a turn is one system call for all connections.
class HttpCrowd::Streaming final : public Connection, private StreamOwner {
 public:
  Streaming(HttpCrowd& crowd, int socket) noexcept
      : Connection(crowd), stream_(crowd.reactor_, *this) {
    stream_.open(UniqueFd(socket));
  }
  void close() noexcept override { stream_.close(CloseReason::by_owner); }
  bool is_retired() const noexcept override { return is_retired_; }

 private:
  void transmit(BufferRef request) noexcept override { stream_.send(std::move(request)); }
  void on_received(std::span<std::uint8_t> bytes) noexcept override {
    feed({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  }
  void on_input_ended() noexcept override { close(); }
  void on_output_empty() noexcept override {}
  void on_closed(CloseReason) noexcept override { fail("a connection was closed"); }
  void on_retired() noexcept override { is_retired_ = true; }

  TcpStream stream_;
  bool is_retired_ = false;
};

// For large bodies: they are dropped in the kernel (MSG_TRUNC), not copied, so that the server and
// not the load is what is busy. And for slow readers, who leave what is not due in the kernel.
class HttpCrowd::Skimming final : public Connection {
 public:
  Skimming(HttpCrowd& crowd, int socket) noexcept
      : Connection(crowd),
        socket_(socket),
        allowance_(crowd.plan_.read_rate > 0 ? 0 : INT64_MAX),
        watcher_(crowd.reactor_.ring(), socket, &Skimming::on_ready, this) {}
  ~Skimming() override { ::close(socket_); }

  void close() noexcept override {
    is_closing_ = true;
    watcher_.stop();
  }
  bool is_retired() const noexcept override { return watcher_.is_idle(); }
  void allow(std::int64_t bytes) noexcept override {
    // What was not used up is gone: a reader that caught up would not be slow.
    allowance_ = bytes;
    if (!is_closing_) watcher_.watch(POLLIN);
  }

 private:
  void transmit(BufferRef request) noexcept override {
    const auto bytes = request.bytes();
    const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent != static_cast<ssize_t>(bytes.size())) fail("a request did not leave");
    if (crowd_.plan_.read_rate == 0) watcher_.watch(POLLIN);
  }

  static void on_ready(void* owner, std::uint32_t) noexcept {
    static_cast<Skimming*>(owner)->read_all();
  }
  void read_all() noexcept {
    while (is_well() && allowance_ > 0) {
      const ssize_t count = body_left() > 0 ? drop_body() : read_some();
      if (count < 0 && errno == EAGAIN) return;
      if (count <= 0) {
        fail("a connection was closed");
        watcher_.stop();
        return;
      }
      if (crowd_.plan_.read_rate > 0) allowance_ -= count;
    }
    watcher_.stop();
  }
  ssize_t drop_body() noexcept {
    const auto wanted = static_cast<std::size_t>(std::min(allowance_, body_left()));
    const ssize_t count = ::recv(socket_, nullptr, wanted, MSG_TRUNC | MSG_DONTWAIT);
    if (count > 0) take_body(static_cast<std::size_t>(count));
    return count;
  }
  ssize_t read_some() noexcept {
    std::array<char, 1024> bytes;
    const ssize_t count = ::recv(socket_, bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (count > 0) feed({bytes.data(), static_cast<std::size_t>(count)});
    return count;
  }

  const int socket_;
  std::int64_t allowance_;  // bytes that may be read now
  bool is_closing_ = false;
  FdWatcher watcher_;
};

HttpCrowd::HttpCrowd(Reactor& reactor, HttpPlan plan)
    : reactor_(reactor),
      plan_(std::move(plan)),
      fixed_request_(
          BufferRef::copy_of(fmt::format("GET {} HTTP/1.1\r\nHost: bench\r\n\r\n", plan_.target))) {
  VS_ASSERT(plan_.range_bytes == 0 || plan_.file_bytes >= plan_.range_bytes);
}

HttpCrowd::~HttpCrowd() {
  VS_ASSERT(are_retired());
}

bool HttpCrowd::open() {
  while (connections_.size() < plan_.connections) {
    const int socket =
        connect_to_loopback(plan_.port, plan_.read_rate > 0 ? slow_receive_bytes : 0);
    if (socket < 0) {
      trouble_ = std::string("cannot connect: ") + std::strerror(errno);
      return false;
    }
    if (plan_.range_bytes > 0 || plan_.read_rate > 0) {
      connections_.push_back(std::make_unique<Skimming>(*this, socket));
    } else {
      connections_.push_back(std::make_unique<Streaming>(*this, socket));
    }
  }
  return true;
}

BufferRef HttpCrowd::next_request() {
  if (plan_.range_bytes == 0) return fixed_request_;
  const std::int64_t places = plan_.file_bytes / plan_.range_bytes;
  const auto place =
      static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(places)) * plan_.range_bytes;
  return BufferRef::copy_of(
      fmt::format("GET {} HTTP/1.1\r\nHost: bench\r\nRange: bytes={}-{}\r\n\r\n", plan_.target,
                  place, place + plan_.range_bytes - 1));
}

void HttpCrowd::ask_at(Connection& connection, std::int64_t due_us) {
  connection.ask(next_request(), due_us);
}

void HttpCrowd::start() {
  started_us_ = now_us();
  next_slice_us_ = started_us_;
  for (auto& connection : connections_) {
    if (plan_.rate > 0) {
      free_.push_back(connection.get());
      continue;
    }
    for (std::size_t i = 0; i < plan_.pipeline; ++i)
      ask_at(*connection, started_us_);
  }
}

void HttpCrowd::ask_due() {
  const auto elapsed_s = static_cast<double>(now_us() - started_us_) / 1e6;
  while (static_cast<double>(made_) <= elapsed_s * plan_.rate) {
    waiting_.push_back(started_us_ +
                       static_cast<std::int64_t>(static_cast<double>(made_) * 1e6 / plan_.rate));
    ++made_;
  }
  while (!waiting_.empty() && !free_.empty()) {
    ask_at(*free_.back(), waiting_.front());
    free_.pop_back();
    waiting_.pop_front();
  }
}

void HttpCrowd::on_answer(Connection& connection, std::int64_t due_us) {
  const std::int64_t now = now_us();
  ++counts_.requests;
  latency_->add(now - due_us);
  if (is_closing_) return;
  if (plan_.rate > 0) {
    free_.push_back(&connection);
  } else {
    ask_at(connection, now);
  }
}

void HttpCrowd::let_slow_read() {
  if (plan_.read_rate == 0 || now_us() < next_slice_us_) return;
  next_slice_us_ += slice_us;
  for (auto& connection : connections_)
    connection->allow(plan_.read_rate * slice_us / 1'000'000);
}

void HttpCrowd::turn(std::int64_t wait_max_ms) {
  if (plan_.rate > 0) {
    ask_due();
    const double due_s = static_cast<double>(made_) / plan_.rate;
    const std::int64_t due_us = started_us_ + static_cast<std::int64_t>(due_s * 1e6) - now_us();
    wait_max_ms = std::clamp<std::int64_t>(due_us / 1'000, 0, wait_max_ms);
  }
  let_slow_read();
  if (plan_.read_rate > 0) wait_max_ms = std::min<std::int64_t>(wait_max_ms, 5);
  reactor_.turn(wait_max_ms);
}

void HttpCrowd::forget() {
  counts_ = {};
  *latency_ = Histogram{};
}

void HttpCrowd::close_all() {
  is_closing_ = true;
  for (auto& connection : connections_)
    connection->close();
  while (!are_retired())
    reactor_.turn(10);
}

bool HttpCrowd::are_retired() const noexcept {
  return std::all_of(connections_.begin(), connections_.end(),
                     [](const auto& connection) { return connection->is_retired(); });
}

}  // namespace videosync::bench
