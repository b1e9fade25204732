#pragma once

#include <cstdint>

namespace porchlight::forwarder {

/// Kinds of messages on the forwarder's two channels.
enum class Control : std::uint16_t {
    // From the keeper, with descriptors. Body: see ListenerMessage.
    listeners = 1,
    // From the agent: Settings; answered by `applied` (empty body) or `rejected` (text).
    settings = 2,
    applied = 3,
    rejected = 4,
    // From the agent, empty body; answered by `status`.
    ask_status = 5,
    status = 6,
    // From the keeper, empty body, answered alike: the watchdog's question.
    alive = 7,
    // From the agent, empty body: drop cached answers.
    flush_cache = 8,
    // From the keeper, one descriptor: the channel to a new agent; the old one is dropped.
    agent_channel = 9,
    // From the keeper: RefusedHost, a list of those that are not let in.
    refused = 10,
    // To the agent, empty body: the sockets that the keeper handed over last are listened at now.
    listening = 11,
    // From the agent: Neighbour, a list of those on the home's links.
    neighbours = 12,
    // From the agent, empty body: who is kept out may come in again.
    let_in_again = 13,
    // From the agent, empty body; answered by `queries`: QueryReport.
    ask_queries = 14,
    queries = 15,
};

}  // namespace porchlight::forwarder
