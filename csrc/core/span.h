// Sizes and non-owning views. Every array in the core is row-major; a matrix may have padded rows.
#pragma once

#include <cstddef>
#include <vector>

namespace pynn {

using isize = std::ptrdiff_t;      // every size and index; never int
using Shape = std::vector<isize>;  // the shape of one sample: the batch axis is not part of it

// element(i, j) = data[i * ld + j]
template <class T>
struct Mat {
  T* data = nullptr;
  isize rows = 0, cols = 0, ld = 0;
};

inline isize element_count(const Shape& shape) {
  isize n = 1;
  for (isize extent : shape) n *= extent;
  return n;
}

}  // namespace pynn
