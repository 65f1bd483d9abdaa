#include "server/config/settings.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <utility>

#include "server/access/film_sources.h"
#include "server/access/origin_policy.h"
#include "server/config/setting_values.h"
#include "storage/redis/link/redis_address.h"

namespace videosync {

namespace {

using Values = std::span<const std::string>;

constexpr std::int64_t minute_us = 60 * us_per_second;
constexpr std::int64_t hour_us = 60 * minute_us;
constexpr std::int64_t day_us = 24 * hour_us;

struct Name {
  std::string_view group, name, help;
};

template <class T, class Parse, class Format>
Setting value_setting(const Name& name, std::string_view type, T Config::* member, Range<T> allowed,
                      Parse parse, Format format) {
  return {name.group,
          name.name,
          type,
          name.help,
          false,
          [=](Config& config, Values values) -> Result<> {
            auto value = parse(values.front(), allowed);
            if (!value) return std::unexpected(std::move(value.error()));
            config.*member = *value;
            return {};
          },
          [=](const Config& config) { return std::vector{format(config.*member)}; }};
}

Setting count(const Name& name, std::uint32_t Config::* member, Range<std::uint32_t> allowed) {
  return value_setting(name, "N", member, allowed, parse_count,
                       [](std::uint32_t value) { return std::to_string(value); });
}

template <class T>
Setting size(const Name& name, T Config::* member, Range<T> allowed) {
  const auto parse = [](std::string_view text, Range<T> range) -> Result<T> {
    const auto bytes = parse_size(text, {range.min, range.max});
    if (!bytes) return std::unexpected(bytes.error());
    return static_cast<T>(*bytes);
  };
  return value_setting(name, "SIZE", member, allowed, parse, format_size);
}

Setting duration(const Name& name, std::int64_t Config::* member, Range<std::int64_t> allowed) {
  return value_setting(name, "TIME", member, allowed, parse_duration, format_duration);
}

Setting text(const Name& name, std::string_view type, std::string Config::* member) {
  return {name.group,
          name.name,
          type,
          name.help,
          false,
          [=](Config& config, Values values) -> Result<> {
            if (values.front().empty()) return fail(ErrorCode::invalid_argument, "'' is empty");
            config.*member = values.front();
            return {};
          },
          [=](const Config& config) {
            const std::string& value = config.*member;
            return value.empty() ? std::vector<std::string>() : std::vector{value};
          }};
}

Setting yes_or_no(const Name& name, bool Config::* member) {
  return {name.group,
          name.name,
          "",
          name.help,
          false,
          [=](Config& config, Values values) -> Result<> {
            const bool is_yes = values.front() == "true" || values.front() == "yes";
            if (!is_yes && values.front() != "false" && values.front() != "no") {
              return fail(ErrorCode::invalid_argument,
                          fmt::format("'{}' is neither true nor false", values.front()));
            }
            config.*member = is_yes;
            return {};
          },
          [=](const Config& config) {
            return config.*member ? std::vector<std::string>{"true"} : std::vector<std::string>();
          }};
}

template <class T>
Setting choice(const Name& name, T Config::* member,
               const std::vector<std::pair<std::string_view, T>>& choices) {
  return {name.group,
          name.name,
          "WORD",
          name.help,
          false,
          [=](Config& config, Values values) -> Result<> {
            std::string words;
            for (const auto& [word, value] : choices) {
              if (values.front() == word) {
                config.*member = value;
                return {};
              }
              words += fmt::format("{}{}", words.empty() ? "" : ", ", word);
            }
            return fail(ErrorCode::invalid_argument,
                        fmt::format("'{}' is none of {}", values.front(), words));
          },
          [=](const Config& config) {
            for (const auto& [word, value] : choices) {
              if (config.*member == value) return std::vector{std::string(word)};
            }
            return std::vector<std::string>();
          }};
}

Result<> apply_media(Config& config, Values values) {
  for (const std::string& value : values) {
    if (value.empty()) return fail(ErrorCode::invalid_argument, "'' is empty");
    if (std::ranges::count(values, value) > 1) {
      return fail(ErrorCode::invalid_argument, fmt::format("{} is named twice", value));
    }
  }
  config.media_dirs.assign(values.begin(), values.end());
  return {};
}

Result<> apply_listen(Config& config, Values values) {
  config.listen.clear();
  for (const std::string& value : values) {
    auto address = ListenAddress::parse(value);
    if (!address) return std::unexpected(std::move(address.error()));
    config.listen.push_back(std::move(*address));
  }
  return {};
}

Result<> apply_admin(Config& config, Values values) {
  config.admin.reset();
  if (values.front() == "none") return {};
  auto address = ListenAddress::parse(values.front());
  if (!address) return std::unexpected(std::move(address.error()));
  config.admin = std::move(*address);
  return {};
}

Result<> apply_origins(Config& config, Values values) {
  config.allow_origins.assign(values.begin(), values.end());
  const auto policy = OriginPolicy::create(config.allow_origins);
  if (!policy) return std::unexpected(policy.error());
  return {};
}

Result<> apply_sources(Config& config, Values values) {
  config.allow_sources.assign(values.begin(), values.end());
  const auto sources = FilmSources::create(config.allow_sources);
  if (!sources) return std::unexpected(sources.error());
  return {};
}

Result<> apply_proxies(Config& config, Values values) {
  config.trusted_proxies = {};
  for (const std::string& value : values) {
    if (auto added = config.trusted_proxies.add(value); !added) return added;
  }
  return {};
}

Result<> apply_redis(Config& config, Values values) {
  if (auto location = parse_redis_url(values.front()); !location) {
    return std::unexpected(location.error());
  }
  config.redis_url = values.front();
  return {};
}

std::vector<std::string> show_redis(const Config& config) {
  if (config.redis_url.empty()) return {};
  return {without_password(config.redis_url)};
}

Result<> apply_password(Config& config, Values values) {
  if (values.front().empty()) return fail(ErrorCode::invalid_argument, "'' is empty");
  config.create_password = values.front();
  return {};
}

std::vector<std::string> show_password(const Config& config) {
  if (config.create_password.empty()) return {};
  return {"***"};
}

std::vector<std::string> show_listen(const Config& config) {
  std::vector<std::string> texts;
  for (const ListenAddress& address : config.listen)
    texts.push_back(address.to_string());
  return texts;
}

void add_uploads(std::vector<Setting>& table, std::string_view group) {
  constexpr Range<std::uint64_t> bytes{1, std::uint64_t{1} << 50};
  table.push_back(text({group, "uploads",
                        "Where films are kept that sessions' hosts bring, a folder of their own; "
                        "unset: nobody may"},
                       "DIR", &Config::uploads_dir));
  table.push_back(size<std::uint64_t>({group, "upload-quota", "How much they may take together"},
                                      &Config::uploads_quota, bytes));
  table.push_back(size<std::uint64_t>({group, "upload-max", "How large one may be"},
                                      &Config::upload_bytes_max, bytes));
  table.push_back(
      duration({group, "upload-idle", "Time without a byte of one before its connection is closed"},
               &Config::upload_idle_us, {us_per_second, hour_us}));
  table.push_back(
      duration({group, "upload-expires", "Time that one waits for its rest before it is given up"},
               &Config::upload_expires_us, {us_per_second, 7 * day_us}));
}

void add_redis_tls(std::vector<Setting>& table, std::string_view group) {
  table.push_back(text({group, "redis-ca",
                        "With rediss://: the CA that has signed Redis' certificate (PEM); unset: "
                        "those that the system trusts"},
                       "FILE", &Config::redis_ca_file));
  table.push_back(text({group, "redis-cert",
                        "With rediss://: our own certificate (PEM), for a Redis that wants one of "
                        "its clients; read anew when it has changed; unset: none"},
                       "FILE", &Config::redis_certificate_file));
  table.push_back(text({group, "redis-key", "The key of --redis-cert (PEM, without a password)"},
                       "FILE", &Config::redis_key_file));
  table.push_back(text({group, "redis-sni",
                        "With rediss://: the name that Redis is asked for by and that its "
                        "certificate must have; unset: the host of the URL, or of the Sentinel's "
                        "answer"},
                       "NAME", &Config::redis_server_name));
}

void add_general(std::vector<Setting>& table) {
  static constexpr std::string_view listeners = "Listeners";
  table.push_back({listeners, "listen", "ADDR",
                   "Public listener: HOST:PORT, :PORT or unix:PATH; port 0: any free one", true,
                   apply_listen, show_listen});
  table.push_back({listeners, "admin", "ADDR",
                   "Internal listener of /healthz, /readyz, /metrics and, for this machine alone, "
                   "/debug/sessions; none: no such listener",
                   false, apply_admin, [](const Config& config) {
                     return std::vector{config.admin ? config.admin->to_string() : "none"};
                   }});

  static constexpr std::string_view content = "Content";
  table.push_back({content, "media", "DIR",
                   "The video library, a folder with folders in it; SIGHUP reads it again", true,
                   apply_media, [](const Config& config) { return config.media_dirs; }});
  table.push_back(text({content, "cache",
                        "Where posters, thumbnails and forms of films that are made are kept; "
                        "'none': none are made; default: $CACHE_DIRECTORY, ~/.cache/videosync"},
                       "DIR", &Config::cache_dir));
  table.push_back(size<std::uint64_t>(
      {content, "cache-size", "How much the forms of films may take there; the least used go"},
      &Config::cache_bytes_max, {1 << 20, std::uint64_t{1} << 50}));
  table.push_back(count({content, "transcodes",
                         "Pictures of films that are made anew at once; unset: one for two cores"},
                        &Config::transcodes_max, {1, 1'024}));
  table.push_back(text({content, "video", "The default video; unset: the first of the library"},
                       "ID", &Config::default_video));
  table.push_back(text({content, "www", "The web pages; unset: www beside the program, else ./www"},
                       "DIR", &Config::www_dir));

  add_uploads(table, content);

  static constexpr std::string_view process = "Process";
  table.push_back(count({process, "workers", "Threads, each with its own ring; unset: one a core"},
                        &Config::workers, {1, 1'024}));
  table.push_back({process, "redis", "URL",
                   "The store that nodes share: redis://[USER:PASSWORD@]HOST:PORT[/DB], "
                   "redis+unix:PATH, redis+sentinel://HOST:PORT,HOST:PORT/NAME or "
                   "redis+cluster://HOST:PORT,HOST:PORT; over TLS: rediss://, rediss+sentinel://, "
                   "rediss+cluster://; unset: an embedded one",
                   false, apply_redis, show_redis});
  table.push_back(
      yes_or_no({process, "redis-required",
                 "End with 1 if --redis cannot be used within 5s of the start; without this serve "
                 "and keep trying"},
                &Config::redis_required));
  add_redis_tls(table, process);
  table.push_back(
      text({process, "state",
            "Where the sessions of the embedded store outlive a restart: written when a "
            "server has drained, read and removed when the next one starts; not needed "
            "with --redis; unset: they end with it"},
           "FILE", &Config::state_file));
  table.push_back(choice<LogLevel>({process, "log-level", "debug, info, warn or error"},
                                   &Config::log_level,
                                   {{"debug", LogLevel::debug},
                                    {"info", LogLevel::info},
                                    {"warn", LogLevel::warn},
                                    {"error", LogLevel::error}}));
  table.push_back(choice<LogFormat>({process, "log-format", "text or json"}, &Config::log_format,
                                    {{"text", LogFormat::text}, {"json", LogFormat::json}}));
  table.push_back(choice<Confine>(
      {process, "confine",
       "auto: give up what a server does not need, as far as the kernel lets it (Landlock, "
       "seccomp), and so do the programs that read films; required: or end with 2; off"},
      &Config::confine,
      {{"auto", Confine::when_possible}, {"required", Confine::required}, {"off", Confine::off}}));
  table.push_back(duration(
      {process, "drain", "How long a stopping server lets members leave and responses finish"},
      &Config::drain_us, {0, hour_us}));

  static constexpr std::string_view access = "Access";
  table.push_back(
      {access, "allow-origin", "ORIGIN",
       "Foreign pages that may connect: scheme://host[:port], null, or * for all; unset: none",
       true, apply_origins, [](const Config& config) { return config.allow_origins; }});
  table.push_back(
      {access, "allow-source", "ORIGIN",
       "Sites whose films may be watched by their address: https://host[:port]; unset: none", true,
       apply_sources, [](const Config& config) { return config.allow_sources; }});
  table.push_back({access, "trusted-proxy", "CIDR",
                   "Peers whose X-Forwarded-For, -Host and -Proto count: a network, an address or "
                   "unix; unset: none",
                   true, apply_proxies,
                   [](const Config& config) { return config.trusted_proxies.to_strings(); }});
  table.push_back({access, "create-password", "TEXT",
                   "Asked of who makes sessions or lists the library; best in the --config file or "
                   "the environment; unset: of nobody",
                   false, apply_password, show_password});
}

void add_connection_limits(std::vector<Setting>& table) {
  static constexpr std::string_view group = "Connections and HTTP";
  const auto row = [](std::string_view name, std::string_view help) {
    return Name{group, name, help};
  };
  table.push_back(count(row("max-connections",
                            "Connections at once; unset: 100000 or what "
                            "descriptors allow"),
                        &Config::connections_max, {1, 10'000'000}));
  table.push_back(count(row("max-per-address",
                            "Connections of one address (IPv6: one /64) at "
                            "once; 0: unlimited"),
                        &Config::connections_per_address_max, {0, 10'000'000}));
  table.push_back(size<std::uint32_t>(row("max-request-line", "Longest request line"),
                                      &Config::request_line_bytes_max, {256, 1 << 20}));
  table.push_back(
      size<std::uint32_t>(row("max-request-head", "Longest request head: request line and fields"),
                          &Config::request_head_bytes_max, {1'024, 1 << 20}));
  table.push_back(count(row("max-request-fields", "Header fields of a request"),
                        &Config::request_fields_max, {8, 1'000}));
  table.push_back(size<std::uint32_t>(row("max-body", "Longest request body"),
                                      &Config::request_body_bytes_max, {1'024, 16 << 20}));
  table.push_back(duration(
      row("header-timeout", "Time for a whole request head, and for a new connection's first byte"),
      &Config::header_timeout_us, {us_per_second, hour_us}));
  table.push_back(duration(row("body-timeout", "Time for a whole request body"),
                           &Config::body_timeout_us, {us_per_second, hour_us}));
  table.push_back(
      duration(row("idle-timeout", "Time that a connection may wait for its next request"),
               &Config::idle_timeout_us, {us_per_second, day_us}));
  table.push_back(duration(row("slow-timeout",
                               "Time without progress before a client that does "
                               "not read is closed"),
                           &Config::slow_timeout_us, {us_per_second, hour_us}));
}

void add_session_limits(std::vector<Setting>& table) {
  static constexpr std::string_view group = "Sessions and members";
  const auto row = [](std::string_view name, std::string_view help) {
    return Name{group, name, help};
  };
  table.push_back(
      count(row("max-sessions", "Sessions at once"), &Config::sessions_max, {1, 10'000'000}));
  table.push_back(count(row("max-members", "Members of one session at once"), &Config::members_max,
                        {1, 10'000'000}));
  table.push_back(count(row("session-rate",
                            "Sessions a minute that one address may create; "
                            "0: unlimited"),
                        &Config::sessions_per_minute, {0, 1'000'000}));
  table.push_back(count(row("session-burst", "Sessions that one address may create at once"),
                        &Config::sessions_burst, {1, 1'000'000}));
  table.push_back(count(row("code-rate",
                            "Unknown codes a minute that one address may try; "
                            "0: unlimited"),
                        &Config::codes_per_minute, {0, 1'000'000}));
  table.push_back(count(row("message-rate", "Messages a second of one member; 0: unlimited"),
                        &Config::messages_per_second, {0, 100'000}));
  table.push_back(count(row("message-burst", "Messages at once of one member"),
                        &Config::messages_burst, {1, 100'000}));
  table.push_back(count(row("chat-rate",
                            "Chats and reactions a second of one session; "
                            "0: unlimited"),
                        &Config::session_chat_per_second, {0, 100'000}));
  table.push_back(size<std::uint32_t>(row("max-message", "Longest message of a member"),
                                      &Config::message_bytes_max, {1'024, 1 << 20}));
  table.push_back(size<std::uint32_t>(row("queue-limit", "Bytes that wait for one slow member"),
                                      &Config::member_queue_bytes_max, {4'096, 16 << 20}));
  table.push_back(duration(row("session-ttl", "Life of a session after its last activity"),
                           &Config::session_ttl_us, {us_per_second, 365 * day_us}));
  table.push_back(duration(row("host-grace",
                               "How long a lost host may come back before another "
                               "is made host"),
                           &Config::host_grace_us, {0, hour_us}));
  table.push_back(duration(row("resume-time", "How long a lost member may come back as itself"),
                           &Config::resume_us, {0, hour_us}));
  table.push_back(duration(row("heartbeat", "Silence after which a member is pinged"),
                           &Config::heartbeat_us, {us_per_second, hour_us}));
  table.push_back(duration(row("silence-timeout", "Silence after which a member is closed"),
                           &Config::silence_timeout_us, {us_per_second, 2 * hour_us}));
}

bool is_same_place(const ListenAddress& a, const ListenAddress& b) {
  const bool any_free = !a.is_unix() && a.port == 0;
  return !any_free && a.to_string() == b.to_string();
}

Result<> check_redis_tls(const Config& config) {
  const std::array<std::pair<std::string_view, const std::string&>, 4> given{
      {{"redis-ca", config.redis_ca_file},
       {"redis-cert", config.redis_certificate_file},
       {"redis-key", config.redis_key_file},
       {"redis-sni", config.redis_server_name}}};
  const bool is_tls = !config.redis_url.empty() && parse_redis_url(config.redis_url)->is_tls();
  for (const auto& [name, value] : given) {
    if (value.empty() || is_tls) continue;
    return fail(
        ErrorCode::invalid_argument,
        fmt::format("--{}: '{}' is for TLS: --redis must be rediss://, "
                    "rediss+sentinel:// or rediss+cluster://, or nothing would be encrypted",
                    name, value));
  }
  if (config.redis_certificate_file.empty() == config.redis_key_file.empty()) return {};
  return fail(ErrorCode::invalid_argument,
              "--redis-cert and --redis-key: each needs the other (they may be the same file)");
}

}  // namespace

const std::vector<Setting>& all_settings() {
  static const std::vector<Setting> table = [] {
    std::vector<Setting> rows;
    add_general(rows);
    add_connection_limits(rows);
    add_session_limits(rows);
    return rows;
  }();
  return table;
}

Result<> check_together(const Config& config) {
  const auto refuse = [](std::string message) {
    return fail(ErrorCode::invalid_argument, std::move(message));
  };
  std::vector<ListenAddress> places = config.listen;
  if (config.admin) places.push_back(*config.admin);
  for (std::size_t i = 0; i < places.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      // The kernel would not mind: workers share their addresses (SO_REUSEPORT).
      if (is_same_place(places[i], places[j])) {
        return refuse(
            fmt::format("--listen and --admin: {} is named twice", places[i].to_string()));
      }
    }
  }
  if (config.silence_timeout_us <= config.heartbeat_us) {
    return refuse(fmt::format(
        "--silence-timeout: '{}' must be longer than --heartbeat ({}), or "
        "every silent member is closed",
        format_duration(config.silence_timeout_us), format_duration(config.heartbeat_us)));
  }
  if (config.request_head_bytes_max < config.request_line_bytes_max) {
    return refuse(fmt::format("--max-request-head: '{}' must be at least --max-request-line ({})",
                              format_size(config.request_head_bytes_max),
                              format_size(config.request_line_bytes_max)));
  }
  return check_redis_tls(config);
}

}  // namespace videosync
