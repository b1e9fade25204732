#include "agent/exposition.h"

#include <array>
#include <cstdio>

namespace porchlight::agent {
namespace {

/// As the format wants it; and what is not printable ASCII as \xHH, for a scrape with octets that
/// are no UTF-8 is refused as a whole.
std::string label_value(std::string_view octets) {
    std::string text;
    for (const char c : octets) {
        if (c == '\\' || c == '"') {
            text += '\\';
            text += c;
        } else if (c == '\n') {
            text += "\\n";
        } else if (c >= ' ' && c <= '~') {
            text += c;
        } else {
            std::array<char, 8> escaped;
            std::snprintf(escaped.data(), escaped.size(), "\\\\x%02x",
                          static_cast<unsigned char>(c));
            text += escaped.data();
        }
    }
    return text;
}

std::string_view word_of(Exposition::Type type) {
    return type == Exposition::Type::counter ? "counter" : "gauge";
}

}  // namespace

void Exposition::family(std::string_view name, Type type, std::string_view help) {
    name_ = name;
    heading_ = "# HELP " + name_ + " " + std::string(help) + "\n# TYPE " + name_ + " " +
               std::string(word_of(type)) + "\n";
}

void Exposition::number(Labels labels, std::uint64_t value) {
    sample(labels, std::to_string(value));
}

void Exposition::flag(Labels labels, bool value) {
    sample(labels, value ? "1" : "0");
}

void Exposition::seconds(Labels labels, std::chrono::microseconds value) {
    constexpr std::int64_t unit = std::chrono::microseconds(std::chrono::seconds(1)).count();
    std::array<char, 32> text;
    std::snprintf(text.data(), text.size(), "%lld.%06lld",
                  static_cast<long long>(value.count() / unit),
                  static_cast<long long>(value.count() % unit));
    sample(labels, text.data());
}

void Exposition::moment(Labels labels, WallTime value) {
    sample(labels, std::to_string(value.time_since_epoch().count()));
}

void Exposition::sample(Labels labels, const std::string& value) {
    text_ += std::exchange(heading_, "") + name_;
    for (const auto& [name, octets] : labels)
        text_ += (name == labels.begin()->first ? "{" : ",") + std::string(name) + "=\"" +
                 label_value(octets) + "\"";
    if (labels.size() > 0) text_ += "}";
    text_ += " " + value + "\n";
}

}  // namespace porchlight::agent
