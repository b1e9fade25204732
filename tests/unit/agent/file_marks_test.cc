#include "agent/file_marks.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdlib>

#include "core/storage.h"

namespace porchlight::agent {
namespace {

TEST_SUITE("agent/file_marks") {
    TEST_CASE(
        "a file that is written, replaced or gone has another mark, one that rests the same") {
        FileStorage storage;
        char folder[] = "/tmp/porchlight-marks-XXXXXX";
        REQUIRE(::mkdtemp(folder) != nullptr);
        const std::string path = std::string(folder) + "/file";
        const std::vector<std::string> paths{path, "/nonexistent/file"};
        REQUIRE(storage.write_whole(path, bytes_of("one"), 0600));
        const FileMarks first = marks_of(paths);
        REQUIRE(first.size() == 2);
        CHECK(first[0]);
        CHECK(!first[1]);
        CHECK(marks_of(paths) == first);
        REQUIRE(storage.write_whole(path, bytes_of("two"), 0600));
        CHECK(marks_of(paths) != first);
        REQUIRE(storage.remove(path));
        CHECK(!marks_of(paths)[0]);
        ::rmdir(folder);
    }

    TEST_CASE("those of a certificate, and roots where somebody is asked") {
        Config config;
        CHECK(renewed_by_others(config).empty());
        config.tls.roots = "/roots.pem";
        config.certificate.files = CertificateFiles{"/chain.pem", "/key.pem"};
        CHECK(renewed_by_others(config) == std::vector<std::string>{"/chain.pem", "/key.pem"});
        config.upstream.resize(1);
        CHECK(renewed_by_others(config) ==
              std::vector<std::string>{"/chain.pem", "/key.pem", "/roots.pem"});
    }
}

}  // namespace
}  // namespace porchlight::agent
