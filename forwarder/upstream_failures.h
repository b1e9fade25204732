#pragma once

#include <cstdint>

#include "core/result.h"

namespace porchlight::forwarder {

/// How often upstreams failed since the worker started, by what was wrong; a question that several
/// of them failed counts with each.
struct UpstreamFailures {
    std::uint64_t timeouts = 0;
    std::uint64_t unproved = 0;     // it could not prove to be who it should be
    std::uint64_t unreachable = 0;  // no connection, or one that ended without an answer
    std::uint64_t malformed = 0;
    std::uint64_t internal = 0;   // this machine failed: no memory, no descriptor
    std::uint64_t unhelpful = 0;  // it answered SERVFAIL, REFUSED and the like

    void note(Errc code) {
        switch (code) {
            case Errc::timeout:
                ++timeouts;
                return;
            case Errc::refused:
                ++unproved;
                return;
            case Errc::unavailable:
                ++unreachable;
                return;
            case Errc::malformed:
                ++malformed;
                return;
            case Errc::denied:
            case Errc::internal:
                ++internal;
        }
    }
};

}  // namespace porchlight::forwarder
