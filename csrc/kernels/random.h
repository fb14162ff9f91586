// Counter-based random numbers: Philox 4x32-10 (Salmon et al. 2011, doi:10.1145/2063384.2063405).
// The number of an element depends on (seed, stream, step, element) alone, so masks and shuffles
// are the same for any number of threads.
//
// Elements come in groups computed together: 16 counters give 64 words of 32 bits, word w of
// counter c at position 16 w + c. A float takes one word, a double two.
#pragma once

#include <cstdint>

#include "kernels/isa.h"
#include "kernels/table.h"

namespace pynn::kernels::PYNN_ISA {

inline constexpr int kCounters = 16, kWords = 4 * kCounters;

PYNN_INLINE void philox_group(std::uint32_t* words, RandomStream s, std::uint64_t group) {
  constexpr int kRounds = 10;
  PYNN_SIMD
  for (int c = 0; c < kCounters; ++c) {
    const std::uint64_t counter = group * kCounters + static_cast<std::uint64_t>(c);
    std::uint32_t x0 = static_cast<std::uint32_t>(counter);
    std::uint32_t x1 = static_cast<std::uint32_t>(counter >> 32);
    std::uint32_t x2 = s.stream, x3 = s.step;
    std::uint32_t k0 = static_cast<std::uint32_t>(s.seed);
    std::uint32_t k1 = static_cast<std::uint32_t>(s.seed >> 32);
    for (int round = 0; round < kRounds; ++round) {
      const std::uint64_t p0 = std::uint64_t{0xD2511F53u} * x0,
                          p1 = std::uint64_t{0xCD9E8D57u} * x2;
      x0 = static_cast<std::uint32_t>(p1 >> 32) ^ x1 ^ k0;
      x1 = static_cast<std::uint32_t>(p1);
      x2 = static_cast<std::uint32_t>(p0 >> 32) ^ x3 ^ k1;
      x3 = static_cast<std::uint32_t>(p0);
      k0 += 0x9E3779B9u;
      k1 += 0xBB67AE85u;
    }
    words[c] = x0;
    words[kCounters + c] = x1;
    words[2 * kCounters + c] = x2;
    words[3 * kCounters + c] = x3;
  }
}

template <class T>
inline constexpr int kGroup = sizeof(T) == 4 ? kWords : kWords / 2;  // elements of one group

// u(kGroup) in [0, 1), all 24 or 53 bits random
PYNN_INLINE void uniform_group(float* u, RandomStream s, std::uint64_t group) {
  std::uint32_t words[kWords];
  philox_group(words, s, group);
  PYNN_SIMD
  for (int i = 0; i < kWords; ++i)
    u[i] = static_cast<float>(static_cast<std::int32_t>(words[i] >> 8)) * 0x1p-24f;
}
PYNN_INLINE void uniform_group(double* u, RandomStream s, std::uint64_t group) {
  std::uint32_t words[kWords];
  philox_group(words, s, group);
  PYNN_SIMD
  for (int i = 0; i < kWords / 2; ++i) {
    const double high = static_cast<std::int32_t>(words[i] >> 5);
    const double low = static_cast<std::int32_t>(words[kWords / 2 + i] >> 6);
    u[i] = (high * 0x1p26 + low) * 0x1p-53;
  }
}

// Calls use(u, i, count) with count uniform numbers for the elements first + i, ...
template <class T, class Use>
PYNN_INLINE void for_each_group(RandomStream s, isize first, isize n, Use use) {
  T u[kGroup<T>];
  for (isize i = 0; i < n;) {
    const isize element = first + i, inside = element % kGroup<T>;
    const isize room = kGroup<T> - inside, count = n - i < room ? n - i : room;
    uniform_group(u, s, static_cast<std::uint64_t>(element / kGroup<T>));
    use(u + inside, i, count);
    i += count;
  }
}

template <class T>
void fill_uniform(T* y, RandomStream s, isize first, isize n) {
  for_each_group<T>(s, first, n, [=](const T* u, isize i, isize count) {
    for (isize j = 0; j < count; ++j) y[i + j] = u[j];
  });
}

// Box and Muller (1958): element e uses the uniforms 2e and 2e + 1 of its stream, in double.
template <class T>
void fill_normal(T* y, RandomStream s, isize first, isize n) {
  constexpr isize kBlock = 32;
  double u[2 * kBlock];
  for (isize i = 0; i < n; i += kBlock) {
    const isize count = n - i < kBlock ? n - i : kBlock;
    fill_uniform(u, s, 2 * (first + i), 2 * count);
    for (isize j = 0; j < count; ++j) {
      const double radius = __builtin_sqrt(-2 * __builtin_log(1 - u[2 * j]));
      y[i + j] = static_cast<T>(radius * __builtin_cos(6.283185307179586 * u[2 * j + 1]));
    }
  }
}

// A call of its own: once everything is inlined, GCC 12 no longer sees that u was written.
template <class T>
__attribute__((noinline)) void drop(T* y, T* mask, const T* x, const T* u, T rate, T keep,
                                    isize n) {
  PYNN_SIMD
  for (isize i = 0; i < n; ++i) {
    const T factor = u[i] >= rate ? keep : T(0);
    mask[i] = factor;
    y[i] = x[i] * factor;
  }
}

// y = x * mask with mask = 1 / (1 - rate) where u >= rate, else 0 (Srivastava et al. 2014)
template <class T>
void apply_dropout(T* y, T* mask, const T* x, T rate, RandomStream s, isize first, isize n) {
  const T keep = 1 / (1 - rate);
  for_each_group<T>(s, first, n, [=](const T* u, isize i, isize count) {
    drop(y + i, mask + i, x + i, u, rate, keep, count);
  });
}

}  // namespace pynn::kernels::PYNN_ISA
