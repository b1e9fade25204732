#include "dhcp/v6_message.h"

#include "core/reader.h"

namespace porchlight::dhcp {
namespace {

constexpr std::uint32_t transaction_bits = 0xffffff;

}  // namespace

Result<V6Message> parse_v6_message(Bytes octets) {
    Reader in(octets);
    const std::uint32_t head = in.u32();
    V6Message message;
    message.type = static_cast<std::uint8_t>(head >> 24);
    message.transaction = head & transaction_bits;
    while (!in.empty()) {
        V6Option one;
        one.code = in.u16();
        const Bytes data = in.bytes(in.u16());
        one.data.assign(data.begin(), data.end());
        message.options.push_back(std::move(one));
    }
    if (!in.finished()) return in.error("DHCPv6 message");
    return message;
}

void write(Writer& out, const V6Message& message) {
    out.u32(std::uint32_t(message.type) << 24 | (message.transaction & transaction_bits));
    for (const V6Option& one : message.options) write(out, one);
}

bool is_answer(const V6Message& answer, const V6Message& asked) {
    const V6Option* to = answer.option(v6_code::client_id);
    const V6Option* by = asked.option(v6_code::client_id);
    return answer.type == v6_type::reply && answer.transaction == asked.transaction &&
           answer.option(v6_code::server_id) != nullptr && to != nullptr && by != nullptr &&
           to->data == by->data;
}

}  // namespace porchlight::dhcp
