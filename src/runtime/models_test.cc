// SPDX-License-Identifier: MIT
// The life of models: registered, swapped, unloaded, removed, and back after a restart.

#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <future>
#include <thread>
#include <vector>

#include "base/threads.h"
#include "package/archive.h"
#include "runtime/runtime_fixture.h"

namespace mlos::runtime {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

class ModelsTest : public RuntimeTest {
 protected:
  void SetUp() override {
    RuntimeTest::SetUp();
    StartWithPlugin();
  }
  void ExpectRefusal(const catalog::RegisterModelRequest& request, Reason reason,
                     std::string_view field) {
    const Result<catalog::RegisterModelOutcome> outcome = runtime_->RegisterModel(request);
    ASSERT_FALSE(outcome.ok());
    EXPECT_EQ(outcome.status().reason(), reason) << outcome.status();
    EXPECT_EQ(outcome.status().field(), field) << outcome.status();
    EXPECT_THAT(std::string(outcome.status().message()), Not(HasSubstr(folder().native())));
  }
};

TEST_F(ModelsTest, ARegisteredModelAnswersAndTellsWhatItIs) {
  const catalog::RegisterModelOutcome outcome =
      Register("ns/double@v1", Model("double", "2")).value();
  EXPECT_TRUE(outcome.changed);
  EXPECT_EQ(Answer("ns/double@v1", 21), 42);
  const catalog::ModelInfo info = runtime_->GetModel("ns/double@v1").value();
  EXPECT_EQ(info.state, catalog::ModelState::kLoaded);
  EXPECT_EQ(info.name, "double");
  EXPECT_EQ(info.version, "v1");
  EXPECT_EQ(info.plugin_id, "acting");
  EXPECT_EQ(info.execution_format, "acting");
  EXPECT_THAT(info.digest, HasSubstr("sha256:"));
  ASSERT_EQ(info.schema.inputs.size(), 1U);
  EXPECT_EQ(info.schema.inputs[0].name, "x");
  EXPECT_GT(info.registered_at, 0);
  EXPECT_EQ(runtime_->ListModels().size(), 1U);
}

TEST_F(ModelsTest, ANameStandsForTheOneModelItMayMean) {
  const std::string path = Model("double", "2");
  for (const char* id : {"ns/org/m@v1", "ns/org/m@v2", "ns/a--b", "other/alone@v1"}) {
    ASSERT_TRUE(Register(id, path).ok()) << id;
  }
  const struct {
    std::string_view name;
    std::string_view version;
    std::string_view resolved;  // an id, or the reason there is none
  } cases[] = {
      {"ns/org/m@v1", "", "ns/org/m@v1"},       {"ns/org/m@v1", "v1", "ns/org/m@v1"},
      {"ns/org/m@v1", "v2", "MODEL_NOT_FOUND"}, {"ns--org--m@v2", "", "ns/org/m@v2"},
      {"ns--org/m@v2", "", "ns/org/m@v2"},      {"ns/org/m", "", "MODEL_NOT_FOUND"},
      {"ns/org/m", "v2", "ns/org/m@v2"},        {"ns--org--m", "v1", "ns/org/m@v1"},
      {"ns--org-m", "v1", "MODEL_NOT_FOUND"},   {"ns--a--b", "", "ns/a--b"},
      {"alone", "", "other/alone@v1"},          {"other--alone", "", "other/alone@v1"},
      {"none", "", "MODEL_NOT_FOUND"},          {"", "", "INVALID_MODEL_ID"},
      {"../x", "", "INVALID_MODEL_ID"},
  };
  for (const auto& c : cases) {
    const Result<std::string> resolved = runtime_->ResolveModel(c.name, c.version);
    const std::string outcome =
        resolved.ok() ? *resolved : std::string(ToString(resolved.status().reason()));
    EXPECT_EQ(outcome, c.resolved) << c.name << " of " << c.version;
  }
}

/// Whether both let in to the same model in memory.
bool IsOfOneModel(const Ticket& one, const Ticket& other) {
  return &one.schema() == &other.schema();
}

TEST_F(ModelsTest, TheSameAgainChangesNothing) {
  const std::string path = Model("double", "2");
  const catalog::ModelInfo first = Register("double", path).value().info;
  const Ticket first_ticket = Admit("double").value();
  const catalog::RegisterModelOutcome again = Register("double", path).value();
  EXPECT_FALSE(again.changed);
  EXPECT_EQ(again.info.registered_at, first.registered_at);
  EXPECT_TRUE(IsOfOneModel(Admit("double").value(), first_ticket)) << "it was loaded again";
}

TEST_F(ModelsTest, TheSameFilesAtAnotherPathAreNotLoadedAgain) {
  ASSERT_TRUE(Register("double", Model("double", "2")).ok());
  {
    const Ticket before = Admit("double").value();
    const std::string moved = Model("elsewhere/double", "2");
    EXPECT_TRUE(Register("double", moved).value().changed);
    EXPECT_TRUE(IsOfOneModel(Admit("double").value(), before));
  }
  fs::remove(folder() / "models/double");
  Start();
  EXPECT_EQ(Answer("double", 2), 4);
}

TEST_F(ModelsTest, AnotherDigestSwapsWhileRequestsInFlightKeepTheOld) {
  ASSERT_TRUE(Register("m", Model("v1", "3 200")).ok());
  auto in_flight = Ask(Admit("m").value(), 10);
  EXPECT_TRUE(Register("m", Model("v2", "5")).value().changed);
  EXPECT_EQ(Answer("m", 10), 50);
  EXPECT_EQ(in_flight.get().value().outputs[0].tensor.elements<float>()[0], 30);
}

TEST_F(ModelsTest, AFailedSwapLeavesTheOldOneServing) {
  ASSERT_TRUE(Register("m", Model("good", "3")).ok());
  ExpectRefusal(Request("m", Model("bad", "crash")), Reason::kInvalidModel, "path");
  EXPECT_EQ(Answer("m", 10), 30);
  Start();
  EXPECT_EQ(Answer("m", 10), 30);
}

TEST_F(ModelsTest, RefusesWithTheFieldAtFault) {
  const std::string good = Model("good", "3");
  ExpectRefusal(Request("../x", good), Reason::kInvalidModelId, "model_id");
  ExpectRefusal(Request("m", ""), Reason::kMissingField, "path");
  ExpectRefusal(Request("m", folder() / "none"), Reason::kFileNotFound, "path");
  catalog::RegisterModelRequest request = Request("m", good);
  request.plugin_id = "stranger";
  ExpectRefusal(request, Reason::kPluginNotFound, "plugin_id");
  request = Request("m", good);
  request.execution_format = "gguf";
  ExpectRefusal(request, Reason::kNoPlugin, "execution_format");
  request = Request("m", good);
  request.description = std::string(100'000, 'x');
  ExpectRefusal(request, Reason::kInvalidField, "description");
  EXPECT_TRUE(runtime_->ListModels().empty());
}

TEST_F(ModelsTest, OptionsReachThePluginInItsTrialAndHere) {
  catalog::RegisterModelRequest request = Request("m", Model("m", "option"));
  ExpectRefusal(request, Reason::kInvalidField, "options");
  request.settings.options.text = R"({"factor":3})";
  ASSERT_TRUE(runtime_->RegisterModel(request).ok());
  EXPECT_EQ(Answer("m", 2), 6);
  Start();
  EXPECT_EQ(Answer("m", 2), 6) << "they are kept across restarts";
  EXPECT_FALSE(runtime_->RegisterModel(request).value().changed);
  request.settings.options.text = R"({"factor":4})";
  EXPECT_TRUE(runtime_->RegisterModel(request).value().changed);
  EXPECT_EQ(Answer("m", 2), 8);
}

TEST_F(ModelsTest, FilesThatPassedAreTriedAgainWithOtherOptions) {
  catalog::RegisterModelRequest request = Request("m", Model("m", "option"));
  request.settings.options.text = R"({"factor":3})";
  ASSERT_TRUE(runtime_->RegisterModel(request).ok());
  options_.probe_program = "/bin/false";  // whoever tries again finds out
  Start();
  EXPECT_EQ(Answer("m", 2), 6);
  request.settings.options.text = R"({"factor":4})";
  ExpectRefusal(request, Reason::kInvalidModel, "path");
}

TEST_F(ModelsTest, ReadsOnlyBelowTheModelRoots) {
  options_.model_roots = {folder() / "models"};
  Start();
  ASSERT_TRUE(Register("m", Model("inside", "3")).ok());
  Write("outside", "3");
  fs::create_symlink(folder() / "outside", folder() / "models/link");
  ExpectRefusal(Request("n", folder() / "outside"), Reason::kPathNotAllowed, "path");
  ExpectRefusal(Request("n", folder() / "models/link"), Reason::kPathNotAllowed, "path");
}

TEST_F(ModelsTest, ACrashWhileBeingTriedIsRememberedAndHarmsNobody) {
  ASSERT_TRUE(Register("good", Model("good", "3")).ok());
  const std::string path = Model("bad", "crash");
  ExpectRefusal(Request("bad", path), Reason::kInvalidModel, "path");
  options_.probe_program = "/bin/false";  // whoever tried again would find out
  Start();
  const Result<catalog::RegisterModelOutcome> again = Register("bad", path);
  EXPECT_THAT(std::string(again.status().message()), HasSubstr("SIGABRT"));
  EXPECT_EQ(Answer("good", 2), 6) << "what passed once is not tried again";
}

TEST_F(ModelsTest, WithoutAutoloadItWaitsToBeLoadedByHand) {
  catalog::RegisterModelRequest request = Request("m", Model("m", "3"));
  request.autoload = false;
  EXPECT_EQ(runtime_->RegisterModel(request).value().info.state, catalog::ModelState::kRegistered);
  EXPECT_EQ(RefusalOf("m"), Reason::kModelNotLoaded);
  Start();
  EXPECT_EQ(StateOf("m"), catalog::ModelState::kRegistered);
  EXPECT_EQ(runtime_->LoadModel("m").value().state, catalog::ModelState::kLoaded);
  EXPECT_EQ(Answer("m", 2), 6);
}

TEST_F(ModelsTest, UnloadsAndLoadsAgain) {
  ASSERT_TRUE(Register("m", Model("m", "3")).ok());
  EXPECT_EQ(runtime_->UnloadModel("m").value().state, catalog::ModelState::kUnloaded);
  EXPECT_EQ(RefusalOf("m"), Reason::kModelNotLoaded);
  EXPECT_EQ(runtime_->LoadModel("m").value().state, catalog::ModelState::kLoaded);
  EXPECT_EQ(runtime_->LoadModel("m").value().state, catalog::ModelState::kLoaded);
  EXPECT_EQ(Answer("m", 2), 6);
}

TEST_F(ModelsTest, RemovalIsForGood) {
  ASSERT_TRUE(Register("m", Model("m", "3")).ok());
  auto held = std::make_optional(Admit("m").value());
  EXPECT_TRUE(runtime_->RemoveModel("m").ok());
  EXPECT_EQ(RefusalOf("m"), Reason::kModelNotFound);
  EXPECT_EQ(runtime_->RemoveModel("m").reason(), Reason::kModelNotFound);
  EXPECT_EQ(Ask(*held, 2).get().value().outputs[0].tensor.elements<float>()[0], 6);
  held.reset();
  Start();
  EXPECT_TRUE(runtime_->ListModels().empty());
}

TEST_F(ModelsTest, UnknownAndImpossibleIdsAreToldApart) {
  EXPECT_EQ(RefusalOf("nobody"), Reason::kModelNotFound);
  EXPECT_EQ(runtime_->GetModel("a//b").status().reason(), Reason::kInvalidModelId);
  EXPECT_EQ(runtime_->LoadModel("nobody").status().reason(), Reason::kModelNotFound);
  EXPECT_EQ(runtime_->UnloadModel("nobody").status().reason(), Reason::kModelNotFound);
}

TEST_F(ModelsTest, ComesBackAfterARestart) {
  ASSERT_TRUE(Register("a", Model("a", "3")).ok());
  const catalog::ModelInfo before = runtime_->GetModel("a").value();
  Start();
  EXPECT_TRUE(runtime_->ready());
  const catalog::ModelInfo after = runtime_->GetModel("a").value();
  EXPECT_EQ(after.digest, before.digest);
  EXPECT_EQ(after.registered_at, before.registered_at);
  EXPECT_EQ(Answer("a", 2), 6);
}

TEST_F(ModelsTest, AFileChangedBehindItsBackIsNotServedAfterARestart) {
  ASSERT_TRUE(Register("changed", Model("changed", "3")).ok());
  ASSERT_TRUE(Register("gone", Model("gone", "4")).ok());
  ASSERT_TRUE(Register("fine", Model("fine", "5")).ok());
  Model("changed", "9");
  fs::remove(folder() / "models/gone");
  Start();
  EXPECT_TRUE(runtime_->ready()) << "failures do not block it";
  EXPECT_EQ(runtime_->GetModel("changed").value().error.reason(), Reason::kChecksumMismatch);
  EXPECT_EQ(StateOf("gone"), catalog::ModelState::kFailed);
  EXPECT_EQ(RefusalOf("gone"), Reason::kModelNotLoaded);
  EXPECT_EQ(Answer("fine", 2), 10);
  Model("changed", "3");
  runtime_->LoadRegistered();
  EXPECT_EQ(Answer("changed", 2), 6) << "a reload tries again what failed";
}

/// How many loads of models the journal of a running Core holds.
int CountLoading(const fs::path& registry) {
  sqlite3* handle = nullptr;
  int count = 0;
  if (sqlite3_open_v2(registry.c_str(), &handle, SQLITE_OPEN_READONLY, nullptr) == SQLITE_OK) {
    sqlite3_exec(
        handle, "SELECT count(*) FROM loading WHERE kind = 'model'",
        [](void* result, int /*columns*/, char** values, char** /*names*/) {
          *static_cast<int*>(result) = std::atoi(values[0]);
          return 0;
        },
        &count, nullptr);
  }
  sqlite3_close(handle);
  return count;
}

/// Loads the registered models in a process that is killed as soon as it is at it.
void DieWhileLoading(const RuntimeOptions& options) {
  const pid_t child = fork();
  if (child == 0) {
    auto runtime = Runtime::Create(options);
    if (runtime.ok()) (*runtime)->LoadRegistered();
    _exit(1);
  }
  while (CountLoading(options.state_dir / "registry.db") == 0) usleep(1000);
  kill(child, SIGKILL);
  int status = 0;
  waitpid(child, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status)) << "it was through before it was killed";
}

TEST_F(ModelsTest, WhatWasBeingLoadedWhenCoreDiedIsQuarantinedUntilLoadedByHand) {
  ASSERT_TRUE(Register("m", Model("m", "late")).ok());
  runtime_.reset();
  DieWhileLoading(options_);
  for (int restart = 0; restart < 2; ++restart) {
    Start();
    EXPECT_EQ(StateOf("m"), catalog::ModelState::kQuarantined);
    EXPECT_EQ(RefusalOf("m"), Reason::kModelQuarantined);
  }
  EXPECT_EQ(runtime_->LoadModel("m").value().state, catalog::ModelState::kLoaded);
  Start();
  EXPECT_EQ(StateOf("m"), catalog::ModelState::kLoaded);
}

TEST_F(ModelsTest, AQuarantinedModelCanBeRemoved) {
  ASSERT_TRUE(Register("m", Model("m", "late")).ok());
  runtime_.reset();
  DieWhileLoading(options_);
  Start();
  EXPECT_TRUE(runtime_->RemoveModel("m").ok());
  Start();
  EXPECT_TRUE(runtime_->ListModels().empty());
}

TEST_F(ModelsTest, AfterARestartModelsLoadSideBySideAndRequestsWaitForTheirs) {
  if (CoreCount() < 2) GTEST_SKIP() << "one core loads one model at a time";
  const fs::path hold = folder() / "hold";
  ASSERT_TRUE(Register("a", Model("a", "held 2 " + hold.native())).ok());
  ASSERT_TRUE(Register("b", Model("b", "held 3 " + hold.native())).ok());
  ASSERT_TRUE(Register("gone", Model("gone", "4")).ok());
  runtime_.reset();
  fs::remove(folder() / "models/gone");
  Write("hold", "");
  runtime_ = Runtime::Create(options_).value();
  EXPECT_EQ(RefusalOf("a"), Reason::kModelLoading) << "its turn will come";
  std::thread loading([this] { runtime_->LoadRegistered(); });
  for (const char* id : {"a", "b"}) {
    while (StateOf(id) != catalog::ModelState::kLoading) usleep(1000);
  }
  EXPECT_EQ(RefusalOf("b"), Reason::kModelLoading);
  std::promise<Status> told_a, told_gone;
  runtime_->AwaitLoad("a", kNoDeadline, nullptr,
                      [&](Status outcome) { told_a.set_value(std::move(outcome)); });
  runtime_->AwaitLoad("gone", kNoDeadline, nullptr,
                      [&](Status outcome) { told_gone.set_value(std::move(outcome)); });
  fs::remove(hold);
  EXPECT_TRUE(told_a.get_future().get().ok());
  EXPECT_EQ(Answer("a", 2), 2);
  EXPECT_TRUE(told_gone.get_future().get().ok()) << "now it can be told why";
  EXPECT_EQ(RefusalOf("gone"), Reason::kModelNotLoaded);
  loading.join();
  EXPECT_EQ(Answer("b", 3), 3);
}

/// An archive with one model of the acting plugin.
class ArchivedModelsTest : public ModelsTest {
 protected:
  catalog::RegisterModelRequest Packed(const std::string& model_id, const std::string& text) const {
    Write("source/model", text);
    package::Manifest manifest;
    manifest.metadata = {
        .name = "four", .name_space = "ns", .version = "7", .description = "Four."};
    manifest.framework.name = "None";
    manifest.format.execution_format = "acting";
    manifest.format.files = {{"model", text.size(), package::DigestOf(text)}};
    manifest.format.execution_files = {{"model", "acting", "single"}};
    manifest.serving = serving_;
    catalog::RegisterModelRequest request;
    request.model_id = model_id;
    request.path = folder() / (text + ".axon");
    EXPECT_TRUE(package::WriteArchive(folder() / "source", manifest, request.path,
                                      package::Compression::kNone)
                    .ok());
    return request;
  }
  /// Of the packages that are made.
  settings::ModelSettings serving_;

