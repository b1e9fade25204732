// bench_load --mode flood|handshake|hold|first --port PORT [--OPTION VALUE]...
//
//   flood      keeps --depth questions of each of --conns connections waiting, for --seconds or
//              --count questions; with --warm 1 each of --names names was asked before
//   handshake  --conns at a time: connects, asks once, closes, again; with --resume 1 by a ticket
//   hold       opens --conns connections, each asks once, and keeps them
//   first      connects until one question is answered; "at_ns" is of CLOCK_MONOTONIC
//
// --proto dot|udp; --names 0 asks no name twice; --prefix keeps runs apart in a server's cache. All
// but `first` say "ready", wait for a line, and print what happened as one JSON object.

#include <sys/prctl.h>

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <string>

#include "modes.h"

using namespace porchlight::bench;

namespace {

std::map<std::string, std::function<void(const char*)>> setters(Options& options) {
    const auto number = [](auto& field) {
        return [&field](const char* value) {
            field = static_cast<std::remove_reference_t<decltype(field)>>(std::atof(value));
        };
    };
    const auto text = [](std::string& field) {
        return [&field](const char* value) { field = value; };
    };
    return {{"--mode", text(options.mode)},           {"--proto", text(options.protocol)},
            {"--prefix", text(options.prefix)},       {"--port", number(options.port)},
            {"--conns", number(options.connections)}, {"--depth", number(options.depth)},
            {"--names", number(options.names)},       {"--count", number(options.count)},
            {"--seconds", number(options.seconds)},   {"--resume", number(options.resume)},
            {"--warm", number(options.warm)}};
}

}  // namespace

int main(int argc, char** argv) {
    Options options;
    const auto known = setters(options);
    for (int i = 1; i + 1 < argc; i += 2) {
        if (!known.contains(argv[i])) {
            std::fprintf(stderr, "bench_load: unknown option %s\n", argv[i]);
            return 2;
        }
        known.at(argv[i])(argv[i + 1]);
    }
    const std::map<std::string, void (*)(const Options&)> modes = {
        {"flood", flood}, {"handshake", handshakes}, {"hold", hold}, {"first", first}};
    if (!modes.contains(options.mode)) {
        std::fprintf(stderr, "bench_load: no mode %s\n", options.mode.c_str());
        return 2;
    }
    ::prctl(PR_SET_TIMERSLACK, 1);
    modes.at(options.mode)(options);
}
