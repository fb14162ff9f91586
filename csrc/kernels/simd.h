// One vector register of an instruction set, for kernels that must say what stays in registers. All
// others are plain loops, which the compiler vectorises.
#pragma once

#include <utility>

#include "kernels/isa.h"

#if defined(__AVX512F__)
#include <immintrin.h>
#endif

namespace pynn::kernels::PYNN_ISA {

#if defined(__AVX512F__)
inline constexpr int kRegisterBytes = 64, kRegisters = 32;
#elif defined(__AVX2__)
inline constexpr int kRegisterBytes = 32, kRegisters = 16;
#elif defined(__aarch64__)
inline constexpr int kRegisterBytes = 16, kRegisters = 32;
#else
inline constexpr int kRegisterBytes = 16, kRegisters = 16;
#endif

template <class T>
struct Simd {
  typedef T Register __attribute__((vector_size(kRegisterBytes)));
  static constexpr isize kLanes = kRegisterBytes / static_cast<isize>(sizeof(T));

  static PYNN_INLINE Register load(const T* from) {
    Register r;
    __builtin_memcpy(&r, from, sizeof(r));
    return r;
  }
  static PYNN_INLINE void store(T* to, Register r) { __builtin_memcpy(to, &r, sizeof(r)); }
  static PYNN_INLINE Register all(T x) { return x - Register{}; }
};

// The first `count` lanes alone: the others are read as zeros, and not written.
#if defined(__AVX512F__)
inline constexpr bool kMasks = true;  // at no cost

PYNN_INLINE __m512 load_first(const float* from, isize count) {
  return _mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << count) - 1), from);
}
PYNN_INLINE __m512d load_first(const double* from, isize count) {
  return _mm512_maskz_loadu_pd(static_cast<__mmask8>((1u << count) - 1), from);
}
PYNN_INLINE void store_first(float* to, __m512 r, isize count) {
  _mm512_mask_storeu_ps(to, static_cast<__mmask16>((1u << count) - 1), r);
}
PYNN_INLINE void store_first(double* to, __m512d r, isize count) {
  _mm512_mask_storeu_pd(to, static_cast<__mmask8>((1u << count) - 1), r);
}
#else
inline constexpr bool kMasks = false;

template <class T>
PYNN_INLINE typename Simd<T>::Register load_first(const T* from, isize count) {
  if (count == Simd<T>::kLanes) return Simd<T>::load(from);
  T lanes[Simd<T>::kLanes] = {};
  for (isize i = 0; i < count; ++i) lanes[i] = from[i];
  return Simd<T>::load(lanes);
}
template <class T>
PYNN_INLINE void store_first(T* to, typename Simd<T>::Register r, isize count) {
  if (count == Simd<T>::kLanes) return Simd<T>::store(to, r);
  for (isize i = 0; i < count; ++i) to[i] = r[i];
}
#endif

// Rows become columns: lane j of register i changes places with lane i of register j.
template <class T>
class Transposer {
 public:
  using Register = typename Simd<T>::Register;
  static constexpr int kLanes = static_cast<int>(Simd<T>::kLanes);

#if defined(__clang__) || __GNUC__ >= 12
  // Blocks of 1, 2, 4, ... lanes change places across the diagonal.
  template <int kBlock = 1>
  static PYNN_INLINE void run(Register (&r)[kLanes]) {
    if constexpr (kBlock < kLanes) {
      PYNN_UNROLL
      for (int i = 0; i < kLanes; ++i) {
        if (i & kBlock) continue;
        const Register upper = r[i], lower = r[i + kBlock];
        r[i] = pick<kBlock, false>(upper, lower, Lanes{});
        r[i + kBlock] = pick<kBlock, true>(upper, lower, Lanes{});
      }
      run<2 * kBlock>(r);
    }
  }
  // Lane i is the sum of all lanes of r[i]: as above, but what changes places is added at once, so
  // that half of the registers are left each time.
  template <int kBlock = 1>
  static PYNN_INLINE Register sums(Register (&r)[kLanes]) {
    if constexpr (kBlock == kLanes) {
      return r[0];
    } else {
      PYNN_UNROLL
      for (int i = 0; i < kLanes; i += 2 * kBlock) {
        const Register upper = r[i], lower = r[i + kBlock];
        r[i] =
            pick<kBlock, false>(upper, lower, Lanes{}) + pick<kBlock, true>(upper, lower, Lanes{});
      }
      return sums<2 * kBlock>(r);
    }
  }

 private:
  using Lanes = std::make_integer_sequence<int, kLanes>;

  template <int kBlock, bool kLower, int... kLane>
  static PYNN_INLINE Register pick(Register upper, Register lower,
                                   std::integer_sequence<int, kLane...>) {
    return __builtin_shufflevector(upper, lower,
                                   (kLane & kBlock ? kLanes + kLane - (kLower ? 0 : kBlock)
                                                   : kLane + (kLower ? kBlock : 0))...);
  }
#else  // these cannot say it
  static PYNN_INLINE void run(Register (&r)[kLanes]) {
    T square[kLanes][kLanes];
    for (int i = 0; i < kLanes; ++i) {
      for (int j = 0; j < kLanes; ++j) square[j][i] = r[i][j];
    }
    for (int i = 0; i < kLanes; ++i) r[i] = Simd<T>::load(square[i]);
  }
  static PYNN_INLINE Register sums(Register (&r)[kLanes]) {
    run(r);
    for (int i = 1; i < kLanes; ++i) r[0] += r[i];
    return r[0];
  }
#endif
};

}  // namespace pynn::kernels::PYNN_ISA
