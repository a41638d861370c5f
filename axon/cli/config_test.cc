// SPDX-License-Identifier: MIT
#include <iostream>
#include <map>
#include <sstream>

#include "axon/cli/test_cli.h"

namespace axon::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using ui::ExitCode;

class ConfigCommandTest : public CliTest {
 protected:
  /// `axon WORDS` with `text` on standard input.
  Ran AxonWithInput(const std::string& text, const std::vector<std::string>& words) const {
    std::istringstream input(text);
    std::streambuf* saved = std::cin.rdbuf(input.rdbuf());
    Ran ran = Axon(words);
    std::cin.rdbuf(saved);
    return ran;
  }
};

TEST_F(ConfigCommandTest, ASettingIsShownWithItsOrigin) {
  EXPECT_EQ(Axon({"config", "get", "download.parallel"}).out, "4\n");
  ASSERT_EQ(Axon({"config", "set", "download.parallel", "7"}).code, ExitCode::kOk);
  EXPECT_EQ(Axon({"config", "get", "download.parallel"}).out, "7\n");
  const auto json = Json(Axon({"config", "get", "download.parallel", "--json"}).out);
  EXPECT_EQ(Text(json, "key"), "download.parallel");
  EXPECT_EQ(Text(json, "value"), "7");
  EXPECT_EQ(Text(json, "origin"), "file");
  EXPECT_THAT(Read("config.yaml"), HasSubstr("parallel: 7"));
}

TEST_F(ConfigCommandTest, EverySettingIsListedInBothForms) {
  const Ran text = Axon({"config", "list"});
  const auto json = Json(Axon({"config", "list", "--json"}).out);
  std::map<std::string, std::string> listed;
  for (const auto entry : json) listed[Text(entry, "key")] = Text(entry, "value");
  EXPECT_EQ(listed.size(), config::Keys().size());
  for (const config::Key& key : config::Keys()) {
    const std::string name(key.name);
    ASSERT_EQ(listed.count(name), 1u) << name;
    EXPECT_THAT(text.out, AllOf(HasSubstr(name + " "), HasSubstr(listed[name])));
  }
  EXPECT_EQ(listed["home_dir"], folder().string());
}

TEST_F(ConfigCommandTest, SettingSaysWhereItWroteAndWhatOverridesIt) {
  const Ran ran = Axon({"config", "set", "core.endpoint", "http://localhost:1", "--json"});
  EXPECT_EQ(ran.code, ExitCode::kOk);
  EXPECT_EQ(Text(Json(ran.out), "file"), (folder() / "config.yaml").string());
  const auto warning = Json(ran.err);
  EXPECT_EQ(Text(warning, "level"), "warning");
  EXPECT_EQ(Text(warning, "message"), "MLOS_CORE_ENDPOINT is set and overrides core.endpoint");
  EXPECT_THAT(Axon({"config", "set", "download.stall_timeout", "9"}).out, IsEmpty());
}

TEST_F(ConfigCommandTest, ARefusedSettingIsNotWritten) {
  const struct {
    std::vector<std::string> assignment;
    ExitCode code;
    const char* message;
  } cases[] = {
      {{"nothing", "1"}, ExitCode::kNotFound, "there is no setting 'nothing'"},
      {{"download.parallel", "lots"}, ExitCode::kUsage, "'lots' is not a whole number"},
      {{"download.parallel", "-1"}, ExitCode::kUsage, "-1"},
      {{"core.endpoint", "ftp://x"}, ExitCode::kUsage, "'ftp://x' is not an http"},
      {{"home_dir", "/x"}, ExitCode::kUsage, "set AXON_HOME instead"},
  };
  for (const auto& [assignment, code, message] : cases) {
    const Ran ran = Axon({"config", "set", assignment[0], assignment[1]});
    EXPECT_EQ(ran.code, code) << message;
    EXPECT_THAT(ran.out, IsEmpty()) << message;
    EXPECT_THAT(ran.err, HasSubstr(message));
  }
  EXPECT_FALSE(std::filesystem::exists(folder() / "config.yaml"));
  const Ran unknown = Axon({"config", "get", "nothing"});
  EXPECT_EQ(unknown.code, ExitCode::kNotFound);
  EXPECT_THAT(unknown.err, HasSubstr("hint: `axon config list` shows them all"));
}

TEST_F(ConfigCommandTest, ASecretComesFromStandardInputAndIsNotShown) {
  const std::string key = "registry.huggingface_token";
  const Ran refused = Axon({"config", "set", key, "hf_onthecommandline"});
  EXPECT_EQ(refused.code, ExitCode::kUsage);
  EXPECT_THAT(refused.err, AllOf(HasSubstr("must not stand on the command line"),
                                 Not(HasSubstr("hf_onthecommandline"))));
  EXPECT_EQ(AxonWithInput("hf_secret \n", {"config", "set", key, "-"}).code, ExitCode::kOk);
  EXPECT_THAT(Read("config.yaml"), HasSubstr("huggingface_token: hf_secret\n"));
  EXPECT_EQ(Axon({"config", "get", key}).out, "(set)\n");
  for (const char* form : {"--json", "--quiet"}) {
    EXPECT_THAT(Axon({"config", "list", form}).out,
                AllOf(HasSubstr("(set)"), Not(HasSubstr("hf_secret"))));
  }
  const Ran malformed = AxonWithInput("hf_se cret\n", {"config", "set", key, "-"});
  EXPECT_EQ(malformed.code, ExitCode::kUsage);
  EXPECT_THAT(malformed.err, Not(HasSubstr("cret")));
}

TEST_F(ConfigCommandTest, SettingsOfOthersAreNamedAndKept) {
  Write("config.yaml", "log_level: info\n");
  EXPECT_THAT(Axon({"config", "list"}).err,
              HasSubstr("config.yaml sets log_level, which this version does not use"));
  ASSERT_EQ(Axon({"config", "set", "download.parallel", "2"}).code, ExitCode::kOk);
  EXPECT_THAT(Read("config.yaml"), HasSubstr("log_level: info"));
}

}  // namespace
}  // namespace axon::cli
