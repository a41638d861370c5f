// SPDX-License-Identifier: MIT
#include "api/http/own/dialect.h"

#include <gtest/gtest.h>

#include "api/http/call/reply.h"

namespace mlos::api::http::own {
namespace {

TEST(OwnDialectTest, ErrorsNameCodeReasonFieldAndModel) {
  const Status status = Status(Reason::kShapeMismatch, "wants [1,\"n\"]").WithField("input_ids");
  const wire::Reply reply = call::ErrorReply(Dialect(), status, "hf/bert");
  EXPECT_EQ(reply.http_status, 400);
  EXPECT_EQ(reply.body.view(),
            R"({"status":"error","code":"INVALID_ARGUMENT","reason":"SHAPE_MISMATCH",)"
            R"("field":"input_ids","message":"wants [1,\"n\"]","model_id":"hf/bert"})");
  EXPECT_TRUE(call::ErrorReply(Dialect(), {Reason::kOverloaded, "later"}).retry_later);
}

}  // namespace
}  // namespace mlos::api::http::own
