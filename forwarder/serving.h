#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/address.h"
#include "core/file_descriptor.h"
#include "core/result.h"
#include "core/writer.h"

namespace porchlight::forwarder {

/// Whom one worker works for at this instant, in memory that outlives the process: what stands
/// there when it died names the host whose octets, or the answer to whose question, it died of.
/// Cheap enough for every turn: a store of 17 octets.
class Serving {
  public:
    struct Host {
        std::uint8_t family = 0;  // 0: nobody; 4; 6
        std::array<std::uint8_t, 16> octets{};
    };

    /// Without a place: to one that nobody reads.
    explicit Serving(Host* place = nullptr) : place_(place != nullptr ? place : &own_) {}
    Serving(const Serving&) = delete;
    Serving& operator=(const Serving&) = delete;

    const Host& host() const { return *place_; }
    void begin(const Host& host) {
        *place_ = host;
        // Nobody in this program reads it, so the compiler could leave it out.
        std::atomic_signal_fence(std::memory_order_seq_cst);
    }
    void end() { begin({}); }

    /// For as long as this lives.
    class During {
      public:
        During(Serving& serving, const Host& host) : serving_(serving) { serving_.begin(host); }
        ~During() { serving_.end(); }
        During(const During&) = delete;
        During& operator=(const During&) = delete;

      private:
        Serving& serving_;
    };

  private:
    Host own_;
    Host* place_;
};

Serving::Host host_of(const IpAddress& address);

/// The places of all workers: a page that the keeper makes, the forwarder maps and writes, and the
/// keeper reads when the forwarder is dead.
class ServingPage {
  public:
    static constexpr std::size_t workers_max = 64;

    /// The keeper's: a page that can't be shrunk under its reader.
    static Result<FileDescriptor> create();
    /// The hosts in it, each once. Empties it for the next process.
    static std::vector<IpAddress> take(const FileDescriptor& page);

    /// The forwarder's, mapped until the process ends; nothing where there is no such page.
    explicit ServingPage(const FileDescriptor& page);
    /// The place of a worker; null where there is none.
    Serving::Host* place(std::size_t worker) const;

  private:
    std::array<Serving::Host, workers_max>* places_ = nullptr;
};

/// A host that is not let in for a while.
struct RefusedHost {
    IpAddress address;
    std::chrono::seconds left{};
    bool operator==(const RefusedHost&) const = default;
};

/// Body of Control::refused: in place of those before.
void write(Writer& out, const std::vector<RefusedHost>& hosts);
Result<std::vector<RefusedHost>> parse_refused(Bytes message);

}  // namespace porchlight::forwarder
