// SPDX-License-Identifier: MIT
#include "base/status.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "base/result.h"

namespace mlos {
namespace {

Result<std::unique_ptr<int>> Half(int number) {
  if (number % 2 != 0) return Status(Reason::kInvalidField, "odd").WithField("number");
  return std::make_unique<int>(number / 2);
}

Result<std::string> Quarter(int number) {
  const std::unique_ptr<int> half = MLOS_TRY(Half(number));
  const auto quarter = MLOS_TRY(Half(*half));
  return std::to_string(*quarter);
}

Status CheckQuarter(int number) {
  MLOS_TRY(Quarter(number));
  return OkStatus();
}

TEST(Status, CarriesReasonCodeFieldAndMessage) {
  const Status status = Status(Reason::kShapeMismatch, "shape [2]").WithField("x");
  EXPECT_FALSE(status.ok());
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(status.field(), "x");
  EXPECT_EQ(status.ToString(), "INVALID_ARGUMENT/SHAPE_MISMATCH (field x): shape [2]");
}

TEST(Status, SuccessIsEmpty) {
  EXPECT_TRUE(OkStatus().ok());
  EXPECT_EQ(OkStatus().code(), StatusCode::kOk);
  EXPECT_TRUE(OkStatus().WithField("x").WithContext("y").ok());
}

TEST(Status, ContextComesFirst) {
  EXPECT_EQ(Status(Reason::kIoError, "disk").WithContext("model").message(), "model: disk");
}

TEST(Status, CopyIsIndependent) {
  Status copy(Reason::kIoError, "one");
  const Status original = copy;
  copy = std::move(copy).WithContext("two");
  EXPECT_EQ(original.message(), "one");
}

TEST(Result, TryPassesValuesAndFailuresOn) {
  EXPECT_EQ(*Quarter(8), "2");
  EXPECT_EQ(Quarter(7).status().field(), "number");
  EXPECT_EQ(CheckQuarter(6).reason(), Reason::kInvalidField);
  EXPECT_TRUE(CheckQuarter(4).ok());
}

TEST(ResultDeathTest, ValueOfAFailureAborts) {
  EXPECT_DEATH(static_cast<void>(Quarter(7).value()), "odd");
}

}  // namespace
}  // namespace mlos
