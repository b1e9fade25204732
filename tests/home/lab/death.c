// A fault planted in the TLS library, to be preloaded: the process dies of any octets, read from a
// client, that hold a certain name. It stands for a bug that nobody knows yet.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

struct ssl_st;

int SSL_read(struct ssl_st* ssl, void* buffer, int size) {
    static const char name[] = "packet-of-death";
    int (*const real)(struct ssl_st*, void*, int) = dlsym(RTLD_NEXT, "SSL_read");
    const int got = real(ssl, buffer, size);
    if (got > 0 && memmem(buffer, (size_t)got, name, sizeof name - 1)) abort();
    return got;
}
