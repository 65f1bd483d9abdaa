// BrowserCookie: by which a session knows a browser again that its host has removed.
//
// One of the page's origin, for /ws alone: a random id and what signs it, so that nobody has
// another browser's by making it up. It is given with each 101. A browser that deletes it, or a
// private window, is another browser: no more is claimed for it. Pure; any thread.
#pragma once

#include <optional>
#include <string>

#include "proto/http/http_message.h"
#include "proto/wire/token.h"

namespace videosync {

// Of whom the request comes. None: it shows no cookie that was signed with this key.
BrowserId browser_of(const HttpRequest& request, const Token& key) noexcept;
// REQUIRES one.
std::string browser_cookie(BrowserId browser, const Token& key, bool is_secure);

}  // namespace videosync
