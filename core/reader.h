#pragma once

#include "core/bytes.h"
#include "core/result.h"

namespace porchlight {

/// A checked cursor over octets from outside, whose failure sticks: after the first short read
/// everything reads as zero or empty and loops run dry, so a parser lists its fields and asks
/// once, at the end. The input is borrowed for the reader's life. Integers are big-endian.
class Reader {
  public:
    explicit Reader(Bytes input) : left_(input) {}

    std::uint8_t u8() { return static_cast<std::uint8_t>(integer(1)); }
    std::uint16_t u16() { return static_cast<std::uint16_t>(integer(2)); }
    std::uint32_t u32() { return static_cast<std::uint32_t>(integer(4)); }
    std::uint64_t u64() { return integer(8); }

    /// The next `count` octets, borrowed from the input.
    Bytes bytes(std::size_t count) {
        if (count > left_.size()) {
            fail("ends too early");
            return {};
        }
        Bytes taken = left_.first(count);
        left_ = left_.subspan(count);
        at_ += count;
        return taken;
    }

    Bytes rest() { return bytes(left_.size()); }

    /// Hands `body` the octets behind a count of 8, 16 or 32 bits; `body` must use them all.
    template <class Body>
    void counted_u8(Body body) {
        part(u8(), body);
    }
    template <class Body>
    void counted_u16(Body body) {
        part(u16(), body);
    }
    template <class Body>
    void counted_u32(Body body) {
        part(u32(), body);
    }

    /// Refuses the input; the first reason is kept. `why` must be a literal.
    void fail(std::string_view why) {
        if (why_.empty()) why_ = why;
        left_ = {};
    }

    bool empty() const { return left_.empty(); }
    std::size_t size() const { return left_.size(); }
    /// Octets consumed so far, counted from the start of the outermost reader.
    std::size_t offset() const { return at_; }
    bool failed() const { return !why_.empty(); }
    /// Everything was read and nothing refused.
    bool finished() const { return why_.empty() && left_.empty(); }
    /// "DHCPv6 option 144: ends too early at octet 11"
    Error error(std::string_view what) const;

  private:
    std::uint64_t integer(std::size_t size) {
        std::uint64_t value = 0;
        for (std::uint8_t byte : bytes(size)) value = value << 8 | byte;
        return value;
    }

    template <class Body>
    void part(std::size_t count, Body body) {
        Reader inner(bytes(count));
        inner.at_ = at_ - inner.left_.size();
        body(inner);
        if (!inner.empty()) inner.fail("has octets left over");
        if (inner.failed() && !failed()) {
            at_ = inner.at_;
            fail(inner.why_);
        }
    }

    Bytes left_;
    std::size_t at_ = 0;
    std::string_view why_;
};

}  // namespace porchlight
