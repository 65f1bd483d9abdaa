// Whom a connection to Redis believes and what it says where it does not, by handshakes in memory.
#include "storage/redis/link/redis_tls.h"

#include <criterion/criterion.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <array>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "tests/support/certificates.h"

using namespace videosync;
using namespace videosync::test;

namespace {

struct FreeServer {
  void operator()(SSL_CTX* it) const noexcept { SSL_CTX_free(it); }
  void operator()(SSL* it) const noexcept { SSL_free(it); }
};

// A server that shows this certificate, and whoever connects to it.
struct Server {
  std::unique_ptr<SSL_CTX, FreeServer> context{SSL_CTX_new(TLS_server_method())};
  std::string asked_name;  // by the latest client
  std::string failure;     // of the latest client; "": it has read the server's word

  explicit Server(const Issued& own) {
    cr_assert_eq(
        SSL_CTX_use_certificate_file(context.get(), own.certificate_file.c_str(), SSL_FILETYPE_PEM),
        1);
    cr_assert_eq(SSL_CTX_use_PrivateKey_file(context.get(), own.key_file.c_str(), SSL_FILETYPE_PEM),
                 1);
  }
  void want_clients_of(const Authority& authority) {
    cr_assert_eq(SSL_CTX_load_verify_file(context.get(), authority.file().c_str()), 1);
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  }

  bool lets_in(RedisTls& tls, const std::string& host = "localhost") {
    const RedisTls::Handle client = tls.open(host);
    const std::unique_ptr<SSL, FreeServer> server(SSL_new(context.get()));
    BIO* near = nullptr;
    BIO* far = nullptr;
    cr_assert_eq(BIO_new_bio_pair(&near, 0, &far, 0), 1);
    SSL_set_bio(client.get(), near, near);
    SSL_set_bio(server.get(), far, far);
    SSL_set_connect_state(client.get());
    SSL_set_accept_state(server.get());
    return talk(*client, *server);
  }

 private:
  bool talk(SSL& client, SSL& server) {
    std::array<char, 8> word{};
    bool is_told = false;
    for (int i = 0; i < 20; ++i) {
      RedisTls::forget_errors();
      const int got = SSL_read(&client, word.data(), word.size());
      if (got > 0) return true;
      const int error = SSL_get_error(&client, got);
      if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) {
        failure = RedisTls::failure(client, "said", true);
        return false;
      }
      if (SSL_do_handshake(&server) != 1 || is_told) continue;
      const char* name = SSL_get_servername(&server, TLSEXT_NAMETYPE_host_name);
      asked_name = name == nullptr ? "" : name;
      is_told = SSL_write(&server, "hello", 5) == 5;
    }
    failure = "nothing came";
    return false;
  }
};

std::unique_ptr<RedisTls> tls_of(const RedisTls::Settings& settings) {
  auto made = RedisTls::create(settings);
  cr_assert(made.has_value(), "%s", made ? "" : made.error().message.c_str());
  return std::move(*made);
}

std::string error_of(const RedisTls::Settings& settings) {
  const auto made = RedisTls::create(settings);
  cr_assert_not(made.has_value());
  return made.error().message;
}

#define assert_says(text, part) \
  cr_assert((text).contains(part), "%s\ninstead of: %s", (text).c_str(), part)

}  // namespace

Test(redis_tls, a_server_of_the_ca_and_of_that_name_is_believed) {
  const TempFolder folder;
  const Authority authority(folder, "ca");
  Server server(authority.issue(
      "server", {.names = "DNS:redis.example,DNS:*.deep.example,IP:127.0.0.1,IP:::1"}));
  const auto tls = tls_of({.ca_file = authority.file()});
  for (const std::string host : {"redis.example", "REDIS.example", "a.deep.example"}) {
    cr_assert(server.lets_in(*tls, host), "%s", server.failure.c_str());
    cr_assert_eq(server.asked_name, host);
  }
  for (const std::string address : {"127.0.0.1", "::1"}) {
    cr_assert(server.lets_in(*tls, address), "%s", server.failure.c_str());
    cr_assert_eq(server.asked_name, "", "an address is no name to ask by");
  }
  const auto named = tls_of({.ca_file = authority.file(), .server_name = "redis.example"});
  cr_assert(server.lets_in(*named, "10.0.0.1"), "%s", server.failure.c_str());
  cr_assert_eq(server.asked_name, "redis.example");
}

Test(redis_tls, another_name_is_not) {
  const TempFolder folder;
  const Authority authority(folder, "ca");
  Server server(
      authority.issue("server", {.names = "DNS:redis.example,DNS:*.deep.example,DNS:f*.example"}));
  const auto tls = tls_of({.ca_file = authority.file()});
  for (const std::string host : {"localhost", "127.0.0.1", "redis.example.org", "deep.example",
                                 "a.b.deep.example", "foo.example", "::1"}) {
    cr_assert_not(server.lets_in(*tls, host), "%s", host.c_str());
    assert_says(server.failure, "TLS: the server's certificate is not for '");
    assert_says(server.failure, "--redis-sni");
  }
  assert_says(server.failure, "'0:0:0:0:0:0:0:1'");
}

Test(redis_tls, a_stranger_is_not) {
  const TempFolder folder;
  const Authority authority(folder, "ca");
  const Authority stranger(folder, "stranger");
  Server server(stranger.issue("server"));
  const auto tls = tls_of({.ca_file = authority.file()});
  cr_assert_not(server.lets_in(*tls));
  assert_says(server.failure, "nobody who is trusted");
  assert_says(server.failure, "--redis-ca");
  const auto by_system = tls_of({});
  cr_assert_not(server.lets_in(*by_system));
  assert_says(server.failure, "nobody who is trusted");
}

