// SPDX-License-Identifier: MIT
#pragma once

#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>

#include "net/tls/server.h"

namespace mlos::net::tls {

inline constexpr Protocols kAny{.names = "\x02h2"};

/// A folder with certificates that sign themselves, made for one test and removed with it.
class TestCertificates {
 public:
  TestCertificates() {
    std::string name = (std::filesystem::temp_directory_path() / "mlos_tls_XXXXXX").string();
    if (::mkdtemp(name.data()) != nullptr) folder_ = name;
  }
  TestCertificates(const TestCertificates&) = delete;
  TestCertificates& operator=(const TestCertificates&) = delete;
  ~TestCertificates() { std::filesystem::remove_all(folder_); }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }

  /// Writes `name`.pem and `name`.key; the key on the curve P-256, or of RSA with `rsa_bits`.
  void Make(const std::string& name, unsigned rsa_bits = 0) const {
    const std::shared_ptr<EVP_PKEY> key(rsa_bits != 0 ? EVP_RSA_gen(rsa_bits) : EVP_EC_gen("P-256"),
                                        &EVP_PKEY_free);
    const std::shared_ptr<X509> certificate(X509_new(), &X509_free);
    X509* const x509 = certificate.get();
    X509_set_version(x509, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
    X509_gmtime_adj(X509_getm_notBefore(x509), 0);
    X509_gmtime_adj(X509_getm_notAfter(x509), 3600);
    X509_NAME* const subject = X509_get_subject_name(x509);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>("localhost"), -1, -1, 0);
    X509_set_issuer_name(x509, subject);
    X509_set_pubkey(x509, key.get());
    ASSERT_NE(X509_sign(x509, key.get(), EVP_sha256()), 0);
    const std::shared_ptr<std::FILE> to_pem(std::fopen(path(name + ".pem").c_str(), "w"),
                                            &std::fclose);
    const std::shared_ptr<std::FILE> to_key(std::fopen(path(name + ".key").c_str(), "w"),
                                            &std::fclose);
    ASSERT_EQ(PEM_write_X509(to_pem.get(), x509), 1);
    ASSERT_EQ(PEM_write_PrivateKey(to_key.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr),
              1);
    std::filesystem::permissions(path(name + ".key"), std::filesystem::perms::owner_read);
  }

 private:
  std::filesystem::path folder_;
};

}  // namespace mlos::net::tls
