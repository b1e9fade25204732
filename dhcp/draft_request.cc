#include "dhcp/draft_request.h"

#include "core/reader.h"
#include "dns/draft_resolver.h"

namespace porchlight::dhcp {

Result<DraftRequest> parse_draft_request(Bytes option) {
    Reader in(option);
    DraftRequest request;
    request.flags = dns::read_draft_flags(in);
    if (!in.empty()) in.fail("has more than the flags of a request");
    if (!in.finished()) return in.error("the draft's request");
    return request;
}

void write(Writer& out, const DraftRequest& request) {
    out.u8(request.flags);
}

}  // namespace porchlight::dhcp
