#include "modes.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <limits>

namespace porchlight::bench {
namespace {

using namespace std::chrono_literals;

Clock::duration length(const Options& options) {
    return std::chrono::duration_cast<Clock::duration>(
        std::chrono::duration<double>(options.seconds));
}

void ready() {
    std::puts("ready");
    std::fflush(stdout);
    std::array<char, 64> line;
    if (!std::fgets(line.data(), line.size(), stdin)) std::exit(1);
}

void report(const Tally& tally, Clock::duration took, long open) {
    const auto number = [](std::uint64_t value) { return static_cast<unsigned long long>(value); };
    std::printf(
        "{\"answers\": %llu, \"wrong\": %llu, \"lost\": %llu, \"handshakes\": %llu, "
        "\"resumed\": %llu, \"seconds\": %.4f, \"open\": %ld}\n",
        number(tally.answers), number(tally.wrong), number(tally.lost), number(tally.handshakes),
        number(tally.resumed), std::chrono::duration<double>(took).count(), open);
}

long open_ones(Generator& generator) {
    auto& all = generator.connections();
    return std::count_if(all.begin(), all.end(),
                         [](const Connection& one) { return one.is_open(); });
}

/// Asks each name, again where an answer is missing: some servers lose questions while they are
/// cold.
void warm(Generator& generator, const Options& options) {
    for (int tries = 0; tries < 3; ++tries) {
        generator.tally() = {};
        generator.flood(Clock::now() + 60s, std::min(options.depth, 10u), options.names, 1s);
        generator.drain(100ms);
        if (generator.tally().answers == options.names) return;
    }
}

}  // namespace

void flood(const Options& options) {
    Generator generator(options);
    generator.open_all(false);
    if (options.warm) warm(generator, options);
    generator.tally() = {};
    ready();
    const auto start = Clock::now();
    generator.flood(start + length(options), options.depth,
                    options.count ? options.count : std::numeric_limits<std::uint64_t>::max());
    const auto took = Clock::now() - start;
    generator.drain(1s);
    report(generator.tally(), took, open_ones(generator));
}

void handshakes(const Options& options) {
    Generator generator(options);
    if (options.resume) generator.offer_tickets();
    ready();
    const auto start = Clock::now();
    const auto end = start + length(options);
    const auto step = [&](Connection& connection) {
        if (connection.is_open() && !connection.asked) {
            connection.asked = true;
            return connection.ask();
        }
        if (connection.is_open() && connection.waiting()) return;
        connection.close();
        connection.asked = false;
        if (Clock::now() < end) connection.open();
    };
    for (Connection& connection : generator.connections()) connection.open();
    while (Clock::now() < end) generator.turn(end, step);
    // Those that are on their way come to their end.
    while (open_ones(generator) && Clock::now() < end + 1s)
        generator.turn(Clock::now() + 20ms, step);
    report(generator.tally(), Clock::now() - start, 0);
}

void hold(const Options& options) {
    Generator generator(options);
    generator.open_all(true);
    ready();
    // Who was closed meanwhile is seen now.
    for (const auto end = Clock::now() + 50ms; Clock::now() < end;)
        generator.turn(end, [](Connection&) {});
    report(generator.tally(), 0s, open_ones(generator));
}

void first(const Options& options) {
    Generator generator(options);
    Connection& connection = generator.connections().front();
    for (const auto give_up = Clock::now() + length(options); Clock::now() < give_up;) {
        connection.asked = false;
        if (connection.open()) {
            const auto retry = Clock::now() + 1s;
            while (connection.is_open() && !generator.tally().answers && Clock::now() < retry)
                generator.turn(retry, [](Connection& one) {
                    if (!one.is_open() || one.asked) return;
                    one.asked = true;
                    one.ask();
                });
            if (generator.tally().answers) {
                const auto now = Clock::now().time_since_epoch();
                std::printf("{\"answers\": 1, \"at_ns\": %lld}\n",
                            static_cast<long long>(std::chrono::nanoseconds(now).count()));
                return;
            }
            connection.close();
        }
        ::usleep(500);
    }
    std::puts("{\"answers\": 0}");
}

}  // namespace porchlight::bench
