#include "tests/sim/kernel/mill.h"

#include <algorithm>
#include <utility>

#include "core/base/assert.h"

namespace videosync::sim {

namespace {

constexpr std::size_t news_bytes_max = 2'048;  // from a quarter of it on a newer one takes over

BufferRef make_part(std::uint64_t pattern, std::size_t from, std::size_t bytes) {
  BufferRef buffer = BufferRef::allocate(bytes);
  std::size_t place = from;
  for (std::uint8_t& byte : buffer.mutable_bytes())
    byte = file_byte(pattern, static_cast<std::int64_t>(place++));
  return buffer;
}

BufferRef make_answer(const MillRequest& request, std::uint32_t news = 0) {
  BufferRef buffer = BufferRef::allocate(sizeof(MillHead) + request.bytes);
  const MillHead head{request.number, request.bytes, news};
  const auto bytes = buffer.mutable_bytes();
  std::memcpy(bytes.data(), &head, sizeof head);
  for (std::size_t i = 0; i < request.bytes; ++i)
    bytes[sizeof head + i] = file_byte(request.pattern(), static_cast<std::int64_t>(i));
  return buffer;
}

BufferRef make_head(const MillRequest& request) {
  const MillHead head{request.number, request.bytes, 0};
  BufferRef buffer = BufferRef::allocate(sizeof head);
  std::memcpy(buffer.mutable_bytes().data(), &head, sizeof head);
  return buffer;
}

}  // namespace

class Mill::Served final : public StreamOwner {
 public:
  Served(Mill& mill, std::size_t place)
      : mill_(mill),
        place_(place),
        stream_(mill.reactor_, *this),
        timer_([](void* self) noexcept { static_cast<Served*>(self)->on_timer(); }, this) {}

