#include "server/access/create_password.h"

#include <criterion/criterion.h>

#include <string>

using namespace videosync;

namespace {

constexpr std::int64_t now_s = 1'700'000'000;

HttpRequest with(std::string_view name, const std::string& value) {
  HttpRequest request;
  request.fields.push_back({name, value});
  return request;
}

bool is_allowed(const CreatePassword& password, const std::string& cookies,
                std::int64_t at_s = now_s) {
  return password.allows(with("Cookie", cookies), at_s);
}

std::string sent_back(const CreatePassword& password) {
  const std::string cookie = password.cookie(now_s, false);
  return cookie.substr(0, cookie.find(';'));
}

}  // namespace

Test(create_password, none_is_asked_for_unless_there_is_one) {
  const CreatePassword none("");
  cr_assert_not(none.is_asked_for());
  cr_assert(none.allows({}, now_s));
}

Test(create_password, it_is_the_whole_of_it) {
  const CreatePassword password("open sesame");
  cr_assert(password.is_asked_for());
  cr_assert(password.is("open sesame"));
  for (const char* wrong : {"", "open", "open sesame ", "Open sesame"})
    cr_assert_not(password.is(wrong), "%s", wrong);
  cr_assert_not(password.allows({}, now_s));
}

Test(create_password, whoever_has_said_it_is_known_on_every_node_until_it_is_another) {
  const CreatePassword here("open sesame"), there("open sesame"), later("something else");
  const std::string sent = sent_back(here);
  cr_assert(is_allowed(here, sent));
  cr_assert(is_allowed(there, "theme=dark; " + sent));
  cr_assert_not(is_allowed(later, sent));
  cr_assert(is_allowed(here, sent, now_s + 300 * 86'400));
  cr_assert_not(is_allowed(here, sent, now_s + 366 * 86'400));
  for (std::size_t i = sent.find('=') + 1; i < sent.size(); ++i) {
    std::string other = sent;
    other[i] = other[i] == '1' ? '2' : '1';
    cr_assert_not(is_allowed(here, other), "%zu", i);
  }
}

Test(create_password, no_script_reads_the_cookie) {
  const CreatePassword password("open sesame");
  cr_assert(password.cookie(now_s, false).ends_with("; HttpOnly; SameSite=Lax"));
  cr_assert(password.cookie(now_s, true).ends_with("; Secure"));
}

Test(create_password, programs_send_it_along) {
  const auto told = [](const std::string& field) {
    return CreatePassword::told_by(with("Authorization", field));
  };
  cr_assert(told("Basic OnNlY3JldA==") == "secret");
  cr_assert(told("basic YW5uOm9wZW46c2VzYW1l") == "open:sesame", "of any user");
  for (const char* none : {"", "Basic ", "Basic ??", "Basic c2VjcmV0", "Bearer OnNlY3JldA=="})
    cr_assert_not(told(none).has_value(), "%s", none);
}
