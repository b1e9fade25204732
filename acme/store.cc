#include "acme/store.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <nlohmann/json.hpp>

#include "acme/json.h"

namespace porchlight::acme {
namespace {

constexpr unsigned file_mode = 0600;
constexpr unsigned directory_mode = 0700;
constexpr std::array generation_files{"metadata.json", "chain.pem", "key.pem"};

std::optional<unsigned> parse_number(std::string_view text) {
    unsigned number = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (ec != std::errc() || end != text.data() + text.size() || number == 0) return std::nullopt;
    return number;
}

}  // namespace

Result<unsigned> Store::save(const Generation& generation) {
    // Above whatever is there, so that nothing mixes with what a power cut left half written.
    const std::vector<unsigned> present = numbers();
    const unsigned number = std::max(present.empty() ? 0 : present.front(), current()) + 1;
    const std::string folder = path(std::to_string(number));
    const std::string metadata =
        json_text({{"directory", generation.directory}, {"issued", to_text(generation.issued)}}) +
        "\n";
    if (auto made = storage_.make_directory(directory_, directory_mode); !made) return made.error();
    if (auto made = storage_.make_directory(folder, directory_mode); !made) return made.error();

    const std::pair<std::string, Bytes> writes[] = {
        {folder + "/key.pem", generation.key_pem},
        {folder + "/chain.pem", generation.chain_pem},
        {folder + "/metadata.json", bytes_of(metadata)},
    };
    for (const auto& [file, content] : writes)
        if (auto wrote = storage_.write_whole(file, content, file_mode); !wrote)
            return wrote.error();
    const std::string pointer = std::to_string(number) + "\n";
    if (auto wrote = storage_.write_whole(path("current"), bytes_of(pointer), file_mode); !wrote)
        return wrote.error();
    remove_old(number);
    return number;
}

std::vector<Generation> Store::load_generations() {
    const unsigned newest = current();
    std::vector<Generation> generations;
    for (const unsigned number : numbers()) {
        // Beyond the pointer lies what was never finished. Without a pointer (a damaged file
        // system) every whole one is better than none.
        if (newest != 0 && number > newest) continue;
        if (auto generation = load(number)) generations.push_back(std::move(*generation));
    }
    return generations;
}

/// The numbers of all generations, whole or not, highest first.
std::vector<unsigned> Store::numbers() {
    std::vector<unsigned> found;
    for (const std::string& name : storage_.list(directory_))
        if (const auto number = parse_number(name)) found.push_back(*number);
    std::ranges::sort(found, std::greater<>());
    return found;
}

/// What the pointer says; 0 if it says nothing.
unsigned Store::current() {
    const Result<Buffer> content = storage_.read(path("current"));
    if (!content) return 0;
    std::string_view text = text_of(*content);
    if (text.ends_with('\n')) text.remove_suffix(1);
    return parse_number(text).value_or(0);
}

std::optional<Generation> Store::load(unsigned number) {
    const std::string folder = path(std::to_string(number));
    Result<Buffer> key = storage_.read(folder + "/key.pem");
    Result<Buffer> chain = storage_.read(folder + "/chain.pem");
    const Result<Buffer> metadata = storage_.read(folder + "/metadata.json");
    if (!key || !chain || !metadata) return std::nullopt;
    Generation generation{number, std::move(*chain), std::move(*key), "", {}};
    if (const auto parsed = parse_json(text_of(*metadata))) {
        generation.directory = text_in(*parsed, "directory");
        generation.issued = parse_wall_time(text_in(*parsed, "issued")).value_or(WallTime{});
    }
    return generation;
}

void Store::remove(unsigned number) {
    const std::string folder = path(std::to_string(number));
    // Metadata first: what lacks it is no whole generation any more. What can't be removed now is
    // removed after the next renewal.
    for (const char* file : generation_files) (void)storage_.remove(folder + "/" + file);
    (void)storage_.remove(folder);
}

void Store::remove_old(unsigned newest) {
    std::size_t kept = 0;
    for (const unsigned number : numbers()) {
        if (number > newest) continue;
        const bool whole = bool(storage_.read(path(std::to_string(number)) + "/metadata.json"));
        if (whole && kept < generations_kept)
            ++kept;
        else
            remove(number);
    }
}

}  // namespace porchlight::acme
