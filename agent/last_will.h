#pragma once

#include <string>
#include <vector>

#include "core/file_descriptor.h"
#include "core/result.h"

namespace porchlight::agent {

/// A tiny process that outlives a keeper that was killed and then takes every announcement back:
/// a dead daemon leaves nothing standing, even where no service manager runs `withdraw`. It sleeps
/// on a pipe for its whole life and shares the keeper's memory.
class LastWill {
  public:
    /// `arguments` are run, as a role of this program, when this process ends without revoke().
    Result<void> start(const std::vector<std::string>& arguments);
    /// Everything is in order: it shall go without doing anything.
    void revoke();

  private:
    FileDescriptor pipe_;
};

}  // namespace porchlight::agent
