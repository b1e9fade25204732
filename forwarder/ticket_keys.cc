#include "forwarder/ticket_keys.h"

#include <openssl/crypto.h>

#include <algorithm>

namespace porchlight::forwarder {

TicketKeys::~TicketKeys() {
    for (Key& key : keys_) OPENSSL_cleanse(&key, sizeof key);
}

TicketKeys::Key TicketKeys::newest(Clock::time_point now) {
    const std::lock_guard lock(mutex_);
    rotate(now);
    return keys_.front();
}

std::optional<TicketKeys::Found> TicketKeys::find(const std::uint8_t* name, Clock::time_point now) {
    const std::lock_guard lock(mutex_);
    rotate(now);
    for (const Key& key : keys_)
        if (std::equal(key.name.begin(), key.name.end(), name))
            return Found{key, &key == &keys_.front()};
    return std::nullopt;
}

void TicketKeys::rotate(Clock::time_point now) {
    if (now < rotate_at_) return;
    // Whoever slept through several rotations finds the old keys too old.
    if (rotate_at_ != Clock::time_point::min() && now - rotate_at_ >= rotation * (keys_max - 1))
        keys_.clear();
    rotate_at_ = now + rotation;
    Key& key = keys_.emplace_front();
    random_.fill(key.name);
    random_.fill(key.cipher);
    random_.fill(key.mac);
    if (keys_.size() <= keys_max) return;
    OPENSSL_cleanse(&keys_.back(), sizeof(Key));
    keys_.pop_back();
}

}  // namespace porchlight::forwarder
