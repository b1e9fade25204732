#include "forwarder/cache.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <mutex>

// Each shard is one mapping: a table of slots, then a log of entries. The log is a ring: a new
// entry is written at `head`, and where there is no room the oldest, at `tail`, leaves, or moves to
// the head if somebody asked for it since it was written (second chance). So memory never
// fragments, an entry costs its octets and 24 more, and pages that were never needed cost nothing.
// A slot names an entry by its place and eight bits of its hash; sixteen slots, one cache line,
// form a bucket, and a full bucket forgets one of its own: there are no chains to walk or repair.

namespace porchlight::forwarder {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t unit = 8;  // entries begin at multiples of it
constexpr std::size_t slots_per_bucket = 16;
constexpr std::size_t octets_per_slot = 64;  // of the whole shard: about an entry of the smallest
constexpr std::size_t slot_place_bits = 24;
constexpr std::size_t log_octets_max = ((1u << slot_place_bits) - 2) * unit;
constexpr std::size_t log_octets_min = 4096;
constexpr std::size_t cache_line_octets = 64;
/// Of a shard that is worth huge pages: in a larger one finding the page costs as much as reading
/// it. Their first ones are had before they are full, so a small one goes without.
constexpr std::size_t huge_pages_min = 16 << 20;
constexpr int second_chances_max = 8;  // in one store(), so that it stays short

/// What stands before an entry's TTL offsets and its response.
struct Header {
    static constexpr std::uint32_t live = 1, asked_again = 2, refreshing = 4, marks = unit - 1;

    std::uint32_t octets_and_marks;  // of the whole entry, a multiple of `unit`
    std::uint32_t hash;
    std::uint32_t stored_at;
    std::uint32_t lifetime : 24;
    std::uint32_t view : 8;
    std::uint16_t response_octets;
    std::uint8_t ttl_count;
    std::uint8_t flags;  // of the key, and above them the extended error's code; 0: none

    std::uint32_t octets() const { return octets_and_marks & ~marks; }
    bool is(std::uint32_t mark) const { return (octets_and_marks & mark) != 0; }
    std::size_t response_at() const { return sizeof(Header) + ttl_count * 2u; }

    static constexpr std::uint32_t lifetime_max = (1u << 24) - 1;  // half a year
    static constexpr unsigned key_bits = 2;
    static constexpr std::uint8_t key_flags = (1u << key_bits) - 1;
    static constexpr std::uint16_t extended_error_max = UINT8_MAX >> key_bits;
    std::optional<std::uint16_t> extended_error() const {
        if (flags >> key_bits == 0) return std::nullopt;
        return flags >> key_bits;
    }
};
static_assert(sizeof(Header) == 20);

std::uint32_t seconds_of(Clock::time_point now) {
    using std::chrono::duration_cast;
    return static_cast<std::uint32_t>(
        duration_cast<std::chrono::seconds>(now.time_since_epoch()).count());
}

std::uint32_t clamp_seconds(std::chrono::seconds value, std::int64_t most = INT32_MAX) {
    return static_cast<std::uint32_t>(std::clamp<std::int64_t>(value.count(), 0, most));
}

/// Another worker may have read its clock a moment after us: what it stored is new, not ancient.
std::uint32_t age_of(const Header& entry, std::uint32_t now) {
    const std::uint32_t age = now - entry.stored_at;
    return age > INT32_MAX ? 0 : age;
}

/// Whether a tenth of the entry's lifetime is left, or less: from one entry to the next up to half
/// of that, so that what was stored together is not asked for together.
bool is_nearly_over(const Header& entry, std::uint32_t age) {
    const std::uint64_t left = entry.lifetime - age;
    return left * 160 <= std::uint64_t{entry.lifetime} * (8 + entry.hash % 9);
}

std::uint16_t u16_at(const std::uint8_t* at) {
    return static_cast<std::uint16_t>(at[0] << 8 | at[1]);
}

std::uint32_t u32_at(const std::uint8_t* at) {
    return static_cast<std::uint32_t>(u16_at(at)) << 16 | u16_at(at + 2);
}

void put_u16(std::uint8_t* at, std::uint32_t value) {
    at[0] = static_cast<std::uint8_t>(value >> 8);
    at[1] = static_cast<std::uint8_t>(value);
}

void put_u32(std::uint8_t* at, std::uint32_t value) {
    put_u16(at, value >> 16);
    put_u16(at + 2, value);
}

/// A name's octets without capital letters, as they stand in keys.
class LowerName {
  public:
    explicit LowerName(const dns::Name& name) : size_(name.wire().size()) {
        // Length octets are below 64, so they are no letters.
        std::transform(name.wire().begin(), name.wire().end(), octets_.begin(), [](auto octet) {
            return octet >= 'A' && octet <= 'Z' ? static_cast<std::uint8_t>(octet + 32) : octet;
        });
    }
    Bytes octets() const { return Bytes(octets_).first(size_); }

