#pragma once

#include "core/file_descriptor.h"
#include "net/channel.h"

namespace porchlight::forwarder {

/// The forwarder's whole life: takes listeners from the keeper and settings from the agent, serves
/// until the keeper's end closes. The process is already without privilege; `workers` event loops
/// run on as many threads. When the agent was started anew its channel arrives from the keeper, as
/// Control::agent_channel. Returns the exit status.
struct Start {
    net::Channel keeper;
    net::Channel agent;
    unsigned workers = 1;
    FileDescriptor serving{};  // see ServingPage; may be empty
};
int run(Start start);

}  // namespace porchlight::forwarder
