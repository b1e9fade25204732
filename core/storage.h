#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/bytes.h"
#include "core/result.h"

namespace porchlight {

/// Where files live, so that a test can cut the power at any write. Paths are absolute.
class Storage {
  public:
    virtual ~Storage() = default;

    /// The whole file. Fails with `unavailable` if there is none, `denied` if it may not be read,
    /// `refused` if it is larger than `size_max`.
    virtual Result<Buffer> read(const std::string& path) = 0;
    /// Replaces the file whole or not at all: temporary file in the same directory, fsync, rename,
    /// fsync of the directory. `mode` is the new file's; nothing is written if nothing changes.
    virtual Result<void> write_whole(const std::string& path, Bytes content, unsigned mode) = 0;
    /// Removes a file or an empty directory; that there is none is success.
    virtual Result<void> remove(const std::string& path) = 0;
    /// Makes a directory and its parents; that it exists is success.
    virtual Result<void> make_directory(const std::string& path, unsigned mode) = 0;
    /// Names in a directory, sorted, without "." and "..", without left-over temporary files; none
    /// if there is no directory.
    virtual std::vector<std::string> list(const std::string& path) = 0;

    static constexpr std::size_t size_max = 4 << 20;  // octets a file
};

/// The file system.
class FileStorage : public Storage {
  public:
    Result<Buffer> read(const std::string& path) override;
    Result<void> write_whole(const std::string& path, Bytes content, unsigned mode) override;
    Result<void> remove(const std::string& path) override;
    Result<void> make_directory(const std::string& path, unsigned mode) override;
    std::vector<std::string> list(const std::string& path) override;
};

/// Files in memory, for tests. After `fail_after` more changes every change fails, as if the power
/// had gone; what stood then stands.
class MemoryStorage : public Storage {
  public:
    Result<Buffer> read(const std::string& path) override;
    Result<void> write_whole(const std::string& path, Bytes content, unsigned mode) override;
    Result<void> remove(const std::string& path) override;
    Result<void> make_directory(const std::string& path, unsigned mode) override;
    std::vector<std::string> list(const std::string& path) override;

    std::map<std::string, Buffer> files;
    int fail_after = -1;  // below zero: never

  private:
    bool powered();
};

}  // namespace porchlight