Test(redis_tls, neither_is_one_whose_time_is_over_or_to_come) {
  const TempFolder folder;
  const Authority authority(folder, "ca");
  const auto tls = tls_of({.ca_file = authority.file()});
  Server old(authority.issue("old", {.until_s = -60}));
  cr_assert_not(old.lets_in(*tls));
  assert_says(old.failure, "certificate has expired): renew it there");
  Server early(authority.issue("early", {.from_s = 3'600}));
  cr_assert_not(early.lets_in(*tls));
  assert_says(early.failure, "not yet valid): renew it there, or set this machine's clock");
}

Test(redis_tls, a_server_that_wants_certificates_gets_ours) {
  const TempFolder folder;
  const Authority authority(folder, "ca");
  const Authority stranger(folder, "stranger");
  Server server(authority.issue("server"));
  server.want_clients_of(authority);
  const auto as = [&](const Issued& own) {
    return tls_of({.ca_file = authority.file(),
                   .certificate_file = own.certificate_file,
                   .key_file = own.key_file});
  };
  cr_assert(server.lets_in(*as(authority.issue("client"))), "%s", server.failure.c_str());
  cr_assert_not(server.lets_in(*as(stranger.issue("other"))));
  assert_says(server.failure, "refuses our certificate");
  cr_assert_not(server.lets_in(*tls_of({.ca_file = authority.file()})));
  assert_says(server.failure, "wants a certificate of its clients: --redis-cert and --redis-key");
  // Before TLS 1.3 there is no word for it.
  SSL_CTX_set_max_proto_version(server.context.get(), TLS1_2_VERSION);
  cr_assert_not(server.lets_in(*tls_of({.ca_file = authority.file()})));
  assert_says(server.failure, "may want a certificate of its clients");
}

Test(redis_tls, a_server_that_is_too_old_is_refused) {
  const TempFolder folder;
  const Authority authority(folder, "ca");
  Server server(authority.issue("server"));
  SSL_CTX_set_min_proto_version(server.context.get(), TLS1_VERSION);
  SSL_CTX_set_max_proto_version(server.context.get(), TLS1_1_VERSION);
  SSL_CTX_set_security_level(server.context.get(), 0);
  cr_assert_not(server.lets_in(*tls_of({.ca_file = authority.file()})));
  assert_says(server.failure, "no TLS that is new enough");
}

Test(redis_tls, what_speaks_something_else_is_told) {
  const auto tls = tls_of({});
  const RedisTls::Handle client = tls->open("localhost");
  const std::string_view said = "-ERR unknown command, with args beginning with: \r\n";
  BIO* heard = BIO_new(BIO_s_mem());
  BIO_write(heard, said.data(), static_cast<int>(said.size()));
  SSL_set_bio(client.get(), heard, BIO_new(BIO_s_mem()));
  SSL_set_connect_state(client.get());
  RedisTls::forget_errors();
  cr_assert_neq(SSL_do_handshake(client.get()), 1);
  const std::string failure = RedisTls::failure(*client, "said", true);
  assert_says(failure, "speaks no TLS");
  assert_says(failure, "(tls-port)");
}

Test(redis_tls, new_files_count_from_the_next_connection_once_they_fit) {
  const TempFolder folder;
  const Authority authority(folder, "ca");
  const Authority next(folder, "next");
  Server server(authority.issue("server"));
  server.want_clients_of(authority);
  const Issued own = authority.issue("client");
  const auto tls = tls_of({.ca_file = authority.file(),
                           .certificate_file = own.certificate_file,
                           .key_file = own.key_file});
  const auto replace = [](const std::string& file, const std::string& by) {
    std::filesystem::rename(by, file);
  };
  const Issued renewed = next.issue("renewed");
  replace(own.certificate_file, renewed.certificate_file);
  cr_assert(server.lets_in(*tls), "the former pair: %s", server.failure.c_str());
  replace(own.key_file, renewed.key_file);
  cr_assert_not(server.lets_in(*tls), "the new pair, which is a stranger's");
  server.want_clients_of(next);
  cr_assert(server.lets_in(*tls), "%s", server.failure.c_str());
  std::filesystem::remove(authority.file());
  cr_assert(server.lets_in(*tls), "the former CA: %s", server.failure.c_str());
}

Test(redis_tls, files_that_will_not_do_are_named) {
  const TempFolder folder;
  const Authority authority(folder, "ca");
  const Issued one = authority.issue("one");
  const Issued two = authority.issue("two");
  folder.write("text", "no PEM");
  assert_says(error_of({.ca_file = folder / "none"}), "--redis-ca: cannot read '");
  assert_says(error_of({.ca_file = folder.path()}), "is no file");
  assert_says(error_of({.ca_file = folder / "text"}), "holds no certificate in PEM form");
  assert_says(error_of({.certificate_file = folder / "text", .key_file = one.key_file}),
              "--redis-cert: '");
  assert_says(error_of({.certificate_file = one.certificate_file, .key_file = folder / "text"}),
              "--redis-key: '");
  assert_says(error_of({.certificate_file = one.certificate_file, .key_file = two.key_file}),
              "is not the key of --redis-cert");
  assert_says(error_of({.server_name = std::string(254, 'x')}), "too long");
}
