#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "agent/config.h"

namespace porchlight::agent::config {

/// The file as it shall be, or complaints and no change.
struct Edited {
    std::string json;
    std::vector<Complaint> complaints;
};

/// `json` with the value at `pointer` replaced; what is around it is made where it is missing, and
/// everything else stays in its order. In a list, "-" or the number behind the last appends.
/// `value` is JSON, but a text may stand without quotes; "null" takes the value out, so that the
/// default counts again. Complaints are of the pointer and value alone or of the whole that would
/// result: what comes back without any is a valid configuration.
Edited set_value(std::string_view file_name, Bytes json, std::string_view pointer,
                 std::string_view value);

}  // namespace porchlight::agent::config
