// y[i] = T(x[i]) from every source type: batches are cast while they are gathered, so that an input
// is never expanded whole.
#pragma once

#include <cstdint>

#include "core/dtype.h"
#include "kernels/isa.h"
#include "kernels/table.h"

namespace pynn::kernels::PYNN_ISA {

// IEEE 754 binary16, stored as its bits.
struct Half {
  std::uint16_t bits;
  PYNN_INLINE operator float() const {
    const std::uint32_t sign = (bits & 0x8000u) << 16, exponent = (bits >> 10) & 31u;
    const std::uint32_t fraction = bits & 0x3ffu;
    if (exponent == 0) {  // zero and subnormal: fraction * 2^-24 is exact
      const float magnitude = static_cast<float>(fraction) * 0x1p-24f;
      return sign ? -magnitude : magnitude;
    }
    const std::uint32_t wide = exponent == 31 ? 255u : exponent + 112u;
    return __builtin_bit_cast(float, sign | (wide << 23) | (fraction << 13));
  }
};

// A number at any address: a field of a packed record need not be aligned.
template <class S>
PYNN_INLINE S read(const char* x) {
  S value;
  __builtin_memcpy(&value, x, sizeof(S));
  return value;
}

template <class T, class S>
void convert(T* y, const void* source, isize n, isize stride) {
  constexpr isize kSize = static_cast<isize>(sizeof(S));
  const char* x = static_cast<const char*>(source);
  if (stride == kSize) {
    PYNN_SIMD
    for (isize i = 0; i < n; ++i) y[i] = static_cast<T>(read<S>(x + i * kSize));
  } else {
    for (isize i = 0; i < n; ++i) y[i] = static_cast<T>(read<S>(x + i * stride));
  }
}

// y[i] = T(x[rows[i]])
template <class T, class S>
void convert_listed(T* y, const void* x, const std::int64_t* rows, isize n, isize stride) {
  for (isize i = 0; i < n; ++i) {
    y[i] = static_cast<T>(read<S>(static_cast<const char*>(x) + rows[i] * stride));
  }
}

template <class T, class S>
inline constexpr ConvertKernels<T> kFrom = {convert<T, S>, convert_listed<T, S>};

// In the order of DType; a boolean is a byte that is 0 or 1.
template <class T>
inline constexpr ConvertKernels<T> kConvert[kDTypeCount] = {
    kFrom<T, std::uint8_t>,  kFrom<T, std::int8_t>,   kFrom<T, std::uint8_t>,
    kFrom<T, std::int16_t>,  kFrom<T, std::uint16_t>, kFrom<T, std::int32_t>,
    kFrom<T, std::uint32_t>, kFrom<T, std::int64_t>,  kFrom<T, std::uint64_t>,
    kFrom<T, Half>,          kFrom<T, float>,         kFrom<T, double>};

}  // namespace pynn::kernels::PYNN_ISA
