#include "agent/metrics_request.h"
#include "check.h"

using namespace porchlight;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view octets = text_of({data, size});
    const auto request = agent::read_metrics_request(octets);
    if (!request) return 0;
    check(octets.size() >= request->header_octets_max || octets.find("\r\n\r\n") != octets.npos);
    // What comes behind a header changes nothing.
    check(agent::read_metrics_request(std::string(octets) + "GET") == request);
    const std::string answer = agent::metrics_response(*request, "a 1\n");
    check(answer.starts_with("HTTP/1.1 " + std::to_string(request->status) + " "));
    check(answer.ends_with("\r\n\r\na 1\n") == (request->status == 200 && !request->head));
    return 0;
}
