#include "core/escape.h"

#include "core/bytes.h"

namespace porchlight {

std::string escape(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (char c : text) {
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (c >= ' ' && c <= '~') {
            out += c;
        } else {
            out += "\\x" + to_hex(bytes_of({&c, 1}));
        }
    }
    return out;
}

std::string escape_value(std::string_view text) {
    const std::string escaped = escape(text);
    const bool plain =
        !text.empty() && escaped == text && text.find_first_of(" =") == std::string_view::npos;
    return plain ? escaped : "\"" + escaped + "\"";
}

}  // namespace porchlight
