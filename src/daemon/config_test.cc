// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <set>

#include "base/files.h"
#include "daemon/config_loader.h"
#include "daemon/options.h"

namespace mlos::daemon {
namespace {

namespace fs = std::filesystem;

std::map<std::string, std::string> g_environment;

std::optional<std::string> TestEnvironment(const std::string& name) {
  const auto variable = g_environment.find(name);
  if (variable == g_environment.end()) return std::nullopt;
  return variable->second;
}

class ConfigTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "mlos_config_XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
    g_environment.clear();
    sources_.environment = &TestEnvironment;
  }
  void TearDown() override { fs::remove_all(folder_); }

  void WriteConfigFile(std::string_view yaml) {
    ASSERT_TRUE(WriteFileAtomic(folder_ / "mlos.yaml", yaml).ok());
    sources_.file = folder_ / "mlos.yaml";
  }
  std::string Refusal() {
    const Result<Config> config = LoadConfig(sources_);
    if (config.ok()) return "accepted";
    EXPECT_EQ(config.status().reason(), Reason::kInvalidConfig);
    return std::string(config.status().message());
  }

  fs::path folder_;
  ConfigSources sources_;
};

TEST_F(ConfigTest, FlagsWinOverEnvironmentOverFileOverDefaults) {
  WriteConfigFile("http_port: 1\nhttp_threads: 1\nqueue_length_max: 1\n");
  g_environment = {{"MLOS_HTTP_PORT", "2"}, {"MLOS_HTTP_THREADS", "2"}};
  sources_.flags = {{"http_port", {"3"}}};
  const Config config = LoadConfig(sources_).value();
  EXPECT_EQ(config.http_port, 3);
  EXPECT_EQ(config.http_threads, 2u);
  EXPECT_EQ(config.queue_length_max, 1u);
  EXPECT_EQ(config.compute_threads, 0u);
}

TEST_F(ConfigTest, ListsComeInEveryForm) {
  WriteConfigFile("model_roots: [\"/a,b\", /c]\nallowed_hosts: one\n");
  g_environment = {{"MLOS_PLUGIN_DIRS", "/p,/q"}};
  sources_.flags = {{"allowed_hosts", {"x,y", "z"}}};
  const Config config = LoadConfig(sources_).value();
  EXPECT_EQ(config.model_roots, (std::vector<std::string>{"/a,b", "/c"}));
  EXPECT_EQ(config.plugin_dirs, (std::vector<std::string>{"/p", "/q"}));
  EXPECT_EQ(config.allowed_hosts, (std::vector<std::string>{"x", "y", "z"}));
}

TEST_F(ConfigTest, OriginsAreNamedOneByOne) {
  sources_.flags = {{"cors_origins", {"https://app.example.com,http://localhost:3000"}}};
  EXPECT_EQ(LoadConfig(sources_).value().cors_origins,
            (std::vector<std::string>{"https://app.example.com", "http://localhost:3000"}));
  for (const std::string value : {"*", "null", "app.example.com", "https://app.example.com/"}) {
    sources_.flags = {{"cors_origins", {value}}};
    EXPECT_EQ(Refusal(),
              "--cors-origins: '" + value + "' is not an origin such as https://app.example.com");
  }
}

TEST_F(ConfigTest, PrintedConfigurationReadsBackEqual) {
  sources_.flags = {{"model_roots", {"/a b", "/c: d"}},
                    {"http_port", {"0"}},
                    {"no_grpc", {"true"}},
                    {"body_bytes_max", {"2MiB"}},
                    {"log_format", {"json"}}};
  const std::string printed = ToYaml(LoadConfig(sources_).value());
  sources_.flags.clear();
  WriteConfigFile(printed);
  EXPECT_EQ(ToYaml(LoadConfig(sources_).value()), printed);
  EXPECT_NE(printed.find("body_bytes_max: 2MiB"), std::string::npos) << printed;
}

