#include "forwarder/serving.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <type_traits>

#include "core/address_field.h"
#include "core/fields.h"

namespace porchlight::forwarder {
namespace {

using Places = std::array<Serving::Host, ServingPage::workers_max>;
static_assert(std::is_trivially_copyable_v<Places>);

std::optional<IpAddress> address_of(const Serving::Host& host) {
    if (host.family == family_ipv6) return Ipv6{host.octets};
    if (host.family != family_ipv4) return std::nullopt;
    Ipv4 address;
    std::copy_n(host.octets.begin(), address.octets.size(), address.octets.begin());
    return address;
}

}  // namespace

Serving::Host host_of(const IpAddress& address) {
    Serving::Host host;
    host.family = std::holds_alternative<Ipv4>(address) ? family_ipv4 : family_ipv6;
    std::visit([&](const auto& one) { std::ranges::copy(one.octets, host.octets.begin()); },
               address);
    return host;
}

Result<FileDescriptor> ServingPage::create() {
    FileDescriptor page(::memfd_create("porchlight-serving", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (!page || ::ftruncate(page.get(), sizeof(Places)) != 0 ||
        ::fcntl(page.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
        return Error{Errc::unavailable, std::string("shared memory: ") + std::strerror(errno)};
    return page;
}

std::vector<IpAddress> ServingPage::take(const FileDescriptor& page) {
    Places places{};
    std::vector<IpAddress> addresses;
    if (::pread(page.get(), &places, sizeof places, 0) != sizeof places) return addresses;
    for (const Serving::Host& host : places) {
        const auto address = address_of(host);
        if (address && std::ranges::find(addresses, *address) == addresses.end())
            addresses.push_back(*address);
    }
    const Places nobody{};
    // A page that can't be written is read as it is again, which refuses nobody new.
    [[maybe_unused]] const auto written = ::pwrite(page.get(), &nobody, sizeof nobody, 0);
    return addresses;
}

ServingPage::ServingPage(const FileDescriptor& page) {
    if (!page) return;
    void* const mapped =
        ::mmap(nullptr, sizeof(Places), PROT_READ | PROT_WRITE, MAP_SHARED, page.get(), 0);
    if (mapped != MAP_FAILED) places_ = static_cast<Places*>(mapped);
}

Serving::Host* ServingPage::place(std::size_t worker) const {
    return places_ != nullptr && worker < workers_max ? &(*places_)[worker] : nullptr;
}

void write(Writer& out, const std::vector<RefusedHost>& hosts) {
    write_list(out, hosts, [&](const RefusedHost& refused) {
        const Serving::Host host = host_of(refused.address);
        out.u8(host.family);
        out.bytes(host.octets);
        out.u32(static_cast<std::uint32_t>(refused.left.count()));
    });
}

Result<std::vector<RefusedHost>> parse_refused(Bytes message) {
    Reader in(message);
    auto hosts = read_list<RefusedHost>(in, [](Reader& part) {
        Serving::Host host;
        host.family = part.u8();
        const Bytes octets = part.bytes(host.octets.size());
        std::ranges::copy(octets, host.octets.begin());
        const auto address = address_of(host);
        if (!address) part.fail("has an address of an unknown family");
        return RefusedHost{address.value_or(IpAddress()), std::chrono::seconds(part.u32())};
    });
    if (!in.finished()) return in.error("the list of refused hosts");
    return hosts;
}

}  // namespace porchlight::forwarder