  bool NothingIsUnpacked() const { return fs::is_empty(folder() / "state/packages"); }
};

TEST_F(ArchivedModelsTest, AreUnpackedOnceAndRemovedWithTheirLastModel) {
  catalog::RegisterModelRequest request = Packed("", "4");
  for (const char* id : {"a", "b"}) {
    request.model_id = id;
    const Result<catalog::RegisterModelOutcome> outcome = runtime_->RegisterModel(request);
    ASSERT_TRUE(outcome.ok()) << outcome.status();
    EXPECT_EQ(outcome->info.version, "7");
    EXPECT_EQ(outcome->info.description, "Four.");
    EXPECT_EQ(outcome->info.path, request.path);
  }
  fs::remove(request.path);
  Start();
  EXPECT_EQ(Answer("a", 2), 8);
  ASSERT_TRUE(runtime_->RemoveModel("a").ok());
  EXPECT_FALSE(NothingIsUnpacked());
  ASSERT_TRUE(runtime_->RemoveModel("b").ok());
  EXPECT_TRUE(NothingIsUnpacked());
}

TEST_F(ArchivedModelsTest, ThatAreRefusedLeaveNothingUnpacked) {
  ExpectRefusal(Packed("m", "crash"), Reason::kInvalidModel, "path");
  EXPECT_TRUE(NothingIsUnpacked());
  ExpectRefusal(Packed("m", "refuse"), Reason::kInvalidModel, "path");
  EXPECT_TRUE(NothingIsUnpacked());
  catalog::RegisterModelRequest request = Packed("m", "4");
  request.plugin_id = "stranger";
  ExpectRefusal(request, Reason::kPluginNotFound, "plugin_id");
  EXPECT_TRUE(NothingIsUnpacked());
}

TEST_F(ArchivedModelsTest, KeepTheirFilesWhenAnotherOfTheSameArchiveIsRefused) {
  catalog::RegisterModelRequest request = Packed("served", "4");
  ASSERT_TRUE(runtime_->RegisterModel(request).ok());
  request.model_id = "refused";
  request.plugin_id = "stranger";
  ExpectRefusal(request, Reason::kPluginNotFound, "plugin_id");
  EXPECT_FALSE(NothingIsUnpacked());
  Start();
  EXPECT_EQ(Answer("served", 2), 8);
}

TEST_F(ArchivedModelsTest, AreServedAsTheirManifestSaysAndTheRegistrationDoesNot) {
  serving_ = {.max_batch_size = 8, .max_queue_delay_us = 10, .state_pairs = {}, .options = {}};
  serving_.options.text = R"({"factor":3})";
  catalog::RegisterModelRequest request = Packed("m", "option");
  const auto register_it = [&] { return runtime_->RegisterModel(request).value().info.settings; };
  EXPECT_EQ(register_it(), serving_);
  EXPECT_EQ(Answer("m", 2), 6);
  request.settings = {.max_batch_size = 0, .preferred_batch_size = 2};
  request.settings.options.text = R"({"factor":5})";
  const settings::ModelSettings settings = register_it();
  EXPECT_EQ(settings.max_batch_size, std::nullopt) << "left to Core after all";
  EXPECT_EQ(settings.preferred_batch_size, 2);
  EXPECT_EQ(settings.max_queue_delay_us, 10);
  EXPECT_EQ(Answer("m", 2), 10);
}

TEST_F(ModelsTest, ManyThreadsRegisterSwapAskAndRemoveAtOnce) {
  const std::string paths[] = {Model("one", "1"), Model("two", "2")};
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&, t] {
      const std::string id = "m" + std::to_string(t % 2);
      for (int i = 0; i < 8; ++i) {
        (void)Register(id, paths[i % 2]);
        if (const Result<Ticket> ticket = Admit(id); ticket.ok()) {
          EXPECT_TRUE(Ask(*ticket, 1).get().ok());
        }
        if (i % 3 == 2) (void)runtime_->RemoveModel(id);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(runtime_->ListModels().size(), 2U);
}

}  // namespace
}  // namespace mlos::runtime