TEST_F(ConfigTest, BadFileIsRefusedWithFileLineAndReason) {
  struct Case {
    const char* yaml;
    const char* line;
    const char* why;
  };
  const Case cases[] = {
      {"http_port: 1\nhttp_port: 2\n", ":2: ", "twice"},
      {"\n\nhttp_prt: 1\n", ":3: ", "unknown key 'http_prt'"},
      {"http_port: 99999\n", ":1: ", "http_port: '99999' is not a whole number from 0 to 65535"},
      {"http_port: -1\n", ":1: ", "not a whole number"},
      {"http_port: [1]\n", ":1: ", "plain value"},
      {"# x\nbody_bytes_max: 3 apples\n", ":2: ", "such as 4096"},
      {"no_http: maybe\n", ":1: ", "true or false"},
      {"log_level: loud\n", ":1: ", "one of debug"},
      {"state_dir: ''\n", ":1: ", "empty"},
      {"plugin_dirs:\n  - {a: b}\n", ":2: ", "plain values"},
      {"a: [\n", ":", "mlos.yaml"},
      {"- 1\n", ":1: ", "key: value"},
      {"http_port: 1\n---\nno_grpc: true\n", ":3: ", "a second document begins here"},
  };
  for (const Case& test : cases) {
    WriteConfigFile(test.yaml);
    const std::string message = Refusal();
    EXPECT_NE(message.find(sources_.file->string() + test.line), std::string::npos) << message;
    EXPECT_NE(message.find(test.why), std::string::npos) << message;
  }
}

TEST_F(ConfigTest, BadFlagsAndVariablesAreNamed) {
  g_environment = {{"MLOS_HTTP_PORT", "x"}};
  EXPECT_EQ(Refusal(), "MLOS_HTTP_PORT: 'x' is not a whole number from 0 to 65535");
  g_environment.clear();
  sources_.flags = {{"http_port", {"70000"}}};
  EXPECT_EQ(Refusal(), "--http-port: '70000' is not a whole number from 0 to 65535");
}

TEST_F(ConfigTest, AnOpenListenerNeedsModelRoots) {
  for (const char* host :
       {"0.0.0.0", "192.168.0.1", "::", "example.org", "127.0.0.1.example.org"}) {
    sources_.flags = {{"http_host", {host}}};
    EXPECT_NE(Refusal().find("model_roots"), std::string::npos) << host;
    sources_.flags["model_roots"] = {"/srv/models"};
    sources_.flags["insecure"] = {"true"};
    EXPECT_EQ(Refusal(), "accepted");
  }
  for (const char* host : {"127.0.0.1", "127.1.2.3", "localhost", "::1"}) {
    sources_.flags = {{"http_host", {host}}};
    EXPECT_EQ(Refusal(), "accepted") << host;
  }
}

TEST_F(ConfigTest, StrangersReachWhicheverDoorIsOnTheNetwork) {
  const struct {
    std::vector<std::string> closed;
    const char* refusal;
  } cases[] = {
      {{"no_http"}, "model_roots: at least one folder is needed"},
      {{"no_grpc"}, "model_roots: at least one folder is needed"},
      {{"no_http", "no_grpc"}, "accepted"},
      {{"no_http", "no_grpc", "no_ipc"}, "no_http, no_grpc and no_ipc together close every door"},
  };
  for (const auto& test : cases) {
    sources_.flags = {{"http_host", {"0.0.0.0"}}};
    for (const std::string& door : test.closed) sources_.flags[door] = {"true"};
    EXPECT_EQ(Refusal().find(test.refusal), 0u) << Refusal();
  }
}

TEST_F(ConfigTest, WhatIsNotEncryptedStaysOnLoopback) {
  using Flags = std::map<std::string, std::vector<std::string>, std::less<>>;
  const Flags open = {{"http_host", {"0.0.0.0"}}, {"model_roots", {"/srv/models"}}};
  struct Case {
    Flags flags;
    const char* refusal;
  };
  const Case cases[] = {
      {{}, "http_host: '0.0.0.0' is not a loopback address"},
      {{{"insecure", {"true"}}}, "accepted"},
      {{{"tls_cert", {"c"}}, {"tls_key", {"k"}}}, "accepted"},
      {{{"http_host", {"localhost"}}}, "accepted"},
      {{{"tls_cert", {"c"}}, {"insecure", {"true"}}}, "tls_key: needed beside tls_cert"},
      {{{"tls_key", {"k"}}, {"insecure", {"true"}}}, "tls_cert: needed beside tls_key"},
      {{{"tls_client_ca", {"a"}}, {"insecure", {"true"}}}, "tls_client_ca: of no use"},
  };
  for (const Case& test : cases) {
    sources_.flags = test.flags;
    sources_.flags.insert(open.begin(), open.end());
    EXPECT_EQ(Refusal().find(test.refusal), 0u) << Refusal();
  }
}

