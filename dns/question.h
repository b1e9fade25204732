#pragma once

#include <cstdint>

#include "dns/name.h"

namespace porchlight::dns {

/// What is asked, in class IN, with the flags that may change the answer.
struct Question {
    Name name;
    std::uint16_t type = 0;
    bool dnssec_ok = false;          // DO, RFC 3225
    bool checking_disabled = false;  // CD, RFC 4035
    bool subnet_withheld = false;    // a client subnet of no bits, RFC 7871 section 7.1.2
    /// Which of the answers is asked for where clients hear different ones; never sent.
    std::uint8_t view = 0;
    bool operator==(const Question&) const = default;
};

}  // namespace porchlight::dns
