#include "forwarder/responder.h"

#include <memory>
#include <utility>

#include "core/log.h"
#include "dns/answer.h"
#include "dns/edns.h"

namespace porchlight::forwarder {

Responder::Given Responder::answer(Bytes message, const Leg& leg, Clock::time_point now,
                                   Writer& out) {
    const dns::Verdict verdict = dns::parse_query(message, query_);
    if (verdict != dns::Verdict::answer) {
        if (verdict == dns::Verdict::drop || verdict == dns::Verdict::format_error)
            ++counters_.queries_malformed;
        if (verdict == dns::Verdict::drop) return Given::nothing;
        write_verdict(out, query_, verdict, leg.carrier(query_));
        return Given::answered;
    }
    if (query_.edns.keepalive_filled)
        log::debug("a client filled in its keepalive option");  // RFC 7828 section 3.2.1
    const Carrier carrier = leg.carrier(query_);
    if (query_.type == dns::type::any) {
        write_any_answer(out, query_, carrier);
        return Given::answered;
    }
    const std::size_t start = out.size();
    if (lookup_.answer_locally(query_, out, leg.from_companion, leg.link)) {
        adopt(out, start, query_);
        finish(out, start, query_, carrier);
        return Given::answered;
    }
    view_ = view_of(leg);
    const std::optional<Hit> hit = cache_.answer(query_, view_, now, out);
    if (!hit) {
        ++counters_.cache_misses;
        return Given::not_known;
    }
    ++counters_.cache_hits;
    if (hit->refresh) lookup_.refresh(question());
    finish(out, start, query_, carrier, hit->extended_error);
    return Given::answered;
}

View Responder::view_of(const Leg& leg) const {
    const Views& views = lookup_.views();
    if (!views.differ() || leg.client == nullptr) return everybody;
    const std::optional<net::MacAddress> mac = leg.client->mac();
    return mac ? views.of(*mac) : everybody;
}

/// What query() asks.
dns::Question Responder::question() const {
    dns::Question question = dns::question_of(query_);
    question.view = view_;
    return question;
}

void Responder::find(const Leg& leg, Done done, WaitingPlace place) {
    // Shared, because std::function copies what it holds.
    auto asked = std::make_shared<const KeptQuery>(query_, std::move(place));
    lookup_.find(question(), leg.from_companion,
                 [asked, done = std::move(done)](const Found& found) { done(*asked, found); });
}

void Responder::write_found(const KeptQuery& asked, const Found& found, const Leg& leg,
                            Writer& out) {
    const std::size_t start = out.size();
    out.bytes(found.response);
    adopt(out, start, asked.query);
    finish(out, start, asked.query, leg.carrier(asked.query), found.extended_error);
}

void Responder::refuse(Bytes message, const Leg& leg, Writer& out) {
    if (dns::parse_query(message, query_) == dns::Verdict::drop) return;
    ++counters_.queries_refused;
    write_empty_answer(out, query_, dns::rcode::refused, leg.carrier(query_),
                       dns::extended_error::prohibited);
}

}  // namespace porchlight::forwarder
