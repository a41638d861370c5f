// SPDX-License-Identifier: MIT
// The commands about installed models: what they show in both forms, and how they fail.
#include "axon/cli/test_cli.h"
#include "axon/core/test_server.h"
#include "axon/install/import.h"
#include "axon/ui/format.h"

namespace axon::cli {
namespace {

namespace fs = std::filesystem;
using core::OneAnswer;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;
using ui::ExitCode;

constexpr const char* kOne = "hf/org/m@v1";
constexpr const char* kTwo = "hf/org/m@v2";

class ModelsTest : public CliTest {
 protected:
  std::vector<std::string> Installed() const {
    std::vector<std::string> ids;
    const auto models = store().List().value();
    for (const store::InstalledModel& model : models) ids.push_back(model.id.text());
    return ids;
  }
  /// A graph that is none of those that Install() takes by default.
  static std::string OtherGraph() {
    namespace onnx = mlos::package::onnx::test;
    return onnx::ModelOf(onnx::IdentityGraph().Bytes(10, "another")).bytes();
  }
};

TEST_F(ModelsTest, ListOfNothing) {
  const Ran table = Axon({"list"});
  EXPECT_EQ(table.code, ExitCode::kOk);
  EXPECT_THAT(table.out, IsEmpty()) << "what reads a pipe gets no line for no model";
  EXPECT_THAT(table.err, HasSubstr("no model is installed"));
  EXPECT_THAT(Axon({"list", "--format", "names"}).out, IsEmpty());
  for (const auto& form : {std::vector<std::string>{"list", "--json"}, {"list", "-f", "json"}}) {
    EXPECT_EQ(Json(Axon(form).out).get_array().value().size(), 0u);
  }
  EXPECT_FALSE(fs::exists(folder() / "cache")) << "looking creates nothing";
}

TEST_F(ModelsTest, ListInItsForms) {
  const fs::path one = Install(kOne).directory;
  Install(kTwo);
  EXPECT_EQ(Axon({"list", "--format", "names"}).out, "hf/org/m@v1\nhf/org/m@v2\n");
  const std::string table = Axon({"list"}).out;
  EXPECT_THAT(table, AllOf(StartsWith("MODEL "), HasSubstr(kOne), HasSubstr(kTwo)));

  const auto json = Json(Axon({"list", "--json"}).out);
  ASSERT_EQ(json.get_array().value().size(), 2u);
  const auto first = json.at(0).value();
  EXPECT_EQ(Text(first, "model_id"), kOne);
  EXPECT_EQ(Text(first, "namespace"), "hf");
  EXPECT_EQ(Text(first, "name"), "org/m");
  EXPECT_EQ(Text(first, "version"), "v1");
  EXPECT_EQ(Text(first, "path"), one.string());
  EXPECT_EQ(Text(first, "state"), "verified");
  EXPECT_EQ(std::uint64_t(first["size_bytes"]), Identity().size() + 2);

  const auto legacy = Json(Axon({"list", "-f", "json"}).out).at(1).value();
  EXPECT_EQ(Text(legacy, "Namespace"), "hf");
  EXPECT_EQ(Text(legacy, "Name"), "org/m");
  EXPECT_EQ(Text(legacy, "Version"), "v2");
}

TEST_F(ModelsTest, AModelWhoseManifestIsDamagedIsListedAsThat) {
  Damage(Install(kOne), "manifest.yaml", "- nonsense\n");
  Install(kTwo);
  const Ran ran = Axon({"list", "--json"});
  EXPECT_EQ(ran.code, ExitCode::kOk);
  EXPECT_EQ(Text(Json(ran.out).at(0), "state"), "damaged");
  EXPECT_EQ(Text(Json(ran.out).at(1), "state"), "verified");
  EXPECT_THAT(Axon({"list"}).out, HasSubstr("damaged"));
  EXPECT_EQ(Axon({"info", kOne}).code, ExitCode::kIntegrity);
}

TEST_F(ModelsTest, InfoSaysTheSameInBothForms) {
  const store::InstalledModel model = Install("hf/org/m");
  const Ran text = Axon({"info", "hf/org/m"});
  EXPECT_EQ(text.code, ExitCode::kOk);
  const auto json = Json(Axon({"info", "hf/org/m", "--json"}).out);
  EXPECT_EQ(Text(json, "model_id"), "hf/org/m@latest");
  EXPECT_TRUE(bool(json["installed"]));
  EXPECT_TRUE(bool(json["verified"]));
  EXPECT_EQ(Text(json, "path"), model.directory.string());
  EXPECT_EQ(Text(json, "graph"), "onnx/model.onnx");
  EXPECT_EQ(Text(json, "execution_format"), "onnx");
  EXPECT_EQ(Text(json["source"], "repository"), "org/m");
  EXPECT_EQ(Text(json["source"], "commit"), "c0ffee");
  const auto input = json["inputs"].at(0).value();
  EXPECT_EQ(Text(input, "name"), "x");
  EXPECT_EQ(Text(input, "dtype"), "float32");
  EXPECT_EQ(std::int64_t(input["shape"].at(0)), -1);
  EXPECT_EQ(std::int64_t(input["shape"].at(1)), 3);
  const auto file = json["files"].at(1).value();
  EXPECT_EQ(Text(file, "sha256"), mlos::package::DigestOf(Identity()).Hex());
  EXPECT_EQ(std::uint64_t(json["total_bytes"]), Identity().size() + 2);

  for (const std::string& told :
       {Text(json, "model_id"), Text(json, "path"), Text(json, "graph"),
        std::string("x float32[-1,3]"), std::string("y float32[-1,3]"), std::string("c0ffee"),
        Text(file, "sha256").substr(0, 16), ui::FormatBytes(Identity().size())}) {
    EXPECT_THAT(text.out, HasSubstr(told));
  }
}

TEST_F(ModelsTest, OneOfSeveralVersionsMustBeNamed) {
  Install(kOne);
  Install(kTwo);
  const Ran which = Axon({"info", "hf/org/m"});
  EXPECT_EQ(which.code, ExitCode::kUsage);
  EXPECT_THAT(which.err, AllOf(HasSubstr("hf/org/m@v1, hf/org/m@v2"), HasSubstr("hint: name one")));
  EXPECT_EQ(Axon({"info", kTwo}).code, ExitCode::kOk);
  Install("hf/org/m");
  EXPECT_THAT(Axon({"info", "hf/org/m"}).out, HasSubstr("hf/org/m@latest"));
}

TEST_F(ModelsTest, InfoOfWhatIsNotInstalledAsksTheHub) {
  Install(kOne);
  EXPECT_EQ(Axon({"info", "hf/org/other"}).code, ExitCode::kNetwork);
  EXPECT_EQ(Axon({"info", kOne, "--remote"}).code, ExitCode::kNetwork) << "it was asked for";
  OneAnswer nothing("404 Not Found", "");
  const Ran none = Axon({"info", "hf/org/other", "--endpoint", nothing.url().text()});
  EXPECT_EQ(none.code, ExitCode::kNotFound);
  EXPECT_THAT(nothing.request(), StartsWith("GET /api/models/org/other/revision/main "));
  Set("HF_TOKEN", "hf_refused");
  OneAnswer refused("401 Unauthorized", "");
  const Ran denied = Axon({"info", "hf/org/other", "--endpoint", refused.url().text()});
  EXPECT_EQ(denied.code, ExitCode::kAccess);
  EXPECT_THAT(denied.err, AllOf(HasSubstr("HF_TOKEN"), Not(HasSubstr("hf_refused"))));
}

TEST_F(ModelsTest, VerifyFindsTheModelThatChanged) {
  Install(kOne);
  const store::InstalledModel two = Install(kTwo, OtherGraph());
  const Ran good = Axon({"verify"});
  EXPECT_EQ(good.code, ExitCode::kOk);
  EXPECT_THAT(good.out, AllOf(HasSubstr("hf/org/m@v1  intact\n"), HasSubstr("@v2  intact\n")));

  std::string flipped = OtherGraph();
  flipped.back() ^= 1;
  Damage(two, "onnx/model.onnx", flipped);
  const Ran bad = Axon({"verify"});
  EXPECT_EQ(bad.code, ExitCode::kIntegrity);
  EXPECT_THAT(bad.out, AllOf(HasSubstr("@v1  intact\n"), HasSubstr("@v2  DAMAGED\n")));
  EXPECT_THAT(bad.err, AllOf(HasSubstr("warning: hf/org/m@v2: onnx/model.onnx"),
                             HasSubstr("error: changed since installation: hf/org/m@v2"),
                             HasSubstr("hint: axon install --force")));
  EXPECT_EQ(Axon({"verify", kOne}).code, ExitCode::kOk);
  EXPECT_EQ(Axon({"verify", "hf/org/none"}).code, ExitCode::kNotFound);

  const Ran told = Axon({"verify", "hf/org/m", "--json"});
  EXPECT_EQ(told.code, ExitCode::kIntegrity);
  const auto json = Json(told.out);
  EXPECT_TRUE(bool(json.at(0)["intact"]));
  EXPECT_EQ(json.at(0)["problems"].get_array().value().size(), 0u);
  EXPECT_FALSE(bool(json.at(1)["intact"]));
  EXPECT_EQ(Text(json.at(1)["problems"].at(0), "path"), "onnx/model.onnx");
  EXPECT_EQ(Text(json.at(1)["problems"].at(0), "fault"), "digest");
  EXPECT_EQ(Text(Json(told.err), "reason"), "CHECKSUM_MISMATCH");
}

TEST_F(ModelsTest, AnInterruptionHasItsOwnExitCode) {
  Install(kOne);
  cancel_.Set();
  const Ran ran = Axon({"verify"});
  EXPECT_EQ(ran.code, ExitCode::kInterrupted);
  EXPECT_THAT(ran.out, IsEmpty()) << "no verdict on what was not read";
}

TEST_F(ModelsTest, TheCacheIsCountedAndCleaned) {
  Install(kOne);
  Install(kTwo, OtherGraph());
  const auto stats = Json(Axon({"cache", "stats", "--json"}).out);
  EXPECT_EQ(std::uint64_t(stats["models"]), 2u);
  EXPECT_EQ(std::uint64_t(stats["objects"]), 3u) << "config.json is kept once";
  EXPECT_EQ(std::uint64_t(stats["unused_objects"]), 0u);
  EXPECT_EQ(Text(stats, "path"), (folder() / "cache").string());
  EXPECT_THAT(Axon({"cache", "stats"}).out, HasSubstr("unused files       0"));

  const auto files = Json(Axon({"cache", "list", "--json"}).out);
  ASSERT_EQ(files.get_array().value().size(), 4u);
  EXPECT_EQ(Text(files.at(1), "model_id"), kOne);
  EXPECT_EQ(Text(files.at(1), "path"), "onnx/model.onnx");
  EXPECT_THAT(Axon({"cache", "list"}).out, HasSubstr(Text(files.at(1), "sha256").substr(0, 16)));

  ASSERT_EQ(Axon({"uninstall", kTwo, "--force"}).code, ExitCode::kOk);
  const std::string graph = "objects/sha256/";
  for (const bool dry_run : {true, false}) {
    std::vector<std::string> clean = {"cache", "clean", "--json"};
    if (dry_run) clean.emplace_back("--dry-run");
    const auto cleaned = Json(Axon(clean).out);
    EXPECT_EQ(bool(cleaned["dry_run"]), dry_run);
    EXPECT_EQ(std::uint64_t(cleaned["removed_bytes"]), OtherGraph().size());
    EXPECT_THAT(Text(cleaned["removed"].at(0), "path"), StartsWith(graph));
  }
  const Ran nothing = Axon({"cache", "clean"});
  EXPECT_THAT(nothing.out, IsEmpty());
  EXPECT_THAT(nothing.err, HasSubstr("freed 0 B"));
  EXPECT_EQ(Axon({"verify"}).code, ExitCode::kOk) << "what is used was kept";
}

TEST_F(ModelsTest, UninstallRemovesOneVersionOrAllOfThem) {
  Install(kOne);
  Install(kTwo);
  Install("hf/org/m");
  EXPECT_EQ(Axon({"uninstall", kTwo, "--force"}).out, "hf/org/m@v2\n");
  const auto json = Json(Axon({"uninstall", "hf/org/m", "--force", "--json"}).out);
  EXPECT_EQ(Text(json, "status"), "uninstalled");
  EXPECT_EQ(json["models"].get_array().value().size(), 2u);
  EXPECT_THAT(Installed(), IsEmpty());
  const Ran again = Axon({"uninstall", "hf/org/m"});
  EXPECT_EQ(again.code, ExitCode::kNotFound);
  EXPECT_THAT(again.err, AllOf(HasSubstr("hf/org/m is not installed"), HasSubstr("axon install")));
}

TEST_F(ModelsTest, AModelThatCoreHasStaysUnlessForced) {
  Install(kOne);
  OneAnswer has("200 OK", "{}");
  const Ran used = Axon({"uninstall", kOne, "--core", has.url().text()});
  EXPECT_EQ(used.code, ExitCode::kConflict);
  EXPECT_THAT(used.err, HasSubstr("is registered with MLOS Core"));
  OneAnswer unsure("503 Service Unavailable", R"({"message":"draining","reason":"DRAINING"})");
  EXPECT_EQ(Axon({"uninstall", kOne, "--core", unsure.url().text()}).code, ExitCode::kCore);
  const Ran silent = Axon({"uninstall", kOne, "--core", "http://127.0.0.1:1"});
  EXPECT_EQ(silent.code, ExitCode::kCore);
  EXPECT_THAT(silent.err, AllOf(HasSubstr("cannot be reached"), HasSubstr("--force")));
  EXPECT_EQ(Installed().size(), 1u);
  EXPECT_EQ(Axon({"uninstall", kOne, "--force"}).code, ExitCode::kOk);
  EXPECT_THAT(Installed(), IsEmpty());
}

TEST_F(ModelsTest, RegisterTellsCoreAndSaysWhatCoreSaid) {
  const store::InstalledModel model = Install(kOne);
  OneAnswer takes("200 OK", R"({"message":"model registered"})");
  const Ran ran = Axon({"register", kOne, "--core", takes.url().text()});
  EXPECT_EQ(ran.code, ExitCode::kOk);
  EXPECT_EQ(ran.out, "hf/org/m@v1\n");
  EXPECT_EQ(ran.err, "model registered\n");
  EXPECT_THAT(takes.request(), HasSubstr("\"path\":\"" + model.directory.string() + "\""));

  OneAnswer refuses("422 Unprocessable Entity", R"({"message":"no plugin","reason":"X"})");
  const Ran refused = Axon({"register", kOne, "--core", refuses.url().text(), "--json"});
  EXPECT_EQ(refused.code, ExitCode::kCore);
  EXPECT_THAT(Text(Json(refused.err), "message"), HasSubstr("no plugin"));
  EXPECT_EQ(Axon({"register", kOne}).code, ExitCode::kCore) << "nobody answers";
  EXPECT_EQ(Axon({"register", "hf/org/none"}).code, ExitCode::kNotFound);
}

TEST_F(ModelsTest, AnArchiveIsInstalledOnceAndReplacedOnlyByForce) {
  const std::string archive = (folder() / "m.axon").string();
  const ui::ConsoleOptions silent{.quiet = true};
  ui::Console console(silent);
  const store::Store store = this->store();
  const install::InstallContext context{store, console, cancel_};
  const store::InstalledModel model = Install(kOne);
  ASSERT_TRUE(install::ExportArchive(context, model, archive).ok());
  const Ran again = Axon({"install", archive, "--json"});
  EXPECT_EQ(Text(Json(again.out), "status"), "up_to_date");
  ASSERT_TRUE(store.Remove(model).ok());

  const Ran planned = Axon({"install", archive, "--dry-run"});
  EXPECT_EQ(planned.out, "hf/org/m@v1\n");
  EXPECT_THAT(Installed(), IsEmpty());
  const auto installed = Json(Axon({"install", archive, "--json"}).out);
  EXPECT_EQ(Text(installed, "status"), "installed");
  EXPECT_EQ(Text(installed, "model_id"), kOne);
  EXPECT_EQ(installed["files"].get_array().value().size(), 2u);

  ASSERT_TRUE(store.Remove(model).ok());
  Install(kOne, OtherGraph());
  const Ran other = Axon({"install", archive});
  EXPECT_EQ(other.code, ExitCode::kConflict);
  EXPECT_THAT(other.err, HasSubstr("hint: --force replaces it"));
  EXPECT_EQ(Axon({"install", archive, "--force"}).code, ExitCode::kOk);
  EXPECT_EQ(Axon({"verify", kOne}).code, ExitCode::kOk);
}

TEST_F(ModelsTest, WhatCannotBeInstalledSaysWhy) {
  Write("garbage.axon", "no archive");
  const std::string garbage = (folder() / "garbage.axon").string();
  const struct {
    std::vector<std::string> words;
    ExitCode code;
    const char* message;
  } cases[] = {
      {{"install", garbage}, ExitCode::kIntegrity, ""},
      {{"install", (folder() / "none.axon").string()}, ExitCode::kNotFound, ""},
      {{"install", garbage, "--file", "a.onnx"}, ExitCode::kUsage, "an archive holds only one"},
      {{"install", "hf/a/b", "-f", "gguf"}, ExitCode::kUnsupported, "other formats come later"},
      {{"install", "nohub/a/b"}, ExitCode::kUsage, "nohub"},
      {{"install", "hf/a/b"}, ExitCode::kNetwork, "127.0.0.1: "},
  };
  for (const auto& [words, code, message] : cases) {
    const Ran ran = Axon(words);
    EXPECT_EQ(ran.code, code) << testing::PrintToString(words) << ran.err;
    EXPECT_THAT(ran.out, IsEmpty());
    EXPECT_THAT(ran.err, AllOf(StartsWith("error: "), HasSubstr(message)));
  }
  EXPECT_THAT(Installed(), IsEmpty());
}

}  // namespace
}  // namespace axon::cli
