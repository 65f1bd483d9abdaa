// ChunkExtensions: reads past what may stand between a chunk's length and the end of its line.
//
// A machine of one byte, for one line; one thread. RFC 9112, 7.1.1: names with or without a value,
// which is a token or quoted, and blanks around ';' and '='. Nobody here wants to know what they
// say, but where they end must be beyond doubt. llhttp cannot be asked: 8.1 takes `1;a=b;c` for a
// malformed length, knows no escape within quotes and takes quotes behind a token.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace videosync {

class ChunkExtensions {
 public:
  // How many bytes of `text` belong to the extensions: all, or those before the CR that ends them.
  // The first byte ever is the one behind the length. nullopt: malformed.
  std::optional<std::size_t> feed(std::string_view text) noexcept;

 private:
  enum class State : std::uint8_t {
    before_semicolon,  // blanks at most; the line may not end
    before_name,
    name,
    behind_name,  // blanks; '=' or the next extension follows
    before_value,
    token,
    quoted,
    escaped,
    behind_quotes,
    fault,
  };

  static State behind(State state, char c) noexcept;

  State state_ = State::before_semicolon;
};

}  // namespace videosync
