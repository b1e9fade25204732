#pragma once

#include <cstddef>
#include <cstdint>

#include "core/bytes.h"
#include "core/clock.h"
#include "core/writer.h"

namespace porchlight::forwarder {

/// DNS over HTTPS inside one connection, between its octets and DNS messages (RFC 8484): a Session
/// has one where it is not DNS over TLS. Does no I/O and knows no socket; what it is asked it asks
/// its Session.
class Http {
  public:
    /// What octets held, in the order of what they are worth.
    enum class Heard {
        pieces,    // of frames
        frames,    // whole ones
        requests,  // at least one
        broken,    // what HTTP or we do not allow: nothing more is heard
    };

    virtual ~Http() = default;

    /// Hears all of `input`, and answers or asks what it asks.
    virtual Heard receive(Bytes input) = 0;
    /// Appends what can leave now, until `out` has a TLS record's worth; false: that was all.
    virtual bool write(Writer& out) = 0;

    /// An answer was found for what `stream` asked: the empty writer for it, which answered() says
    /// is filled. Null: nobody waits for it any more.
    virtual Writer* answer_to(std::int32_t stream) = 0;
    virtual void answered(std::int32_t stream) = 0;

    /// Takes leave: the client is told to begin nothing more. What it began before it heard that is
    /// answered, and then it is over.
    virtual void leave() = 0;
    /// Nothing is heard any more, and what is written next ends with a goodbye.
    virtual void end() = 0;
    /// Nothing will be heard or said any more.
    virtual bool is_over() const = 0;
    /// A request has begun and its end has yet to come.
    virtual bool is_hearing() const = 0;
    /// Where that is so: since when, of the one that began first.
    virtual Clock::time_point hears_since() const = 0;
    /// Octets of answers that could not leave yet.
    virtual std::size_t held() const = 0;
    /// Octets of memory that it takes, all in all.
    virtual std::size_t octets() const = 0;
};

}  // namespace porchlight::forwarder
