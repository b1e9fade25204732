// bench_floor --cert CHAIN --key KEY [--dot PORT] [--doh PORT] [--udp PORT] [--counter FILE]
//
// The floor that servers are measured against, and the resolver that those under test ask. The
// counter is eight octets in a file that whoever measures may read at any time.

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "server.h"

namespace {

std::uint64_t* counter_in(const char* file) {
    const int descriptor = ::open(file, O_RDWR | O_CREAT, 0600);
    if (descriptor < 0 || ::ftruncate(descriptor, sizeof(std::uint64_t))) {
        std::perror(file);
        std::exit(1);
    }
    void* shared =
        ::mmap(nullptr, sizeof(std::uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    return static_cast<std::uint64_t*>(shared);
}

}  // namespace

int main(int argc, char** argv) {
    porchlight::bench::Ports ports;
    const char* chain = "";
    const char* key = "";
    std::uint64_t* counter = nullptr;
    for (int i = 1; i + 1 < argc; i += 2) {
        const std::string_view option = argv[i];
        const char* const value = argv[i + 1];
        const auto port = static_cast<std::uint16_t>(std::atoi(value));
        if (option == "--dot") {
            ports.dot = port;
        } else if (option == "--doh") {
            ports.doh = port;
        } else if (option == "--udp") {
            ports.udp = port;
        } else if (option == "--cert") {
            chain = value;
        } else if (option == "--key") {
            key = value;
        } else if (option == "--counter") {
            counter = counter_in(value);
        } else {
            std::fprintf(stderr, "bench_floor: unknown option %s\n", argv[i]);
            return 2;
        }
    }
    std::signal(SIGPIPE, SIG_IGN);
    porchlight::bench::Server(ports, chain, key, counter).run();
}
