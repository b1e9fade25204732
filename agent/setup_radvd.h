#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/storage.h"

namespace porchlight::agent::setup {

/// A radvd that runs.
struct RadvdFound {
    std::string config_file = "/etc/radvd.conf";
    bool known = false;                        // the file could be read
    std::vector<std::string> interfaces = {};  // it advertises on
    bool operator==(const RadvdFound&) const = default;
};

/// From its command line and the file that this names. `directory` is where the process is.
RadvdFound read_radvd(const std::vector<std::string>& arguments, const std::string& directory,
                      Storage& storage);

/// The interfaces whose blocks in a radvd.conf have "AdvSendAdvert on", which is off by default.
std::vector<std::string> advertised_by_radvd(std::string_view config);

}  // namespace porchlight::agent::setup
