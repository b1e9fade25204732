#include "agent/command_table.h"

#include "agent/commands.h"

namespace porchlight::agent {
namespace {

constexpr Option config_option = {
    .letter = 'c',
    .name = "config",
    .argument = "FILE",
    .help = "the configuration file, instead of /etc/porchlight/porchlight.json"};

std::vector<Command> make_table() {
    return {
        {.name = "run",
         .options = {config_option},
         .summary = "serve and announce, in the foreground",
         .help = "Runs the daemon until SIGTERM or SIGINT, which take every announcement back "
                 "first. SIGHUP reads the configuration and the certificate anew, all or nothing. "
                 "Logs to standard error or, where the configuration says so, to syslog. Without "
                 "root it does what it may, and says what it can't.",
         .function = run_command},
        {.name = "setup",
         .options = {config_option,
                     {.name = "lan",
                      .argument = "IF",
                      .help = "an interface of the home; may be repeated"},
                     {.name = "wan",
                      .argument = "IF",
                      .help = "an interface toward the Internet; may be repeated"},
                     {.name = "resolver",
                      .argument = "NAME",
                      .help = "whom hosts are told of: a well-known resolver such as quad9, "
                              "router for this one, or any other's name"},
                     {.name = "address",
                      .argument = "ADDRESS",
                      .help = "an address of a resolver that is not well known; may be repeated"},
                     {.name = "adn",
                      .argument = "NAME",
                      .help = "the name of this router, where hosts are told of it"},
                     {.name = "upstream",
                      .argument = "NAME",
                      .help = "the well-known resolver that this router asks then"},
                     {.name = "chain",
                      .argument = "FILE",
                      .help = "the router's certificate, with those that vouch for it"},
                     {.name = "key", .argument = "FILE", .help = "its private key"},
                     {.letter = 'y', .name = "yes", .help = "ask nothing and take each default"},
                     {.letter = 'f', .name = "force", .help = "replace a file that is there"},
                     {.letter = 'n',
                      .name = "dry-run",
                      .help = "show what hosts would be told and the file, and write nothing"}},
         .summary = "write the first configuration",
         .help = "Looks for the home's interfaces, those toward the Internet and the dnsmasq "
                 "that runs, and for whoever sends Router Advertisements; asks which resolver "
                 "hosts shall be told of; shows what they would hear, by whom, and by which "
                 "carrier they would not; and writes the file. An empty line takes the answer in "
                 "brackets. Nothing "
                 "is written unless you say so at the end, and then the file whole.",
         .function = setup_command},
        {.name = "check",
         .options = {config_option},
         .summary = "say what is wrong with the configuration",
         .help = "Reads the configuration and prints what is wrong with each value, one "
                 "complaint a line: file, JSON pointer, what was expected, what was found; once "
                 "every value is right, what does not fit together. A good "
                 "configuration is also held against this machine: files, keys, interfaces and "
                 "users that it names. What is amiss there is a warning; but a certificate, key "
                 "or other file that is not there, without which \"run\" does not start, is a "
                 "complaint.",
         .function = check_command},
        {.name = "config",
         .verbs =
             {{.name = "get",
               .arguments = "POINTER",
               .help = "prints the value in force at a JSON pointer such as /resolver/dot/port"},
              {.name = "set",
               .arguments = "POINTER VALUE",
               .help = "changes one value in the file, unless the file would not be valid then; "
                       "the value null takes it out"},
              {.name = "print", .help = "prints every value in force and where it comes from"},
              {.name = "schema", .help = "prints a JSON Schema of the file (2020-12)"},
              {.name = "reference", .help = "prints the reference of all settings (Markdown)"}},
         .options = {config_option,
                     {.name = "json", .help = "print as a configuration file without origins"}},
         .summary = "show or change the configuration",
         .help = "Shows what the configuration comes to once defaults are filled in, or changes "
                 "one value of it. The file is written whole or not at all. A running daemon "
                 "takes the change at its next SIGHUP.",
         .function = config_command},
        {.name = "status",
         .options = {config_option, {.name = "json", .help = "print everything as JSON"}},
         .summary = "say how it goes",
         .help = "Asks the running daemon. The first line is a sentence: what hosts are told, how "
                 "many used it, how long the certificate is good. Where the configuration file is "
                 "not valid the daemon is found by the one that it last took.",
         .function = status_command},
        {.name = "metrics",
         .options = {config_option},
         .summary = "print what is counted, for Prometheus",
         .help = "Asks the running daemon, as status does, and prints what it counts and measures "
                 "in the text exposition format of Prometheus: for node_exporter's textfile "
                 "collector, or to look at. The daemon serves the same by HTTP where "
                 "metrics.listen says so. docs/metrics.md describes each.",
         .function = metrics_command},
        {.name = "queries",
         .options = {config_option,
                     {.letter = 'n',
                      .name = "count",
                      .argument = "NUMBER",
                      .help = "how many questions are shown; by default 100, or as JSON all"},
                     {.name = "json", .help = "print everything as JSON"}},
         .summary = "show what was asked",
         .help =
             "Asks the running daemon what it noted of the home's questions, newest first: when, "
             "type, outcome, by what it came, and the name; and what it counted. Nothing is "
             "noted unless query_log.level in the configuration says so; then it lies in "
             "memory alone, for a day at most by default. Hosts are shown by a pseudonym that "
             "changes every day and the network that they are in, never by their addresses.",
         .function = queries_command},
        {.name = "unblock",
         .options = {config_option},
         .summary = "let in again who is kept out",
         .help = "A client that sends its questions octet by octet is not let in for a minute; one "
                 "that the forwarder was serving when it died twice, for ten. This ends both at "
                 "once, for all of them. Who is kept out stands in status, under a name that says "
                 "nothing of him. Limits that are only met for the moment go on: they count "
                 "what a client does, and nobody is remembered for having met one.",
         .function = unblock_command},
        {.name = "discover",
         .options = {{.letter = 'i',
                      .name = "interface",
                      .argument = "IF",
                      .help = "the interface to the network that is asked"},
                     {.name = "json", .help = "print everything as JSON"},
                     {.name = "timeout",
                      .argument = "SECONDS",
                      .help = "how long answers are waited for, of the network, then of each "
                              "resolver; 5 by default"},
                     {.name = "roots",
                      .argument = "FILE",
                      .help = "trust anchors (PEM), instead of the system's"},
                     {.name = "preconfigured",
                      .argument = "NAME",
                      .help = "a resolver that a host trusts beforehand, or *.DOMAIN for all "
                              "below: says whether it upgrades to what is announced"}},
         .summary = "ask as a host what a network offers",
         .help = "Behaves as a host that joins the network: asks by DHCPv4, without taking a "
                 "lease, by DHCPv6 and by Router Solicitation, hears whoever answers, and prints "
                 "every resolver that is offered, by whom, in which octets, and what is wrong with "
                 "it; asks the plain resolvers for the encrypted ones that they designate; and "
                 "connects to each, to see whether it proves who it is and answers. "
                 "The first line is a sentence: what hosts do there. Works on a host as on the "
                 "router, beside a DHCP client or server, without a daemon or a configuration; "
                 "takes root. Exit status 0: an encrypted resolver proved who it is and answered "
                 "(with --preconfigured: one to which such a host upgrades); "
                 "1: there is none. docs/discover.md describes the JSON.",
         .function = discover_command},
        {.name = "options",
         .verbs = {{.name = "decode",
                    .arguments = "HEX...",
                    .help = "prints the resolvers in an option's octets as JSON; - reads them "
                            "from standard input"},
                   {.name = "encode",
                    .arguments = "JSON",
                    .help = "prints the octets of the options for a JSON array of resolvers; - "
                            "reads it from standard input"}},
         .options = {{.name = "carrier",
                      .argument = "CARRIER",
                      .choices = "dhcpv4|dhcpv6|ra|svcb",
                      .help = "what carries the option: dhcpv4, dhcpv6, ra or svcb"},
                     {.name = "format",
                      .argument = "FORMAT",
                      .choices = "rfc9463|draft-btw-11",
                      .help = "whose option it is: rfc9463, the default, or draft-btw-11"},
                     {.letter = 'c',
                      .name = "config",
                      .argument = "FILE",
                      .help = "a configuration file, for its announce.code_points; without it "
                              "none is read"}},
         .summary = "translate encrypted DNS options",
         .help =
             "Translates between JSON and the octets of encrypted DNS options. Of RFC 9463: the "
             "data of DHCPv4 option 162, where several HEX are pieces of one option; the data "
             "of DHCPv6 option 144; a whole Neighbor Discovery option 144. Of an SVCB record: "
             "its RDATA. Of draft-btw-add-home-11 in DHCPv4: the data of its option. In DHCPv6 "
             "and Neighbor Discovery that draft tells of one resolver by several options, so "
             "there each HEX is one whole option or several, with code and length: in DHCPv6 "
             "65001 for names, 65002 for addresses, 65003 for DoH templates; in Neighbor "
             "Discovery 253 for names, 254 for addresses; or as -c FILE has them. Encoding "
             "prints one option a line, in the form that decoding takes. A malformed option, or "
             "a resolver that the carrier has no words for, is one line on standard error and "
             "exit status 1; the latter begins with its place as a JSON pointer. "
             "docs/options.md describes the JSON. An example: porchlight options decode "
             "--carrier dhcpv6 0001000503646e7300",
         .function = options_command},
        {.name = "certificate",
         .verbs = {{.name = "show", .help = "prints the certificate in use and what comes next"},
                   {.name = "renew", .help = "asks the CA for a new one now"}},
         .options = {config_option},
         .summary = "show or renew the certificate",
         .help = "Asks the running daemon about its certificate.",
         .function = certificate_command},
        {.name = "wan",
         .verbs = {{.name = "udhcpc",
                    .arguments = "EVENT",
                    .help = "notes what udhcpc's script was told, from its variables"},
                   {.name = "odhcp6c",
                    .arguments = "INTERFACE EVENT",
                    .help = "notes what odhcp6c's script was told, from its variables"},
                   {.name = "dhclient",
                    .help = "notes what dhclient's script was told, from its variables"},
                   {.name = "dhcpcd",
                    .help = "notes what dhcpcd's script was told, from its variables"},
                   {.name = "set",
                    .arguments = "INTERFACE JSON",
                    .help = "tells of resolvers behind an interface without DHCP: a JSON array; - "
                            "reads it from standard input"},
                   {.name = "clear",
                    .arguments = "INTERFACE [SOURCE]",
                    .help = "forgets what is known of an interface, from user, dhcpv4, dhcpv6 or "
                            "ra (Router Advertisements, whose routers are asked again) or from "
                            "all of them"},
                   {.name = "show", .help = "prints what is offered and what became of it"}},
         .options = {config_option},
         .summary = "note what the network behind a WAN offers",
         .help = "For the hook scripts of DHCP clients, which tell what the Internet provider "
                 "offers, and for a person where there is no DHCP. What is noted lies in the "
                 "runtime directory until the machine is started again, and a daemon that runs is "
                 "told to look; one that starts later finds it. An offer ends with the lease that "
                 "it came by. docs/learning.md says which hook calls what. An example: porchlight "
                 "wan set wwan0 '[{\"adn\": \"dns.example.net\", \"addresses\": "
                 "[\"192.0.2.53\"], \"alpn\": [\"dot\"]}]'",
         .function = wan_command},
        {.name = "withdraw",
         .options = {config_option,
                     {.name = "purge",
                      .help = "also restart dnsmasq without us, by dnsmasq.restart, and remove our "
                              "files there"}},
         .summary = "take every announcement back",
         .help = "Takes back whatever hosts were told, and gives dnsmasq its former servers. "
                 "It needs no daemon, refuses beside a running one, and may be repeated. Where the "
                 "configuration file is missing or not valid it goes by the one that was last "
                 "taken, config.json in the state directory that the file names or else in "
                 "/var/lib/porchlight; in any other directory, name that file with -c.",
         .function = withdraw_command},
        {.name = "completion",
         .arguments = "bash|zsh|fish",
         .summary = "print a completion script for a shell",
         .help = "Prints a script that makes the shell complete porchlight's commands and "
                 "options. For bash: porchlight completion bash > "
                 "/etc/bash_completion.d/porchlight",
         .function = completion_command},
        {.name = "man",
         .summary = "print the manual page",
         .help = "Prints the manual page porchlight(8) in troff. To read it: porchlight man | man "
                 "-l -",
         .function = man_command},
        {.name = "role",
         .arguments = "NAME...",
         .summary = "one of the daemon's processes",
         .help = "Only porchlight itself starts a role.",
         .function = role_command,
         .hidden = true},
    };
}

}  // namespace

std::span<const Command> commands() {
    static const std::vector<Command> table = make_table();
    return table;
}

}  // namespace porchlight::agent
