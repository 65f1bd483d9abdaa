#include "server/config/config.h"

#include <criterion/criterion.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "server/config/setting_values.h"
#include "storage/redis/link/redis_address.h"

using namespace videosync;

namespace {

constexpr MachineFacts machine{.cores = 3, .descriptors_max = 20'000};

std::expected<Config, ConfigExit> load(std::vector<const char*> arguments) {
  return load_config(arguments, machine);
}

Config good(std::vector<const char*> arguments) {
  auto config = load(std::move(arguments));
  cr_assert(config.has_value(), "%s", config.error().text.c_str());
  return std::move(*config);
}

// The text of a refusal; each of the parts is in it.
void refused(std::vector<const char*> arguments, std::vector<std::string_view> parts) {
  const auto config = load(arguments);
  cr_assert_not(config.has_value(), "%s", arguments.empty() ? "" : arguments.back());
  const ConfigExit& exit = config.error();
  cr_assert_eq(exit.status, 1);
  cr_assert(exit.text.starts_with("videosync: ") && exit.text.ends_with("\n"));
  for (const std::string_view part : parts) {
    cr_assert(exit.text.contains(part), "'%s' lacks '%s'", exit.text.c_str(),
              std::string(part).c_str());
  }
}

// A file that goes with the test.
class TemporaryFile {
 public:
  explicit TemporaryFile(std::string_view text) {
    const int descriptor = mkstemp(path_.data());
    cr_assert_geq(descriptor, 0);
    close(descriptor);
    std::ofstream(path_) << text;
  }
  ~TemporaryFile() { unlink(path_.c_str()); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  const char* path() const { return path_.c_str(); }

 private:
  std::string path_ = "/tmp/videosync-config-XXXXXX";
};

}  // namespace

Test(config, the_defaults_are_those_of_the_contract) {
  const Config config = good({});
  cr_assert_eq(config.listen.size(), 1u);
  cr_assert_eq(config.listen[0].to_string(), "127.0.0.1:8080");
  cr_assert_eq(config.admin->to_string(), "127.0.0.1:9090");
  cr_assert((config.media_dirs == std::vector<std::string>{"media"}));
  cr_assert_eq(config.workers, 3u);
  cr_assert_eq(config.connections_max, 18'976u);
  cr_assert_eq(config.connections_per_address_max, 1'000u);
  cr_assert_eq(config.sessions_per_minute, 10u);
  cr_assert_eq(config.messages_per_second, 20u);
  cr_assert_eq(config.member_queue_bytes_max, 65'536u);
  cr_assert_eq(config.session_ttl_us, 86'400'000'000);
  cr_assert_eq(config.silence_timeout_us, 45'000'000);
  cr_assert(config.allow_origins.empty() && config.trusted_proxies.networks.empty());
}

Test(config, every_kind_of_flag_is_read) {
  const Config config = good({"--listen",
                              "[::]:8080",
                              "--listen=unix:/run/v.sock",
                              "--admin",
                              "none",
                              "--media",
                              "/srv",
                              "--video",
                              "film",
                              "--workers",
                              "2",
                              "--allow-origin",
                              "https://a.example",
                              "--trusted-proxy",
                              "10.0.0.0/8",
                              "--trusted-proxy",
                              "unix",
                              "--host-grace",
                              "90",
                              "--session-ttl",
                              "7d",
                              "--queue-limit",
                              "128KiB",
                              "--log-level",
                              "warn",
                              "--log-format",
                              "json",
                              "--session-rate",
                              "0"});
  cr_assert_eq(config.listen.size(), 2u);
  cr_assert_eq(config.listen[1].unix_path, "/run/v.sock");
  cr_assert_not(config.admin.has_value());
  cr_assert((config.media_dirs == std::vector<std::string>{"/srv"}));
  cr_assert_eq(config.default_video, "film");
  cr_assert_eq(config.workers, 2u);
  cr_assert_eq(config.allow_origins.size(), 1u);
  cr_assert(config.trusted_proxies.unix_sockets);
  cr_assert_eq(config.trusted_proxies.networks.size(), 1u);
  cr_assert_eq(config.host_grace_us, 90'000'000);
  cr_assert_eq(config.session_ttl_us, 7 * 86'400'000'000);
  cr_assert_eq(config.member_queue_bytes_max, 131'072u);
  cr_assert(config.log_level == LogLevel::warn);
  cr_assert(config.log_format == LogFormat::json);
  cr_assert_eq(config.sessions_per_minute, 0u);
}

Test(config, flag_before_environment_before_file_before_default) {
  const TemporaryFile file(
      "# a comment\n"
      "workers = 4\nmax-members = 40\nhost-grace = \"4s\"\n"
      "listen = [\"127.0.0.1:4000\", \"127.0.0.1:4001\"]\n");
  setenv("VIDEOSYNC_WORKERS", "5", 1);
  setenv("VIDEOSYNC_MAX_MEMBERS", "50", 1);
  setenv("VIDEOSYNC_MAX_SESSIONS", "", 1);
  const Config config = good({"--workers", "6", "--config", file.path()});
  cr_assert_eq(config.workers, 6u, "the flag");
  cr_assert_eq(config.members_max, 50u, "the environment");
  cr_assert_eq(config.host_grace_us, 4'000'000, "the file");
  cr_assert_eq(config.listen.size(), 2u);
  cr_assert_eq(config.listen[1].port, 4'001);
  cr_assert_eq(config.sessions_max, 100'000u, "empty is unset");
}

Test(config, lists_and_the_file_itself_come_from_the_environment) {
  const TemporaryFile file("media = \"/from/file\"\n");
  setenv("VIDEOSYNC_CONFIG", file.path(), 1);
  setenv("VIDEOSYNC_LISTEN", "127.0.0.1:1,unix:/x", 1);
  const Config config = good({});
  cr_assert_eq(config.listen.size(), 2u);
  cr_assert((config.media_dirs == std::vector<std::string>{"/from/file"}));
  cr_assert_eq(good({"--listen", ":9"}).listen.size(), 1u, "a list is replaced, not extended");
}

Test(config, the_last_of_a_repeated_flag_counts) {
  cr_assert_eq(good({"--workers", "2", "--workers", "7"}).workers, 7u);
}

Test(config, every_bad_value_is_named_with_what_is_allowed) {
  const std::vector<std::vector<std::string_view>> table = {
      {"--listen", "8080", "HOST:PORT"},
      {"--listen", "127.0.0.1:70000", "0 to 65535"},
      {"--admin", "example.org:1", "localhost"},
      {"--workers", "0", "from 1 to 1024"},
      {"--workers", "-1", "from 1 to 1024"},
      {"--workers", "two", "from 1 to 1024"},
      {"--workers", "1.5", "from 1 to 1024"},
      {"--workers", "99999999999999999999", "from 1 to 1024"},
      {"--max-connections", "0", "from 1 to"},
      {"--max-members", "10k", "from 1 to"},
      {"--message-rate", "100001", "from 0 to 100000"},
      {"--queue-limit", "1KiB", "from 4KiB to 16MiB"},
      {"--queue-limit", "64kb", "KiB, MiB or GiB"},
      {"--host-grace", "ten", "0s to 1h"},
      {"--host-grace", "2h", "0s to 1h"},
      {"--session-ttl", "0", "1s to 365d"},
      {"--heartbeat", "999ms", "1s to 1h"},
      {"--idle-timeout", "10 s", "1s to 1d"},
      {"--log-level", "loud", "debug, info, warn, error"},
      {"--log-format", "xml", "text, json"},
      {"--allow-origin", "watch.example", "scheme://host"},
      {"--trusted-proxy", "10.0.0.1/8", "did you mean 10.0.0.0/8"},
      {"--trusted-proxy", "nginx", "10.0.0.0/8"},
      {"--redis", "localhost", "redis://"},
  };
  for (const auto& row : table) {
    const std::string value(row[1]);
    const std::string flag(row[0]);
    refused({flag.c_str(), value.c_str()},
            {flag + " (from the command line)", "'" + value + "'", row[2]});
  }
  refused({"--media", ""}, {"--media", "empty"});
}

Test(config, the_place_of_a_bad_value_is_named) {
  const TemporaryFile file("host-grace = \"soon\"\n");
  setenv("VIDEOSYNC_WORKERS", "many", 1);
  refused(
      {"--config", file.path(), "--max-members", "x"},
      {"--host-grace (from " + std::string(file.path()) + "): 'soon'",
       "--workers (from VIDEOSYNC_WORKERS): 'many'", "--max-members (from the command line): 'x'"});
}

Test(config, settings_must_fit_together) {
  refused({"--heartbeat", "50s"}, {"--silence-timeout", "45s", "--heartbeat (50s)"});
  refused({"--max-request-line", "32KiB"}, {"--max-request-head", "16KiB", "32KiB"});
  refused({"--listen", ":80", "--listen", "[::]:80"}, {"--listen", "[::]:80", "twice"});
  refused({"--listen", "127.0.0.1:9090"}, {"--admin", "127.0.0.1:9090", "twice"});
  cr_assert_eq(good({"--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"}).listen[0].port, 0);
}

Test(config, a_command_line_that_cannot_be_read) {
  refused({"--wrokers", "2"}, {"--wrokers", "--help"});
  refused({"stray"}, {"stray"});
  refused({"--workers"}, {"--workers"});
}

Test(config, a_file_that_cannot_be_read) {
  refused({"--config", "/nowhere/at/all.toml"}, {"--config", "/nowhere/at/all.toml", "No such"});
  refused({"--config", "/tmp"}, {"/tmp", "directory"});
  const TemporaryFile unknown("colour = \"red\"\n");
  refused({"--config", unknown.path()}, {unknown.path(), "'colour'"});
  const TemporaryFile section("[limits]\nworkers = 2\n");
  refused({"--config", section.path()}, {section.path(), "sections"});
  const TemporaryFile twice("workers = [1, 2]\n");
  refused({"--config", twice.path()}, {"workers", "one value"});
}

Test(config, redis_is_shown_without_its_password) {
  const auto config = load({"--redis", "redis://app:hunter2@db:6379/0", "--redis-required"});
  cr_assert(config.has_value());
  cr_assert_eq(config->redis_url, "redis://app:hunter2@db:6379/0");
  cr_assert(config->redis_required);
  const auto shown =
      load({"--redis", "redis://app:hunter2@db:6379/0", "--redis-required", "--check-config"});
  cr_assert_eq(shown.error().text.find("hunter2"), std::string::npos);
  cr_assert_neq(shown.error().text.find("app:***@db"), std::string::npos);
}

Test(config, certificates_for_redis_are_refused_where_they_would_not_count) {
  for (const char* flag : {"--redis-ca", "--redis-cert", "--redis-key", "--redis-sni"}) {
    refused({flag, "given"}, {flag, "'given'", "rediss://"});
    refused({"--redis", "redis://db:6379", flag, "given"}, {flag, "nothing would be encrypted"});
  }
  if (!has_redis_tls()) {
    refused({"--redis", "rediss://app:hunter2@db:6379"},
            {"--redis", "TLS", "hiredis", "app:***@db"});
    return;
  }
  const auto config = load({"--redis", "rediss://db:6379", "--redis-ca", "/ca.pem", "--redis-cert",
                            "/own.pem", "--redis-key", "/own.key", "--redis-sni", "redis.example"});
  cr_assert(config.has_value());
  cr_assert_eq(config->redis_ca_file, "/ca.pem");
  cr_assert_eq(config->redis_certificate_file, "/own.pem");
  cr_assert_eq(config->redis_key_file, "/own.key");
  cr_assert_eq(config->redis_server_name, "redis.example");
  for (const char* flag : {"--redis-cert", "--redis-key"})
    refused({"--redis", "rediss://db:6379", flag, "given"}, {"--redis-cert and --redis-key"});
}

Test(config, help_names_every_setting_with_its_default) {
  const auto config = load({"--help"});
  cr_assert_not(config.has_value());
  cr_assert_eq(config.error().status, 0);
  for (const std::string_view part :
       {"--listen", "[127.0.0.1:8080]", "--max-connections", "[18976]", "--session-ttl", "[1d]",
        "--queue-limit", "[64KiB]", "Sessions and members", "VIDEOSYNC_NAME", "Example"}) {
    cr_assert(config.error().text.contains(part), "%s", std::string(part).c_str());
  }
}

Test(config, version_is_that_of_the_build) {
  const auto config = load({"--version"});
  cr_assert_not(config.has_value());
  cr_assert_eq(config.error().status, 0);
  cr_assert(config.error().text.starts_with("videosync ") && config.error().text.contains("."));
}

Test(config, what_check_config_prints_is_a_file_that_means_the_same) {
  const std::vector<const char*> arguments = {
      "--workers",      "2",        "--listen",        ":1234", "--listen", "unix:/run/v.sock",
      "--allow-origin", "null",     "--trusted-proxy", "unix",  "--admin",  "none",
      "--media",        "/a \"b\"", "--check-config"};
  const auto first = load(arguments);
  cr_assert_not(first.has_value());
  cr_assert_eq(first.error().status, 0, "%s", first.error().text.c_str());
  cr_assert(first.error().text.contains("listen = [\"[::]:1234\", \"unix:/run/v.sock\"]\n"));
  cr_assert(first.error().text.contains("workers = \"2\"\n"));

  const TemporaryFile file(first.error().text);
  const auto second = load({"--config", file.path(), "--check-config"});
  cr_assert_eq(second.error().text, first.error().text, "%s", second.error().text.c_str());
  refused({"--check-config", "--workers", "0"}, {"--workers"});
}

Test(config, connections_follow_the_descriptors) {
  cr_assert_eq(default_connections_max(1'024), 896u);
  cr_assert_eq(default_connections_max(20'000), 18'976u);
  cr_assert_eq(default_connections_max(1'000'000), 100'000u);
  cr_assert_eq(default_connections_max(UINT64_MAX), 100'000u);
  cr_assert_eq(default_connections_max(10), 1u);
}

Test(config, durations_and_sizes_are_shown_in_their_largest_exact_unit) {
  const std::pair<std::int64_t, std::string_view> durations[] = {
      {0, "0s"},           {1'000, "1ms"},      {1'500'000, "1500ms"},
      {90'000'000, "90s"}, {120'000'000, "2m"}, {86'400'000'000, "1d"}};
  for (const auto& [us, shown] : durations) {
    cr_assert_eq(format_duration(us), shown);
    cr_assert(parse_duration(shown, {0, INT64_MAX}) == us);
  }
  cr_assert_eq(format_size(65'536), "64KiB");
  cr_assert_eq(format_size(1'000), "1000");
  cr_assert_eq(format_size(1 << 20), "1MiB");
  cr_assert_eq(format_size(std::uint64_t{20} << 30), "20GiB");
  cr_assert_not(parse_duration("999999999999999999d", {0, INT64_MAX}).has_value());
  cr_assert_not(parse_duration("", {0, INT64_MAX}).has_value());
  cr_assert_not(parse_duration("s", {0, INT64_MAX}).has_value());
}
