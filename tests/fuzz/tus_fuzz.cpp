// Fuzzes the words of resumable uploads: Upload-Metadata, Upload-Length, Upload-Offset, and names
// of files that browsers give. All of the input is fields of a request, and a file's name.
//
// Reads: server/digest.cpp, server/uploads/tus.cpp
#include "server/uploads/tus.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/assert.h"
#include "core/base/utf8.h"
#include "server/digest.h"
#include "storage/names/library_names.h"
#include "storage/names/video_name.h"
#include "tests/fuzz/support/fuzz_lines.h"

using namespace videosync;
using namespace videosync::fuzz;

namespace {

void check_name(std::string_view given) {
  const std::string name = upload_file_name(given);
  if (name.empty()) return;
  VS_ASSERT(is_valid_utf8(name) && name.size() <= 255);
  VS_ASSERT(is_servable_name(name) && is_kind(name, video_kinds));
  VS_ASSERT(upload_file_name(name) == name);
}

void check_base64(std::string_view text) {
  VS_ASSERT(decode_base64(encode_base64(text)) == text);
  const auto bytes = decode_base64(text);
  if (!bytes) return;
  VS_ASSERT(bytes->size() <= text.size() / 4 * 3);
  VS_ASSERT(decode_base64(encode_base64(*bytes)) == *bytes);
}

// What a client writes is what is read, beside keys that do not matter.
void check_written(std::string_view value) {
  const std::string metadata = "a,b " + encode_base64("x") + " , key\t,filename " +
                               encode_base64(value) + ",session " + encode_base64("s");
  VS_ASSERT(metadata_value(metadata, "filename") == value);
  VS_ASSERT(!metadata_value(metadata + ",filename", "filename"));
  VS_ASSERT(!metadata_value(metadata, "file"));
}

void check_request(const HttpRequest& request) {
  const auto creation = read_creation(request);
  if (creation) {
    VS_ASSERT(creation->length > 0 && !creation->name.empty());
    VS_ASSERT(request.header("upload-length") != "0" && request.count("upload-length") == 1);
    VS_ASSERT(upload_file_name(creation->name) == creation->name);
  } else {
    VS_ASSERT(creation.error().status == 400 && !creation.error().message.empty());
  }
  const auto offset = read_offset(request);
  if (offset) {
    VS_ASSERT(parse_decimal<std::uint64_t>(request.header("upload-offset")) == *offset);
  } else {
    VS_ASSERT(offset.error().status == 400 || offset.error().status == 415);
  }
  const bool speaks_ours = request.header("tus-resumable") == tus_version;
  VS_ASSERT(judge_tus_version(request).has_value() == !speaks_ours);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = text_of(data, size);
  const HttpRequest request = request_of(text);
  check_request(request);
  for (const HttpField& field : request.fields)
    check_base64(field.value);
  check_name(text);
  check_base64(text);
  check_written(text);
  return 0;
}
