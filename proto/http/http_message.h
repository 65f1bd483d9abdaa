// What a request is made of: methods, fields, faults, and the small grammar that fields share.
//
// Plain values, mostly views; who made them says how long they live. Pure functions, any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace videosync {

enum class HttpMethod : std::uint8_t { get, head, post, del, options, put, patch, other };

struct HttpField {
  std::string_view name;
  std::string_view value;  // without the blanks around it
};

// Why a request is refused: a status and the two halves of the JSON error body. The views outlive
// the fault: literals as a rule.
struct HttpFault {
  int status = 400;
  std::string_view code;     // "bad_request"
  std::string_view message;  // for a person
};

// A request's views live until the parser's reset(). Tests may fill one by hand.
struct HttpRequest {
  HttpMethod method = HttpMethod::other;
  std::string_view method_name;
  std::string_view target;  // as it came
  // Percent-decoded once: valid UTF-8 without control bytes. "*" for OPTIONS *. An encoded slash is
  // refused, so every '/' here was one on the wire. Dot segments are left for the router to refuse.
  std::string_view path;
  std::string_view query;  // raw, behind the '?'; see http_query.h
  std::string_view host;   // the target's authority where it has one, else the Host field
  std::uint8_t version_minor = 1;
  bool keep_alive = true;
  bool expect_continue = false;  // the client waits for a 100 before it sends the body
  bool has_body = false;         // a body that is not empty, or is chunked, follows the head
  std::vector<HttpField> fields;
  std::string_view body;  // set when complete

  // The first field of that name in any case; empty where there is none.
  std::string_view header(std::string_view name) const noexcept;
  std::size_t count(std::string_view name) const noexcept;
  bool has_header(std::string_view name) const noexcept { return count(name) > 0; }
  // Whether a comma-separated list, over all fields of that name, has this token in any case.
  bool has_token(std::string_view name, std::string_view token) const noexcept;
};

// The error code that goes with a status where nothing more specific is known: "uri_too_long".
std::string_view code_for_status(int status) noexcept;
// Cuts the first element off a list of fields' grammar and returns it without blanks around it,
// perhaps empty.
std::string_view take_list_element(std::string_view& list, char separator = ',') noexcept;
// A non-empty token of RFC 9110, 5.6.2, and what it is made of.
bool is_token_char(char c) noexcept;
bool is_token(std::string_view text) noexcept;

}  // namespace videosync
