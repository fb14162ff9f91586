// Products with sparse matrices (core/csr.h).
#pragma once

#include "core/csr.h"
#include "kernels/isa.h"

namespace pynn::kernels::PYNN_ISA {

// y(rows [first, first + count) of s, cols) = s d, d(s.cols, cols). A row's sum has the order of
// its numbers, taken four at a time: fewer passes over y.
template <class T>
void csr_product(T* y, isize ld_y, const Csr<T>& s, const T* d, isize ld, isize first, isize count,
                 isize cols) {
  for (isize r = first; r < first + count; ++r, y += ld_y) {
    isize i = s.start[r];
    const isize end = s.start[r + 1];
    PYNN_SIMD
    for (isize j = 0; j < cols; ++j) y[j] = 0;
    for (; i + 4 <= end; i += 4) {
      const T *v = s.value + i, *a = d + s.index[i] * ld, *b = d + s.index[i + 1] * ld;
      const T *c = d + s.index[i + 2] * ld, *e = d + s.index[i + 3] * ld;
      PYNN_SIMD
      for (isize j = 0; j < cols; ++j) {
        y[j] = y[j] + v[0] * a[j] + v[1] * b[j] + v[2] * c[j] + v[3] * e[j];
      }
    }
    for (; i < end; ++i) {
      const T v = s.value[i], *a = d + s.index[i] * ld;
      PYNN_SIMD
      for (isize j = 0; j < cols; ++j) y[j] += v * a[j];
    }
  }
}

// The transpose of s, each of its rows in the order of the rows of s: a counting sort by column.
// start(s.cols + 2), of which the last is scratch; index and value hold as many as those of s.
template <class T>
void csr_transpose(isize* start, isize* index, T* value, const Csr<T>& s) {
  isize* next = start + 1;  // where the next number of a column goes; at the end that is start
  for (isize c = 0; c < s.cols + 2; ++c) start[c] = 0;
  for (isize i = s.start[0]; i < s.start[s.rows]; ++i) ++next[s.index[i] + 1];
  for (isize c = 0; c < s.cols; ++c) next[c + 1] += next[c];
  for (isize r = 0; r < s.rows; ++r) {
    for (isize i = s.start[r]; i < s.start[r + 1]; ++i) {
      const isize at = next[s.index[i]]++;
      index[at] = r;
      value[at] = s.value[i];
    }
  }
}

}  // namespace pynn::kernels::PYNN_ISA
