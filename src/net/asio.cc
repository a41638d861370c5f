// SPDX-License-Identifier: MIT
// The function bodies of Asio, which are headers otherwise.
#include <boost/asio/impl/src.hpp>
