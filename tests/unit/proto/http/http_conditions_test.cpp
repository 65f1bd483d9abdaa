#include "proto/http/http_conditions.h"

#include <criterion/criterion.h>

#include <string>
#include <vector>

using namespace videosync;

namespace {

constexpr std::int64_t modified_s = 784'111'777;  // Sun, 06 Nov 1994 08:49:37 GMT
constexpr std::int64_t now_s = 1'700'000'000;     // November 2023
constexpr std::string_view at = "Sun, 06 Nov 1994 08:49:37 GMT";
constexpr std::string_view before = "Sun, 06 Nov 1994 08:49:36 GMT";
constexpr std::string_view after = "Sun, 06 Nov 1994 08:49:38 GMT";
constexpr Validators current{.etag = "\"a,b\"", .last_modified_s = modified_s};

constexpr auto serve = Condition::serve;
constexpr auto not_modified = Condition::not_modified;
constexpr auto failed = Condition::precondition_failed;

ConditionOutcome evaluate(HttpMethod method, std::vector<HttpField> fields) {
  HttpRequest request;
  request.method = method;
  request.fields = std::move(fields);
  return evaluate_conditions(request, current, now_s);
}

struct ConditionRow {
  std::vector<HttpField> fields;
  Condition for_get;
  Condition for_delete;
};

}  // namespace

Test(http_conditions, conditions_are_weighed_in_order) {
  const std::vector<ConditionRow> table = {
      {{}, serve, serve},
      {{{"If-Match", "*"}}, serve, serve},
      {{{"If-Match", "\"a,b\""}}, serve, serve},
      {{{"if-match", "\"x\", \"a,b\""}}, serve, serve},
      {{{"If-Match", "\"x\""}, {"If-Match", "\"a,b\""}}, serve, serve},
      {{{"If-Match", "\"a\""}}, failed, failed},
      {{{"If-Match", "W/\"a,b\""}}, failed, failed},
      {{{"If-Match", "a,b"}}, failed, failed},
      {{{"If-Match", ""}}, failed, failed},
      {{{"If-Unmodified-Since", at}}, serve, serve},
      {{{"If-Unmodified-Since", after}}, serve, serve},
      {{{"If-Unmodified-Since", before}}, failed, failed},
      {{{"If-Unmodified-Since", "yesterday"}}, serve, serve},
      {{{"If-Match", "*"}, {"If-Unmodified-Since", before}}, serve, serve},
      {{{"If-None-Match", "*"}}, not_modified, failed},
      {{{"If-None-Match", "\"a,b\""}}, not_modified, failed},
      {{{"If-None-Match", "\"x\" , W/\"a,b\""}}, not_modified, failed},
      {{{"If-None-Match", "\"a\", \"b\""}}, serve, serve},
      {{{"If-None-Match", "a,b"}}, serve, serve},
      {{{"If-None-Match", "\"a,b"}}, serve, serve},
      {{{"If-Modified-Since", at}}, not_modified, serve},
      {{{"If-Modified-Since", after}}, not_modified, serve},
      {{{"If-Modified-Since", before}}, serve, serve},
      {{{"If-Modified-Since", "?"}}, serve, serve},
      {{{"If-Modified-Since", at}, {"If-Modified-Since", at}}, serve, serve},
      {{{"If-None-Match", "\"x\""}, {"If-Modified-Since", at}}, serve, serve},
      {{{"If-Match", "\"x\""}, {"If-None-Match", "\"a,b\""}}, failed, failed},
      {{{"If-Match", "\"a,b\""}, {"If-None-Match", "\"a,b\""}}, not_modified, failed},
      {{{"If-Unmodified-Since", at}, {"If-Modified-Since", at}}, not_modified, serve}};
  for (std::size_t i = 0; i < table.size(); ++i) {
    cr_assert(evaluate(HttpMethod::get, table[i].fields).condition == table[i].for_get, "row %zu",
              i);
    cr_assert(evaluate(HttpMethod::head, table[i].fields).condition == table[i].for_get, "row %zu",
              i);
    cr_assert(evaluate(HttpMethod::del, table[i].fields).condition == table[i].for_delete,
              "row %zu", i);
  }
}

