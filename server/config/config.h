// Config: everything an operator can set, as plain values.
//
// Made once, in main, from flags, VIDEOSYNC_... variables and a file (in this order of
// precedence) before any thread starts; read-only afterwards. Sizes are bytes, times microseconds.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/log.h"
#include "server/access/forwarded.h"
#include "server/config/listen_address.h"

namespace videosync {

inline constexpr std::int64_t us_per_second = 1'000'000;

// Whether the process gives up what it does not need.
enum class Confine : std::uint8_t {
  off,
  when_possible,  // as far as the kernel lets it
  required,       // or does not serve
};

struct Config {
  // Listeners.
  std::vector<ListenAddress> listen;   // at least one
  std::optional<ListenAddress> admin;  // nullopt: "none"

  // Content. An empty www_dir means the pages beside the program.
  std::vector<std::string> media_dirs{"media"};  // at least one
  std::string default_video;                     // "": the first of the library
  std::string www_dir;
  std::string cache_dir;  // "": the user's; "none": neither pictures nor forms are made
  std::uint64_t cache_bytes_max = std::uint64_t{20} << 30;  // of forms
  std::uint32_t transcodes_max = 1;
  std::string uploads_dir;                                   // "": nobody may bring films
  std::uint64_t uploads_quota = std::uint64_t{100} << 30;    // of all
  std::uint64_t upload_bytes_max = std::uint64_t{20} << 30;  // of one
  std::int64_t upload_idle_us = 30 * us_per_second;          // a connection that brings nothing
  std::int64_t upload_expires_us = 3600 * us_per_second;     // one that nobody goes on with

  // Process.
  std::uint32_t workers = 1;
  std::string redis_url;               // "": the embedded store
  bool redis_required = false;         // end if it cannot be used at the start
  std::string redis_ca_file;           // over TLS; "": whom the system trusts
  std::string redis_certificate_file;  // ours, with its key; "": none
  std::string redis_key_file;
  std::string redis_server_name;  // "": the host of the address
  LogLevel log_level = LogLevel::info;
  LogFormat log_format = LogFormat::text;
  std::string state_file;  // "": the embedded store's sessions end with the process
  Confine confine = Confine::when_possible;
  std::int64_t drain_us = 10 * us_per_second;

  // Who may come.
  std::vector<std::string> allow_origins;  // entries that OriginPolicy takes
  std::vector<std::string> allow_sources;  // entries that FilmSources takes
  TrustedProxies trusted_proxies;
  std::string create_password;  // "": none is asked for

  // Connections and HTTP.
  std::uint32_t connections_max = 1'000;
  std::uint32_t connections_per_address_max = 1'000;  // 0: unlimited
  std::uint32_t request_line_bytes_max = 8 * 1024;
  std::uint32_t request_head_bytes_max = 16 * 1024;
  std::uint32_t request_fields_max = 100;
  std::uint32_t request_body_bytes_max = 64 * 1024;
  std::int64_t header_timeout_us = 10 * us_per_second;
  std::int64_t body_timeout_us = 10 * us_per_second;
  std::int64_t idle_timeout_us = 75 * us_per_second;
  std::int64_t slow_timeout_us = 30 * us_per_second;  // no progress of a response or a member

  // Sessions and members.
  std::uint32_t sessions_max = 100'000;
  std::uint32_t members_max = 100'000;     // of one session
  std::uint32_t sessions_per_minute = 10;  // an address; 0: unlimited
  std::uint32_t sessions_burst = 30;
  std::uint32_t codes_per_minute = 30;     // unknown ones, of an address; 0: unlimited
  std::uint32_t messages_per_second = 20;  // a member; 0: unlimited
  std::uint32_t messages_burst = 40;
  std::uint32_t session_chat_per_second = 100;  // chat and reactions together; 0: unlimited
  std::uint32_t message_bytes_max = 16 * 1024;
  std::uint32_t member_queue_bytes_max = 64 * 1024;
  std::int64_t session_ttl_us = 24 * 3600 * us_per_second;
  std::int64_t host_grace_us = 10 * us_per_second;
  std::int64_t resume_us = 30 * us_per_second;
  std::int64_t heartbeat_us = 20 * us_per_second;
  std::int64_t silence_timeout_us = 45 * us_per_second;
};

// What the machine gives: facts that defaults depend on (see machine.h).
struct MachineFacts {
  std::uint32_t cores = 1;
  std::uint64_t descriptors_max = 1024;  // RLIMIT_NOFILE, soft, after raising it
};

// The process is to end now: `text` goes to stdout where status is 0, else to stderr.
struct ConfigExit {
  int status = 0;
  std::string text;
};

// `arguments` without the program's name. Reads the environment and the file that --config names.
// Help, version and --check-config come back as exits with status 0; a value that will not do as
// status 1 and a text that names it, where it came from, why, and what is allowed.
std::expected<Config, ConfigExit> load_config(std::span<const char* const> arguments,
                                              const MachineFacts& machine);

// Before any setting is read.
Config default_config(const MachineFacts& machine);

// min(100,000, what the descriptors allow minus a reserve for files, listeners and the store).
std::uint32_t default_connections_max(std::uint64_t descriptors_max) noexcept;

}  // namespace videosync
