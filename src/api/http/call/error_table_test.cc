// SPDX-License-Identifier: MIT
#include "api/http/call/error_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

namespace mlos::api::http::call {
namespace {

bool IsServerFault(StatusCode code) {
  return code == StatusCode::kInternal || code == StatusCode::kUnavailable ||
         code == StatusCode::kDataLoss || code == StatusCode::kUnimplemented ||
         code == StatusCode::kResourceExhausted || code == StatusCode::kDeadlineExceeded;
}

TEST(ErrorTableTest, HasARowForEachReasonInItsPlace) {
  std::size_t index = 0;
  for (const ErrorRow& row : ErrorTable()) {
    EXPECT_EQ(static_cast<std::size_t>(row.reason), index++) << ToString(row.reason);
    EXPECT_FALSE(row.meaning.empty());
  }
}

TEST(ErrorTableTest, FaultsOfCallersAreFourHundreds) {
  for (const ErrorRow& row : ErrorTable()) {
    const StatusCode code = CodeOf(row.reason);
    if (row.http_status >= 500) {
      EXPECT_TRUE(IsServerFault(code)) << ToString(row.reason);
    } else {
      EXPECT_GE(row.http_status, 400) << ToString(row.reason);
      EXPECT_NE(code, StatusCode::kInternal) << ToString(row.reason);
    }
  }
}

TEST(ErrorTableTest, TheReferenceShowsThisTable) {
  std::ifstream file("docs/API-REFERENCE.md");
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_THAT(text.str(), testing::HasSubstr(ErrorTableMarkdown()))
      << "docs/API-REFERENCE.md has another table; paste this one:\n"
      << ErrorTableMarkdown();
}

}  // namespace
}  // namespace mlos::api::http::call
