#include "agent/state_files.h"

#include <doctest/doctest.h>

#include "config_fixture.h"

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
        files.files["/state/prefixes"] = octets("prefixes");
        const World world = with_stored(*named, config, files);
        CHECK(text_of(world.roots_pem) == "old");
        CHECK(world.certificates ==
              std::vector<StoredCertificate>{{"/chain.pem", octets("old"), octets("old")}});
        CHECK(text_of(world.announced) == "announced");
        CHECK(text_of(world.prefixes) == "prefixes");
        CHECK(!read_named_files("porchlight.json", config, bytes_of("{}"), files));
    }

    TEST_CASE("options are told again by the configuration that made them, and by no other") {
        MemoryStorage files;
        const Config config = *parse(full_config).config;
        const StatePaths paths(config);
        CHECK(stored_options(paths, bytes_of(full_config), files).empty());
        CHECK(store_options(paths, "a line\n", bytes_of(full_config), files));
        CHECK(stored_options(paths, bytes_of(full_config), files) == "a line\n");
        const std::string quiet = with(full_config, R"("debug")", R"("error")");
        CHECK(stored_options(paths, bytes_of(quiet), files) == "a line\n");
        const std::string other = with(full_config, R"("br-guest")", R"("br-other")");
        CHECK(stored_options(paths, bytes_of(other), files).empty());
        CHECK(store_options(paths, "", bytes_of(full_config), files));
        CHECK(!files.files.contains(paths.dhcp_options));
    }

    TEST_CASE("options that stand without a configuration are nobody's") {
        MemoryStorage files;
        const StatePaths paths(*parse(full_config).config);
        files.files[paths.dhcp_options] = octets("a line\n");
        CHECK(stored_options(paths, bytes_of(full_config), files).empty());
        files.files[paths.dhcp_options] = octets("a line\n\n# told under\n{");
        CHECK(stored_options(paths, bytes_of(full_config), files).empty());
    }
}

}  // namespace
}  // namespace porchlight::agent
