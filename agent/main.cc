#include "agent/command_line.h"

int main(int argc, char** argv) {
    return porchlight::agent::run_command_line(argc, argv);
}
