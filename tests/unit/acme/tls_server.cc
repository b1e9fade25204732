// The authority and the server that the tests of net/ use serve here too.
#include "net/tls_stream_server.cc"
