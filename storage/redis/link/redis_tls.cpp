#include "storage/redis/link/redis_tls.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509err.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <cerrno>
#include <utility>

#include "core/base/log.h"
#include "core/base/unique_fd.h"

namespace videosync {

namespace {

constexpr std::size_t name_bytes_max = 253;  // of a host's name

std::string_view reason_text(unsigned long error) noexcept {
  const char* text = ERR_reason_error_string(error);
  return text == nullptr ? "unknown reason" : text;
}

// Nobody is asked at a terminal: a key that has a password is refused.
int refuse_password(char*, int, int, void*) noexcept {
  return 0;
}

Result<> check_readable(std::string_view flag, const std::string& path) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) return fail_errno(fmt::format("{}: cannot read '{}'", flag, path), errno);
  struct stat found{};
  if (::fstat(file.get(), &found) == 0 && S_ISREG(found.st_mode)) return {};
  return fail(ErrorCode::invalid_argument, fmt::format("{}: '{}' is no file", flag, path));
}

std::unexpected<Error> refuse(std::string_view flag, const std::string& path,
                              std::string_view what) {
  return fail(ErrorCode::invalid_argument, fmt::format("{}: '{}' {} ({})", flag, path, what,
                                                       reason_text(ERR_peek_last_error())));
}

Result<> load_authorities(SSL_CTX* context, const std::string& path) {
  if (path.empty()) {
    if (SSL_CTX_set_default_verify_paths(context) == 1) return {};
    return fail(ErrorCode::unavailable,
                "the system's store of CAs cannot be used: name a --redis-ca");
  }
  if (auto readable = check_readable("--redis-ca", path); !readable) return readable;
  if (SSL_CTX_load_verify_file(context, path.c_str()) == 1) return {};
  return refuse("--redis-ca", path, "holds no certificate in PEM form");
}

Result<> load_own(SSL_CTX* context, const std::string& certificate, const std::string& key) {
  if (certificate.empty()) return {};
  if (auto readable = check_readable("--redis-cert", certificate); !readable) return readable;
  if (auto readable = check_readable("--redis-key", key); !readable) return readable;
  if (SSL_CTX_use_certificate_chain_file(context, certificate.c_str()) != 1) {
    return refuse("--redis-cert", certificate, "holds no certificate in PEM form");
  }
  if (SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) == 1) return {};
  const bool is_other = ERR_GET_REASON(ERR_peek_last_error()) == X509_R_KEY_VALUES_MISMATCH;
  return refuse("--redis-key", key,
                is_other ? "is not the key of --redis-cert"
                         : "holds no private key in PEM form without a password");
}

std::string expected_name(const SSL* handle) {
  X509_VERIFY_PARAM* param = SSL_get0_param(const_cast<SSL*>(handle));
  if (const char* host = X509_VERIFY_PARAM_get0_host(param, 0)) return host;
  char* address = X509_VERIFY_PARAM_get1_ip_asc(param);
  std::string name = address == nullptr ? "" : address;
  OPENSSL_free(address);
  return name;
}

// We do not believe the server.
std::string disbelief(const SSL* handle, long verdict) {
  switch (verdict) {
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return fmt::format(
          "TLS: the server's certificate is not for '{}': give the name that it is for, in --redis "
          "or with --redis-sni",
          expected_name(handle));
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
      return fmt::format(
          "TLS: the server's certificate is from nobody who is trusted ({}): name the file of its "
          "CA with --redis-ca",
          X509_verify_cert_error_string(verdict));
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return fmt::format(
          "TLS: the server's certificate does not count now ({}): renew it there, or set this "
          "machine's clock",
          X509_verify_cert_error_string(verdict));
    default:
      return fmt::format("TLS: the server's certificate is refused: {}",
                         X509_verify_cert_error_string(verdict));
  }
}

// The server does not believe us, or speaks something else.
std::string refusal(unsigned long error) {
  const std::string_view text = reason_text(error);
  switch (ERR_GET_LIB(error) == ERR_LIB_SSL ? ERR_GET_REASON(error) : 0) {
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
      return "TLS: the server wants a certificate of its clients: --redis-cert and --redis-key";
    case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
      return fmt::format(
          "TLS: the server refuses the handshake ({}): it may want a certificate of its clients "
          "(--redis-cert and --redis-key), or no cipher that we have",
          text);
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_TLSV1_ALERT_DECRYPT_ERROR:
    case SSL_R_TLSV1_ALERT_ACCESS_DENIED:
      return fmt::format(
          "TLS: the server refuses our certificate ({}): --redis-cert must be one that its CA has "
          "signed",
          text);
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
    case SSL_R_UNSUPPORTED_PROTOCOL:
      return fmt::format(
          "TLS: the server speaks no TLS that is new enough ({}): 1.2 or 1.3 is needed "
          "(tls-protocols)",
          text);
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_PACKET_LENGTH_TOO_LONG:
    case SSL_R_HTTP_REQUEST:
      return fmt::format(
          "TLS: what answers there speaks no TLS ({}): name the server's port for TLS (tls-port)",
          text);
    default:
      return fmt::format("TLS: {}", text);
  }
}

}  // namespace

