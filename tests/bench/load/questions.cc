#include "questions.h"

#include <array>
#include <numeric>

namespace porchlight::bench {
namespace {

using namespace std::string_view_literals;

using Digits = std::array<char, 7>;

Digits digits_of(std::uint32_t number) {
    Digits digits;
    for (auto digit = digits.rbegin(); digit != digits.rend(); ++digit, number /= 10)
        *digit = static_cast<char>('0' + number % 10);
    return digits;
}

void append_label(std::string& out, std::string_view label) {
    out += static_cast<char>(label.size());
    out += label;
}

}  // namespace

Questions::Questions(const std::string& prefix, std::uint32_t names) : names_(names) {
    text_ = "\0\0\0\0\1\0\0\1\0\0\0\0\0\1"sv;  // length, ID, RD, one question, one OPT
    digits_ = text_.size() + 2;
    append_label(text_, "n0000000");
    append_label(text_, prefix);
    append_label(text_, "bench");
    append_label(text_, "net");
    text_ += "\0\0\1\0\1\0\0\x29\4\xd0\0\0\0\0\0\0"sv;
    text_[1] = static_cast<char>(text_.size() - 2);
    if (names_ == 0) return;
    // By the golden section, and coprime, so that no name is left out.
    step_ = static_cast<std::uint32_t>(names_ * 0.618) | 1;
    while (std::gcd(step_, names_) != 1) step_ += 2;
}

std::uint32_t Questions::next() {
    const std::uint32_t number = next_;
    next_ += step_;
    if (names_) next_ %= names_;
    return number;
}

std::string_view Questions::framed(std::uint16_t id, std::uint32_t number) {
    text_[2] = static_cast<char>(id >> 8);
    text_[3] = static_cast<char>(id & 255);
    const Digits digits = digits_of(number);
    text_.replace(digits_, digits.size(), digits.data(), digits.size());
    return text_;
}

bool Questions::answered_by(std::string_view message, std::uint32_t number) const {
    const std::size_t at = digits_ - 2;  // no length here
    const Digits digits = digits_of(number);
    return message.size() > at + digits.size() && (message[2] & 0x80) != 0 &&
           (message[3] & 15) == 0 && (message[6] != 0 || message[7] != 0) &&
           message.substr(at, digits.size()) == std::string_view(digits.data(), digits.size());
}

}  // namespace porchlight::bench
