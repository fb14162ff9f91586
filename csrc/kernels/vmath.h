// Elementary functions without branches, for use inside PYNN_SIMD loops: root exp log expm1 log1p
// tanh sigmoid softplus erf normal, for float and double.
//
// Each function states its greatest error in units of the last place (float, double), measured by
// tests/core over the whole range. Infinities, NaN, signed zeros and overflow come out as in C;
// results below the smallest normal number may be flushed to zero.
//
// Polynomials are minimax fits (Remez exchange, coefficients rounded to T). Products that feed a
// sum are written as fma() so that no compiler chooses for itself where to round.
#pragma once

#include <cstdint>

#include "kernels/isa.h"

namespace pynn::kernels::PYNN_ISA {

#if defined(__FMA__) || defined(__aarch64__) || defined(__ARM_FEATURE_FMA)
inline constexpr bool kFma = true;
#else
inline constexpr bool kFma = false;  // a call of the library's fma() would not vectorise
#endif

PYNN_INLINE float fma(float a, float b, float c) {
  return kFma ? __builtin_fmaf(a, b, c) : a * b + c;
}
PYNN_INLINE double fma(double a, double b, double c) {
  return kFma ? __builtin_fma(a, b, c) : a * b + c;
}
PYNN_INLINE float sqrt(float x) { return __builtin_sqrtf(x); }
PYNN_INLINE double sqrt(double x) { return __builtin_sqrt(x); }
PYNN_INLINE float abs(float x) { return __builtin_fabsf(x); }
PYNN_INLINE double abs(double x) { return __builtin_fabs(x); }
PYNN_INLINE float copysign(float x, float sign) { return __builtin_copysignf(x, sign); }
PYNN_INLINE double copysign(double x, double sign) { return __builtin_copysign(x, sign); }

template <class T>
PYNN_INLINE T larger(T a, T b) {
  return a < b ? b : a;
}
// NaN passes through x
template <class T>
PYNN_INLINE T at_least(T x, T low) {
  return x < low ? low : x;
}
template <class T>
PYNN_INLINE T at_most(T x, T high) {
  return x > high ? high : x;
}
template <class T>
PYNN_INLINE T clamp(T x, T low, T high) {
  return at_most(at_least(x, low), high);
}

// c0 + c1 x + c2 x^2 + ...
template <class T>
PYNN_INLINE T polynomial(T, T c0) {
  return c0;
}
template <class T, class... C>
PYNN_INLINE T polynomial(T x, T c0, C... c) {
  return fma(polynomial(x, T(c)...), x, c0);
}

// ---- the format of a number --------------------------------------------------------------------
template <class T>
struct Number;
template <>
struct Number<float> {
  using Bits = std::uint32_t;
  static constexpr int mantissa = 23;
  static constexpr float infinity = __builtin_inff(), nan = __builtin_nanf("");
  static constexpr float largest = 0x1.fffffep127f, smallest_normal = 0x1p-126f;
  static constexpr float round = 0x1.8p23f;  // the low bits of x + round are the nearest integer
  static constexpr float log_largest = 0x1.62e42ep6f, log_smallest_normal = -87.3365447f;
  static constexpr float log2_e = 1.44269504f;
  // n * ln2_high is exact
  static constexpr float ln2_high = 0x1.62e4p-1f, ln2_low = 0x1.7f7d1cp-20f;
  // root_bits - bits(x) / 2 are the bits of 1 / sqrt(x) up to 3.5 %
  static constexpr Bits root_bits = 0x5f374800;
};
template <>
struct Number<double> {
  using Bits = std::uint64_t;
  static constexpr int mantissa = 52;
  static constexpr double infinity = __builtin_inf(), nan = __builtin_nan("");
  static constexpr double largest = 0x1.fffffffffffffp1023, smallest_normal = 0x1p-1022;
  static constexpr double round = 0x1.8p52;
  static constexpr double log_largest = 709.782712893384, log_smallest_normal = -708.3964185322641;
  static constexpr double log2_e = 1.4426950408889634;
  static constexpr double ln2_high = 0x1.62e42feep-1, ln2_low = 0x1.a39ef35793c76p-33;
  static constexpr Bits root_bits = 0x5fe6e90000000000;
};

template <class T>
using Bits = typename Number<T>::Bits;
template <class T>
PYNN_INLINE Bits<T> to_bits(T x) {
  return __builtin_bit_cast(Bits<T>, x);
}
template <class T>
PYNN_INLINE T from_bits(Bits<T> bits) {
  return __builtin_bit_cast(T, bits);
}

// ---- square root --------------------------------------------------------------------------------

#if defined(__AVX512F__)
inline constexpr bool kNarrowDivider = true;  // half as wide as the registers: a root takes turns
#else
inline constexpr bool kNarrowDivider = false;
#endif

// sqrt(x) + c, x >= 0, for use beside a division. Where the divider is narrow it is left to that
// division, and the root is an estimate s times a polynomial in r = 1 - s^2 / x (Lomont 2003); x
// below the smallest normal number then comes out between 0 and its root. ULP: 2.1, 2.5
template <class T>
PYNN_INLINE T root(T x, T c = 0) {
  if constexpr (!kNarrowDivider) return sqrt(x) + c;
  const T y = from_bits<T>(Number<T>::root_bits - (to_bits(x) >> 1)), s = x * y;
  const T r = larger(fma(-s, y, T(1)), T(-1));  // infinity has no r
  const T p =
      polynomial(r, T(1), T(0x1.ffff92p-2), T(0x1.7fff6ep-2), T(0x1.417702p-2), T(0x1.1982fep-2));
  if constexpr (sizeof(T) == 4) return fma(s, p, c);
  const T rest = larger(fma(-(s * p), y * p, T(1)), T(-1));
  return fma(s * p, polynomial(rest, T(1), T(0.5), T(0.375)), c);
}

// ---- exponentials ------------------------------------------------------------------------------

// (exp(r) - 1 - r) / r^2 for |r| <= ln(2) / 2
PYNN_INLINE float exp_remainder(float r) {
  return polynomial(r, 0x1p-1f, 0x1.555556p-3f, 0x1.5554aep-5f, 0x1.11109p-7f, 0x1.6d750ep-10f,
                    0x1.a1a1c4p-13f);
}
PYNN_INLINE double exp_remainder(double r) {
  return polynomial(r, 0x1p-1, 0x1.5555555555559p-3, 0x1.555555555555ap-5, 0x1.111111110f683p-7,
                    0x1.6c16c16c14413p-10, 0x1.a01a01affa32ep-13, 0x1.a01a01b0cc1aap-16,
                    0x1.71ddf815f1130p-19, 0x1.27e4c570bdd85p-22, 0x1.af5f380cdaa6cp-26,
                    0x1.1f95b121f5f04p-29);
}

// exp(x) = 2^n (1 + q), q = exp(r) - 1, |r| <= ln(2) / 2; n is handed on as n * 2^mantissa
template <class T>
struct ExpParts {
  T q;
  Bits<T> exponent;
};
template <class T>
PYNN_INLINE ExpParts<T> exp_parts(T x) {
  using N = Number<T>;
  const T rounded = fma(x, N::log2_e, N::round), n = rounded - N::round;
  const T r = fma(-n, N::ln2_low, fma(-n, N::ln2_high, x));
  return {fma(r * r, exp_remainder(r), r), to_bits(rounded) << N::mantissa};
}

// ULP: 1.0, 1.0
template <class T>
PYNN_INLINE T exp(T x) {
  using N = Number<T>;
  const ExpParts<T> e = exp_parts(x);
  const T y = from_bits<T>(to_bits(1 + e.q) + e.exponent);
  return x <= N::log_largest ? (x >= N::log_smallest_normal ? y : T(0)) : x + N::infinity;
}

// ULP: 1.5, 2.0
template <class T>
PYNN_INLINE T expm1(T x) {
  using N = Number<T>;
  const ExpParts<T> e = exp_parts(x);
  const T half = from_bits<T>(to_bits(T(0.5)) + e.exponent);  // 2^n / 2, as 2^n may overflow
  const T y = 2 * fma(half, e.q, half - T(0.5));
  return copysign(x <= N::log_largest ? (x >= -50 ? y : T(-1)) : x + N::infinity, x);
}

// ---- logarithms --------------------------------------------------------------------------------

// log(1 + f) - f for 1 + f in [sqrt(1/2), sqrt(2)]
PYNN_INLINE float log_remainder(float f) {
  const float p =
      polynomial(f, 0x1.555546p-2f, -0x1.ffffeep-3f, 0x1.99a54p-3f, -0x1.5562eep-3f, 0x1.233304p-3f,
                 -0x1.fb41aap-4f, 0x1.e64cf8p-4f, -0x1.e2f36ep-4f, 0x1.1b555cp-4f);
  return f * f * fma(f, p, -0.5f);
}
PYNN_INLINE double log_remainder(double f) {
  const double s = f / (2 + f), w = s * s;  // log(1 + f) = 2 artanh(s)
  const double p = polynomial(w, 0x1.5555555555593p-1, 0x1.999999997f9b8p-2, 0x1.249249423010fp-2,
                              0x1.c71c51d1bd76cp-3, 0x1.74664b2839ac4p-3, 0x1.39a06a95b4382p-3,
                              0x1.2f135cd7505c7p-3);
  const double half_square = 0.5 * f * f;
  return fma(s, fma(w, p, half_square), -half_square);
}

// log(2^k (1 + f))
template <class T>
PYNN_INLINE T log_sum(T k, T f) {
  using N = Number<T>;
  return fma(k, N::ln2_high, f + fma(k, N::ln2_low, log_remainder(f)));
}

// x = 2^k m with m in [sqrt(1/2), sqrt(2)), for normal x > 0
template <class T>
struct LogParts {
  T k, m;
  Bits<T> exponent;  // k * 2^mantissa
};
template <class T>
PYNN_INLINE LogParts<T> log_parts(T x) {
  using N = Number<T>;
  constexpr Bits<T> bias = sizeof(T) == 4 ? 128 : 1024;  // keeps the sum below positive
  constexpr T power = static_cast<T>(Bits<T>(1) << N::mantissa);
  const Bits<T> root = to_bits(T(0.70710678118654752)), fraction = (Bits<T>(1) << N::mantissa) - 1;
  const Bits<T> shifted = to_bits(x) - root + (bias << N::mantissa);
  const Bits<T> biased_k = shifted >> N::mantissa;
  // an integer below 2^mantissa becomes a number by becoming the mantissa of 2^mantissa
  const T k = from_bits<T>(to_bits(power) | biased_k) - (power + static_cast<T>(bias));
  return {k, from_bits<T>((shifted & fraction) + root), (biased_k - bias) << N::mantissa};
}

// ULP: 0.9, 1.0
template <class T>
PYNN_INLINE T log(T x) {
  using N = Number<T>;
  constexpr T power = static_cast<T>(Bits<T>(1) << N::mantissa);
  const bool subnormal = x < N::smallest_normal;
  const LogParts<T> e = log_parts(subnormal ? x * power : x);
  const T y = log_sum(e.k - (subnormal ? T(N::mantissa) : T(0)), e.m - 1);
  return x > 0 ? (x < N::infinity ? y : x) : (x == 0 ? -N::infinity : N::nan);
}

// ULP: 1.5, 0.9
template <class T>
PYNN_INLINE T log1p(T x) {
  using N = Number<T>;
  const LogParts<T> e = log_parts(1 + x);
  const T scale = from_bits<T>(to_bits(T(1)) - e.exponent);        // 2^-k
  const T f = x < T(0x1p60) ? fma(x, scale, scale - 1) : e.m - 1;  // 1 + f = (1 + x) / 2^k
  const T y = copysign(log_sum(e.k, f), x);
  return x > -1 ? (x < N::infinity ? y : x) : (x == -1 ? -N::infinity : N::nan);
}

// log(1 + x) for x in [0, 1]; NaN stays NaN
template <class T>
PYNN_INLINE T log1p_unit(T x) {
  const bool upper = x > T(0.41421356);
  const T f = upper ? fma(x, T(0.5), T(-0.5)) : x;
  return log_sum(upper ? T(1) : T(0), f);
}

// ---- sigmoids ----------------------------------------------------------------------------------

// 1 / (1 + exp(-x)). ULP: 2.5, 2.1
template <class T>
PYNN_INLINE T sigmoid(T x) {
  return 1 / (1 + exp(-x));
}

// log(1 + exp(x)). ULP: 1.7, 1.7
template <class T>
PYNN_INLINE T softplus(T x) {
  return at_least(x, T(0)) + log1p_unit(exp(-abs(x)));
}

// (tanh(x) - x) / x for |x| <= kTanhKnee, from z = x^2
inline constexpr double kTanhKnee = 0.55;
PYNN_INLINE float tanh_remainder(float z) {
  return z * polynomial(z, -0x1.55554cp-2f, 0x1.110d6ap-3f, -0x1.b931fap-5f, 0x1.598252p-6f,
                        -0x1.9c9356p-8f);
}
PYNN_INLINE double tanh_remainder(double z) {
  return z * polynomial(z, -0x1.555555555554fp-2, 0x1.111111111077fp-3, -0x1.ba1ba1b97b08ap-5,
                        0x1.664f4858c04ecp-6, -0x1.226e2efa3b124p-7, 0x1.d6d296ed0c2f5p-9,
                        -0x1.7d8f9179d643cp-10, 0x1.34815ec540c07p-11, -0x1.e9567c98845c2p-13,
                        0x1.5d2716d152fe4p-14, -0x1.46470138a4b92p-16);
}

// ULP: 1.5, 1.5
template <class T>
PYNN_INLINE T tanh(T x) {
  const T a = abs(x);
  const T y = a < T(kTanhKnee) ? fma(a, tanh_remainder(a * a), a) : 1 - 2 / (exp(2 * a) + 1);
  return copysign(y, x);
}

// x - tanh(x) without cancellation at small x. ULP: 16, 16 (just above the knee; else 2)
template <class T>
PYNN_INLINE T tanh_shrink(T x) {
  const T a = abs(x);
  const T y = a < T(kTanhKnee) ? -a * tanh_remainder(a * a) : (a - 1) + 2 / (exp(2 * a) + 1);
  return copysign(y, x);
}

// ---- error function and normal distribution ----------------------------------------------------

// (1 + 2 z) exp(z^2) erfc(z) for z >= 0, from u = (z - 7/2) / (z + 7/2); after Shepherd and
// Laframboise (1981), doi:10.1090/S0025-5718-1981-0595058-X
PYNN_INLINE float erfc_factor(float u) {
  return polynomial(u, 0x1.3e0a9ap+0f, -0x1.1ebd24p-3f, -0x1.59df02p-7f, 0x1.8f7122p-4f,
                    -0x1.d77102p-4f, 0x1.6850ccp-4f, -0x1.8f8df6p-5f, 0x1.3aa716p-6f,
                    -0x1.195778p-8f, -0x1.2799fcp-11f, 0x1.00f8f4p-11f);
}
PYNN_INLINE double erfc_factor(double u) {
  return polynomial(
      u, 0x1.3e0a99a0ee914p+0, -0x1.1ebd220ea5936p-3, -0x1.59e2c284b0b3dp-7, 0x1.8f702ec6b2eb1p-4,
      -0x1.d76830c3564p-4, 0x1.68610604787d6p-4, -0x1.8ff5ef763cf16p-5, 0x1.38ec666ec4cf5p-6,
      -0x1.143c4ce0c3147p-8, -0x1.3cf36491cce54p-12, 0x1.27e6720cafb64p-11, -0x1.fda96e272e63cp-14,
      -0x1.66e5f86a86c3fp-15, 0x1.970dc118b2964p-16, 0x1.393997b224c0dp-19, -0x1.00292efebe071p-18,
      -0x1.d6cb485581c1bp-25, 0x1.43fafbe1be0cbp-21, 0x1.55d0dd629a1d6p-28, -0x1.992fec213063dp-24,
      -0x1.1f2934059a022p-27, 0x1.7be15f21de073p-27, 0x1.6fb7426c9847fp-29);
}

// exp(-scale x^2) for scale = 1 or 1/2, with the rounding error of x^2 made good: exp magnifies it.
template <class T>
PYNN_INLINE T exp_minus_square(T x, T scale) {
  const T square = x * x;
  T error;
  if constexpr (kFma) {
    error = fma(x, x, -square);
  } else {  // Dekker: halves of x multiply exactly
    const T high = from_bits<T>(to_bits(x) & ~((Bits<T>(1) << (Number<T>::mantissa / 2 + 1)) - 1));
    const T low = x - high;
    error = ((high * high - square) + 2 * high * low) + low * low;
  }
  const T y = exp(-scale * square);
  return fma(y, -scale * error, y);
}

// erfc(z) for z >= 0 given exp(-z^2)
template <class T>
PYNN_INLINE T erfc_from(T z, T exp_minus_z2) {
  const T p = z + T(3.5), q = fma(T(2), z, T(1)), inverse = 1 / (p * q);  // one division for two
  return exp_minus_z2 * (p * inverse * erfc_factor(fma(T(-7), q * inverse, T(1))));
}

// erf(x) / x - 1 for |x| <= kErfKnee, from z = x^2
inline constexpr double kErfKnee = 1;
PYNN_INLINE float erf_remainder(float z) {
  return polynomial(z, 0x1.06eba8p-3f, -0x1.81274p-2f, 0x1.ce2d5p-4f, -0x1.b7fe9p-6f,
                    0x1.542e0ep-8f, -0x1.a50ae8p-11f, 0x1.4c339cp-14f);
}
PYNN_INLINE double erf_remainder(double z) {
  return polynomial(z, 0x1.06eba8214db68p-3, -0x1.812746b03799cp-2, 0x1.ce2f21a03f78dp-4,
                    -0x1.b82ce311a3103p-6, 0x1.565bccedd8459p-8, -0x1.c02dae8aaf48cp-11,
                    0x1.f9a292230246dp-14, -0x1.f4c7e3a2e92d3p-17, 0x1.b96847a29c755p-20,
                    -0x1.5b78ef8824c1dp-23, 0x1.d3530152b9690p-27, -0x1.a097c6382f6bap-31);
}

// ULP: 1.3, 1.4
template <class T>
PYNN_INLINE T erf(T x) {
  const T a = at_most(abs(x), T(7));
  const T small = fma(a, erf_remainder(a * a), a);
  return copysign(a < T(kErfKnee) ? small : 1 - erfc_from(a, exp_minus_square(a, T(1))), x);
}

// The standard normal distribution at x: cdf = P(X <= x), small without cancellation for x << 0,
// and bell = exp(-x^2 / 2). ULP of cdf: 6, 6
template <class T>
struct Normal {
  T cdf, bell;
};
template <class T>
PYNN_INLINE Normal<T> normal(T x) {
  const T a = at_most(abs(x), T(40));
  const T bell = exp_minus_square(a, T(0.5));
  const T tail = T(0.5) * erfc_from(a * T(0.70710678118654752), bell);
  const T c = a * T(0.35355339059327376),
          near = fma(c, erf_remainder(a * a / 2), c);  // cdf(a) - 1/2
  const bool center = a < T(0.9);
  return {center ? T(0.5) + copysign(near, x) : (x < 0 ? tail : 1 - tail), bell};
}

}  // namespace pynn::kernels::PYNN_ISA
