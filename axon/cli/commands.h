// SPDX-License-Identifier: MIT
#pragma once

#include "axon/cli/command.h"

namespace axon::cli {

// Each adds one command, or one group of them, from the file of its name.
void AddInstall(Commands& commands);
void AddList(Commands& commands);
void AddInfo(Commands& commands);
void AddRegister(Commands& commands);
void AddUninstall(Commands& commands);
void AddVerify(Commands& commands);
void AddCache(Commands& commands);
void AddConfig(Commands& commands);
void AddCompletion(Commands& commands);
void AddVersion(Commands& commands);
void AddReference(Commands& commands);

/// The whole tree, in the order of the reference.
void AddAll(Commands& commands);

}  // namespace axon::cli
