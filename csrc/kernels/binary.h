// The table of elementwise functions of two arguments, public as pynn.ops.<name>. A row is the
// whole addition: its text, f and the two derivatives. Where f jumps or bends, the derivative is
// one that central differences would give: half of the left and the right one.
#pragma once

#include "kernels/math.h"

namespace pynn::kernels::PYNN_ISA {

template <class F, class A, class B>
struct Bin {
  RowText text;
  F f;   // f(a, b)
  A da;  // df/da
  B db;  // df/db
};
template <class F, class A, class B>
Bin(RowText, F, A, B) -> Bin<F, A, B>;

// ---- scalar mathematics of more than a line ----------------------------------------------------

#define PYNN_LIBM(name, function)                                                    \
  PYNN_INLINE float name(float a, float b) { return __builtin_##function##f(a, b); } \
  PYNN_INLINE double name(double a, double b) { return __builtin_##function(a, b); }
PYNN_LIBM(power, pow)
PYNN_LIBM(arctan2, atan2)
PYNN_LIBM(hypot, hypot)
PYNN_LIBM(remainder_to_zero, fmod)
#undef PYNN_LIBM

// The remainder with the sign of b.
template <class T>
PYNN_INLINE T modulo(T a, T b) {
  const T r = remainder_to_zero(a, b);
  return r != 0 && (r < 0) != (b < 0) ? r + b : (r == 0 ? copysign(T(0), b) : r);
}
template <class T>
PYNN_INLINE T floor_divide(T a, T b) {
  const T r = remainder_to_zero(a, b);
  const T quotient = round_to_even((a - r) / b) - ((r < 0) != (b < 0) && r != 0 ? T(1) : T(0));
  return b == 0 ? a / b : (quotient == 0 ? copysign(T(0), a / b) : quotient);
}
template <class T>
PYNN_INLINE T power_slope(T a, T b) {
  return b == 0 ? T(0) : b * power(a, b - 1);
}
// a^b log(a); 0 for a <= 0, where a^b exists for single b only
template <class T>
PYNN_INLINE T power_growth(T a, T b) {
  return a > 0 ? power(a, b) * log(a) : T(0);
}
// log(exp(a) + exp(b))
template <class T>
PYNN_INLINE T logaddexp(T a, T b) {
  const T top = a > b || a != a ? a : b, gap = a == b ? T(0) : abs(a - b);
  return top + log1p_unit(exp(-gap));
}
// 1 where a > b, half of it where both are the same
template <class T>
PYNN_INLINE T above(T a, T b) {
  return a > b ? T(1) : (a == b ? T(0.5) : T(0));
}

// ---- the table ---------------------------------------------------------------------------------

#define PYNN_OF []<class T>([[maybe_unused]] T a, [[maybe_unused]] T b) PYNN_LAMBDA->T
#define PYNN_FLAT \
  PYNN_OF { return T(0); }
#define PYNN_TEST(condition)              \
  PYNN_OF { return truth<T>(condition); } \
  , PYNN_FLAT, PYNN_FLAT

// clang-format off
inline constexpr auto kBinary = std::tuple{
  Bin{RowText{.name = "add", .formula = "y = a + b", .doc = "The sum."},
    PYNN_OF { return a + b; },
    PYNN_OF { return T(1); }, PYNN_OF { return T(1); }},
  Bin{RowText{.name = "subtract", .formula = "y = a - b", .doc = "The difference."},
    PYNN_OF { return a - b; },
    PYNN_OF { return T(1); }, PYNN_OF { return T(-1); }},
  Bin{RowText{.name = "multiply", .formula = "y = a b", .doc = "The product."},
    PYNN_OF { return a * b; },
    PYNN_OF { return b; }, PYNN_OF { return a; }},
  Bin{RowText{.name = "divide", .aliases = "true_divide", .formula = "y = a / b",
      .doc = "The quotient."},
    PYNN_OF { return a / b; },
    PYNN_OF { return 1 / b; }, PYNN_OF { return -a / (b * b); }},
  Bin{RowText{.name = "divide_no_nan", .formula = "y = a / b, 0 where b = 0",
      .doc = "The quotient, or 0 where there is none."},
    PYNN_OF { return b == 0 ? T(0) : a / b; },
    PYNN_OF { return b == 0 ? T(0) : 1 / b; }, PYNN_OF { return b == 0 ? T(0) : -a / (b * b); }},
  Bin{RowText{.name = "maximum", .formula = "y = max(a, b)",
      .doc = "The larger one; NaN where one is NaN."},
    PYNN_OF { return a > b || a != a ? a : b; },
    PYNN_OF { return above(a, b); }, PYNN_OF { return above(b, a); }},
  Bin{RowText{.name = "minimum", .formula = "y = min(a, b)",
      .doc = "The smaller one; NaN where one is NaN."},
    PYNN_OF { return a < b || a != a ? a : b; },
    PYNN_OF { return above(b, a); }, PYNN_OF { return above(a, b); }},
  Bin{RowText{.name = "fmax", .formula = "y = max(a, b), the other one where one is NaN",
      .doc = "The larger one of those that are not NaN."},
    PYNN_OF { return a >= b || b != b ? a : b; },
    PYNN_OF { return b != b ? T(1) : above(a, b); },
    PYNN_OF { return a != a && b == b ? T(1) : above(b, a); }},
  Bin{RowText{.name = "fmin", .formula = "y = min(a, b), the other one where one is NaN",
      .doc = "The smaller one of those that are not NaN."},
    PYNN_OF { return a <= b || b != b ? a : b; },
    PYNN_OF { return b != b ? T(1) : above(b, a); },
    PYNN_OF { return a != a && b == b ? T(1) : above(a, b); }},
  Bin{RowText{.name = "power", .formula = "y = a^b", .doc = "The power."},
    PYNN_OF { return power(a, b); },
    PYNN_OF { return power_slope(a, b); }, PYNN_OF { return power_growth(a, b); }},
  Bin{RowText{.name = "mod", .formula = "y = a - floor(a / b) b",
      .doc = "The remainder, with the sign of b."},
    PYNN_OF { return modulo(a, b); },
    PYNN_OF { return T(1); }, PYNN_OF { return -floor_divide(a, b); }},
  Bin{RowText{.name = "fmod", .formula = "y = a - trunc(a / b) b",
      .doc = "The remainder, with the sign of a."},
    PYNN_OF { return remainder_to_zero(a, b); },
    PYNN_OF { return T(1); }, PYNN_OF { return -trunc(a / b); }},
  Bin{RowText{.name = "floor_divide", .formula = "y = floor(a / b)",
      .doc = "The quotient rounded down; the gradient is 0."},
    PYNN_OF { return floor_divide(a, b); }, PYNN_FLAT, PYNN_FLAT},
  Bin{RowText{.name = "arctan2", .formula = "y = the angle of the point (b, a)",
      .doc = "The angle, in radians from -pi to pi."},
    PYNN_OF { return arctan2(a, b); },
    PYNN_OF { return b / (a * a + b * b); }, PYNN_OF { return -a / (a * a + b * b); }},
  Bin{RowText{.name = "hypot", .formula = "y = sqrt(a^2 + b^2)",
      .doc = "The long side of a right triangle."},
    PYNN_OF { return hypot(a, b); },
    PYNN_OF { return a / hypot(a, b); }, PYNN_OF { return b / hypot(a, b); }},
  Bin{RowText{.name = "logaddexp", .formula = "y = log(exp(a) + exp(b))",
      .doc = "The sum of two numbers given by their logarithms."},
    PYNN_OF { return logaddexp(a, b); },
    PYNN_OF { return sigmoid(a - b); }, PYNN_OF { return sigmoid(b - a); }},
  Bin{RowText{.name = "heaviside", .formula = "y = 0 if a < 0, b if a = 0, else 1",
      .doc = "The step function; the gradient with respect to a is 0."},
    PYNN_OF { return a > 0 ? T(1) : (a < 0 ? T(0) : (a == 0 ? b : a)); },
    PYNN_FLAT, PYNN_OF { return truth<T>(a == 0); }},
  Bin{RowText{.name = "equal", .formula = "y = whether a = b", .doc = "Compares."},
    PYNN_TEST(a == b)},
  Bin{RowText{.name = "not_equal", .formula = "y = whether a != b", .doc = "Compares."},
    PYNN_TEST(a != b)},
  Bin{RowText{.name = "less", .formula = "y = whether a < b", .doc = "Compares."},
    PYNN_TEST(a < b)},
  Bin{RowText{.name = "less_equal", .formula = "y = whether a <= b", .doc = "Compares."},
    PYNN_TEST(a <= b)},
  Bin{RowText{.name = "greater", .formula = "y = whether a > b", .doc = "Compares."},
    PYNN_TEST(a > b)},
  Bin{RowText{.name = "greater_equal", .formula = "y = whether a >= b", .doc = "Compares."},
    PYNN_TEST(a >= b)},
  Bin{RowText{.name = "logical_and", .formula = "y = whether a and b are not 0",
      .doc = "Both."},
    PYNN_TEST(a != 0 && b != 0)},
  Bin{RowText{.name = "logical_or", .formula = "y = whether a or b is not 0",
      .doc = "At least one."},
    PYNN_TEST(a != 0 || b != 0)},
  Bin{RowText{.name = "logical_xor", .formula = "y = whether one of a, b is 0, not both",
      .doc = "Exactly one."},
    PYNN_TEST((a != 0) != (b != 0))},
};
// clang-format on
#undef PYNN_TEST
#undef PYNN_FLAT
#undef PYNN_OF

// ---- the kernels that follow from it -----------------------------------------------------------

// f(i, a, b) for each element; a stride is 1, or 0 for an operand that is one number
template <class T, class F>
PYNN_INLINE void each_pair(const T* a, isize a_stride, const T* b, isize b_stride, isize n, F f) {
  if (a_stride && b_stride) {
    PYNN_SIMD
    for (isize i = 0; i < n; ++i) f(i, a[i], b[i]);
  } else if (a_stride) {
    const T one = *b;
    PYNN_SIMD
    for (isize i = 0; i < n; ++i) f(i, a[i], one);
  } else {
    const T one = *a;
    PYNN_SIMD
    for (isize i = 0; i < n; ++i) f(i, one, b[i * b_stride]);
  }
}

template <class T, std::size_t Row>
void combine(T* y, const T* a, isize a_stride, const T* b, isize b_stride, isize n) {
  constexpr auto f = std::get<Row>(kBinary).f;
  each_pair(a, a_stride, b, b_stride, n, [=](isize i, T u, T v) PYNN_LAMBDA { y[i] = f(u, v); });
}

template <class T, std::size_t Row, bool kLeft>
void combine_backward(T* dx, const T* dy, const T* a, isize a_stride, const T* b, isize b_stride,
                      isize n) {
  each_pair(a, a_stride, b, b_stride, n, [=](isize i, T u, T v) PYNN_LAMBDA {
    if constexpr (kLeft) {
      dx[i] = dy[i] * std::get<Row>(kBinary).da(u, v);
    } else {
      dx[i] = dy[i] * std::get<Row>(kBinary).db(u, v);
    }
  });
}

template <class T>
inline constexpr auto kBinaryKernels = []<std::size_t... Row>(std::index_sequence<Row...>) {
  return std::array{BinaryKernels<T>{&combine<T, Row>, &combine_backward<T, Row, true>,
                                     &combine_backward<T, Row, false>}...};
}(std::make_index_sequence<std::tuple_size_v<decltype(kBinary)>>{});

}  // namespace pynn::kernels::PYNN_ISA
