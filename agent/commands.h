#pragma once

#include "agent/command_line.h"

namespace porchlight::agent {

// What the commands do; agent/command_table.cc says what they are given. Each returns the exit
// status of the program.

int run_command(const Arguments& arguments);
int setup_command(const Arguments& arguments);
int check_command(const Arguments& arguments);
int config_command(const Arguments& arguments);
int status_command(const Arguments& arguments);
int metrics_command(const Arguments& arguments);
int queries_command(const Arguments& arguments);
int unblock_command(const Arguments& arguments);
int discover_command(const Arguments& arguments);
int options_command(const Arguments& arguments);
int certificate_command(const Arguments& arguments);
int wan_command(const Arguments& arguments);
int withdraw_command(const Arguments& arguments);
int completion_command(const Arguments& arguments);
int man_command(const Arguments& arguments);
int role_command(const Arguments& arguments);

}  // namespace porchlight::agent
