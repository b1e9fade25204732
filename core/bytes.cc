#include "core/bytes.h"

namespace porchlight {

std::string to_hex(Bytes bytes, char separator) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string text;
    text.reserve(bytes.size() * 3);
    for (std::uint8_t byte : bytes) {
        if (separator != 0 && !text.empty()) text += separator;
        text += digits[byte >> 4];
        text += digits[byte & 15];
    }
    return text;
}

}  // namespace porchlight
