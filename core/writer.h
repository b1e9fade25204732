#pragma once

#include "core/bytes.h"
#include "core/result.h"

namespace porchlight {

/// The reflection of Reader: appends octets to a buffer of its own. Integers are big-endian.
class Writer {
  public:
    void u8(std::uint8_t value) { out_.push_back(value); }
    void u16(std::uint16_t value) { integer(value, 2); }
    void u32(std::uint32_t value) { integer(value, 4); }
    void u64(std::uint64_t value) { integer(value, 8); }
    void bytes(Bytes bytes) { out_.insert(out_.end(), bytes.begin(), bytes.end()); }
    void text(std::string_view text) { bytes(bytes_of(text)); }
    void zeros(std::size_t count) { out_.insert(out_.end(), count, 0); }

    /// Writes what `body` writes behind a count of its octets.
    template <class Body>
    void counted_u8(Body body) {
        counted(1, body);
    }
    template <class Body>
    void counted_u16(Body body) {
        counted(2, body);
    }
    template <class Body>
    void counted_u32(Body body) {
        counted(4, body);
    }

    std::size_t size() const { return out_.size(); }
    /// What was written so far, borrowed until the next write.
    Bytes view() const { return out_; }
    /// Overwrites one octet, or two, at `at`, which were written before.
    void patch_u8(std::size_t at, std::size_t value) { patch(at, 1, value); }
    void patch_u16(std::size_t at, std::size_t value) { patch(at, 2, value); }
    /// Room for `count` octets at the end, zero, borrowed until the next write.
    std::span<std::uint8_t> grow(std::size_t count) {
        zeros(count);
        return std::span(out_).last(count);
    }
    /// What was written from `start` on, to be changed in place; borrowed until the next write.
    std::span<std::uint8_t> tail(std::size_t start) { return std::span(out_).subspan(start); }
    /// Forgets what was written beyond `size`; keeps the memory.
    void truncate(std::size_t size) {
        if (size < out_.size()) out_.resize(size);
    }
    /// The memory, where it is for more than `capacity` octets, with what was written.
    void give_back_beyond(std::size_t capacity) {
        if (out_.capacity() > capacity) out_ = Buffer();
    }
    std::size_t capacity() const { return out_.capacity(); }
    /// The octets; fails with `refused` if a counted part outgrew its count.
    Result<Buffer> take();

  private:
    void integer(std::uint64_t value, std::size_t size) {
        for (std::size_t left = size; left > 0; --left)
            out_.push_back(static_cast<std::uint8_t>(value >> (8 * (left - 1))));
    }

    template <class Body>
    void counted(std::size_t width, Body body) {
        const std::size_t start = out_.size() + width;
        zeros(width);
        body();
        patch(start - width, width, out_.size() - start);
    }

    void patch(std::size_t at, std::size_t width, std::size_t value);

    Buffer out_;
    bool overflowed_ = false;
};

}  // namespace porchlight
