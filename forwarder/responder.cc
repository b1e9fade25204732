#include "forwarder/responder.h"

#include <memory>
#include <utility>

#include "core/log.h"
#include "dns/answer.h"
#include "dns/edns.h"

namespace porchlight::forwarder {
namespace {

AskedOver asked_over(const Leg& leg) {
    if (!leg.encrypted) return AskedOver::do53;
    return leg.http ? AskedOver::doh : AskedOver::dot;
}

std::uint8_t rcode_of(Bytes answer) {
    return answer.size() < dns::header_octets ? std::uint8_t{0} : answer[3] & dns::flag::rcode;
}

}  // namespace

Responder::Given Responder::answer(Bytes message, const Leg& leg, Clock::time_point now,
                                   Writer& out) {
    const std::size_t start = out.size();
    const Decided decided = decide(message, leg, now, out);
    if (log_.is_on()) [[unlikely]] {
        noted_ = noted(leg, now);
        note(decided, out.view().subspan(start));
    }
    return decided.given;
}

Responder::Decided Responder::decide(Bytes message, const Leg& leg, Clock::time_point now,
                                     Writer& out) {
    const dns::Verdict verdict = dns::parse_query(message, query_);
    if (verdict != dns::Verdict::answer) return turn_down(verdict, leg, out);
    if (query_.edns.keepalive_filled)
        log::debug("a client filled in its keepalive option");  // RFC 7828 section 3.2.1
    const Carrier carrier = leg.carrier(query_);
    if (query_.type == dns::type::any) {
        write_any_answer(out, query_, carrier);
        return {Given::answered, Outcome::own};
    }
    const std::size_t start = out.size();
    if (lookup_.answer_locally(query_, out, leg.from_companion, leg.link)) {
        adopt(out, start, query_);
        finish(out, start, query_, carrier);
        return {Given::answered, Outcome::own};
    }
    view_ = view_of(leg);
    const std::optional<Hit> hit = cache_.answer(query_, view_, now, out);
    if (!hit) {
        ++counters_.cache_misses;
        return {Given::not_known, Outcome::looked_up};
    }
    ++counters_.cache_hits;
    if (hit->refresh) lookup_.refresh(question());
    finish(out, start, query_, carrier, hit->extended_error);
    return {Given::answered, Outcome::cached, hit->extended_error};
}

/// What is no question that anybody could answer.
Responder::Decided Responder::turn_down(dns::Verdict verdict, const Leg& leg, Writer& out) {
    if (verdict == dns::Verdict::drop || verdict == dns::Verdict::format_error)
        ++counters_.queries_malformed;
    if (verdict == dns::Verdict::drop) return {Given::nothing, Outcome::malformed};
    write_verdict(out, query_, verdict, leg.carrier(query_));
    return {Given::answered, Outcome::malformed};
}

/// Nothing of the router's own probes.
std::optional<NotedQuery> Responder::noted(const Leg& leg, Clock::time_point now) {
    if (leg.client != nullptr && !leg.client->is_host()) return std::nullopt;
    NotedQuery query;
    query.asked_at = now;
    query.over = asked_over(leg);
    query.type = query_.type;
    query.name = query_.name();
    if (leg.client != nullptr && log_.wants_clients())
        query.client = log_.client(leg.client->address(), leg.client->mac(), now);
    return query;
}

/// What has to be looked up is noted when it is found; what is answered by nothing is not.
void Responder::note(const Decided& decided, Bytes answer) {
    if (!noted_ || decided.given != Given::answered) return;
    noted_->outcome = decided.outcome;
    noted_->rcode = rcode_of(answer);
    noted_->extended_error = decided.extended_error.value_or(0);
    log_.note(*noted_);
}

View Responder::view_of(const Leg& leg) const {
    const Views& views = lookup_.views();
    if (!views.differ() || leg.client == nullptr) return everybody;
    if (leg.view) return *leg.view;
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
    const auto asked =
        std::make_shared<KeptQuery>(query_, log_.is_on() ? noted_ : std::nullopt, std::move(place));
    auto tell = [this, asked, done = std::move(done)](const Found& found) {
        if (asked->noted) {
            asked->noted->outcome = Outcome::looked_up;
            asked->noted->rcode = rcode_of(found.response);
            asked->noted->extended_error = found.extended_error.value_or(0);
            log_.note(*asked->noted);
        }
        done(*asked, found);
    };
    lookup_.find(question(), leg.from_companion, std::move(tell));
}

void Responder::write_found(const KeptQuery& asked, const Found& found, const Leg& leg,
                            Writer& out) {
    const std::size_t start = out.size();
    out.bytes(found.response);
    adopt(out, start, asked.query);
    finish(out, start, asked.query, leg.carrier(asked.query), found.extended_error);
}

void Responder::refuse(Bytes message, const Leg& leg, Clock::time_point now, Writer& out) {
    const std::size_t start = out.size();
    if (dns::parse_query(message, query_) == dns::Verdict::drop) return;
    ++counters_.queries_refused;
    write_empty_answer(out, query_, dns::rcode::refused, leg.carrier(query_),
                       dns::extended_error::prohibited);
    if (!log_.is_on()) return;
    noted_ = noted(leg, now);
    note({Given::answered, Outcome::refused, dns::extended_error::prohibited},
         out.view().subspan(start));
}

Responder::Given Responder::truncate(Bytes message, const Leg& leg, Clock::time_point now,
                                     Writer& out) {
    const std::size_t start = out.size();
    const dns::Verdict verdict = dns::parse_query(message, query_);
    Decided decided{Given::answered, Outcome::refused};
    if (verdict == dns::Verdict::answer)
        write_truncated_answer(out, query_, leg.carrier(query_));
    else
        decided = turn_down(verdict, leg, out);
    if (log_.is_on()) {
        noted_ = noted(leg, now);
        note(decided, out.view().subspan(start));
    }
    return decided.given;
}

}  // namespace porchlight::forwarder
