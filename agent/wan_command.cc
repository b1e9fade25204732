// Called by the hook scripts of DHCP clients, as root: it notes what they were told and tells the
// daemon to look. It takes apart no octet that came from a network, and needs no daemon: a WAN is
// often up first.

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <optional>

#include "agent/accepted_config.h"
#include "agent/commands.h"
#include "agent/control_server.h"
#include "agent/learned.h"
#include "agent/privileges.h"
#include "agent/state_files.h"
#include "agent/status_offers.h"
#include "agent/wan_hooks.h"
#include "agent/wan_record.h"
#include "core/escape.h"
#include "net/link.h"

namespace porchlight::agent {
namespace {

/// No secrets; and a daemon that does not run as root reads them too.
constexpr unsigned for_all = 0644;
constexpr unsigned folder_for_all = 0755;

int fail(const std::string& why) {
    std::fprintf(stderr, "porchlight wan: %s\n", why.c_str());
    return exit_failed;
}

std::string variable(std::string_view name) {
    const char* value = std::getenv(std::string(name).c_str());
    return value == nullptr ? "" : value;
}

/// Whether the other end is there: a client that gives up its lease for want of a link lost the
/// link, and not what the network said.
bool has_carrier(const std::string& interface) {
    int carrier = 0;
    std::ifstream("/sys/class/net/" + interface + "/carrier") >> carrier;
    return carrier == 1;
}

/// The records' directory and the daemon that reads it.
class Notes {
  public:
    explicit Notes(std::string runtime) : runtime_(std::move(runtime)) {}

    int put(WanRecord record) { return write(stamped(std::move(record))); }

    /// What the client said of an interface by a hook.
    int take(const Heard& heard) {
        const std::optional<WanRecord> former = find(heard.record);
        switch (heard.what) {
            case Heard::What::nothing:
                return exit_done;
            case Heard::What::offer_if_other:
                if ((former ? former->v6 : Buffer()) == heard.record.v6) return exit_done;
                [[fallthrough]];
            case Heard::What::offer:
                if (heard.lease.empty()) return put(heard.record);
                return write(with_lease(stamped(heard.record), heard.lease, former));
            case Heard::What::lost:
                return former ? lose(*former, heard.lease) : exit_done;
        }
        return exit_done;
    }

    /// What of `interface` is known, by one source or by all.
    int remove(const std::string& interface, std::optional<OfferSource> only) {
        if (only == OfferSource::ra) return tell_daemon(std::string(forget_advertised) + interface);
        for (const OfferSource source :
             {OfferSource::user, OfferSource::dhcpv4, OfferSource::dhcpv6}) {
            if (only && source != *only) continue;
            const auto removed = storage_.remove(path(interface, source));
            if (!removed) return fail(removed.error().message);
        }
        const int told = tell_daemon("wan");
        return told == exit_done && !only ? remove(interface, OfferSource::ra) : told;
    }

  private:
    static WanRecord stamped(WanRecord record) {
        const Boot boot = this_boot();
        record.boot = boot.id;
        record.received = boot.age;
        return record;
    }

    /// Where the client named one of several leases, the others go on.
    int lose(const WanRecord& former, const std::string& lease) {
        if (!has_carrier(former.interface)) return exit_done;
        const std::chrono::seconds now = this_boot().age;
        const auto left = lease.empty() ? std::nullopt : without_lease(former, lease, now);
        return write(left ? *left : ending(former, now));
    }

    std::string directory() const { return wan_directory(runtime_); }
    std::string path(const std::string& interface, OfferSource source) const {
        return directory() + "/" + wan_record_name(interface, source);
    }

    std::optional<WanRecord> find(const WanRecord& like) {
        const auto octets = storage_.read(path(like.interface, like.source));
        if (!octets) return std::nullopt;
        const auto record = parse_wan_record(*octets);
        return record && record->boot == this_boot().id ? std::optional(*record) : std::nullopt;
    }

    int write(const WanRecord& record) {
        const std::string json = to_json(record);
        if (json.size() > wan_record_octets_max)
            return fail("this is more than " + std::to_string(wan_record_octets_max) + " octets");
        if (const auto made = storage_.make_directory(directory(), folder_for_all); !made)
            return fail(made.error().message);
        const std::string file = path(record.interface, record.source);
        if (!storage_.read(file) && storage_.list(directory()).size() >= wan_records_max)
            return fail("there are " + std::to_string(wan_records_max) + " records in " +
                        directory());
        const auto written = storage_.write_whole(file, bytes_of(json), for_all);
        if (!written) return fail(written.error().message);
        return tell_daemon("wan");
    }

