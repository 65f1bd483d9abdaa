// Pages over a real folder: forms, tags, caching, limits, and what is never loaded.
#include "server/http/pages.h"

#include <criterion/criterion.h>

#include "server/http/security_headers.h"
#include "tests/support/temp_folder.h"

using namespace videosync;
using videosync::test::open_descriptors;
using videosync::test::TempFolder;

namespace {

std::shared_ptr<const Pages> load(const TempFolder& folder) {
  return Pages::load(folder.path()).value();
}

std::string text_of(const PageView& view) {
  const auto bytes = view.body->bytes.bytes();
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

Test(pages, pages_are_found_with_their_types) {
  TempFolder folder;
  folder.write("index.html", "<h1>home</h1>");
  folder.write("player.html", "player");
  folder.write("js/app.js", "app");
  folder.write("help/index.html", "help");
  folder.write("empty.css", "");
  const std::size_t before = open_descriptors();
  const auto pages = load(folder);
  cr_assert_eq(open_descriptors(), before, "everything is in memory");

  cr_assert_eq(text_of(pages->find("/", "")), "<h1>home</h1>");
  cr_assert_eq(text_of(pages->find("/index.html", "")), "<h1>home</h1>");
  cr_assert_eq(text_of(pages->find("/help/", "")), "help");
  cr_assert_eq(text_of(pages->find("/empty.css", "")), "");
  const PageView script = pages->find("/js/app.js", "gzip, br");
  cr_assert_eq(text_of(script), "app");
  cr_assert_eq(script.content_type, "text/javascript; charset=utf-8");
  cr_assert_eq(script.content_encoding, "");
  cr_assert_eq(script.vary, "", "one form: nothing varies");
  for (const char* missing : {"", "index.html", "/js", "/js/", "/help", "/nothing.html", "//",
                              "/js/../index.html", "/./index.html", "/INDEX.HTML"}) {
    cr_assert_null(pages->find(missing, "").body, "%s", missing);
  }
}

Test(pages, a_trailing_slash_of_the_folder_changes_nothing) {
  TempFolder folder;
  folder.write("js/app.js", "app");
  const auto pages = Pages::load(folder.path() + "/").value();
  cr_assert_eq(text_of(pages->find("/js/app.js", "")), "app");
}

Test(pages, precompressed_forms_are_picked) {
  TempFolder folder;
  folder.write("app.js", "plain");
  folder.write("app.js.br", "brotli");
  folder.write("app.js.gz", "zipped");
  folder.write("style.css", "plain");
  folder.write("style.css.gz", "zipped");
  folder.write("orphan.js.gz", "zipped");
  folder.write("app.js.br.gz", "twice");
  const auto pages = load(folder);

  const PageView small = pages->find("/app.js", "gzip, br");
  cr_assert_eq(text_of(small), "brotli");
  cr_assert_eq(small.content_encoding, "br");
  cr_assert_eq(small.vary, "Accept-Encoding");
  cr_assert_eq(small.content_type, "text/javascript; charset=utf-8");
  cr_assert_eq(text_of(pages->find("/app.js", "gzip")), "zipped");
  const PageView plain = pages->find("/app.js", "");
  cr_assert_eq(text_of(plain), "plain");
  cr_assert_eq(plain.vary, "Accept-Encoding");
  cr_assert_neq(plain.body->etag, small.body->etag, "a tag names one form");
  cr_assert_eq(text_of(pages->find("/style.css", "br, gzip;q=0.1")), "zipped");

  for (const char* path :
       {"/app.js.br", "/app.js.gz", "/orphan.js", "/orphan.js.gz", "/app.js.br.gz"}) {
    cr_assert_null(pages->find(path, "br, gzip").body, "%s", path);
  }
}

Test(pages, tags_are_strong_and_follow_the_content) {
  TempFolder folder;
  folder.write("a.txt", "same");
  folder.write("b.txt", "same");
  folder.write("c.txt", "other");
  const auto pages = load(folder);
  const std::string a = pages->find("/a.txt", "").body->etag;
  cr_assert_eq(a, "\"0967115f2813a3541eaef77de9d9d577\"", "SHA-256 of \"same\", half of it");
  cr_assert_eq(pages->find("/b.txt", "").body->etag, a);
  cr_assert_neq(pages->find("/c.txt", "").body->etag, a);
}

Test(pages, only_names_with_a_hash_are_kept_for_good) {
  TempFolder folder;
  const char* const hashed[] = {"app.3f9c2b7e.js", "app-0123abcd4567.css", "x.y.aa11bb22cc.woff2"};
  const char* const others[] = {"index.html",         "app.js",      "report-20240101.txt",
                                "face-deadbeef.css",  "3f9c2b7e.js", "app.3f9c2b7.js",
                                "app.3f9c2b7e.js.map"};
  for (const char* name : hashed)
    folder.write(name);
  for (const char* name : others)
    folder.write(name);
  const auto pages = load(folder);
  for (const char* name : hashed) {
    cr_assert_eq(pages->find("/" + std::string(name), "").cache_control,
                 "public, max-age=31536000, immutable", "%s", name);
  }
  for (const char* name : others) {
    cr_assert_eq(pages->find("/" + std::string(name), "").cache_control, "no-cache", "%s", name);
  }
}

Test(pages, hidden_files_and_symlinks_are_not_loaded) {
  TempFolder outside;
  outside.write("secret.txt", "secret");
  TempFolder folder;
  folder.write("index.html");
  folder.write(".env", "secret");
  folder.write(".git/config", "secret");
  folder.link(outside / "secret.txt", "link.txt");
  folder.link(outside.path(), "away");
  cr_assert_eq(::mkfifo((folder / "pipe.txt").c_str(), 0600), 0);
  const auto pages = load(folder);
  cr_assert_not_null(pages->find("/index.html", "").body);
  for (const char* path :
       {"/.env", "/.git/config", "/link.txt", "/away/secret.txt", "/away", "/pipe.txt"}) {
    cr_assert_null(pages->find(path, "").body, "%s", path);
  }
}

Test(pages, limits_name_the_file) {
  TempFolder folder;
  folder.write("a.txt", std::string(100, 'a'));
  folder.write("b.txt", std::string(101, 'b'));
  cr_assert(Pages::load(folder.path(), 101, 201).has_value());

  const Error large = Pages::load(folder.path(), 100, 1'000).error();
  cr_assert(large.code == ErrorCode::exhausted);
  cr_assert_neq(large.message.find("b.txt"), std::string::npos);
  const Error total = Pages::load(folder.path(), 1'000, 200).error();
  cr_assert(total.code == ErrorCode::exhausted);
  cr_assert_neq(total.message.find("b.txt"), std::string::npos);
}

Test(pages, a_folder_that_is_not_there_says_so) {
  TempFolder folder;
  const Error error = Pages::load(folder / "www").error();
  cr_assert_eq(error.system_errno, ENOENT);
  cr_assert_neq(error.message.find("www"), std::string::npos);
}

Test(pages, a_body_outlives_its_snapshot) {
  TempFolder folder;
  folder.write("a.txt", "still here");
  auto pages = load(folder);
  const BufferRef body = pages->find("/a.txt", "").body->bytes;
  pages.reset();
  cr_assert_eq(std::memcmp(body.bytes().data(), "still here", body.size()), 0);
}

Test(pages, the_policy_allows_nothing_inline_or_foreign) {
  const std::string policy = content_security_policy({});
  cr_assert_neq(policy.find("default-src 'self'"), policy.npos);
  cr_assert_neq(policy.find("frame-ancestors 'none'"), policy.npos);
  for (const char* loose : {"unsafe", "*", "http:", "https:", "ws:", "wss:"}) {
    cr_assert_eq(policy.find(loose), policy.npos, "%s", loose);
  }
}

Test(pages, the_policy_lets_films_come_from_the_sites_that_are_allowed_and_nothing_else) {
  const std::vector<std::string> sources{"https://a.example", "https://b.example:8443"};
  const std::string policy = content_security_policy(sources);
  const auto has = [&](const char* text) { return policy.find(text) != policy.npos; };
  cr_assert(has("; media-src 'self' blob: https://a.example https://b.example:8443;"));
  cr_assert(has("; connect-src 'self' https://a.example https://b.example:8443;"));
  cr_assert(has("default-src 'self'; script-src 'self'; img-src 'self' data:; style-src 'self' '"));
}
