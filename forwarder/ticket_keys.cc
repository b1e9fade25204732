#include "forwarder/ticket_keys.h"

#include <openssl/crypto.h>

#include <algorithm>

namespace porchlight::forwarder {

TicketKeys::~TicketKeys() {
    forget();
}

void TicketKeys::set_rotation(std::chrono::milliseconds rotation) {
    const std::lock_guard lock(mutex_);
    rotation_ = rotation;
}

void TicketKeys::forget() {
    for (Key& key : keys_) OPENSSL_cleanse(&key, sizeof key);
    keys_.clear();
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
    if (!keys_.empty() && now < rotated_at_ + rotation_) return;
    // Whoever slept through several rotations finds the old keys too old.
    if (now - rotated_at_ >= rotation_ * keys_max) forget();
    rotated_at_ = now;
    Key& key = keys_.emplace_front();
    random_.fill(key.name);
    random_.fill(key.cipher);
    random_.fill(key.mac);
    if (keys_.size() <= keys_max) return;
    OPENSSL_cleanse(&keys_.back(), sizeof(Key));
    keys_.pop_back();
}

}  // namespace porchlight::forwarder
