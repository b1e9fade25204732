#include "agent/announced.h"

#include <algorithm>

#include "core/fields.h"
#include "ra/options.h"

namespace porchlight::agent {

void write(Writer& out, const std::vector<ra::Announced>& links) {
    write_list(out, links,
               [&](const ra::Announced& link) { out.counted_u32([&] { ra::write(out, link); }); });
}

Result<std::vector<ra::Announced>> parse_announced_links(Bytes octets) {
    Reader in(octets);
    std::vector<ra::Announced> links;
    const auto parts = read_list<Buffer>(in, read_octets_field);
    if (!in.finished()) return in.error("what was announced");
    for (const Buffer& part : parts) {
        auto link = ra::parse_announced(part);
        if (!link) return link.error();
        links.push_back(std::move(*link));
    }
    return links;
}

ra::NdOptions prefixes_of(const ra::Announced& link) {
    ra::NdOptions prefixes;
    if (!link.full) return prefixes;
    for (const Buffer& option : link.options)
        if (ra::is_prefix(option)) prefixes.push_back(ra::withdrawn(option));
    std::sort(prefixes.begin(), prefixes.end());
    prefixes.erase(std::unique(prefixes.begin(), prefixes.end()), prefixes.end());
    return prefixes;
}

std::vector<ra::Announced> on_links_of(const std::vector<std::string>& lan,
                                       std::vector<ra::Announced> announced) {
    std::erase_if(announced, [&](const ra::Announced& link) {
        return std::find(lan.begin(), lan.end(), link.interface) == lan.end();
    });
    return announced;
}

}  // namespace porchlight::agent