void RedisTls::Free::operator()(ssl_ctx_st* context) const noexcept {
  SSL_CTX_free(context);
}

void RedisTls::Free::operator()(ssl_st* handle) const noexcept {
  SSL_free(handle);
}

Result<std::unique_ptr<RedisTls>> RedisTls::create(Settings settings) {
  if (settings.server_name.size() > name_bytes_max) {
    return fail(
        ErrorCode::invalid_argument,
        fmt::format("--redis-sni: '{}' is too long for the name of a host", settings.server_name));
  }
  std::unique_ptr<RedisTls> tls(new RedisTls(std::move(settings)));
  tls->stamps_ = tls->stamps();
  auto context = tls->load();
  if (!context) return std::unexpected(std::move(context.error()));
  tls->context_ = std::move(*context);
  return tls;
}

Result<RedisTls::Context> RedisTls::load() const {
  forget_errors();
  Context context(SSL_CTX_new(TLS_client_method()));
  if (!context) return fail(ErrorCode::unavailable, "libssl cannot be used: no memory");
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  // A server that dies says no farewell; Redis' answers have their own ends.
  SSL_CTX_set_options(context.get(), SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_default_passwd_cb(context.get(), refuse_password);
  if (auto loaded = load_authorities(context.get(), settings_.ca_file); !loaded) {
    return std::unexpected(std::move(loaded.error()));
  }
  if (auto loaded = load_own(context.get(), settings_.certificate_file, settings_.key_file);
      !loaded) {
    return std::unexpected(std::move(loaded.error()));
  }
  return context;
}

RedisTls::Stamps RedisTls::stamps() const noexcept {
  Stamps found{};
  const std::array<const std::string*, 3> paths{&settings_.ca_file, &settings_.certificate_file,
                                                &settings_.key_file};
  for (std::size_t i = 0; i < paths.size(); ++i) {
    struct stat file{};
    if (paths[i]->empty() || ::stat(paths[i]->c_str(), &file) != 0) continue;
    found[i] = {file.st_ino, file.st_size,
                file.st_mtim.tv_sec * 1'000'000'000 + file.st_mtim.tv_nsec};
  }
  return found;
}

void RedisTls::look_for_new_files() noexcept {
  const Stamps now = stamps();
  if (now == stamps_) return;
  stamps_ = now;
  auto context = load();
  if (context) {
    context_ = std::move(*context);
    log_info("redis", "certificates were read anew");
  } else {
    log_warn("redis", "the new certificates cannot be used: those before count on",
             field("why", context.error().message));
  }
}

RedisTls::Handle RedisTls::open(const std::string& host) noexcept {
  look_for_new_files();
  Handle handle(SSL_new(context_.get()));
  if (!handle) return handle;
  const std::string& name = settings_.server_name.empty() ? host : settings_.server_name;
  X509_VERIFY_PARAM* param = SSL_get0_param(handle.get());
  X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  // An address is compared with addresses, and is none that a server may be asked for by (SNI).
  const bool is_set = X509_VERIFY_PARAM_set1_ip_asc(param, name.c_str()) == 1 ||
                      (X509_VERIFY_PARAM_set1_host(param, name.data(), name.size()) == 1 &&
                       SSL_set_tlsext_host_name(handle.get(), name.c_str()) == 1);
  forget_errors();
  if (!is_set) handle.reset();
  return handle;
}

bool RedisTls::has_pending(const ssl_st& handle) noexcept {
  return SSL_pending(&handle) > 0;
}

bool RedisTls::wants_room(const ssl_st& handle) noexcept {
  return SSL_want(&handle) == SSL_WRITING;
}

void RedisTls::forget_errors() noexcept {
  ERR_clear_error();
}

std::string RedisTls::failure(const ssl_st& handle, std::string_view said, bool is_new) {
  if (const long verdict = SSL_get_verify_result(&handle); verdict != X509_V_OK) {
    return disbelief(&handle, verdict);
  }
  if (const unsigned long error = ERR_peek_error(); error != 0) return refusal(error);
  if (SSL_is_init_finished(&handle) == 0) {
    return "TLS: the server ended the connection during the handshake: is that its port for TLS "
           "(tls-port)?";
  }
  if (!is_new) return std::string(said);
  // Where its alert was lost on the way.
  return fmt::format(
      "{}, right behind the TLS handshake: does it want a certificate of its clients (--redis-cert "
      "and --redis-key)?",
      said);
}

std::string_view RedisTls::delay(const ssl_st* handle) noexcept {
  if (handle == nullptr || SSL_is_init_finished(handle) == 1) return "no answer while connecting";
  return "TLS: the handshake was not answered in time: is that the server's port for TLS "
         "(tls-port)?";
}

}  // namespace videosync
