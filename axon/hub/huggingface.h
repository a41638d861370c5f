// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include "axon/fetch/cancel.h"
#include "axon/hub/hub.h"

namespace axon::hub {

/// The Hugging Face Hub, or a mirror that speaks its protocol
/// (https://huggingface.co/docs/hub/api): `hf/<organisation>/<name>` and the few without an
/// organisation. "latest" is the branch main; anything else is a branch, a tag or a commit.
std::unique_ptr<Hub> MakeHuggingFace(const HubSettings& settings, const fetch::CancelFlag& cancel);

}  // namespace axon::hub
