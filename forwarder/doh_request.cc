#include "forwarder/doh_request.h"

#include <algorithm>
#include <charconv>

#include "core/base64url.h"
#include "core/text.h"

namespace porchlight::forwarder {
namespace {

constexpr std::string_view message_type = "application/dns-message";
constexpr std::size_t field_octets = 32;  // that each is counted for beside its text

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

/// `lower_case` has no capital letters.
bool is(std::string_view text, std::string_view lower_case) {
    return std::ranges::equal(text, lower_case, {}, lower);
}

std::string_view trimmed(std::string_view text) {
    const std::size_t first = text.find_first_not_of(" \t");
    if (first == text.npos) return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// The weight of a media range is nothing (RFC 9110 section 12.4.2): "q=0", "q=0.000".
bool is_refusal(std::string_view parameters) {
    while (!parameters.empty()) {
        std::string_view value = trimmed(take_until(parameters, ';'));
        const std::string_view name = trimmed(take_until(value, '='));
        if (is(name, "q")) return value.find_first_not_of("0.") == value.npos;
    }
    return false;
}

/// The value of the parameter `dns`; nothing where it is missing or there twice.
std::optional<std::string_view> message_of(std::string_view query) {
    std::optional<std::string_view> found;
    while (!query.empty()) {
        std::string_view value = take_until(query, '&');
        if (take_until(value, '=') != "dns") continue;
        if (found) return std::nullopt;
        found = value;
    }
    return found;
}

}  // namespace

void DohRequest::clear() {
    Buffer message = std::move(message_);
    message.clear();
    *this = DohRequest();
    message_ = std::move(message);
}

void DohRequest::set_method(std::string_view method) {
    count(":method", method);
    method_ = method == "GET" ? Method::get : method == "POST" ? Method::post : Method::other;
}

void DohRequest::set_target(std::string_view target, std::span<const std::string> paths,
                            std::span<const std::string> devices) {
    count(":path", target);
    target_octets_ = target.size();
    if (target_octets_ > fields_octets_max) return;
    const std::string_view path = take_until(target, '?');
    if (std::ranges::find(paths, path) == paths.end() && !set_device(path, paths, devices)) {
        target_ = Target::other_path;
        return;
    }
    const auto message = message_of(target);
    if (!message)
        target_ = Target::without_message;
    else
        target_ = parse_base64url(*message, message_) ? Target::message : Target::malformed;
}

/// False: the path is no device's either.
bool DohRequest::set_device(std::string_view path, std::span<const std::string> paths,
                            std::span<const std::string> devices) {
    const std::string_view said = device_in_path(path, paths);
    const bool is_known = std::ranges::any_of(
        devices, [&](const std::string& device) { return same_device(device, said); });
    if (!is_known) return false;
    std::ranges::copy(said, device_.begin());
    device_octets_ = static_cast<std::uint8_t>(said.size());
    return true;
}

void DohRequest::add_field(std::string_view name, std::string_view value) {
    count(name, value);
    if (fields_octets_ > fields_octets_max) return;
    if (is(name, "accept")) return add_accept(value);
    if (is(name, "expect")) waits_to_go_on_ = is(value, "100-continue");
    if (is(name, "content-type"))
        is_message_type_ = is(trimmed(take_until(value, ';')), message_type);
    if (is(name, "content-length")) {
        std::uint64_t octets = 0;
        const auto end = value.data() + value.size();
        const auto read = std::from_chars(value.data(), end, octets);
        body_too_large_ = read.ec == std::errc::result_out_of_range || octets > message_octets_max;
    }
}

void DohRequest::count(std::string_view name, std::string_view value) {
    fields_octets_ += name.size() + value.size() + field_octets;
}

void DohRequest::add_accept(std::string_view value) {
    accept_told_ = true;
    while (!value.empty()) add_range(take_until(value, ','));
}

/// The closest range says whether a type is accepted (RFC 9110 section 12.5.1).
void DohRequest::add_range(std::string_view range) {
    const std::string_view type = trimmed(take_until(range, ';'));
    const Range how = is(type, message_type)      ? Range::exact
                      : is(type, "application/*") ? Range::any_application
                      : is(type, "*/*")           ? Range::any
                                                  : Range::none;
    if (how == Range::none || how < accepted_by_) return;
    accepted_by_ = how;
    accepted_ = !is_refusal(range);
}

std::optional<HttpStatus> DohRequest::judge_head() {
    if (fields_octets_ > fields_octets_max)
        return target_octets_ > fields_octets_max / 2 ? HttpStatus::uri_too_long
                                                      : HttpStatus::fields_too_large;
    if (target_ == Target::none) return HttpStatus::bad_request;
    if (target_ == Target::other_path) return HttpStatus::not_found;
    if (method_ == Method::other) return HttpStatus::method_not_allowed;
    if (accept_told_ && !accepted_) return HttpStatus::not_acceptable;
    if (method_ == Method::get)
        return target_ == Target::message ? HttpStatus::ok : HttpStatus::bad_request;
    message_.clear();
    if (!is_message_type_) return HttpStatus::unsupported_media_type;
    if (body_too_large_) return HttpStatus::content_too_large;
    return std::nullopt;
}

bool DohRequest::add_body(Bytes part) {
    body_too_large_ = body_too_large_ || part.size() > message_octets_max - message_.size();
    if (body_too_large_) return false;
    message_.insert(message_.end(), part.begin(), part.end());
    return true;
}

HttpStatus DohRequest::judge_body() const {
    return body_too_large_ ? HttpStatus::content_too_large : HttpStatus::ok;
}

}  // namespace porchlight::forwarder
