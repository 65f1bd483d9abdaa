// What is said of an upload over HTTP.
//
// On the connection's worker.
#pragma once

#include "proto/http/http_message.h"
#include "server/uploads/upload_keeper.h"

namespace videosync {

class Connection;

void refuse_upload(Connection& connection, const HttpFault& fault);
// The answer to the request at hand, whose body, if it has one, has been read.
void answer_upload(Connection& connection, const UploadAnswer& answer);
// In the middle of the body.
void fail_upload(Connection& connection, const UploadAnswer& answer);

}  // namespace videosync
