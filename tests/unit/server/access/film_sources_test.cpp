#include "server/access/film_sources.h"

#include <criterion/criterion.h>

#include <string>
#include <vector>

using namespace videosync;

namespace {

FilmSources make(std::vector<std::string> entries) {
  auto sources = FilmSources::create(entries);
  cr_assert(sources.has_value());
  return *std::move(sources);
}

}  // namespace

Test(film_sources, a_film_of_an_origin_on_the_list_is_allowed) {
  const FilmSources sources = make({"https://Films.example", "https://b.example:8443"});
  for (const char* url : {
           "https://films.example/a.mp4",
           "https://FILMS.example:443/a%20b/c.m3u8?token=1#t=2",
           "https://films.example",
           "https://films.example?x",
           "https://b.example:8443/a.mp4",
       })
    cr_assert(sources.allows(url), "%s", url);
}

Test(film_sources, nothing_else_is_whatever_it_looks_like) {
  const FilmSources sources = make({"https://films.example"});
  for (const char* url : {
           "",
           "a-film",
           "http://films.example/a.mp4",
           "HTTPS://films.example/a.mp4",
           "https://films.example:444/a.mp4",
           "https://films.example.evil.example/a.mp4",
           "https://films.example@evil.example/a.mp4",
           "https://user@films.example/a.mp4",
           "https://evil.example/https://films.example/",
           "https://films.example\\@evil.example/",
           "https://evil.example\\.films.example/",
           "https://films.example/a b.mp4",
           "https://films.example/\n",
           "https://films.example/\xc3\xa4.mp4",
           "https:///films.example/a.mp4",
           "//films.example/a.mp4",
           "javascript:alert(1)",
       })
    cr_assert(!sources.allows(url), "%s", url);
  cr_assert(!make({}).allows("https://films.example/a.mp4"));
}

Test(film_sources, an_entry_is_an_origin_that_means_nothing_else_in_a_policy) {
  for (const char* entry : {
           "films.example",
           "http://films.example",
           "https://films.example/films/",
           "https://*.films.example",
           "https://films.example 'unsafe-inline'",
           "https://films.example'",
           "https://films.example;script-src",
           "https://",
           "*",
           "null",
           "",
       }) {
    const std::vector<std::string> entries{entry};
    const auto sources = FilmSources::create(entries);
    cr_assert(!sources.has_value(), "%s", entry);
    cr_assert_neq(sources.error().message.find("https://host"), std::string::npos);
  }
}

Test(film_sources, origins_are_told_once_and_in_one_form) {
  const FilmSources sources =
      make({"https://A.example:443", "https://a.example", "https://[::1]:8"});
  const std::vector<std::string> told(sources.origins().begin(), sources.origins().end());
  const std::vector<std::string> expected{"https://a.example", "https://[::1]:8"};
  cr_assert(told == expected);
}
