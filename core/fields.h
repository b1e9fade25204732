#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/reader.h"
#include "core/writer.h"

namespace porchlight {

// The fields of the messages that our own processes send each other: octets and text behind a
// 32-bit count, lists as a counted part that is read to its end, so that a damaged count can't make
// a loop run long.

inline void write_field(Writer& out, Bytes octets) {
    out.counted_u32([&] { out.bytes(octets); });
}

inline void write_field(Writer& out, std::string_view text) {
    write_field(out, bytes_of(text));
}

inline Buffer read_octets_field(Reader& in) {
    const Bytes octets = in.bytes(in.u32());
    return {octets.begin(), octets.end()};
}

inline std::string read_text_field(Reader& in) {
    return std::string(text_of(in.bytes(in.u32())));
}

template <class Item, class WriteItem>
void write_list(Writer& out, const std::vector<Item>& items, WriteItem write_item) {
    out.counted_u32([&] {
        for (const Item& item : items) write_item(item);
    });
}

template <class Item, class ReadItem>
std::vector<Item> read_list(Reader& in, ReadItem read_item) {
    std::vector<Item> items;
    in.counted_u32([&](Reader& part) {
        while (!part.empty()) items.push_back(read_item(part));
    });
    return items;
}

}  // namespace porchlight
