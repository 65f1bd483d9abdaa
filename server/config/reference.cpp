#include "server/config/reference.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "core/base/text.h"
#include "server/config/config.h"
#include "server/config/settings.h"
#include "server/version.h"

namespace videosync {

namespace {

constexpr std::size_t line_width = 100;

// Beside the settings; the same lines as in --help.
struct Action {
  std::string_view name, type, help;
};
constexpr Action actions[] = {
    {"config", "FILE", "Read settings from this file"},
    {"check-config", "", "Print the settings as they would be used, and end"},
    {"generate", "WHAT", "Print a reference, and end: man, conf, bash, zsh or fish"},
    {"version", "", "Print the version and what it was built with, and end"},
    {"help", "", "Print a summary of all options, and end"},
};

// As on any machine; none where it is unset or depends on the machine.
std::vector<std::string> default_of(const Setting& setting) {
  const auto on = [&](std::uint32_t cores, std::uint64_t descriptors) {
    return setting.show(default_config({.cores = cores, .descriptors_max = descriptors}));
  };
  auto values = on(2, 20'000);
  return values == on(64, 4'000) ? values : std::vector<std::string>();
}

std::string upper(std::string_view text) {
  std::string result;
  for (const char c : text)
    result += ascii_upper(c);
  return result;
}

// --- Manual page ---------------------------------------------------------------------------------

std::string roff(std::string_view text) {
  std::string escaped;
  if (text.starts_with('.') || text.starts_with('\'')) escaped = "\\&";
  for (const char c : text) {
    if (c == '\\') {
      escaped += "\\e";
    } else if (c == '-') {
      escaped += "\\-";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

void put_option(std::string& page, std::string_view name, std::string_view type,
                std::string_view help) {
  page += fmt::format(".TP\n.B \\-\\-{}", roff(name));
  page += type.empty() ? "\n" : fmt::format(" \\fI{}\\fR\n", roff(type));
  page += roff(help) + ".\n";
}

void put_setting(std::string& page, const Setting& setting) {
  std::string help(setting.help);
  if (const auto values = default_of(setting); !values.empty())
    help += fmt::format(" [{}]", fmt::join(values, ", "));
  if (setting.repeatable) help += " (repeatable)";
  put_option(page, setting.name, setting.type, help);
}

std::string manual_page() {
  std::string page = fmt::format(
      ".TH VIDEOSYNC 8 \"\" \"videosync {}\" \"System Administration\"\n"
      ".SH NAME\nvideosync \\- a server for watching videos together\n"
      ".SH SYNOPSIS\n.B videosync\n[\\fIOPTION\\fR]...\n"
      ".SH DESCRIPTION\n"
      "Serves web pages, videos and the WebSocket that keeps the players of a session in step.\n"
      "It needs Linux with io_uring; a Redis is needed only where several nodes serve the same "
      "sessions.\n",
      roff(version()));
  std::string_view group;
  for (const Setting& setting : all_settings()) {
    if (setting.group != group) page += fmt::format(".SH {}\n", roff(upper(setting.group)));
    group = setting.group;
    put_setting(page, setting);
  }
  page += ".SH OTHER OPTIONS\n";
  for (const Action& action : actions)
    put_option(page, action.name, action.type, action.help);
  page +=
      ".SH SETTINGS ELSEWHERE\n"
      "Each setting can also come from the environment, as \\fBVIDEOSYNC_NAME\\fR in upper case "
      "with\n"
      "underscores (lists with commas), or from the file that \\fB\\-\\-config\\fR names. The "
      "command line\n"
      "wins over the environment, the environment over the file.\n"
      "TIME: 500ms, 10s, 5m, 24h, 7d or plain seconds. SIZE: bytes, or 64KiB, 1MiB, 20GiB.\n"
      ".SH SIGNALS\n"
      ".TP\n.B SIGTERM\\fR, \\fBSIGINT\nDrain and end; a second one ends at once.\n"
      ".TP\n.B SIGHUP\nScan the library now.\n"
      ".TP\n.B SIGUSR2\nStart the program anew, as it was started, and have it take over: the "
      "sessions, and the connections that are being made. Where it cannot serve this one goes on.\n"
      ".SH EXIT STATUS\n"
      ".TP\n.B 0\nAfter a clean stop.\n"
      ".TP\n.B 1\nA setting will not do.\n"
      ".TP\n.B 2\nThe machine cannot run it.\n"
      ".SH FILES\n.TP\n.I /etc/videosync/videosync.conf\nThe settings of the service, where it is "
      "installed "
      "as a package.\n"
      ".SH EXAMPLES\nBehind a reverse proxy on the same machine:\n.PP\n.RS\n.nf\n"
      "videosync \\-\\-listen unix:/run/videosync/videosync.sock \\-\\-trusted\\-proxy unix "
      "\\-\\-media "
      "/srv/videos\n.fi\n.RE\n";
  return page;
}

// --- File of settings ----------------------------------------------------------------------------

void put_comment(std::string& file, std::string_view text) {
  std::string line = "#";
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = std::min(text.find(' ', at), text.size());
    const std::string_view word = text.substr(at, end - at);
    if (line.size() + 1 + word.size() > line_width) file += std::exchange(line, "#") + '\n';
    line.append(" ").append(word);
    at = end + 1;
  }
  file += line + '\n';
}

void put_example(std::string& file, const Setting& setting) {
  auto values = default_of(setting);
  const bool is_default = !values.empty();
  if (!is_default) values = {setting.type.empty() ? "true" : std::string(setting.type)};
  for (std::string& value : values)
    value = fmt::format("\"{}\"", value);
  const auto all = fmt::format("{}", fmt::join(values, ", "));
  file += setting.repeatable ? fmt::format("#{} = [{}]\n\n", setting.name, all)
                             : fmt::format("#{} = {}\n\n", setting.name, all);
}

std::string config_file() {
  std::string file =
      "# Settings of videosync. A line that begins with # says what the default is, or what kind "
      "of value is\n"
      "# wanted; take the # away to set it. The environment (VIDEOSYNC_NAME) and the command line "
      "win over\n"
      "# this file. TIME: 500ms, 10s, 5m, 24h, 7d or plain seconds. SIZE: bytes, or 64KiB, 1MiB, "
      "20GiB.\n"
      "# `videosync --config FILE --check-config` shows what would be used.\n\n";
  std::string_view group;
  for (const Setting& setting : all_settings()) {
    if (setting.group != group) file += fmt::format("# --- {} ---\n\n", setting.group);
    group = setting.group;
    put_comment(file, setting.help);
    put_example(file, setting);
  }
  return file;
}

// --- Completions ---------------------------------------------------------------------------------

bool wants_file(std::string_view type) {
  return type == "FILE";
}

bool wants_folder(std::string_view type) {
  return type == "DIR";
}

// For each option: its name, the type of its value, its help.
template <class Each>
void for_each_option(Each each) {
  for (const Setting& setting : all_settings())
    each(setting.name, setting.type, setting.help);
  for (const Action& action : actions)
    each(action.name, action.type, action.help);
}

std::string bash_completion() {
  std::string all, files, folders, others;
  for_each_option([&](std::string_view name, std::string_view type, std::string_view) {
    all += fmt::format(" --{}", name);
    std::string& kind = wants_file(type) ? files : wants_folder(type) ? folders : others;
    if (!type.empty() && name != "generate")
      kind += fmt::format("{}--{}", kind.empty() ? "" : "|", name);
  });
  return fmt::format(
      "# bash completion of videosync\n"
      "_videosync() {{\n"
      "  local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD - 1]}}\n"
      "  case $before in\n"
      "    --generate) mapfile -t COMPREPLY < <(compgen -W 'man conf bash zsh fish' -- \"$word\") "
      ";;\n"
      "    {}) mapfile -t COMPREPLY < <(compgen -f -- \"$word\") ;;\n"
      "    {}) mapfile -t COMPREPLY < <(compgen -d -- \"$word\") ;;\n"
      "    {}) COMPREPLY=() ;;\n"
      "    *) mapfile -t COMPREPLY < <(compgen -W '{}' -- \"$word\") ;;\n"
      "  esac\n"
      "}}\n"
      "complete -o filenames -F _videosync videosync\n",
      files, folders, others, all.substr(1));
}

// Within single quotes of a shell, and for zsh without what ends a description.
std::string quotable(std::string_view text) {
  std::string safe;
  for (const char c : text) {
    if (c == '\'' || c == '[' || c == ']' || c == '\\') continue;
    safe += c == ':' ? std::string("\\:") : std::string(1, c);
  }
  return safe;
}

std::string zsh_completion() {
  std::string text = "#compdef videosync\n_arguments \\\n";
  for_each_option([&](std::string_view name, std::string_view type, std::string_view help) {
    const std::string_view action = wants_file(type)     ? "_files"
                                    : wants_folder(type) ? "_files -/"
                                    : name == "generate" ? "(man conf bash zsh fish)"
                                                         : " ";
    const std::string value = type.empty() ? "" : fmt::format(":{}:{}", type, action);
    text += fmt::format("  '*--{}[{}]{}' \\\n", name, quotable(help), value);
  });
  text.resize(text.size() - 3);  // the last one has nothing behind it
  return text + '\n';
}

std::string fish_completion() {
  std::string text = "# fish completion of videosync\ncomplete -c videosync -f\n";
  for_each_option([&](std::string_view name, std::string_view type, std::string_view help) {
    std::string line = fmt::format("complete -c videosync -l {}", name);
    if (!type.empty()) line += wants_file(type) || wants_folder(type) ? " -r -F" : " -x";
    if (name == "generate") line += " -a 'man conf bash zsh fish'";
    std::string plain;
    for (const char c : help)
      plain += c == '\'' ? std::string("\\'") : std::string(1, c);
    text += fmt::format("{} -d '{}'\n", line, plain);
  });
  return text;
}

}  // namespace

std::optional<std::string> generate_reference(std::string_view kind) {
  if (kind == "man") return manual_page();
  if (kind == "conf") return config_file();
  if (kind == "bash") return bash_completion();
  if (kind == "zsh") return zsh_completion();
  if (kind == "fish") return fish_completion();
  return std::nullopt;
}

}  // namespace videosync
