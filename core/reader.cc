#include "core/reader.h"

namespace porchlight {

Error Reader::error(std::string_view what) const {
    std::string text(what);
    text += ": ";
    text += failed() ? why_ : "has octets left over";
    text += " at octet ";
    text += std::to_string(at_);
    return {Errc::malformed, std::move(text)};
}

}  // namespace porchlight
