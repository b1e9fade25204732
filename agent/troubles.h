#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/result.h"

namespace porchlight::agent {

/// What the keeper was asked to do and could not, until the same is done well. For people.
class Troubles {
  public:
    /// Notes how `doing` ended ("cannot store the account"); true if that is news.
    bool note(const std::string& doing, const Result<void>& done) {
        if (done) return standing_.erase(doing) > 0;
        std::string& why = standing_[doing];
        if (why == done.error().message) return false;
        why = done.error().message;
        return true;
    }
    /// "cannot store the account: No space left on device"
    std::vector<std::string> list() const {
        std::vector<std::string> lines;
        for (const auto& [doing, why] : standing_) lines.push_back(doing + ": " + why);
        return lines;
    }

  private:
    std::map<std::string, std::string> standing_;
};

}  // namespace porchlight::agent
