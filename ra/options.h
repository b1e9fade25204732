#pragma once

#include <deque>

#include "ra/advertisement.h"

namespace porchlight::ra {

// Options as a sender handles them, whatever they say. A unit is one option, or several back to
// back that mean something only together and stay in one advertisement.

/// Whether `unit` fits in `octets_max` and consists of whole options with a Lifetime or a type that
/// has none; one that does not would make hosts discard the rest of the advertisement (RFC 4861
/// section 6.1.2).
bool is_sendable(const Buffer& unit, std::size_t octets_max);

/// A unit with no Lifetime above `lifetime_max`.
Buffer shortened(Buffer unit, std::chrono::seconds lifetime_max);

/// A unit in the form that takes it back: the same octets with every Lifetime 0. Link-layer address
/// and MTU have none and stay as they are.
Buffer withdrawn(Buffer unit);

/// The options that a unit consists of; what is no whole option at its end is left out.
NdOptions options_of(const Buffer& unit);

/// All ones: without end.
inline constexpr std::chrono::seconds for_ever{0xffffffff};
/// The Lifetime of an option that has one: the first, where it has two.
std::chrono::seconds lifetime(const Buffer& option);

/// Whether hosts forget by a Lifetime what the unit told.
bool can_be_withdrawn(const Buffer& unit);
bool is_prefix(const Buffer& unit);
/// The Valid Lifetime of a prefix.
std::chrono::seconds valid_lifetime(const Buffer& prefix);
/// Whether hosts may choose addresses of the prefix for something new.
bool is_preferred(const Buffer& prefix);

/// Whether `units` has what `taken_back` takes back.
bool contains(const NdOptions& units, const Buffer& taken_back);
/// Whether hosts learn nothing from `b` that they do not know from `a` but how long it lasts; that
/// it ends is more than that.
bool same_but_for_lifetimes(const NdOptions& a, const NdOptions& b);

/// As few packets' worth of `octets_max` as keep the order; one at least.
std::deque<NdOptions> spread(NdOptions units, std::size_t octets_max);

}  // namespace porchlight::ra
