#include "core/storage.h"

#include <doctest/doctest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace porchlight {
namespace {

struct Folder {
    std::string path;
    Folder() {
        char name[] = "/tmp/porchlight-test-XXXXXX";
        REQUIRE(mkdtemp(name) != nullptr);
        path = name;
    }
    ~Folder() {
        FileStorage files;
        for (const std::string& name : files.list(path)) (void)files.remove(path + "/" + name);
        (void)files.remove(path);
    }
};

TEST_SUITE("core/storage") {
    TEST_CASE("a file is written whole, with its mode, and read back") {
        Folder folder;
        FileStorage files;
        REQUIRE(files.write_whole(folder.path + "/a", bytes_of("one"), 0600));
        REQUIRE(files.write_whole(folder.path + "/a", bytes_of("two"), 0640));
        auto content = files.read(folder.path + "/a");
        REQUIRE(content);
        CHECK(text_of(*content) == "two");
        struct stat found {};
        REQUIRE(::stat((folder.path + "/a").c_str(), &found) == 0);
        CHECK((found.st_mode & 0777) == 0640);
        CHECK(files.list(folder.path) == std::vector<std::string>{"a"});
    }

    TEST_CASE("what is there already is not written again") {
        Folder folder;
        FileStorage files;
        REQUIRE(files.write_whole(folder.path + "/a", bytes_of("same"), 0600));
        struct stat before {};
        struct stat after {};
        REQUIRE(::stat((folder.path + "/a").c_str(), &before) == 0);
        REQUIRE(files.write_whole(folder.path + "/a", bytes_of("same"), 0600));
        REQUIRE(::stat((folder.path + "/a").c_str(), &after) == 0);
        CHECK(before.st_ino == after.st_ino);
    }

    TEST_CASE("a file in the making is hidden from whoever reads the whole directory") {
        Folder folder;
        FileStorage files;
        // Where the temporary file would be there is a directory, so nothing can be written.
        const std::string in_the_way = folder.path + "/.a.porchlight-new";
        REQUIRE(files.make_directory(in_the_way, 0700));
        CHECK(!files.write_whole(folder.path + "/a", bytes_of("one"), 0600));
        CHECK(files.remove(in_the_way));
        CHECK(files.write_whole(folder.path + "/a", bytes_of("one"), 0600));
    }

    TEST_CASE("a missing file is unavailable, and removing it is success") {
        Folder folder;
        FileStorage files;
        auto missing = files.read(folder.path + "/none");
        REQUIRE(!missing);
        CHECK(missing.error().code == Errc::unavailable);
        CHECK(files.remove(folder.path + "/none"));
        CHECK(files.list(folder.path + "/none").empty());
    }

    TEST_CASE("directories are made with their parents, once") {
        Folder folder;
        FileStorage files;
        CHECK(files.make_directory(folder.path + "/x/y", 0700));
        CHECK(files.make_directory(folder.path + "/x/y", 0700));
        CHECK(files.remove(folder.path + "/x/y"));
    }

    TEST_CASE("after the power cut nothing changes any more") {
        MemoryStorage files;
        files.fail_after = 1;
        CHECK(files.write_whole("/d/a", bytes_of("1"), 0600));
        CHECK(!files.write_whole("/d/b", bytes_of("2"), 0600));
        CHECK(!files.remove("/d/a"));
        CHECK(files.list("/d") == std::vector<std::string>{"a"});
    }

    TEST_CASE("a bare file name lies in the directory that one is in") {
        char folder[] = "/tmp/porchlight-storage-XXXXXX";
        REQUIRE(::mkdtemp(folder) != nullptr);
        const auto before = std::filesystem::current_path();
        std::filesystem::current_path(folder);
        FileStorage storage;
        CHECK(storage.write_whole("bare.json", bytes_of("{}"), 0600));
        CHECK(storage.read("bare.json"));
        CHECK(storage.make_directory("", 0755));
        std::filesystem::current_path(before);
        std::filesystem::remove_all(folder);
    }
}

}  // namespace
}  // namespace porchlight
