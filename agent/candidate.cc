#include "agent/candidate.h"

#include "agent/config_change.h"
#include "agent/config_files.h"
#include "agent/state_files.h"
#include "core/log.h"

namespace porchlight::agent {

Result<Candidate> judge_candidate(const std::string& config_file, Bytes config_json,
                                  const Config& current, Storage& storage) {
    ConfigResult parsed = parse_config(config_file, config_json);
    for (const Complaint& complaint : parsed.complaints) log::error(to_text(complaint));
    if (!parsed.config) return Error{Errc::refused, to_text(parsed.complaints.front())};
    auto named = read_named_files(config_file, *parsed.config, config_json, storage);
    if (!named) return named.error();
    if (const auto useless = why_useless(config_file, *parsed.config, *named))
        return Error{Errc::refused, to_text(*useless)};
    if (change_between(current, *parsed.config).needs_restart)
        return Error{Errc::refused,
                     "directories, users, workers and the log's target change only by a restart"};
    return Candidate{std::move(*parsed.config), std::move(*named)};
}

}  // namespace porchlight::agent
