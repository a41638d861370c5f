// SPDX-License-Identifier: MIT
// The function bodies of Beast, which are headers otherwise.
#include <boost/beast/src.hpp>
