#pragma once

#include <cassert>
#include <string>
#include <utility>
#include <variant>

namespace porchlight {

/// One name per thing that a caller can do about a failure.
enum class Errc {
    malformed,    // the input is wrong: drop it, tell whoever sent it
    refused,      // the peer or a rule said no: asking again changes nothing
    timeout,      // nobody answered in time: try again, or the next one
    unavailable,  // it can't be reached or isn't there: try again later
    denied,       // this process lacks a privilege: do without
    internal,     // the machine failed us: disk full, out of descriptors
};

/// Why something failed. Code branches on `code`; people read `message`.
struct Error {
    Errc code = Errc::internal;
    std::string message;

    /// The same error as seen from one boundary further out: "upstream dns.example: TLS: ...".
    Error within(std::string_view context) const {
        std::string text(context);
        text += ": ";
        text += message;
        return {code, std::move(text)};
    }
};

/// A value, or the reason why there is none. The subset of std::expected that is used here.
template <class T>
class [[nodiscard]] Result {
  public:
    Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
    Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

    explicit operator bool() const { return state_.index() == 0; }
    T& operator*() & { return value(); }
    const T& operator*() const& { return value(); }
    T&& operator*() && { return std::move(value()); }
    T* operator->() { return &value(); }
    const T* operator->() const { return &value(); }
    T& value() {
        assert(*this);
        return *std::get_if<0>(&state_);
    }
    const T& value() const {
        assert(*this);
        return *std::get_if<0>(&state_);
    }
    const Error& error() const {
        assert(!*this);
        return *std::get_if<1>(&state_);
    }

  private:
    std::variant<T, Error> state_;
};

/// Success without a value, or an error.
template <>
class [[nodiscard]] Result<void> {
  public:
    Result() = default;
    Result(Error error) : failed_(true), error_(std::move(error)) {}

    explicit operator bool() const { return !failed_; }
    const Error& error() const {
        assert(failed_);
        return error_;
    }

  private:
    bool failed_ = false;
    Error error_;
};

}  // namespace porchlight
