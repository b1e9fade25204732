#include "core/storage.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "core/file_descriptor.h"

namespace porchlight {
namespace {

constexpr std::string_view temporary_suffix = ".porchlight-new";

Error system_error(std::string_view doing, const std::string& path) {
    const int reason = errno;
    const Errc code = reason == ENOENT || reason == ENOTDIR ? Errc::unavailable
                      : reason == EACCES || reason == EPERM ? Errc::denied
                                                            : Errc::internal;
    std::string text(doing);
    text += " " + path + ": " + std::strerror(reason);
    return {code, text};
}

std::string parent_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    if (slash == path.npos) return ".";
    return slash == 0 ? "/" : path.substr(0, slash);
}

/// Hidden, because others read whole directories: a dnsmasq that finds one line in two files of its
/// conf-dir, as a power cut would leave them, does not start.
std::string temporary_of(const std::string& path) {
    const std::size_t name = path.rfind('/') + 1;
    return path.substr(0, name) + "." + path.substr(name) + std::string(temporary_suffix);
}

bool write_all(int fd, Bytes content) {
    while (!content.empty()) {
        const ssize_t wrote = ::write(fd, content.data(), content.size());
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote <= 0) return false;
        content = content.subspan(static_cast<std::size_t>(wrote));
    }
    return true;
}

Result<void> sync_directory(const std::string& path) {
    const FileDescriptor directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory || ::fsync(directory.get()) != 0) return system_error("cannot sync", path);
    return {};
}

bool is_temporary(std::string_view name) {
    return name.ends_with(temporary_suffix);
}

}  // namespace

Result<Buffer> FileStorage::read(const std::string& path) {
    const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) return system_error("cannot open", path);
    Buffer content;
    for (;;) {
        const std::size_t have = content.size();
        content.resize(have + 16384);
        const ssize_t got = ::read(file.get(), content.data() + have, 16384);
        if (got < 0) return system_error("cannot read", path);
        content.resize(have + static_cast<std::size_t>(got));
        if (got == 0) return content;
        if (content.size() > size_max) return Error{Errc::refused, path + " is larger than 4 MiB"};
    }
}

Result<void> FileStorage::write_whole(const std::string& path, Bytes content, unsigned mode) {
    if (auto old = read(path); old && equal(*old, content)) {
        // Flash wears out: what is there already is not written again.
        if (::chmod(path.c_str(), mode) != 0) return system_error("cannot set the mode of", path);
        return {};
    }
    const std::string fresh = temporary_of(path);
    {
        const FileDescriptor file(
            ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode));
        if (!file) return system_error("cannot create", fresh);
        if (::fchmod(file.get(), mode) != 0 || !write_all(file.get(), content) ||
            ::fsync(file.get()) != 0) {
            const Error error = system_error("cannot write", fresh);
            ::unlink(fresh.c_str());
            return error;
        }
    }
    if (::rename(fresh.c_str(), path.c_str()) != 0) {
        const Error error = system_error("cannot replace", path);
        ::unlink(fresh.c_str());
        return error;
    }
    return sync_directory(parent_of(path));
}

Result<void> FileStorage::remove(const std::string& path) {
    if (::remove(path.c_str()) != 0 && errno != ENOENT && errno != ENOTDIR)
        return system_error("cannot remove", path);
    return {};
}

Result<void> FileStorage::make_directory(const std::string& path, unsigned mode) {
    if (path.empty()) return {};  // of a bare file name: the one that we are in
    if (::mkdir(path.c_str(), mode) == 0) return {};
    if (errno == ENOENT && path != "/") {
        if (auto made = make_directory(parent_of(path), 0755); !made) return made;
        if (::mkdir(path.c_str(), mode) == 0) return {};
    }
    struct stat found {};
    const int reason = errno;
    if (::stat(path.c_str(), &found) == 0 && S_ISDIR(found.st_mode)) return {};
    errno = reason;
    return system_error("cannot make directory", path);
}

std::vector<std::string> FileStorage::list(const std::string& path) {
    std::vector<std::string> names;
    DIR* directory = ::opendir(path.c_str());
    if (directory == nullptr) return names;
    while (const dirent* entry = ::readdir(directory)) {
        const std::string name = entry->d_name;
        if (name != "." && name != ".." && !is_temporary(name)) names.push_back(name);
    }
    ::closedir(directory);
    std::sort(names.begin(), names.end());
    return names;
}

Result<Buffer> MemoryStorage::read(const std::string& path) {
    const auto found = files.find(path);
    if (found == files.end()) return Error{Errc::unavailable, "no file " + path};
    return found->second;
}

Result<void> MemoryStorage::write_whole(const std::string& path, Bytes content, unsigned) {
    if (!powered()) return Error{Errc::internal, "the power is gone"};
    files[path].assign(content.begin(), content.end());
    return {};
}

Result<void> MemoryStorage::remove(const std::string& path) {
    if (!powered()) return Error{Errc::internal, "the power is gone"};
    files.erase(path);
    return {};
}

Result<void> MemoryStorage::make_directory(const std::string&, unsigned) {
    return {};
}

std::vector<std::string> MemoryStorage::list(const std::string& path) {
    std::vector<std::string> names;
    for (const auto& [file, content] : files) {
        if (!file.starts_with(path + "/")) continue;
        const std::string below = file.substr(path.size() + 1);
        const std::string name = below.substr(0, below.find('/'));
        if (names.empty() || names.back() != name) names.push_back(name);
    }
    return names;
}

bool MemoryStorage::powered() {
    if (fail_after == 0) return false;
    if (fail_after > 0) --fail_after;
    return true;
}

}  // namespace porchlight
