// Loops that apply a scalar function to ranges.
//
// Work goes in blocks of kLanes elements; an incomplete last block is padded in a buffer. So every
// element goes through the same instructions wherever it stands, and its bits do not depend on how
// the work was split.
#pragma once

#include <array>

#include "kernels/vmath.h"

namespace pynn::kernels::PYNN_ISA {

template <class T>
inline constexpr isize kLanes = 64 / static_cast<isize>(sizeof(T));

// padded(kLanes) = from(count), then zeros. By memcpy: the compiler would move loads of a loop
// here into the loop that follows, which then does not vectorise.
template <class T>
PYNN_INLINE void pad(T* padded, const T* from, isize count) {
  __builtin_memset(padded, 0, sizeof(T) * kLanes<T>);
  __builtin_memcpy(padded, from, sizeof(T) * static_cast<std::size_t>(count));
}

// y(n) = f(x(n)); y and x may be the same memory
template <class T, class F>
PYNN_INLINE void map(T* y, const T* x, isize n, F f) {
  T padded[kLanes<T>];
  const isize whole = n / kLanes<T> * kLanes<T>, rest = n - whole;
  T* to = y;
  for (isize count = whole;; count = kLanes<T>) {
    for (isize i = 0; i < count; i += kLanes<T>) {
      PYNN_SIMD
      for (isize j = 0; j < kLanes<T>; ++j) to[i + j] = f(x[i + j]);
    }
    if (rest == 0 || to == padded) break;
    pad(padded, x + whole, rest);
    x = to = padded;
  }
  if (rest > 0) __builtin_memcpy(y + whole, padded, sizeof(T) * static_cast<std::size_t>(rest));
}

// y(n) = f(a(n), b(n)); y may be the memory of a or b
template <class T, class F>
PYNN_INLINE void map(T* y, const T* a, const T* b, isize n, F f) {
  T padded_a[kLanes<T>], padded_b[kLanes<T>];
  const isize whole = n / kLanes<T> * kLanes<T>, rest = n - whole;
  T* to = y;
  for (isize count = whole;; count = kLanes<T>) {
    for (isize i = 0; i < count; i += kLanes<T>) {
      PYNN_SIMD
      for (isize j = 0; j < kLanes<T>; ++j) to[i + j] = f(a[i + j], b[i + j]);
    }
    if (rest == 0 || to == padded_a) break;
    pad(padded_a, a + whole, rest);
    pad(padded_b, b + whole, rest);
    a = to = padded_a;
    b = padded_b;
  }
  if (rest > 0) __builtin_memcpy(y + whole, padded_a, sizeof(T) * static_cast<std::size_t>(rest));
}

// The elementary functions on arrays: exp log expm1 log1p tanh erf sigmoid, for tests and tools
template <class T>
inline constexpr std::array<void (*)(T*, const T*, isize), 7> kVmathKernels = {
    [](T* y, const T* x, isize n) { map(y, x, n, [](T v) PYNN_LAMBDA { return exp(v); }); },
    [](T* y, const T* x, isize n) { map(y, x, n, [](T v) PYNN_LAMBDA { return log(v); }); },
    [](T* y, const T* x, isize n) { map(y, x, n, [](T v) PYNN_LAMBDA { return expm1(v); }); },
    [](T* y, const T* x, isize n) { map(y, x, n, [](T v) PYNN_LAMBDA { return log1p(v); }); },
    [](T* y, const T* x, isize n) { map(y, x, n, [](T v) PYNN_LAMBDA { return tanh(v); }); },
    [](T* y, const T* x, isize n) { map(y, x, n, [](T v) PYNN_LAMBDA { return erf(v); }); },
    [](T* y, const T* x, isize n) { map(y, x, n, [](T v) PYNN_LAMBDA { return sigmoid(v); }); },
};

}  // namespace pynn::kernels::PYNN_ISA
