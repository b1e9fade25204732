#include "forwarder/neighbours.h"

#include <algorithm>
#include <string>
#include <tuple>
#include <utility>

#include "core/address_field.h"
#include "core/fields.h"

namespace porchlight::forwarder {
namespace {

auto place_of(const Neighbour& one) {
    return std::tie(one.link.octets, one.address);
}

void write_neighbour(Writer& out, const Neighbour& one) {
    out.bytes(bytes_of(std::string_view(one.link.octets.data(), one.link.octets.size())));
    write_address(out, one.address);
    out.bytes(one.mac.octets);
}

template <class Octets>
void read_octets(Reader& in, Octets& octets) {
    std::ranges::copy(in.bytes(octets.size()), octets.begin());
}

Neighbour read_neighbour(Reader& in) {
    Neighbour one;
    read_octets(in, one.link.octets);
    one.address = read_address(in);
    read_octets(in, one.mac.octets);
    return one;
}

}  // namespace

Neighbours::Neighbours(std::vector<Neighbour> told) : list_(std::move(told)) {
    if (list_.size() > neighbours_max) list_.resize(neighbours_max);
    std::sort(list_.begin(), list_.end(),
              [](const Neighbour& a, const Neighbour& b) { return place_of(a) < place_of(b); });
}

const net::MacAddress* Neighbours::find(const LinkName& link, const IpAddress& address) const {
    const auto wanted = std::tie(link.octets, address);
    const auto found =
        std::lower_bound(list_.begin(), list_.end(), wanted,
                         [](const Neighbour& one, const auto& key) { return place_of(one) < key; });
    return found != list_.end() && place_of(*found) == wanted ? &found->mac : nullptr;
}

void write(Writer& out, const std::vector<Neighbour>& neighbours) {
    write_list(out, neighbours, [&](const Neighbour& one) { write_neighbour(out, one); });
}

Result<std::vector<Neighbour>> parse_neighbours(Bytes message) {
    Reader in(message);
    auto neighbours = read_list<Neighbour>(in, read_neighbour);
    if (!in.finished()) return in.error("the list of neighbours");
    return neighbours;
}

}  // namespace porchlight::forwarder
