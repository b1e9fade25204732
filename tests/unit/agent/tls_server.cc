// The TLS server of the net tests, for what connects here.
#include "net/tls_stream_server.cc"
