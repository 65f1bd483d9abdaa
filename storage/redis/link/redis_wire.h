// RedisWire: one connection to Redis on the reactor, as commands that go out and answers that come
// in, whichever belongs to which. Over TLS where the address says so.
//
// hiredis' buffers and reader without its asynchronous interface (0.14, and 1.2 with its TLS): that
// knows no sharded channels, in 0.14 cannot do with no channel in between, and takes the late
// answer to an UNSUBSCRIBE for the end of the next SUBSCRIBE.
//
// A host's name is resolved by the system's resolver, which blocks. One thread, its reactor's. The
// owner is called from the loop, and may close from within any call. It outlives the wire; close()
// and turn until is_idle() before destroying that.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "storage/redis/link/redis_address.h"
#include "storage/redis/link/redis_reply.h"

struct redisContext;  // hiredis' connection
struct ssl_st;        // OpenSSL's SSL

namespace videosync {

class FdWatcher;
class RedisTls;
class Ring;

class RedisWireOwner {
 public:
  // Commands may be said. With TLS they wait for the end of its handshake.
  virtual void on_wire_open() noexcept = 0;
  virtual void on_wire_reply(const RedisReply& reply) noexcept = 0;
  // It could not be opened, or has ended; it is closed.
  virtual void on_wire_broken(const Error& why) noexcept = 0;

 protected:
  ~RedisWireOwner() = default;
};

class RedisWire {
 public:
  // `tls` outlives the wire; null only where no address is for TLS. A message longer than
  // `message_bytes_max`, give or take 16 KiB, breaks it; one takes twice its length while it is
  // read.
  RedisWire(Ring& ring, RedisWireOwner& owner, RedisTls* tls,
            std::size_t message_bytes_max) noexcept;
  ~RedisWire();
  RedisWire(const RedisWire&) = delete;
  RedisWire& operator=(const RedisWire&) = delete;

  // Of a closed wire. The owner may hear that it is broken before this returns.
  void open(const RedisAddress& address) noexcept;
  // At once, without a call of the owner; what was not written yet is dropped. May be closed.
  void close() noexcept;
  // Closed, and the kernel is through with it.
  bool is_idle() const noexcept;
  // What an opening that takes too long waits for.
  std::string_view delay() const noexcept;

  // One command, of at most three words. All that a turn says leaves in one write.
  void say(std::span<const std::string_view> words) noexcept;

 private:
  struct Free {
    void operator()(redisContext* context) const noexcept;
    void operator()(void* reply) const noexcept;
  };

  void on_ready(std::uint32_t events) noexcept;
  void on_connected() noexcept;
  void secure() noexcept;
  void receive() noexcept;
  void take_replies() noexcept;
  void flush() noexcept;
  void update_interest() noexcept;
  void break_off(const Error& why) noexcept;
  void break_off_as(std::string_view said) noexcept;

  Ring& ring_;
  RedisWireOwner& owner_;
  RedisTls* const tls_settings_;
  const std::size_t message_bytes_max_;
  std::string host_;  // of the latest open()
  bool is_tls_ = false;
  std::unique_ptr<redisContext, Free> context_;      // null: closed
  ssl_st* tls_ = nullptr;                            // the context's; null: it has none
  std::unique_ptr<FdWatcher> watcher_;               // of the context's descriptor
  std::vector<std::unique_ptr<FdWatcher>> retired_;  // whose last completion is to come
  std::size_t partial_bytes_ = 0;                    // at most, of a message whose end is to come
  bool is_connecting_ = false;
  bool has_heard_ = false;    // an answer
  bool is_unsent_ = false;    // commands wait for room in the socket
  bool is_in_event_ = false;  // what is watched for is settled at its end
};

}  // namespace videosync
