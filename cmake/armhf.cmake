# 32 bits, as many routers are: sizes and times that need 64 show here. `char` has no sign.
set(architecture armhf)
set(triplet arm-linux-gnueabihf)
set(CMAKE_SYSTEM_PROCESSOR arm)
# Else g++ notes, at every map of doubles, that g++ 6 passed them differently.
set(CMAKE_CXX_FLAGS_INIT -Wno-psabi)
include(${CMAKE_CURRENT_LIST_DIR}/debian-cross.cmake)