  void open(UniqueFd accepted) noexcept {
    VS_ASSERT(todo_.empty() && !is_busy_);
    heard_.clear();
    has_ended_ = is_open_ = false;
    ends_when_empty_ = false;
    is_open_ = true;
    stream_.open(std::move(accepted));
    stream_.limit_unsent(16'384);
  }

  std::uint32_t generation() const noexcept { return generation_; }

  void go_on() noexcept {
    VS_ASSERT(is_busy_ && !todo_.empty());
    is_busy_ = false;
    const MillRequest request = todo_.front();
    todo_.pop_front();
    stream_.send(make_answer(request));
    serve();
  }

 private:
  void on_received(std::span<std::uint8_t> bytes) noexcept override {
    heard_.insert(heard_.end(), bytes.begin(), bytes.end());
    // It is ours for the call: what is kept of it is a copy.
    std::ranges::fill(bytes, std::uint8_t{0xee});
    std::size_t taken = 0;
    for (; heard_.size() - taken >= sizeof(MillRequest); taken += sizeof(MillRequest)) {
      MillRequest request;
      std::memcpy(&request, heard_.data() + taken, sizeof request);
      todo_.push_back(request);
    }
    heard_.erase(heard_.begin(), heard_.begin() + static_cast<std::ptrdiff_t>(taken));
    serve();
  }

  void on_input_ended() noexcept override {
    has_ended_ = true;
    end_if_done();
  }

  void on_output_empty() noexcept override {
    if (ends_when_empty_) stream_.end_output();
    ends_when_empty_ = false;
    end_if_done();
  }

  void on_closed(CloseReason) noexcept override {
    is_open_ = false;
    todo_.clear();
    is_busy_ = false;
    ++generation_;
    mill_.reactor_.timers().cancel(timer_);
  }

  void on_retired() noexcept override { mill_.free_.push_back(place_); }

  void on_timer() noexcept {
    stream_.resume_input();
    go_on();
  }

  void end_if_done() noexcept {
    if (is_open_ && has_ended_ && todo_.empty() && !stream_.has_output()) {
      stream_.close(CloseReason::by_owner);
    }
  }

  void serve() noexcept {
    while (is_open_ && !is_busy_ && !todo_.empty()) {
      const MillRequest request = todo_.front();
      switch (request.verb) {
        case Verb::later:
        case Verb::deaf:
        case Verb::other:
          begin_waiting(request);
          continue;
        default:
          todo_.pop_front();
          answer(request);
      }
    }
    end_if_done();
  }

  // Answered by go_on(), to which one of these leads.
  void begin_waiting(const MillRequest& request) noexcept {
    is_busy_ = true;
    Reactor& reactor = mill_.reactor_;
    if (request.verb == Verb::other) {
      auto& mills = mill_.mills_;
      const std::size_t by = request.count % mills.size();
      const std::size_t home = reactor.index();
      reactor.post(by, [&mills, by, home, place = place_, generation = generation_]() noexcept {
        mills[by]->reactor_.post(home, [&mills, home, place, generation]() noexcept {
          mills[home]->go_on(place, generation);
        });
      });
      return;
    }
    if (request.verb == Verb::deaf) stream_.pause_input();
    reactor.timers().schedule(timer_, reactor.now_ms() + request.extra);
  }

  void answer(const MillRequest& request) noexcept {
    switch (request.verb) {
      case Verb::pieces:
        return send_pieces(request);
      case Verb::file:
        return send_file(request);
      case Verb::news:
        for (std::uint32_t i = 0; i < request.count && is_open_; ++i)
          stream_.send(make_answer(request, i), SendClass::latest, news_bytes_max);
        return;
      case Verb::end:
        ends_when_empty_ = true;
        stream_.send(make_answer(request));
        return;
      case Verb::leave:
        stream_.send(make_answer(request));
        stream_.close(CloseReason::by_owner);
        return;
      default:
        stream_.send(make_answer(request));
    }
  }

  void send_pieces(const MillRequest& request) noexcept {
    stream_.send(make_head(request));
    const std::size_t pieces = std::max<std::size_t>(request.count, 1);
    for (std::size_t i = 0; i < pieces; ++i) {
      const std::size_t from = request.bytes * i / pieces;
      const std::size_t to = request.bytes * (i + 1) / pieces;
      if (to > from) stream_.send(make_part(request.pattern(), from, to - from));
    }
  }

  void send_file(const MillRequest& request) noexcept {
    stream_.send(make_head(request));
    if (request.bytes == 0) return;
    const MillFile& file = mill_.files_[request.count % mill_.files_.size()];
    stream_.send_file(
        {file.owner, file.descriptor.get(), std::int64_t{request.extra} * 4'096, request.bytes});
  }

  Mill& mill_;
  const std::size_t place_;
  TcpStream stream_;
  TimerEntry timer_;
  std::vector<std::uint8_t> heard_;
  std::deque<MillRequest> todo_;
  std::uint32_t generation_ = 0;
  bool is_busy_ = false;
  bool is_open_ = false;
  bool has_ended_ = false;
  bool ends_when_empty_ = false;
};

Mill::Mill(Reactor& reactor, UniqueFd listener, const MillFiles& files, std::vector<Mill*>& mills)
    : reactor_(reactor),
      files_(files),
      mills_(mills),
      listener_(
          reactor, std::move(listener),
          [](void* self, UniqueFd accepted) noexcept {
            static_cast<Mill*>(self)->take(std::move(accepted));
          },
          this) {}

Mill::~Mill() = default;

void Mill::take(UniqueFd accepted) noexcept {
  if (free_.empty()) {
    free_.push_back(served_.size());
    served_.push_back(std::make_unique<Served>(*this, served_.size()));
  }
  const std::size_t place = free_.back();
  free_.pop_back();
  served_[place]->open(std::move(accepted));
}

void Mill::go_on(std::size_t place, std::uint32_t generation) noexcept {
  if (served_[place]->generation() == generation) served_[place]->go_on();
}

}  // namespace videosync::sim