Test(http_conditions, if_range_decides_whether_a_range_applies) {
  const auto applies = [](std::vector<HttpField> fields) {
    return evaluate(HttpMethod::get, std::move(fields)).range_applies;
  };
  const HttpField range{"Range", "bytes=0-1"};
  cr_assert(applies({range}));
  cr_assert_not(applies({}));
  cr_assert_not(applies({range, range}));
  cr_assert(applies({range, {"If-Range", "\"a,b\""}}));
  cr_assert(applies({range, {"If-Range", at}}));
  cr_assert_not(applies({range, {"If-Range", "\"old\""}}));
  cr_assert_not(applies({range, {"If-Range", "W/\"a,b\""}}));
  cr_assert_not(applies({range, {"If-Range", before}}));
  cr_assert_not(applies({range, {"If-Range", after}}), "it must be that date, not a later one");
  cr_assert_not(applies({range, {"If-Range", "rubbish"}}));
  cr_assert_not(applies({range, {"If-Range", at}, {"If-Range", at}}));
  cr_assert_not(applies({range, {"If-None-Match", "\"a,b\""}}), "a 304 has no range");
  cr_assert_not(evaluate(HttpMethod::head, {range}).range_applies);
}

Test(http_conditions, a_date_of_this_second_is_no_strong_validator) {
  HttpRequest request;
  request.method = HttpMethod::get;
  request.fields = {{"Range", "bytes=0-1"}, {"If-Range", at}};
  cr_assert_not(evaluate_conditions(request, current, modified_s).range_applies);
  cr_assert(evaluate_conditions(request, current, modified_s + 1).range_applies);
}

Test(http_conditions, dates_are_read_in_three_forms) {
  cr_assert(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT", now_s) == modified_s);
  cr_assert(parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT", now_s) == modified_s);
  cr_assert(parse_http_date("Sun Nov  6 08:49:37 1994", now_s) == modified_s);
  cr_assert(parse_http_date("Wed Nov 16 08:49:37 1994", now_s) == modified_s + 10 * 86'400);
  cr_assert(parse_http_date("Thu, 29 Feb 2024 00:00:00 GMT", now_s) == 1'709'164'800);
  cr_assert(parse_http_date("Sat, 31 Dec 2016 23:59:60 GMT", now_s) == 1'483'228'800);
  cr_assert(parse_http_date("Thu, 01 Jan 1970 00:00:00 GMT", now_s) == 0);
}

Test(http_conditions, a_short_year_lies_at_most_fifty_years_ahead) {
  const auto year_of = [](std::string_view text) {
    return format_http_date(parse_http_date(text, now_s).value()).substr(12, 4);
  };
  cr_assert_eq(year_of("Monday, 01-Jan-73 00:00:00 GMT"), "2073");
  cr_assert_eq(year_of("Monday, 01-Jan-74 00:00:00 GMT"), "1974");
  cr_assert_eq(year_of("Monday, 01-Jan-24 00:00:00 GMT"), "2024");
}

Test(http_conditions, what_is_no_date_is_none) {
  for (const char* text :
       {"", "Sun", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 31 Feb 1994 08:49:37 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT", "Sun, 06 nov 1994 08:49:37 GMT",
        "Xyz, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:49:37 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT", "Sun, 06 Nov 1994 08:49:61 GMT",
        "Sun, 06 Nov 1994 08:49:37 GMT ", "Sun, 29 Feb 2023 08:49:37 GMT", "784111777",
        "Sun, -6 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-1994 08:49:37 GMT",
        "Sun Nov 6 08:49:37 1994", "1994-11-06T08:49:37Z"}) {
    cr_assert_not(parse_http_date(text, now_s).has_value(), "%s", text);
  }
}

Test(http_conditions, dates_are_written_in_one_form) {
  cr_assert_eq(format_http_date(modified_s), at);
  cr_assert_eq(format_http_date(0), "Thu, 01 Jan 1970 00:00:00 GMT");
  cr_assert_eq(format_http_date(-1), "Wed, 31 Dec 1969 23:59:59 GMT");
  cr_assert_eq(format_http_date(INT64_MAX), "Fri, 31 Dec 9999 23:59:59 GMT");
  cr_assert_eq(format_http_date(INT64_MIN), "Sat, 01 Jan 0000 00:00:00 GMT");
  for (std::int64_t time_s = -4'000'000'000; time_s < 9'000'000'000; time_s += 12'345'679) {
    cr_assert(parse_http_date(format_http_date(time_s), now_s) == time_s, "%ld", time_s);
  }
}
