// SPDX-License-Identifier: MIT
#include "probe/probe.h"

int main() { return mlos::probe::RunProbe(); }
