// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "api/grpc/call/call.h"

// What can be called. Each function gives the methods of one service.
namespace mlos::api::grpc {

std::vector<call::Method> OipMethods();
std::vector<call::Method> OipInferenceMethods();
std::vector<call::Method> HealthMethods();
std::vector<call::Method> InferenceMethods();
std::vector<call::Method> InferenceBidiMethods();
std::vector<call::Method> OipStreamMethods();
std::vector<call::Method> MlosMethods();
std::vector<call::Method> ReflectionMethods();

/// All of them.
std::vector<call::Method> Methods();

}  // namespace mlos::api::grpc