  private:
    std::array<std::uint8_t, dns::name_octets_max> octets_;
    std::size_t size_;
};

/// Zero pages that cost nothing until touched; empty where the machine has none left.
class Mapping {
  public:
    Mapping() = default;
    explicit Mapping(std::size_t octets) {
        void* at = ::mmap(nullptr, octets, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (at == MAP_FAILED) return;
        if (octets >= huge_pages_min) ::madvise(at, octets, MADV_HUGEPAGE);  // where there are any
        memory_ = {static_cast<std::uint8_t*>(at), octets};
    }
    Mapping(Mapping&& other) noexcept : memory_(std::exchange(other.memory_, {})) {}
    Mapping& operator=(Mapping&& other) noexcept {
        std::swap(memory_, other.memory_);
        return *this;
    }
    ~Mapping() {
        if (!memory_.empty()) ::munmap(memory_.data(), memory_.size());
    }
    std::span<std::uint8_t> memory() const { return memory_; }

  private:
    std::span<std::uint8_t> memory_;
};

}  // namespace

struct Cache::Key {
    static constexpr std::uint8_t dnssec_ok = 1, checking_disabled = 2;

    Key(const KeyedHash& keyed, Bytes lower_name, std::uint16_t asked_type, bool is_dnssec_ok,
        bool is_checking_disabled, View of_view)
        : name(lower_name),
          type(asked_type),
          view(of_view),
          flags(static_cast<std::uint8_t>((is_dnssec_ok ? dnssec_ok : 0) |
                                          (is_checking_disabled ? checking_disabled : 0))),
          hash(keyed(name, std::uint64_t{view} << 24 | std::uint64_t{type} << 8 | flags)) {}
    Key(const KeyedHash& keyed, Bytes lower_name, const dns::Question& question)
        : Key(keyed, lower_name, question.type, question.dnssec_ok, question.checking_disabled,
              question.view) {}

    Bytes name;  // lower-cased
    std::uint16_t type;
    View view;
    std::uint8_t flags;
    std::uint64_t hash;
};

class Cache::Shard {
  public:
    void resize(std::size_t octets, const Limits& limits);
    void flush();
    Counts counts();

    /// Appends the entry's response with its TTLs counted down; nothing if it has none, or only a
    /// stale one where `fresh_only`.
    std::optional<Hit> copy(const Key& key, std::uint32_t now, bool fresh_only, Writer& out);
    void store(const Key& key, const Storable& what, std::uint32_t now);
    void remove(const Key& key);
    void put_off(const Key& key, std::uint32_t now);

  private:
    Header header(std::size_t place) const {
        Header header;
        std::memcpy(&header, log_.data() + place, sizeof header);
        return header;
    }
    void mark(std::size_t place, std::uint32_t octets_and_marks) {
        std::memcpy(log_.data() + place, &octets_and_marks, sizeof octets_and_marks);
    }
    std::uint32_t octets_and_marks(std::size_t place) const {
        std::uint32_t value = 0;
        std::memcpy(&value, log_.data() + place, sizeof value);
        return value;
    }

    static std::uint32_t slot_value(std::uint32_t hash, std::size_t place) {
        return (hash >> slot_place_bits) << slot_place_bits |
               static_cast<std::uint32_t>(place / unit + 1);
    }
    static std::size_t place_of(std::uint32_t slot) {
        return ((slot & ((1u << slot_place_bits) - 1)) - 1) * unit;
    }
    std::span<std::uint32_t> bucket(std::uint32_t hash) const {
        const std::size_t at = hash % (slots_.size() / slots_per_bucket) * slots_per_bucket;
        return slots_.subspan(at, slots_per_bucket);
    }
    std::uint32_t* slot_of(std::uint32_t hash, std::size_t place) const {
        for (std::uint32_t& slot : bucket(hash))
            if (slot == slot_value(hash, place)) return &slot;
        return nullptr;
    }
    bool matches(const Header& entry, std::size_t place, const Key& key) const;
    std::uint32_t* find(const Key& key) const;
    std::uint32_t& slot_for(const Key& key);
    void kill(std::uint32_t& slot);

    bool make_room(std::size_t octets, std::uint32_t now);
    void drop_oldest(int& second_chances, std::uint32_t now);
    void write(std::size_t place, const Key& key, const Storable& what, std::size_t octets,
               std::uint32_t now);

