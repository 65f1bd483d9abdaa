// GET /forms/ID/VERSION/NAME: a file of a form of a film (storage/forms/form_names.h says which
// there are). The version is the film's file's: a film that is replaced has other URLs.
// GET /forms/ID/beside/NAME.vtt: captions that lie beside it, in their version.
// GET /forms/ID/film.json: what there is of the film as it is now.
#pragma once

#include <string_view>

namespace videosync {

class Connection;
class Worker;

// `rest`: of the path, behind the prefix.
void route_form(Worker& worker, Connection& connection, std::string_view rest);

}  // namespace videosync
