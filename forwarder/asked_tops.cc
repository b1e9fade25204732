#include "forwarder/asked_tops.h"

namespace porchlight::forwarder {

void AskedTops::note(Bytes name) {
    std::size_t labels = 0;
    Bytes last;
    for (std::size_t at = 0; at < name.size() && name[at] != 0; at += name[at] + 1u, ++labels)
        last = name.subspan(at + 1, name[at]);
    if (labels < 2) return;
    const std::size_t bit = bit_of(last);
    seen_[bit / bits_of_word].fetch_or(std::uint64_t{1} << bit % bits_of_word,
                                       std::memory_order_relaxed);
}

bool AskedTops::has(Bytes label) const {
    const std::size_t bit = bit_of(label);
    return (seen_[bit / bits_of_word].load(std::memory_order_relaxed) >> bit % bits_of_word & 1) !=
           0;
}

}  // namespace porchlight::forwarder
