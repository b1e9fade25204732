#include "core/writer.h"

#include <utility>

namespace porchlight {

Result<Buffer> Writer::take() {
    if (overflowed_) return Error{Errc::refused, "a part is longer than its length field can say"};
    return std::move(out_);
}

void Writer::patch(std::size_t at, std::size_t width, std::size_t value) {
    if (width < sizeof value && value >> (8 * width) != 0) overflowed_ = true;
    for (std::size_t i = 0; i < width; ++i)
        out_[at + i] = static_cast<std::uint8_t>(value >> (8 * (width - 1 - i)));
}

}  // namespace porchlight
