// SPDX-License-Identifier: MIT
// The function bodies of Asio and Beast, which are headers otherwise.
#include <boost/asio/impl/src.hpp>
#include <boost/beast/src.hpp>
