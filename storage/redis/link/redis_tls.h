// RedisTls: what makes connections to Redis private: whose certificates are believed, for which
// name, and our own for a server that wants one.
//
// A server is believed if its certificate is from a CA that is trusted and is for the name that was
// asked for, and not otherwise. The files are read at the start, and anew for the next connection
// once one of them is another, so a renewed certificate needs no restart; as long as the new ones
// do not fit together, the former count. That waits for the disk: keep them on a local one.
//
// One thread, and everything of a handle on that thread. The one door to libssl; hiredis drives
// what open() makes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/error.h"

struct ssl_ctx_st;  // OpenSSL's SSL_CTX
struct ssl_st;      // ... and SSL

namespace videosync {

class RedisTls {
 public:
  struct Settings {
    std::string ca_file = {};           // PEM; "": whom the system trusts
    std::string certificate_file = {};  // PEM, with its chain; "": none, and no key
    std::string key_file = {};          // PEM, without a password
    std::string server_name = {};       // "": the host that is connected to
  };
  struct Free {
    void operator()(ssl_ctx_st* context) const noexcept;
    void operator()(ssl_st* handle) const noexcept;
  };
  using Handle = std::unique_ptr<ssl_st, Free>;

  // Errors name the flag, the file and what is wrong with it.
  static Result<std::unique_ptr<RedisTls>> create(Settings settings);

  // Of a connection to be made to that host. Null: no memory, or it cannot be a host's name.
  Handle open(const std::string& host) noexcept;

  // --- A handle that is in use ---

  // Bytes have been deciphered and not yet read: no poll tells of them.
  static bool has_pending(const ssl_st& handle) noexcept;
  // The latest call could not go on for want of room in the socket.
  static bool wants_room(const ssl_st& handle) noexcept;
  // Before calls that end in libssl: it takes what others have left on this thread for its own.
  static void forget_errors() noexcept;
  // Why the connection has failed and what to do, in words; `said` where TLS is not to blame.
  // is_new: Redis has not answered on it yet.
  static std::string failure(const ssl_st& handle, std::string_view said, bool is_new);
  // What a connection that was not made in time has waited for. Null: one without TLS, or that TCP
  // has not made yet.
  static std::string_view delay(const ssl_st* handle) noexcept;

 private:
  using Context = std::unique_ptr<ssl_ctx_st, Free>;
  // What tells one content of a file from the next; zeros: no such file.
  struct Stamp {
    std::uint64_t inode = 0;
    std::int64_t bytes = 0;
    std::int64_t changed_ns = 0;
    friend bool operator==(const Stamp&, const Stamp&) = default;
  };
  using Stamps = std::array<Stamp, 3>;

  explicit RedisTls(Settings settings) noexcept : settings_(std::move(settings)) {}

  Result<Context> load() const;
  Stamps stamps() const noexcept;
  void look_for_new_files() noexcept;

  const Settings settings_;
  Context context_;
  Stamps stamps_;  // of what was looked at last
};

}  // namespace videosync