TEST_F(ConfigTest, TheSocketLiesWhereNobodyElseWrites) {
  const std::string own = (folder_ / "mlos.sock").string();
  const auto socket = [this] { return LoadConfig(sources_).value().socket; };
  ::setenv("XDG_RUNTIME_DIR", folder_.c_str(), 1);
  EXPECT_EQ(socket(), own);
  fs::permissions(folder_, fs::perms::all);
  EXPECT_NE(socket(), own) << "others may write there";
  fs::permissions(folder_, fs::perms::owner_all);
  ::setenv("XDG_RUNTIME_DIR", "run", 1);
  EXPECT_EQ(socket().front(), '/') << "a relative path counts as unset";
  sources_.flags = {{"socket", {"core.sock"}}};
  EXPECT_EQ(socket(), "core.sock") << "a path that is named is taken as it is";
  ::unsetenv("XDG_RUNTIME_DIR");
}

std::string DefaultOf(const Option& option) {
  std::string value;
  for (const std::string& element : option.get(Config())) value += element;
  return value.empty() ? "" : "`" + value + "`";
}

std::string OptionsAsMarkdown() {
  std::string text =
      "| key | flag | variable | default | meaning | reload |\n|---|---|---|---|---|---|\n";
  for (const Option& option : Options()) {
    std::string flag(option.flag);
    if (!option.short_flag.empty()) flag += ", " + std::string(option.short_flag);
    if (!option.value_name.empty()) flag += " " + std::string(option.value_name);
    text += "| `" + std::string(option.key) + "` | `" + flag + "` | `" + option.environment() +
            "` | " + DefaultOf(option) + " | " + std::string(option.help) + " | " +
            (option.reloadable ? "yes" : "") + " |\n";
  }
  text +=
      "\n### How to choose a number\n\n| key | unit | default | how to choose "
      "|\n|---|---|---|---|\n";
  for (const Option& option : Options()) {
    if (option.advice.empty()) continue;
    text += "| `" + std::string(option.key) + "` | " + std::string(option.unit()) + " | " +
            DefaultOf(option) + " | " + std::string(option.advice) + " |\n";
  }
  return text;
}

TEST(ConfigDocumentation, SaysHowToChooseEachNumber) {
  const std::set<std::string_view> numbers = {"PORT", "MODE", "N", "MS", "US", "SIZE"};
  for (const Option& option : Options()) {
    EXPECT_FALSE(option.help.empty()) << option.key;
    if (numbers.contains(option.value_name)) {
      EXPECT_FALSE(option.advice.empty()) << option.key;
    }
  }
}

// The tables of docs/CONFIGURATION.md are generated: MLOS_UPDATE_DOCS=1 writes them anew.
TEST(ConfigDocumentation, HasEveryOption) {
  const fs::path page = "docs/CONFIGURATION.md";
  std::string text = ReadFile(page, 1 << 20).value();
  const std::string begin = "<!-- options: generated -->\n";
  const std::string end = "<!-- end -->";
  const std::size_t start = text.find(begin);
  ASSERT_NE(start, std::string::npos);
  const std::size_t from = start + begin.size();
  const std::size_t size = text.find(end, from) - from;
  if (std::getenv("MLOS_UPDATE_DOCS") != nullptr) {
    text.replace(from, size, OptionsAsMarkdown());
    ASSERT_TRUE(WriteFileAtomic(page, text).ok());
    return;
  }
  EXPECT_EQ(text.substr(from, size), OptionsAsMarkdown()) << "run with MLOS_UPDATE_DOCS=1";
}

}  // namespace
}  // namespace mlos::daemon
