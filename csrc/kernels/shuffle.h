// Random orders as NumPy's RandomState draws them.
#pragma once

#include <bit>
#include <cstdint>
#include <utility>

#include "core/check.h"
#include "core/span.h"

namespace pynn::kernels {

// Fisher's and Yates's shuffle, from the last place down: place i trades with one in [0, i]. That
// one is what next(), 32 random bits, leaves below the least power of two above i, drawn again if
// it is beyond i. A place whose draw is rejected trades with itself, which takes no branch to
// guess.
template <class Next>
void shuffle(std::int64_t* order, isize n, const Next& next) {
  check(n <= isize{1} << 32, "shuffle: expected at most 2**32 elements. Received: ", n, ".");
  for (isize i = n - 1; i > 0;) {
    const auto mask = static_cast<isize>(std::bit_ceil(static_cast<std::uint64_t>(i) + 1) - 1);
    const isize least = mask / 2;  // the mask of the places above it
    while (i > least) {
      const isize drawn = static_cast<isize>(next()) & mask;
      const isize taken = drawn <= i;
      std::swap(order[i], order[i + (drawn - i) * taken]);
      i -= taken;
    }
  }
}

}  // namespace pynn::kernels
