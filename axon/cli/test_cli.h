// SPDX-License-Identifier: MIT
// axon in this process, with a home and a store of its own, for tests of its commands.
#pragma once

#include <gmock/gmock.h>
#include <simdjson.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "axon/cli/app.h"
#include "axon/config/keys.h"
#include "axon/install/installer.h"
#include "axon/install/test_repository.h"

namespace axon::cli {

/// How a command line ended, and what it wrote.
struct Ran {
  ui::ExitCode code = ui::ExitCode::kOk;
  std::string out;
  std::string err;
};

/// No server listens there, so that no test leaves the machine by mistake.
inline constexpr const char* kNobody = "http://127.0.0.1:1";

class CliTest : public install::RepositoryTest {
 protected:
  void SetUp() override {
    RepositoryTest::SetUp();
    for (const config::Key& key : config::Keys()) {
      if (!key.variable.empty()) ::unsetenv(std::string(key.variable).c_str());
    }
    ::unsetenv("HF_TOKEN_PATH");
    ::unsetenv("HF_HOME");
    Set("HOME", folder().string());
    Set("AXON_HOME", folder().string());
    Set("AXON_PUBLISHED_DIR", (folder() / "published").string());
    Set("AXON_MAX_RETRIES", "0");
    Set("HF_ENDPOINT", kNobody);
    Set("MLOS_CORE_ENDPOINT", kNobody);
  }

  static void Set(const char* variable, const std::string& value) {
    ::setenv(variable, value.c_str(), 1);
  }

  /// `axon WORDS`.
  Ran Axon(const std::vector<std::string>& words) const {
    std::vector<const char*> arguments = {"axon"};
    for (const std::string& word : words) arguments.push_back(word.c_str());
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    Ran ran;
    ran.code = cli::Run(static_cast<int>(arguments.size()), arguments.data(), cancel_);
    ran.out = testing::internal::GetCapturedStdout();
    ran.err = testing::internal::GetCapturedStderr();
    return ran;
  }

  /// `text` as JSON; the last one that was read. Fails the test if it is none.
  simdjson::dom::element Json(const std::string& text) {
    simdjson::dom::element document;
    EXPECT_EQ(parser_.parse(text).get(document), simdjson::SUCCESS) << text;
    return document;
  }
  std::string Text(simdjson::dom::element object, std::string_view key) {
    std::string_view text;
    EXPECT_EQ(object[key].get(text), simdjson::SUCCESS) << key;
    return std::string(text);
  }

  /// Installs a model of two files; `graph` is its graph.
  store::InstalledModel Install(const std::string& model, const std::string& graph = Identity()) {
    hub_.remote.files.clear();
    ListStored("config.json", "{}");
    ListStored("onnx/model.onnx", graph);
    const store::Store store = this->store();
    const auto plan =
        install::MakePlan(store, hub_, {hub::ModelSpec::Parse(model).value(), ""}).value();
    ui::Console console({.quiet = true});
    return install::Installer({store, console, cancel_}, hub_, {.retries_max = 0})
        .Install(plan)
        .value();
  }
  static std::string Identity() {
    namespace onnx = mlos::package::onnx::test;
    return onnx::ModelOf(onnx::IdentityGraph()).bytes();
  }

  /// Changes a file of an installed model, which is read-only and may be shared with others.
  void Damage(const store::InstalledModel& model, const std::string& path,
              const std::string& bytes) const {
    std::filesystem::remove(model.directory / path);
    std::ofstream(model.directory / path) << bytes;
  }

  fetch::CancelFlag cancel_;

 private:
  simdjson::dom::parser parser_;
};

}  // namespace axon::cli
