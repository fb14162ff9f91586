// Sparse matrices in compressed rows (CSR).
#pragma once

#include "core/span.h"

namespace pynn {

// Row r holds value[i] in column index[i] for every i in [start[r], start[r + 1]), in any order; of
// several numbers at one place the sum counts.
template <class T>
struct Csr {
  const isize* start = nullptr;
  const isize* index = nullptr;
  const T* value = nullptr;
  isize rows = 0, cols = 0;
};

}  // namespace pynn
