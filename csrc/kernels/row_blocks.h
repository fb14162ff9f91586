// Rows of few columns, a block of them at a time. The block holds the rows column by column: a loop
// over its rows fills the registers, where one along a row would not. What a row becomes depends on
// the row alone, not on its place in the block.
#pragma once

#include "kernels/isa.h"
#include "kernels/vmath.h"

namespace pynn::kernels::PYNN_ISA {

inline constexpr isize kFewColumns = 32;  // at most; wider rows are better taken one by one
template <class T>
inline constexpr isize kBlockRows = 128 / static_cast<isize>(sizeof(T));

// block[j][i] = x[i][j] for x(rows, cols); the rows up to kRows that x does not have are 0
template <isize kRows, class T>
PYNN_INLINE void load_block(T* __restrict block, const T* __restrict x, isize rows, isize cols) {
  T padded[kRows * kFewColumns];
  if (rows < kRows) {
    __builtin_memset(padded, 0, sizeof(T) * static_cast<std::size_t>(kRows * cols));
    __builtin_memcpy(padded, x, sizeof(T) * static_cast<std::size_t>(rows * cols));
    x = padded;
  }
  for (isize j = 0; j < cols; ++j, block += kRows) {
    PYNN_SIMD
    for (isize i = 0; i < kRows; ++i) block[i] = x[i * cols + j];
  }
}

// y[i][j] = block[j][i] for y(rows, cols)
template <isize kRows, class T>
PYNN_INLINE void store_block(T* __restrict y, const T* __restrict block, isize rows, isize cols) {
  for (isize j = 0; j < cols; ++j, block += kRows) {
    if (rows == kRows) {
      PYNN_SIMD
      for (isize i = 0; i < kRows; ++i) y[i * cols + j] = block[i];
    } else {
      for (isize i = 0; i < rows; ++i) y[i * cols + j] = block[i];
    }
  }
}

// total[i] = sum over j of block[j][i]
template <isize kRows, class T>
PYNN_INLINE void sum_block(T* __restrict total, const T* __restrict block, isize cols) {
  __builtin_memset(total, 0, sizeof(T) * kRows);
  for (isize j = 0; j < cols; ++j, block += kRows) {
    PYNN_SIMD
    for (isize i = 0; i < kRows; ++i) total[i] += block[i];
  }
}

// z -= its greatest element in each row, e = exp(z), total[i] = sum over j of e[j][i]
template <isize kRows, class T>
PYNN_INLINE void exp_block(T* __restrict e, T* __restrict total, T* __restrict z, isize cols) {
  T top[kRows];
  __builtin_memcpy(top, z, sizeof(top));
  for (isize j = 1; j < cols; ++j) {
    PYNN_SIMD
    for (isize i = 0; i < kRows; ++i) top[i] = larger(top[i], z[j * kRows + i]);
  }
  for (isize j = 0; j < cols; ++j) {
    PYNN_SIMD
    for (isize i = 0; i < kRows; ++i) {
      z[j * kRows + i] -= top[i];
      e[j * kRows + i] = exp(z[j * kRows + i]);
    }
  }
  sum_block<kRows>(total, e, cols);
}

// f.operator()<kRows>(first, count) for blocks that together are all rows; a rest of few rows goes
// in small blocks, lest one row cost as much as a block.
template <class T, class F>
PYNN_INLINE void for_blocks(isize rows, F f) {
  constexpr isize wide = kBlockRows<T>, narrow = 16 / static_cast<isize>(sizeof(T));
  isize first = 0;
  for (; rows - first >= wide / 4; first += wide) {
    f.template operator()<wide>(first, rows - first < wide ? rows - first : wide);
  }
  for (; first < rows; first += narrow) {
    f.template operator()<narrow>(first, rows - first < narrow ? rows - first : narrow);
  }
}

}  // namespace pynn::kernels::PYNN_ISA
