// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace axon::cli {

/// "1.0.0" of this axon, of the MLOS Core it was built with, and of the Standard Model Interface.
std::string AxonVersion();
std::string CoreVersion();
std::string SmiVersion();

/// All three on one line.
std::string VersionLine();

}  // namespace axon::cli