    std::mutex mutex_;
    Mapping mapping_;
    std::span<std::uint32_t> slots_;
    std::span<std::uint8_t> log_;
    std::size_t head_ = 0;
    std::size_t tail_ = 0;
    std::size_t used_ = 0;  // from tail to head, with what lies dead between
    std::size_t entries_ = 0;
    std::uint32_t stale_max_ = 0;
    std::uint32_t stale_ttl_ = 0;
    std::uint32_t put_off_at_ = UINT32_MAX;  // in this second nothing is asked anew any more
};

void Cache::Shard::resize(std::size_t octets, const Limits& limits) {
    const std::lock_guard lock(mutex_);
    stale_max_ = clamp_seconds(limits.stale_max);
    stale_ttl_ = clamp_seconds(limits.stale_ttl);
    const std::size_t buckets = octets / octets_per_slot / slots_per_bucket;
    const std::size_t table = buckets * slots_per_bucket * sizeof(std::uint32_t);
    const std::size_t log = std::min((octets - table) / unit * unit, log_octets_max);
    if (mapping_.memory().size() == table + log) return;
    head_ = tail_ = used_ = entries_ = 0;
    slots_ = {};
    log_ = {};
    mapping_ = Mapping();
    if (buckets == 0 || log < log_octets_min) return;
    mapping_ = Mapping(table + log);
    const auto memory = mapping_.memory();
    if (memory.empty()) return;
    // The mapping begins at a page, and zero octets are slots that are empty.
    slots_ = {reinterpret_cast<std::uint32_t*>(memory.data()), buckets * slots_per_bucket};
    log_ = memory.subspan(table);
}

void Cache::Shard::flush() {
    const std::lock_guard lock(mutex_);
    const auto memory = mapping_.memory();
    if (memory.empty()) return;
    head_ = tail_ = used_ = entries_ = 0;
    if (::madvise(memory.data(), memory.size(), MADV_DONTNEED) != 0)
        std::fill(slots_.begin(), slots_.end(), 0);
}

Cache::Counts Cache::Shard::counts() {
    const std::lock_guard lock(mutex_);
    return {entries_, used_};
}

bool Cache::Shard::matches(const Header& entry, std::size_t place, const Key& key) const {
    if (entry.hash != static_cast<std::uint32_t>(key.hash) ||
        (entry.flags & Header::key_flags) != key.flags || entry.view != key.view ||
        entry.response_octets < dns::header_octets + key.name.size() + 4)
        return false;
    const std::uint8_t* question = log_.data() + place + entry.response_at() + dns::header_octets;
    return std::memcmp(question, key.name.data(), key.name.size()) == 0 &&
           u16_at(question + key.name.size()) == key.type;
}

std::uint32_t* Cache::Shard::find(const Key& key) const {
    if (slots_.empty()) return nullptr;
    const auto hash = static_cast<std::uint32_t>(key.hash);
    for (std::uint32_t& slot : bucket(hash)) {
        if (slot == 0 || (slot ^ hash) >> slot_place_bits != 0) continue;
        const std::size_t place = place_of(slot);
        // What lies behind its first line comes while that one is compared.
        __builtin_prefetch(log_.data() + std::min(place + cache_line_octets, log_.size()));
        if (matches(header(place), place, key)) return &slot;
    }
    return nullptr;
}

std::optional<Hit> Cache::Shard::copy(const Key& key, std::uint32_t now, bool fresh_only,
                                      Writer& out) {
    const std::lock_guard lock(mutex_);
    const std::uint32_t* slot = find(key);
    if (slot == nullptr) return std::nullopt;
    const std::size_t place = place_of(*slot);
    const Header entry = header(place);
    const std::uint32_t age = age_of(entry, now);
    const bool fresh = age < entry.lifetime;
    if (!fresh && (fresh_only || age - entry.lifetime >= stale_max_)) return std::nullopt;
    Hit hit{entry.extended_error()};
    if (!entry.is(Header::asked_again)) {
        mark(place, entry.octets_and_marks | Header::asked_again);
    } else if (fresh_only && !entry.is(Header::refreshing) && now != put_off_at_ &&
               is_nearly_over(entry, age)) {
        mark(place, entry.octets_and_marks | Header::refreshing);
        hit.refresh = true;
    }

    const auto copied = out.grow(entry.response_octets);
    std::memcpy(copied.data(), log_.data() + place + entry.response_at(), copied.size());
    // What was validated then is not known to be so now.
    if (!fresh) copied[3] = static_cast<std::uint8_t>(copied[3] & ~dns::flag::authentic_data);
    const std::uint8_t* offsets = log_.data() + place + sizeof(Header);
    for (unsigned i = 0; i < entry.ttl_count; ++i) {
        std::uint16_t offset = 0;
        std::memcpy(&offset, offsets + i * 2u, sizeof offset);
        std::uint8_t* ttl = copied.data() + offset;
        const std::uint32_t stored = u32_at(ttl);
        put_u32(ttl, fresh ? stored - std::min(stored, age) : std::min(stored, stale_ttl_));
    }
    return hit;
}

void Cache::Shard::store(const Key& key, const Storable& what, std::uint32_t now) {
    const std::size_t raw = sizeof(Header) + what.ttl_offsets.size() * 2 + what.response.size();
    const std::size_t octets = (raw + unit - 1) / unit * unit;
    const std::lock_guard lock(mutex_);
    if (std::uint32_t* former = find(key)) kill(*former);
    if (!make_room(octets, now)) return;
    write(head_, key, what, octets, now);
    slot_for(key) = slot_value(static_cast<std::uint32_t>(key.hash), head_);
    ++entries_;
    head_ += octets;
    used_ += octets;
}

void Cache::Shard::remove(const Key& key) {
    const std::lock_guard lock(mutex_);
    if (std::uint32_t* former = find(key)) kill(*former);
}

void Cache::Shard::put_off(const Key& key, std::uint32_t now) {
    const std::lock_guard lock(mutex_);
    put_off_at_ = now;
    const std::uint32_t* slot = find(key);
    if (slot == nullptr) return;
    const std::size_t place = place_of(*slot);
    mark(place, octets_and_marks(place) & ~Header::refreshing);
}

/// An empty slot for a new entry: a free one, or one that another entry has to leave, if possible
/// one that nobody asked for twice.
std::uint32_t& Cache::Shard::slot_for(const Key& key) {
    std::uint32_t* chosen = nullptr;
    const auto candidates = bucket(static_cast<std::uint32_t>(key.hash));
    for (std::uint32_t& slot : candidates)
        if (chosen == nullptr && slot == 0) chosen = &slot;
    for (std::uint32_t& slot : candidates)
        if (chosen == nullptr && !header(place_of(slot)).is(Header::asked_again)) chosen = &slot;
    if (chosen == nullptr) chosen = &candidates.front();
    if (*chosen != 0) kill(*chosen);
    return *chosen;
}

void Cache::Shard::kill(std::uint32_t& slot) {
    const std::size_t place = place_of(slot);
    mark(place, header(place).octets());
    slot = 0;
    --entries_;
}

/// Makes `octets` in a row at the head free.
bool Cache::Shard::make_room(std::size_t octets, std::uint32_t now) {
    if (octets > log_.size() / 4) return false;
    int second_chances = second_chances_max;
    for (;;) {
        if (used_ == 0) head_ = tail_ = 0;
        const bool wrapped = head_ < tail_ || (head_ == tail_ && used_ != 0);
        const std::size_t free_in_a_row = (wrapped ? tail_ : log_.size()) - head_;
        if (octets <= free_in_a_row) return true;
        if (wrapped) {
            drop_oldest(second_chances, now);
            continue;
        }
        // The rest of the log becomes one dead entry; the head goes round.
        if (free_in_a_row != 0) mark(head_, static_cast<std::uint32_t>(free_in_a_row));
        used_ += free_in_a_row;
        head_ = 0;
    }
}

/// Only while the head has gone round and stands before the tail, or at it.
void Cache::Shard::drop_oldest(int& second_chances, std::uint32_t now) {
    const std::size_t place = tail_;
    const std::uint32_t marked = octets_and_marks(place);
    const std::size_t octets = marked & ~Header::marks;
    used_ -= octets;
    tail_ += octets;
    if (tail_ == log_.size()) tail_ = 0;
    if ((marked & Header::live) == 0) return;

    const Header entry = header(place);
    std::uint32_t* slot = slot_of(entry.hash, place);
    const bool keep = entry.is(Header::asked_again) && age_of(entry, now) < entry.lifetime;
    if (!keep || second_chances == 0) {
        *slot = 0;
        --entries_;
        return;
    }
    --second_chances;
    std::memmove(log_.data() + head_, log_.data() + place, octets);
    mark(head_, static_cast<std::uint32_t>(octets) | Header::live);
    *slot = slot_value(entry.hash, head_);
    head_ += octets;
    used_ += octets;
}

void Cache::Shard::write(std::size_t place, const Key& key, const Storable& what,
                         std::size_t octets, std::uint32_t now) {
    const std::uint16_t said = what.extended_error.value_or(0);
    const unsigned extended_error = said <= Header::extended_error_max ? said : 0u;
    const Header entry{static_cast<std::uint32_t>(octets) | Header::live,
                       static_cast<std::uint32_t>(key.hash),
                       now,
                       clamp_seconds(what.lifetime, Header::lifetime_max) & Header::lifetime_max,
                       key.view,
                       static_cast<std::uint16_t>(what.response.size()),
                       static_cast<std::uint8_t>(what.ttl_offsets.size()),
                       static_cast<std::uint8_t>(key.flags | extended_error << Header::key_bits)};
    std::uint8_t* at = log_.data() + place;
    std::memcpy(at, &entry, sizeof entry);
    if (!what.ttl_offsets.empty())
        std::memcpy(at + sizeof entry, what.ttl_offsets.data(), what.ttl_offsets.size_bytes());
    std::uint8_t* response = at + entry.response_at();
    std::memcpy(response, what.response.data(), what.response.size());
    // Letter case and ID belong to whoever asks next.
    put_u16(response, 0);
    std::memcpy(response + dns::header_octets, key.name.data(), key.name.size());
    const std::uint32_t ttl_max = clamp_seconds(what.ttl_max);
    for (const std::uint16_t offset : what.ttl_offsets)
        put_u32(response + offset, std::min(u32_at(response + offset), ttl_max));
}

Cache::Cache(Limits limits, Random& random) : hash_(random) {
    for (auto& shard : shards_) shard = std::make_unique<Shard>();
    resize(limits);
}

Cache::~Cache() = default;

void Cache::resize(Limits limits) {
    for (auto& shard : shards_) shard->resize(limits.bytes_max / shard_count, limits);
}

void Cache::flush() {
    for (auto& shard : shards_) shard->flush();
}

Cache::Counts Cache::counts() const {
    Counts sum;
    for (const auto& shard : shards_) {
        const Counts part = shard->counts();
        sum.entries += part.entries;
        sum.octets += part.octets;
    }
    return sum;
}

/// By the half of the hash that the shard itself does not use.
Cache::Shard& Cache::shard_of(const Key& key) const {
    return *shards_[(key.hash >> 32) % shard_count];
}

std::optional<Hit> Cache::answer(const dns::Query& query, View view, Clock::time_point now,
                                 Writer& out) {
    const Key key(hash_, query.name(), query.type, query.edns.dnssec_ok, query.checking_disabled(),
                  view);
    const std::size_t start = out.size();
    const std::optional<Hit> hit = shard_of(key).copy(key, seconds_of(now), true, out);
    if (!hit) return hit;
    constexpr std::uint16_t of_query = dns::flag::recursion_desired | dns::flag::checking_disabled;
    const unsigned unwanted = query.wants_authentic_data() ? 0u : dns::flag::authentic_data;
    std::uint8_t* message = out.tail(start).data();
    put_u16(message, query.id);
    put_u16(message + 2, (u16_at(message + 2) & ~(of_query | unwanted)) | (query.flags & of_query));
    std::memcpy(message + dns::header_octets, query.question.data(), query.name_size);
    return hit;
}

std::optional<Hit> Cache::answer(const dns::Question& question, Clock::time_point now,
                                 Writer& out) {
    const LowerName name(question.name);
    const Key key(hash_, name.octets(), question);
    return shard_of(key).copy(key, seconds_of(now), true, out);
}

std::optional<Hit> Cache::answer_stale(const dns::Question& question, Clock::time_point now,
                                       Writer& out) {
    const LowerName name(question.name);
    const Key key(hash_, name.octets(), question);
    return shard_of(key).copy(key, seconds_of(now), false, out);
}

void Cache::store(const dns::Question& question, const Storable& what, Clock::time_point now) {
    const LowerName name(question.name);
    const Key key(hash_, name.octets(), question);
    const std::size_t least = dns::header_octets + name.octets().size() + 4;
    const bool is_whole =
        what.response.size() >= least && what.response.size() <= UINT16_MAX &&
        what.ttl_offsets.size() <= UINT8_MAX &&
        std::all_of(what.ttl_offsets.begin(), what.ttl_offsets.end(),
                    [&](std::size_t offset) { return offset + 4 <= what.response.size(); });
    if (is_whole && what.lifetime > 0s)
        shard_of(key).store(key, what, seconds_of(now));
    else
        shard_of(key).remove(key);
}

void Cache::put_off(const dns::Question& question, Clock::time_point now) {
    const LowerName name(question.name);
    const Key key(hash_, name.octets(), question);
    shard_of(key).put_off(key, seconds_of(now));
}

}  // namespace porchlight::forwarder
