#include "server/uploads/upload_answers.h"

#include <string>
#include <vector>

#include "core/base/text.h"
#include "proto/http/http_conditions.h"
#include "server/connection/connection.h"
#include "server/digest.h"
#include "server/uploads/tus.h"
#include "server/uploads/upload_route.h"

namespace videosync {

namespace {

constexpr HttpField version_field{"Tus-Resumable", tus_version};
constexpr HttpField fresh_field{"Cache-Control", "no-store"};

// In the order of UploadFault.
constexpr HttpFault faults[] = {
    {404, "no_such_upload", "there is no such upload, or it was given up: begin anew"},
    {409, "upload_exists", "the session is bringing another film: go on with it, or delete it"},
    {409, "wrong_offset", "the upload goes on elsewhere: see Upload-Offset"},
    {423, "upload_in_progress",
     "the upload is coming over another connection, which is told to end: try again"},
    {403, "upload_taken_over", "another connection goes on with the upload"},
    {413, "upload_too_large", "more came than Upload-Length says"},
    {413, "upload_too_large", "films of this size are not taken here: see Tus-Max-Size"},
    {507, "uploads_full", "there is no room left for films that are brought"},
    {507, "uploads_full", "there are as many films as may be brought"},
    {503, "busy", "too many films are being brought, try again"},
    {507, "storage_full", "the disk is full: what has come is kept, go on later"},
    {500, "storage_failed", "the storage does not take it"},
};

struct Fields {
  std::string location, offset, length, expires, metadata;
  std::vector<HttpField> all{version_field};

  explicit Fields(const UploadAnswer& answer) {
    const Upload& upload = answer.upload;
    // Of what is not there any more nothing is to be said.
    if (upload.length == 0 || answer.kind == UploadAsk::Kind::remove) return;
    offset = std::to_string(upload.offset);
    all.push_back({"Upload-Offset", offset});
    if (!upload.is_whole() && answer.expires_us > 0) {
      expires = format_http_date(answer.expires_us / 1'000'000);
      all.push_back({"Upload-Expires", expires});
    }
  }
  void add_location(const Upload& upload) {
    location = std::string(uploads_path) + '/' + upload.session.to_string() + '/' +
               to_hex(upload.id.bytes);
    all.push_back({"Location", location});
  }
  void add_facts(const Upload& upload) {
    length = std::to_string(upload.length);
    metadata = "filename " + encode_base64(upload.name) + ",session " +
               encode_base64(upload.session.to_string());
    all.push_back({"Upload-Length", length});
    all.push_back({"Upload-Metadata", metadata});
  }
};

const HttpFault& fault_of(const UploadAnswer& answer) noexcept {
  return faults[static_cast<std::size_t>(*answer.fault)];
}

}  // namespace

void refuse_upload(Connection& connection, const HttpFault& fault) {
  const HttpField fields[] = {version_field, {"Tus-Version", tus_version}};
  connection.answer_error(fault, fields);
}

void answer_upload(Connection& connection, const UploadAnswer& answer) {
  using Kind = UploadAsk::Kind;
  Fields fields(answer);
  if (answer.fault) {
    if (*answer.fault == UploadFault::exists) fields.add_location(answer.upload);
    return connection.answer_error(fault_of(answer), fields.all);
  }
  fields.all.push_back(fresh_field);
  if (answer.kind == Kind::create) fields.add_location(answer.upload);
  if (answer.kind == Kind::look) fields.add_facts(answer.upload);
  const int status = answer.kind == Kind::create ? 201 : answer.kind == Kind::look ? 200 : 204;
  connection.answer(status, "", "", fields.all);
}

void fail_upload(Connection& connection, const UploadAnswer& answer) {
  const Fields fields(answer);
  connection.fail_body(fault_of(answer), fields.all);
}

}  // namespace videosync
