#include "forwarder/listeners.h"

#include "core/fields.h"

namespace porchlight::forwarder {
namespace {

ListenerKind read_kind(Reader& in) {
    const auto kind = static_cast<ListenerKind>(in.u8());
    if (kind < ListenerKind::dot || kind > ListenerKind::doh)
        in.fail("has a listener of an unknown kind");
    return kind;
}

}  // namespace

void write(Writer& out, const std::vector<ListenerInfo>& listeners) {
    write_list(out, listeners, [&](const ListenerInfo& listener) {
        out.u8(static_cast<std::uint8_t>(listener.kind));
        out.u8(listener.worker);
        write_field(out, listener.interface);
    });
}

Result<std::vector<ListenerInfo>> parse_listeners(Bytes message) {
    Reader in(message);
    auto listeners = read_list<ListenerInfo>(in, [](Reader& part) {
        ListenerInfo listener;
        listener.kind = read_kind(part);
        listener.worker = part.u8();
        listener.interface = read_text_field(part);
        return listener;
    });
    if (!in.finished()) return in.error("the list of listeners");
    return listeners;
}

}  // namespace porchlight::forwarder
