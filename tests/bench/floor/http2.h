#pragma once

#include <string>

namespace porchlight::bench {

/// HTTP/2, just enough for a client that posts each question in one DATA frame (RFC 9113, RFC
/// 8484): no HPACK is decoded and no window is looked at.
class Http2 {
  public:
    /// Takes the whole frames at the front of `in` and appends the answers to them. Returns how
    /// many questions that were, or -1 where it was no question.
    int answer(std::string& in, std::string& out);

  private:
    bool greeted_ = false;
};

}  // namespace porchlight::bench
