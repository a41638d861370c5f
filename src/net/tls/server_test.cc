// SPDX-License-Identifier: MIT
#include "net/tls/server.h"

#include <gmock/gmock.h>

#include <fstream>

#include "net/tls/test_certificates.h"

namespace mlos::net::tls {
namespace {

namespace fs = std::filesystem;
using testing::StartsWith;

TEST(TlsServerTest, BadFilesAreRefusedByOption) {
  const TestCertificates made;
  made.Make("good");
  made.Make("other");
  made.Make("small", 1024);
  std::ofstream(made.path("empty.pem")) << "nothing\n";
  std::ofstream(made.path("broken.pem"))
      << "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  fs::copy_file(made.path("good.key"), made.path("exposed.key"));
  fs::permissions(made.path("exposed.key"), fs::perms::others_read, fs::perm_options::add);
  struct Case {
    const char* certificate;
    const char* key;
    const char* client_ca;
    const char* refusal;
  };
  const Case cases[] = {
      {"none.pem", "good.key", "", "tls_cert: cannot open none.pem"},
      {"empty.pem", "good.key", "", "tls_cert: there is no certificate"},
      {"broken.pem", "good.key", "", "tls_cert: a certificate of the file cannot be read"},
      {".", "good.key", "", "tls_cert: "},
      {"small.pem", "small.key", "", "tls_cert: the certificate cannot be used: ee key too small"},
      {"good.pem", "none.key", "", "tls_key: cannot open none.key"},
      {"good.pem", "good.pem", "", "tls_key: "},
      {"good.pem", "other.key", "", "tls_key: the key does not belong to the certificate"},
      {"good.pem", "exposed.key", "", "tls_key: users other than its owner"},
      {"good.pem", "good.key", "none.pem", "tls_client_ca: cannot open none.pem"},
      {"good.pem", "good.key", "empty.pem", "tls_client_ca: there is no certificate"},
  };
  for (const Case& test : cases) {
    const Result<std::shared_ptr<Server>> server =
        Server::Load({.certificate = made.path(test.certificate),
                      .key = made.path(test.key),
                      .client_ca = *test.client_ca == '\0' ? "" : made.path(test.client_ca)});
    ASSERT_FALSE(server.ok()) << test.refusal;
    EXPECT_EQ(server.status().reason(), Reason::kInvalidConfig);
    EXPECT_THAT(std::string(server.status().message()), StartsWith(test.refusal));
  }
}

}  // namespace
}  // namespace mlos::net::tls
