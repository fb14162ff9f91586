// Errors of the core. The text states the rule, then what came:
//   check(rows == n, "Dense: expected ", n, " rows. Received: x.rows=", rows, ".");
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>

#include "core/span.h"

namespace pynn {

inline std::ostream& operator<<(std::ostream& out, const Shape& shape) {
  out << '(';
  for (std::size_t i = 0; i < shape.size(); ++i) out << (i ? ", " : "") << shape[i];
  return out << (shape.size() == 1 ? ",)" : ")");
}

template <class... Parts>
std::string message(const Parts&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return out.str();
}

// std::invalid_argument becomes ValueError, std::out_of_range IndexError in the bindings.
template <class... Parts>
void check(bool rule_holds, const Parts&... parts) {
  if (!rule_holds) throw std::invalid_argument(message(parts...));
}

// More elements than any memory holds; products of a few such counts still fit an isize.
inline constexpr isize kMostElements = isize{1} << 48;

// element_count() of a shape that comes from outside.
inline isize checked_count(const std::string& owner, const Shape& shape) {
  isize n = 1;
  bool fits = true;
  for (isize extent : shape) {
    fits = fits && extent >= 0 && (extent == 0 || n <= kMostElements / extent);
    n = fits ? n * extent : n;
  }
  check(fits, owner, ": a shape must hold from 0 to 2^48 elements. Received: shape=", shape, ".");
  return n;
}

}  // namespace pynn
