#include "agent/file_marks.h"

#include <sys/stat.h>

#include "agent/plan.h"

namespace porchlight::agent {
namespace {

std::optional<FileMark> mark_of(const std::string& path) {
    struct stat found {};
    if (::stat(path.c_str(), &found) != 0) return std::nullopt;
    return FileMark{found.st_dev,
                    found.st_ino,
                    static_cast<std::uint64_t>(found.st_size),
                    {found.st_mtim.tv_sec, found.st_mtim.tv_nsec}};
}

}  // namespace

FileMarks marks_of(const std::vector<std::string>& paths) {
    FileMarks marks;
    for (const std::string& path : paths) marks.push_back(mark_of(path));
    return marks;
}

std::vector<std::string> renewed_by_others(const Config& config) {
    std::vector<std::string> paths;
    if (const auto& files = config.certificate.files) paths = {files->chain, files->key};
    if (asks_upstream(config)) paths.push_back(config.tls.roots);
    return paths;
}

}  // namespace porchlight::agent
