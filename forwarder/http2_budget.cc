#include "forwarder/http2_budget.h"

namespace porchlight::forwarder {

bool Http2Budget::admit(Event event, Clock::time_point now) {
    if (now - since_ >= span) {
        Http2Budget fresh;
        fresh.since_ = now;
        fresh.requests_before_ = requests_;
        fresh.continuations_ = continuations_;  // a header knows no span
        *this = fresh;
    }
    switch (event) {
        case Event::request:
            ++requests_;
            return true;
        case Event::reset:
            ++resets_;
            return resets_ <= resets_max &&
                   (resets_ <= resets_unjudged || resets_ * 2 <= requests_ + requests_before_);
        case Event::settings:
            return ++settings_ <= settings_max;
        case Event::ping:
            return ++pings_ <= pings_max;
        case Event::other:
            break;
        case Event::refused:
            return ++refused_ <= refused_max;
        case Event::header:
            continuations_ = 0;
            break;
        case Event::continuation:
            return ++continuations_ <= continuations_max;
    }
    return ++others_ <= others_max + requests_ * others_per_request;
}

}  // namespace porchlight::forwarder
