#pragma once

// The one door to Boost.Asio. Include this before any other Boost header: it holds what the oldest
// compilers need and the few names that signatures use. A .cc adds the Asio headers it needs.

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <utility>  // Asio of Boost 1.81 uses std::exchange without including it

namespace porchlight {

namespace asio = boost::asio;
using asio::awaitable;
using boost::system::error_code;
using boost::system::system_error;

}  // namespace porchlight
