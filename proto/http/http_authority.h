// Authorities: which server a request names, in its Host field or its target.
//
// Pure; any thread.
#pragma once

#include <string_view>

namespace videosync {

// host [ ":" port ] of RFC 9110, 4.2 and 7.2, with the host of RFC 3986, 3.2.2: a name whose
// escapes are whole, an IPv4 address, or an IPv6 address in brackets; the port may be empty and is
// at most 65535. Stricter than the grammar where only an attacker would make use of it: no empty
// host, no address of a version yet to be invented, and no comma, which two joined Host fields
// would have.
bool is_authority(std::string_view text) noexcept;

}  // namespace videosync
