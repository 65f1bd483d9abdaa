#include "server/uploads/tus.h"

#include <criterion/criterion.h>

#include <string>
#include <string_view>

#include "server/digest.h"

using namespace videosync;

namespace {

constexpr std::string_view session_text = "0d9c2e5a-8a1b-4c3d-9e0f-112233445566";

HttpRequest request_with(std::vector<HttpField> fields) {
  HttpRequest request;
  request.fields = std::move(fields);
  return request;
}

int creation_fault(std::string_view length, std::string_view metadata) {
  const auto read =
      read_creation(request_with({{"Upload-Length", length}, {"Upload-Metadata", metadata}}));
  return read ? 0 : read.error().status;
}

std::string metadata_of(std::string_view name, std::string_view session = session_text) {
  return "filename " + encode_base64(name) + ",session " + encode_base64(session);
}

}  // namespace

Test(tus, only_its_first_version_is_spoken) {
  cr_assert_not(judge_tus_version(request_with({{"tus-resumable", "1.0.0"}})));
  cr_assert_eq(judge_tus_version(request_with({{"Tus-Resumable", "0.2.2"}}))->status, 412);
  cr_assert_eq(judge_tus_version(request_with({}))->status, 412);
}

Test(tus, metadata_is_found_by_its_key) {
  const std::string metadata = "a,filename  ZmlsbQ== , is_private,b YWI=";
  cr_assert(metadata_value(metadata, "filename") == "film");
  cr_assert(metadata_value(metadata, "b") == "ab");
  cr_assert(metadata_value(metadata, "a") == "");
  cr_assert_not(metadata_value(metadata, "c"));
  cr_assert_not(metadata_value("a YQ==,a YQ==", "a"));
  cr_assert_not(metadata_value("a !", "a"));
  cr_assert_not(metadata_value("", "a"));
}

Test(tus, a_creation_names_a_length_a_film_and_a_session) {
  const std::string metadata = metadata_of("C:\\My films\\Heat (1995).mkv");
  const auto creation =
      read_creation(request_with({{"Upload-Length", "1234"}, {"Upload-Metadata", metadata}}));
  cr_assert(creation.has_value());
  cr_assert_eq(creation->length, 1234U);
  cr_assert(creation->session.to_string() == session_text);
  cr_assert(creation->name == "Heat (1995).mkv");
}

Test(tus, what_a_creation_lacks_is_told) {
  const std::string good = metadata_of("a.mp4");
  cr_assert_eq(creation_fault("1", good), 0);
  for (const std::string_view length : {"", "0", "-1", "1.5", "18446744073709551616", "x"})
    cr_assert_eq(creation_fault(length, good), 400, "%s", std::string(length).c_str());
  cr_assert_eq(creation_fault("18446744073709551615", good), 0);
  for (const std::string& metadata :
       {std::string(), metadata_of("a.txt"), metadata_of("a"), metadata_of("a.mp4", "x"),
        metadata_of("\xff.mp4"), "filename " + encode_base64("a.mp4"), std::string("filename YQ"),
        metadata_of("x.m3u8")}) {
    cr_assert_eq(creation_fault("1", metadata), 400, "%s", metadata.c_str());
  }
  const auto deferred =
      read_creation(request_with({{"Upload-Defer-Length", "1"}, {"Upload-Metadata", good}}));
  cr_assert_eq(deferred.error().status, 400);
}

Test(tus, a_part_says_where_it_begins_and_that_it_is_one) {
  const HttpField type{"Content-Type", "application/offset+octet-stream"};
  cr_assert_eq(*read_offset(request_with({type, {"Upload-Offset", "12"}})), 12U);
  cr_assert_eq(read_offset(request_with({type})).error().status, 400);
  cr_assert_eq(read_offset(request_with({type, {"Upload-Offset", "-1"}})).error().status, 400);
  const HttpField twice{"Upload-Offset", "1"};
  cr_assert_eq(read_offset(request_with({type, twice, twice})).error().status, 400);
  const auto untyped = read_offset(request_with({{"Upload-Offset", "12"}}));
  cr_assert_eq(untyped.error().status, 415);
}

Test(tus, names_are_made_such_as_a_library_lists) {
  cr_assert(upload_file_name("a.MP4") == "a.MP4");
  cr_assert(upload_file_name("../../etc/x.mp4") == "x.mp4");
  cr_assert(upload_file_name("..mp4") == "film.mp4");
  cr_assert(upload_file_name(".mp4") == "");
  cr_assert(upload_file_name(" . hidden.mp4") == "hidden.mp4");
  cr_assert(upload_file_name("a\nb\x7f.mp4") == "a b.mp4");
  cr_assert(upload_file_name("mp4") == "");
  cr_assert(upload_file_name("a.mp4/") == "");
  cr_assert(upload_file_name("a.html") == "");
  std::string long_name;
  for (int i = 0; i < 200; ++i)
    long_name += "\xc3\xa4";
  const std::string cut = upload_file_name(long_name + ".mkv");
  cr_assert_eq(cut.size(), 184U);
  cr_assert(cut.ends_with("\xa4.mkv"));
}
