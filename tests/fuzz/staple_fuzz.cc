// OpenSSL reads the DER of a responder; ours is what is made of it. The corpus holds what the
// issuer of the chain below signed for its leaf, and for others.

#include "check.h"
#include "net/staple.h"

using namespace porchlight;

// A leaf that names a responder, and its issuer. No date is judged here.
constexpr std::string_view chain =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBqTCCAU6gAwIBAgICEAEwCgYIKoZIzj0EAwIwDDEKMAgGA1UEAwwBUjAgFw0y\n"
    "NjExMjIyMjE4NTdaGA8yMTI2MTAyOTIyMTg1N1owDDEKMAgGA1UEAwwBbDBZMBMG\n"
    "ByqGSM49AgEGCCqGSM49AwEHA0IABLx3rU2yyjqWag0/i+wIrRxbH8Xhg8ySOcqd\n"
    "t8OEIA2TXzm4jk5VTLTHoH51M1IhNooL4XPmuLnBACZhJAiy6dSjgZ0wgZowFgYD\n"
    "VR0RBA8wDYILZG5zLmV4YW1wbGUwLQYIKwYBBQUHAQEEITAfMB0GCCsGAQUFBzAB\n"
    "hhFodHRwOi8vby5leGFtcGxlLzARBggrBgEFBQcBGAQFMAMCAQUwHQYDVR0OBBYE\n"
    "FMxL1UuBHMNR4bmVyjoo1xhZp4I2MB8GA1UdIwQYMBaAFAqtVXP9bkVkE+TKCSDX\n"
    "e0I7MEW5MAoGCCqGSM49BAMCA0kAMEYCIQDZ9e5xdA/fgHTJOStMZXsl/IOzqtv1\n"
    "m1A1ycvRSWqqaQIhAMx4+uCRUzciDHP6Wv44KdeqMJMf5S5d5XINmps5HP9r\n"
    "-----END CERTIFICATE-----\n"
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBfTCCASKgAwIBAgIUCtRkN1gLgKQs7ySs/ZVVAM6o16owCgYIKoZIzj0EAwIw\n"
    "DDEKMAgGA1UEAwwBUjAgFw0yNjExMjIyMjE4NTdaGA8yMTI2MTAyOTIyMTg1N1ow\n"
    "DDEKMAgGA1UEAwwBUjBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABMyoQVLZzhXo\n"
    "pc+Vgucwyk05k1VuNl2c8/MTrVNRo6jQDyzNR6vOayeY8SByIbNVgsNRzgw82Wlh\n"
    "N2WL4djq6CGjYDBeMB0GA1UdDgQWBBQKrVVz/W5FZBPkygkg13tCOzBFuTAfBgNV\n"
    "HSMEGDAWgBQKrVVz/W5FZBPkygkg13tCOzBFuTAPBgNVHRMBAf8EBTADAQH/MAsG\n"
    "A1UdDwQEAwIChDAKBggqhkjOPQQDAgNJADBGAiEAnxU4DRqOfa/rgWmeEEwAVMxz\n"
    "0PY4FYgkSEk8MPKq8LECIQDzWttP5AmN0LPXFZESAPOxuO8S2bpsyhqm5FKmlu68\n"
    "gQ==\n"
    "-----END CERTIFICATE-----\n";

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Bytes octets(data, size);
    const auto span = net::check_staple(bytes_of(chain), octets, std::nullopt);
    check(!span || span->this_update < span->next_update);
    check(!span || size <= net::staple_octets_max);
    // A CA is a stranger too: the chain that it gives is read the same way.
    const net::StaplingTerms terms = net::stapling_terms(octets);
    check(terms.responder.empty() || terms.responder.starts_with("http://"));
    const auto request = net::staple_request(octets);
    check(!request || !request->empty());
    return 0;
}
