#include "proto/http/chunk_extensions.h"

#include "proto/http/http_message.h"

namespace videosync {

namespace {

bool is_blank(char c) noexcept {
  return c == ' ' || c == '\t';
}

bool is_text(char c) noexcept {
  const auto byte = static_cast<unsigned char>(c);
  return (byte >= 0x20 && byte != 0x7f) || c == '\t';
}

}  // namespace

std::optional<std::size_t> ChunkExtensions::feed(std::string_view text) noexcept {
  std::size_t used = 0;
  for (const char c : text) {
    const bool may_end =
        state_ == State::name || state_ == State::token || state_ == State::behind_quotes;
    if (c == '\r' && may_end) return used;
    state_ = behind(state_, c);
    if (state_ == State::fault) return std::nullopt;
    ++used;
  }
  return used;
}

// The state that `c` leads to from `state`.
ChunkExtensions::State ChunkExtensions::behind(State state, char c) noexcept {
  switch (state) {
    case State::before_semicolon:
      if (is_blank(c)) return state;
      return c == ';' ? State::before_name : State::fault;
    case State::before_name:
      if (is_blank(c)) return state;
      return is_token_char(c) ? State::name : State::fault;
    case State::name:
      if (is_token_char(c)) return state;
      [[fallthrough]];
    case State::behind_name:
      if (is_blank(c)) return State::behind_name;
      if (c == '=') return State::before_value;
      return c == ';' ? State::before_name : State::fault;
    case State::before_value:
      if (is_blank(c)) return state;
      if (c == '"') return State::quoted;
      return is_token_char(c) ? State::token : State::fault;
    case State::token:
      if (is_token_char(c)) return state;
      [[fallthrough]];
    case State::behind_quotes:
      if (is_blank(c)) return State::before_semicolon;
      return c == ';' ? State::before_name : State::fault;
    case State::quoted:
      if (c == '"') return State::behind_quotes;
      if (c == '\\') return State::escaped;
      return is_text(c) ? state : State::fault;
    case State::escaped:
      return is_text(c) ? State::quoted : State::fault;
    case State::fault:
      break;
  }
  return State::fault;
}

}  // namespace videosync
