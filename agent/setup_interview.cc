#include "agent/setup_interview.h"

#include <algorithm>
#include <sstream>

#include "agent/port_holder.h"
#include "agent/setup_carriers.h"
#include "core/address.h"
#include "core/escape.h"
#include "dns/name.h"

namespace porchlight::agent::setup {
namespace {

constexpr std::string_view none = "none";

std::vector<std::string> words_of(const std::string& text) {
    std::string spaced = text;
    std::replace(spaced.begin(), spaced.end(), ',', ' ');
    std::stringstream rest(spaced);
    std::vector<std::string> words;
    for (std::string word; rest >> word;) words.push_back(word);
    return words;
}

std::string joined(const std::vector<std::string>& words, std::string_view between) {
    std::string text;
    for (const std::string& word : words) text += (text.empty() ? "" : std::string(between)) + word;
    return text;
}

const FoundLink* find_link(const Found& found, const std::string& name) {
    const auto at = std::find_if(found.links.begin(), found.links.end(),
                                 [&](const FoundLink& one) { return one.link.name == name; });
    return at == found.links.end() ? nullptr : &*at;
}

std::string addresses_of(const Found& found, const std::string& name) {
    const FoundLink* link = find_link(found, name);
    std::vector<std::string> texts;
    if (link != nullptr)
        for (const net::LinkAddress& one : link->link.addresses) {
            const auto* v6 = std::get_if<Ipv6>(&one.address);
            if (v6 == nullptr || !is_link_local(*v6)) texts.push_back(to_text(one.address));
        }
    return texts.empty() ? "" : " (" + joined(texts, ", ") + ")";
}

// What answers must be. The configuration's parser has the last word; these spare a person the
// long way back.

std::string judge_host(const std::string& text) {
    const auto name = dns::parse_name(text);
    const bool good = name && !dns::why_not_announceable(*name);
    return good ? "" : "expected a host's name, like dns.example.net";
}

std::string judge_address(const std::string& text) {
    const auto address = parse_address(text);
    return address && is_announceable(*address) ? "" : "expected an IP address, like 192.0.2.53";
}

std::string judge_addresses(const std::string& text) {
    for (const std::string& word : words_of(text))
        if (std::string why = judge_address(word); !why.empty()) return why;
    return words_of(text).empty() ? "expected one or several IP addresses" : "";
}

std::string judge_file(const std::string& text) {
    return text.starts_with('/') ? "" : "expected a path that begins with /";
}

std::string judge_url(const std::string& text) {
    return text.starts_with("https://") ? "" : "expected a URL that begins with https://";
}

std::string judge_protocols(const std::string& text) {
    for (const std::string& word : words_of(text))
        if (word != "dot" && word != "doq" && word != "doh") return "expected dot, doq or doh";
    return words_of(text).empty() ? "expected dot, doq or doh" : "";
}

/// An option of the command line that would be of no effect, in words; empty: there is none.
std::string idle_option(const Arguments& arguments) {
    const std::string resolver = arguments.value("resolver");
    if (resolver != "router")
        for (std::string_view option : {"adn", "upstream", "chain", "key"})
            if (arguments.has(option))
                return "--" + std::string(option) + " needs --resolver router";
    if (!arguments.has("address")) return "";
    const bool other = !resolver.empty() && resolver != "router";
    return other && find_public_resolver(resolver) == nullptr
               ? ""
               : "--address needs --resolver with a name that is not well known";
}

/// Asks one after the other, and nothing more once one has failed.
class Interview {
  public:
    Interview(const Found& found, const Proposal& proposal, Dialogue& dialogue)
        : found_(found), proposal_(proposal), dialogue_(dialogue) {}

    Result<Choices> hold() {
        if (const std::string idle = idle_option(dialogue_.arguments()); !idle.empty())
            return Error{Errc::malformed, idle};
        Choices choices;
        choices.wan = ask_wan();
        choices.lan = ask_lan(choices.wan);
        choices.dnsmasq = proposal_.dnsmasq;
        choices.odhcpd = found_.odhcpd;
        if (!failed_) ask_resolver(choices);
        if (failed_) return *failed_;
        return choices;
    }

