#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/storage.h"

namespace porchlight::acme {

/// One certificate with its key.
struct Generation {
    unsigned number = 0;  // given by save(); rises
    Buffer chain_pem;
    Buffer key_pem;
    std::string directory;  // the CA
    WallTime issued{};
    bool operator==(const Generation&) const = default;
};

/// Certificates under one directory, so that a power cut at any moment leaves the old or the new,
/// never a mixture:
///
///     1/key.pem, 1/chain.pem, 1/metadata.json      a generation each, never written again
///     2/...
///     current                                      the newest whole one's number; moves last
///
/// Files are 0600, directories 0700. Whether chain and key agree is the caller's check
/// (check_pair): the newest generation that passes is the one to serve.
class Store {
  public:
    static constexpr std::size_t generations_kept = 3;

    /// `storage` is borrowed; `directory` is absolute, without a final slash.
    Store(Storage& storage, std::string directory)
        : storage_(storage), directory_(std::move(directory)) {}

    /// Writes a new generation, moves the pointer, then deletes those beyond the kept ones.
    /// Returns its number. A failure leaves what was current current.
    Result<unsigned> save(const Generation& generation);
    /// Whole generations, newest first.
    std::vector<Generation> load_generations();

  private:
    std::string path(const std::string& below) const { return directory_ + "/" + below; }
    std::vector<unsigned> numbers();
    unsigned current();
    std::optional<Generation> load(unsigned number);
    void remove(unsigned number);
    void remove_old(unsigned newest);

    Storage& storage_;
    std::string directory_;
};

}  // namespace porchlight::acme
