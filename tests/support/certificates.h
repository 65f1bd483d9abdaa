// Certificates of a test's own making: a CA and what it has signed, as files.
#pragma once

#include <criterion/criterion.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <memory>
#include <string>

#include "tests/support/temp_folder.h"

namespace videosync::test {

struct FreeOpenssl {
  void operator()(X509* it) const noexcept { X509_free(it); }
  void operator()(EVP_PKEY* it) const noexcept { EVP_PKEY_free(it); }
};
using Certificate = std::unique_ptr<X509, FreeOpenssl>;
using PrivateKey = std::unique_ptr<EVP_PKEY, FreeOpenssl>;

struct Issued {
  std::string certificate_file;
  std::string key_file;
};

// `names`: as OpenSSL has them ("DNS:localhost,IP:127.0.0.1"); "" has none but the subject's.
struct Wanted {
  std::string names = "DNS:localhost,IP:127.0.0.1";
  std::string subject = "test";
  long from_s = -3'600;  // from now
  long until_s = 86'400;
};

class Authority {
 public:
  Authority(const TempFolder& folder, const std::string& name)
      : folder_(folder), name_(name), key_(EVP_EC_gen("P-256")) {
    certificate_ = make({.names = "", .subject = name}, key_.get());
    write(name, certificate_.get(), key_.get());
  }
  std::string file() const { return folder_ / (name_ + ".pem"); }

  Issued issue(const std::string& name, const Wanted& wanted = {}) const {
    const PrivateKey key(EVP_EC_gen("P-256"));
    const Certificate certificate = make(wanted, key.get());
    write(name, certificate.get(), key.get());
    return {folder_ / (name + ".pem"), folder_ / (name + ".key")};
  }

 private:
  // Signed by itself while there is none of the CA.
  Certificate make(const Wanted& wanted, EVP_PKEY* key) const {
    Certificate made(X509_new());
    X509_set_version(made.get(), X509_VERSION_3);
    static long serial = 0;
    ASN1_INTEGER_set(X509_get_serialNumber(made.get()), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(made.get()), wanted.from_s);
    X509_gmtime_adj(X509_getm_notAfter(made.get()), wanted.until_s);
    X509_set_pubkey(made.get(), key);
    X509_NAME* subject = X509_get_subject_name(made.get());
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(wanted.subject.c_str()), -1,
                               -1, 0);
    X509* issuer = certificate_ ? certificate_.get() : made.get();
    X509_set_issuer_name(made.get(), X509_get_subject_name(issuer));
    extend(*made, *issuer, NID_basic_constraints,
           certificate_ ? "critical,CA:FALSE" : "critical,CA:TRUE");
    if (!wanted.names.empty()) extend(*made, *issuer, NID_subject_alt_name, wanted.names);
    cr_assert_gt(X509_sign(made.get(), key_.get(), EVP_sha256()), 0);
    return made;
  }

  static void extend(X509& made, X509& issuer, int kind, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, &issuer, &made, nullptr, nullptr, 0);
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
    cr_assert_not_null(extension);
    X509_add_ext(&made, extension, -1);
    X509_EXTENSION_free(extension);
  }

  void write(const std::string& name, X509* certificate, EVP_PKEY* key) const {
    std::FILE* file = std::fopen((folder_ / (name + ".pem")).c_str(), "w");
    PEM_write_X509(file, certificate);
    std::fclose(file);
    file = std::fopen((folder_ / (name + ".key")).c_str(), "w");
    PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(file);
  }

  const TempFolder& folder_;
  const std::string name_;
  const PrivateKey key_;
  Certificate certificate_;
};

}  // namespace videosync::test