  private:
    std::vector<std::string> ask_lan(const std::vector<std::string>& wan) {
        if (given("lan")) return all("lan");
        if (proposal_.lan_is_sure) return proposal_.lan;
        return words_of(ask({"Interfaces of the home", joined(proposal_.lan, " "), "lan"},
                            [&](const std::string& text) { return judge_links(text, wan); }));
    }

    std::vector<std::string> ask_wan() {
        if (given("wan")) return all("wan");
        if (!proposal_.wan.empty()) return proposal_.wan;
        const std::string answer =
            ask({"Interfaces toward the Internet", std::string(none), "wan"},
                [&](const std::string& text) { return judge_links(text, {}); });
        return answer == none ? std::vector<std::string>() : words_of(answer);
    }

    std::string judge_links(const std::string& text, const std::vector<std::string>& wan) const {
        if (text == none) return wan.empty() ? "" : "some are needed";
        for (const std::string& name : words_of(text)) {
            if (find_link(found_, name) == nullptr) return "there is no interface " + escape(name);
            if (std::find(wan.begin(), wan.end(), name) != wan.end())
                return "the Internet is behind " + escape(name);
        }
        return "";
    }

    void ask_resolver(Choices& choices) {
        const std::string asked_for = dialogue_.arguments().value("resolver");
        if (!asked_for.empty()) {
            const PublicResolver* known = find_public_resolver(asked_for);
            if (asked_for == "router")
                choices.resolver = ask_router();
            else
                choices.resolver = known != nullptr ? named(*known) : ask_named();
            return;
        }
        switch (choose("Which resolver shall the hosts of the home be told of?",
                       {"this router; it needs a name, and a certificate for it",
                        "a well-known public one", "one that you name, such as your ISP's"},
                       1)) {
            case 0:
                choices.resolver = ask_router();
                return;
            case 1:
                choices.resolver = ask_public("Which one?");
                return;
            default:
                choices.resolver = ask_named();
        }
    }

    NamedResolver ask_public(std::string_view text) {
        std::vector<std::string> rows;
        for (const PublicResolver& one : public_resolvers())
            rows.push_back(std::string(one.name) + ", " + std::string(one.adn) + ": " +
                           std::string(one.note));
        return named(public_resolvers()[choose(text, rows, 0)]);
    }

    NamedResolver ask_named() {
        NamedResolver resolver;
        resolver.adn = ask({"Its name, as its certificate has it", "", "resolver"}, judge_host);
        resolver.addresses = given("address")
                                 ? all("address")
                                 : words_of(ask({"Its addresses", "", "address"}, judge_addresses));
        for (const std::string& one :
             words_of(ask({"What it speaks: dot, doq, doh", "dot"}, judge_protocols))) {
            resolver.dot = resolver.dot || one == "dot";
            resolver.doq = resolver.doq || one == "doq";
            if (one == "doh") resolver.doh_versions = {"h2"};
        }
        return resolver;
    }

    RouterChoice ask_router() {
        RouterChoice router;
        router.adn = ask({"This router's name, in a domain of yours", "", "adn"}, judge_host);
        if (found_.https_holder) router.doh_port = https_port_beside;
        router.upstream = ask_upstream();
        // Certificates that the command line names are files.
        const bool files =
            given("chain") || given("key") ||
            choose("Where does its certificate come from?",
                   {"files that somebody else keeps fresh",
                    "a CA, by ACME, with dynamic updates (RFC 2136) of the name's zone"},
                   0) == 0;
        if (files)
            router.certificate = ask_files();
        else
            router.certificate = ask_acme(router.adn);
        return router;
    }

    NamedResolver ask_upstream() {
        if (!given("upstream")) return ask_public("Whom shall this router itself ask?");
        const std::string name = ask({"Upstream", "", "upstream"}, [](const std::string& text) {
            return find_public_resolver(text) != nullptr ? "" : "not among the well-known ones";
        });
        const PublicResolver* known = find_public_resolver(name);
        return known != nullptr ? named(*known) : NamedResolver();
    }

    FilesChoice ask_files() {
        FilesChoice files;
        files.chain =
            ask({"Certificate, with those that vouch for it", "/etc/porchlight/chain.pem", "chain"},
                judge_file);
        files.key = ask({"Its private key", "/etc/porchlight/key.pem", "key"}, judge_file);
        return files;
    }