    /// One that does not run reads the record when it starts, and has heard nothing.
    int tell_daemon(const std::string& request) {
        const auto told = ask_daemon(control_socket(runtime_), request);
        if (told || told.error().code == Errc::unavailable) return exit_done;
        return fail(told.error().message);
    }

    FileStorage storage_;
    std::string runtime_;
};

int set(const Arguments& arguments, const Config& config) {
    const std::string& interface = arguments.words[1];
    if (!is_wan(interface, config))
        return fail(escape(interface) + " is no interface of wan in " + config_file(arguments));
    std::optional<std::string> json = arguments.words[2];
    if (json == "-") json = read_standard_input();
    if (!json) return fail("more than 1 MiB of input");
    auto resolvers = resolvers_from_json(*json);
    if (!resolvers) return fail(resolvers.error().message);
    if (const auto why = why_not_an_offer(*resolvers)) return fail(*why);
    WanRecord record;
    record.interface = interface;
    record.source = OfferSource::user;
    record.told_by = "porchlight wan set";
    record.resolvers = *std::move(resolvers);
    return Notes(config.runtime_directory).put(std::move(record));
}

int clear(const Arguments& arguments, const std::string& runtime) {
    std::optional<OfferSource> source;
    if (arguments.words.size() > 2) {
        source = arguments.words[2] == name_of(OfferSource::ra)
                     ? OfferSource::ra
                     : parse_noted_source(arguments.words[2]);
        if (!source) return wrong_usage(arguments, "SOURCE is user, dhcpv4, dhcpv6 or ra");
    }
    return Notes(runtime).remove(arguments.words[1], source);
}

/// What the daemon made of it or, where none runs, what it would make of it.
int show(const Config& config) {
    const auto status = ask_daemon(control_socket(config.runtime_directory), "status");
    std::string text;
    if (status) {
        auto shown = offers_text_of_status(*status);
        if (!shown) return fail(shown.error().message);
        text = *std::move(shown);
    } else if (status.error().code == Errc::denied) {
        return fail("only root may ask the daemon: " + status.error().message);
    } else {
        FileStorage storage;
        const StoredParts records = read_wan_records(config, storage);
        const auto links = net::read_links();
        // What a network said is looked into by nobody that could do harm.
        if (const auto nobody = become_nobody(); !nobody) return fail(nobody.error().message);
        const auto now = Clock::now();
        const auto learned = learned_from(records, config, this_boot(), now);
        const Sifted sifted = sift(config, links ? *links : std::vector<net::Link>(),
                                   still_offered(offers_of(learned), now));
        text = offers_text(offers_json({learned, sifted.refused, now}));
        std::fprintf(stderr, "porchlight is not running here; it would read this\n");
    }
    std::fputs(text.empty() ? "No WAN offers anything.\n" : text.c_str() + 1, stdout);
    return exit_done;
}

int take(const Result<Heard>& heard, const std::string& runtime) {
    if (!heard) return fail(heard.error().message);
    return Notes(runtime).take(*heard);
}

}  // namespace

int wan_command(const Arguments& arguments) {
    const std::vector<std::string>& words = arguments.words;
    FileStorage storage;
    const UsableConfig usable = usable_config(config_file(arguments), storage);
    for (const std::string& note : usable.notes) std::fprintf(stderr, "%s\n", note.c_str());
    const std::string& runtime = usable.runtime_directory;
    const dns::Forms forms = usable.config ? usable.config->announce.forms : dns::Forms();
    if (words[0] == "udhcpc") return take(heard_from_udhcpc(words[1], variable, forms), runtime);
    if (words[0] == "odhcp6c")
        return take(heard_from_odhcp6c(words[1], words[2], variable), runtime);
    if (words[0] == "dhclient") return take(heard_from_dhclient(variable), runtime);
    if (words[0] == "dhcpcd") return take(heard_from_dhcpcd(variable), runtime);
    if (words[0] == "clear") return clear(arguments, runtime);
    if (!usable.config) return exit_wrong;
    return words[0] == "set" ? set(arguments, *usable.config) : show(*usable.config);
}

}  // namespace porchlight::agent
