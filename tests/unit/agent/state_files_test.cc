#include "agent/state_files.h"

#include <doctest/doctest.h>

namespace porchlight::agent {
namespace {

Buffer octets(std::string_view text) {
    return {text.begin(), text.end()};
}

TEST_SUITE("agent/state_files") {
    TEST_CASE("named files stay as they were taken, what was stored since is new") {
        MemoryStorage files;
        Config config;
        config.state_directory = "/state";
        config.runtime_directory = "/run";
        config.upstream.resize(1);
        config.tls.roots = "/roots.pem";
        config.certificate.files = CertificateFiles{"/chain.pem", "/key.pem"};
        for (const char* name : {"/roots.pem", "/chain.pem", "/key.pem"})
            files.files[name] = octets("old");
        const auto named = read_named_files("porchlight.json", config, bytes_of("{}"), files);
        REQUIRE(named);
        CHECK(text_of(named->config_json) == "{}");

        files.files.erase("/roots.pem");
        files.files["/key.pem"] = octets("new");
        files.files["/run/announced"] = octets("announced");
        files.files["/state/dhcp-options"] = octets("options");
        files.files["/state/prefixes"] = octets("prefixes");
        const World world = with_stored(*named, config, files);
        CHECK(text_of(world.roots_pem) == "old");
        CHECK(world.certificates ==
              std::vector<StoredCertificate>{{"/chain.pem", octets("old"), octets("old")}});
        CHECK(text_of(world.announced) == "announced");
        CHECK(text_of(world.dhcp_options) == "options");
        CHECK(text_of(world.prefixes) == "prefixes");
        CHECK(!read_named_files("porchlight.json", config, bytes_of("{}"), files));
    }
}

}  // namespace
}  // namespace porchlight::agent