    AcmeChoice ask_acme(const std::string& adn) {
        AcmeChoice acme;
        acme.directory = ask(
            {"The CA's directory", "https://acme-v02.api.letsencrypt.org/directory"}, judge_url);
        acme.agree_to_terms =
            confirm("Have you read the CA's terms of service, and do you agree?", false);
        const std::size_t dot = adn.find('.');
        acme.zone = ask({"The zone", dot == adn.npos ? "" : adn.substr(dot + 1)}, judge_host);
        acme.server = ask({"The address of its primary server"}, judge_address);
        acme.key_name = ask({"The name of the TSIG key that signs updates"}, judge_host);
        acme.key_file =
            ask({"The file that holds the key in base64", "/etc/porchlight/tsig.key"}, judge_file);
        return acme;
    }

    bool given(std::string_view option) const { return dialogue_.arguments().has(option); }

    const std::vector<std::string>& all(std::string_view option) const {
        return dialogue_.arguments().options.find(option)->second;
    }

    std::string ask(const Dialogue::Question& question, const Dialogue::Judge& judge) {
        return answer(std::string(), [&] { return dialogue_.ask(question, judge); });
    }

    std::size_t choose(std::string_view text, const std::vector<std::string>& rows,
                       std::size_t fallback) {
        return answer(fallback, [&] { return dialogue_.choose(text, rows, fallback); });
    }

    bool confirm(std::string_view text, bool fallback) {
        return answer(fallback, [&] { return dialogue_.confirm(text, fallback); });
    }

    /// What `question` brings, or `otherwise` once anything has failed.
    template <class Answer, class Question>
    Answer answer(Answer otherwise, Question question) {
        if (failed_) return otherwise;
        Result<Answer> result = question();
        if (result) return std::move(*result);
        failed_ = result.error();
        return otherwise;
    }

    const Found& found_;
    const Proposal& proposal_;
    Dialogue& dialogue_;
    std::optional<Error> failed_;
};

constexpr std::string_view indent = "              ";

std::string describe(const std::optional<DnsmasqFound>& found) {
    if (!found) return "none runs for the home, so none is told; run setup again once one does\n";
    const DnsmasqFound& dnsmasq = *found;
    std::string text = escape(dnsmasq.config_file);
    if (dnsmasq.fragment.empty())
        text += ", which names no conf-dir; add one, such as\n" + std::string(indent) +
                "conf-dir=/etc/dnsmasq.d,*.conf\n";
    else
        text += ", takes " + escape(dnsmasq.fragment) + '\n';
    for (const std::string& one : dnsmasq.unread)
        text += std::string(indent) + escape(one) +
                " was not read: it has left the directory that this begins at\n";
    if (!dnsmasq.fragment.empty() && dnsmasq.restart.empty())
        text += std::string(indent) +
                "restart it yourself once porchlight runs: no command for it is known\n";
    return text;
}

std::string describe_ra(const Found& found, const Proposal& proposal) {
    std::string text;
    for (const std::string& name : proposal.lan) {
        const FoundLink* link = find_link(found, name);
        const std::string programs =
            link == nullptr ? "" : advertisers(link->link, found, proposal.dnsmasq);
        if (!programs.empty()) text += (text.empty() ? "" : ", ") + name + " by " + programs;
    }
    return text.empty() ? "" : "RAs on:       " + text + '\n';
}

}  // namespace

std::string describe(const Found& found, const Proposal& proposal) {
    const auto listed = [&](const std::vector<std::string>& names) {
        std::vector<std::string> texts;
        for (const std::string& name : names) texts.push_back(name + addresses_of(found, name));
        return texts.empty() ? "not found" : joined(texts, ", ");
    };
    std::string text = "The home:     " + listed(proposal.lan) + '\n';
    text += "The Internet: " + listed(proposal.wan) + '\n';
    text += "dnsmasq:      " + describe(proposal.dnsmasq) + describe_ra(found, proposal);
    if (const auto& holder = found.https_holder)
        text += "Port 443:     held by " + (holder->empty() ? "another program" : escape(*holder)) +
                "; DNS over HTTPS of this router's own takes 8443\n";
    return text;
}

Result<Choices> interview(const Found& found, const Proposal& proposal, Dialogue& dialogue) {
    return Interview(found, proposal, dialogue).hold();
}

}  // namespace porchlight::agent::setup
