# Big-endian, 64 bits: octets that were put in the host's order show here.
set(architecture s390x)
set(triplet s390x-linux-gnu)
set(CMAKE_SYSTEM_PROCESSOR s390x)
include(${CMAKE_CURRENT_LIST_DIR}/debian-cross.cmake)
