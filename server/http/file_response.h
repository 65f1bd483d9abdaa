// Answers with the bytes of a file or of a page: validators, conditions, ranges (RFC 9110, 13, 14).
//
// Called on the connection's worker, for a request that has not been answered yet.
#pragma once

#include <span>
#include <string_view>

#include "proto/http/http_message.h"
#include "server/http/pages.h"
#include "storage/library/media_library.h"

namespace videosync {

class Connection;
class Worker;

// Who may keep an answer, and how long.
struct CacheRule {
  std::string_view cache_control;
  // No cache that several share stores it, not even one whose operator has it keep what is
  // `private` and ask who may have it (deploy/nginx-cache.conf): RFC 9213.
  bool is_unshared = false;
};

// Videos and what belongs to them may be replaced at any time: they are asked for again, by tag.
// What a session's host has brought goes with the session, so nothing on the way stores it.
constexpr CacheRule media_rule(bool is_private) noexcept {
  return is_private ? CacheRule{"private, no-cache", true} : CacheRule{"no-cache"};
}

void answer_with_file(Worker& worker, Connection& connection, const MediaFileRef& file,
                      CacheRule rule);
// A text that is made for the request: asked for again each time, by a tag of what is in it.
void answer_with_text(Worker& worker, Connection& connection, std::string_view content_type,
                      std::string_view text, CacheRule rule);
// To HEAD alone: what is there once it is asked for, of a length that is not known before.
void answer_with_type(Worker& worker, Connection& connection, std::string_view content_type,
                      CacheRule rule);
// Now, or when it has been opened.
void answer_with_place(Worker& worker, Connection& connection, MediaLibrary::Place place);
void answer_with_page(Worker& worker, Connection& connection, const PageView& page);
// In the place of something else, with that one's status: whole, and not to be kept.
void answer_with_refusal_page(Worker& worker, Connection& connection, const PageView& page,
                              int status, std::span<const HttpField> extra);

}  // namespace videosync
