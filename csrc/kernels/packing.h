// Copies of pieces of matrices in the order in which a product reads them, one element behind the
// other.
#pragma once

#include "kernels/simd.h"
#include "kernels/table.h"

namespace pynn::kernels::PYNN_ISA {

// to(rows, width) = b from (row, col) on, zeros beyond `cols`
template <class T>
void pack_rows(T* to, isize width, const Factor<T>& b, isize row, isize col, isize rows,
               isize cols) {
  using S = Simd<T>;
  for (isize p = 0; p < rows; ++p, to += width) {
    const T* from = b.row(row + p) + col;
    isize j = 0;
    for (; j + S::kLanes <= cols; j += S::kLanes) S::store(to + j, S::load(from + j));
    for (; j < width; ++j) to[j] = j < cols ? from[j] : T(0);
  }
}

// The same where b is the transpose of what lies in memory: in squares of registers.
template <class T>
void pack_columns(T* to, isize width, const Factor<T>& b, isize row, isize col, isize rows,
                  isize cols) {
  using S = Simd<T>;
  constexpr isize kLanes = S::kLanes;
  const T* from = b.data + col * b.ld + row;
  for (isize j = 0; j < width; j += kLanes) {
    for (isize p = 0; p < rows; p += kLanes) {
      const bool whole = rows - p >= kLanes;
      typename S::Register square[kLanes];
      PYNN_UNROLL
      for (isize i = 0; i < kLanes; ++i) {
        const T* line = from + (j + i) * b.ld + p;
        square[i] = j + i >= cols ? typename S::Register{}
                    : whole       ? S::load(line)
                                  : typename S::Register(load_first(line, rows - p));
      }
      Transposer<T>::run(square);
      PYNN_UNROLL
      for (isize i = 0; i < kLanes; ++i) {
        if (p + i < rows) S::store(to + (p + i) * width + j, square[i]);
      }
    }
  }
}

template <class T>
void pack(T* to, isize width, const Factor<T>& b, isize row, isize col, isize rows, isize cols) {
  (b.transposed ? pack_columns<T> : pack_rows<T>)(to, width, b, row, col, rows, cols);
}

}  // namespace pynn::kernels::PYNN_ISA
