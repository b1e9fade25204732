#pragma once

#include "agent/config.h"

namespace porchlight::agent {

/// What a new configuration asks of a daemon that runs by another one.
struct ConfigChange {
    bool needs_restart = false;   // something changed that is settled when the processes start
    bool listeners = false;       // other sockets for hosts or the companion
    bool advertisements = false;  // other sockets for Router Advertisements, or another interval
    bool wan = false;             // other links whose Router Advertisements are heard
};

ConfigChange change_between(const Config& before, const Config& after);

}  // namespace porchlight::agent
