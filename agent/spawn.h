#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "core/bytes.h"
#include "core/result.h"

namespace porchlight::agent {

/// Starts this very program again in another role, in a fresh address space. `descriptors` become
/// 3, 4, ... there; standard error stays, everything else is closed. Returns the process id.
Result<pid_t> spawn_role(const std::vector<std::string>& arguments,
                         const std::vector<int>& descriptors);

/// What a program printed is kept up to here.
inline constexpr std::size_t program_output_max = 1 << 20;

/// Runs a program without a shell and waits for it: its argument vector, what it reads on standard
/// input, and how long it may take before it is killed. Fails with the exit status and the first
/// line that it printed on standard error.
Result<void> run_program(const std::vector<std::string>& arguments, Bytes input,
                         std::chrono::milliseconds within);

/// The same, and what it printed, complaints among it.
Result<std::string> read_program(const std::vector<std::string>& arguments, Bytes input,
                                 std::chrono::milliseconds within);

}  // namespace porchlight::agent
