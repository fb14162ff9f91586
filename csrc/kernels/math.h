// The table of elementwise functions of one argument that are no activations: roots, logarithms,
// trigonometry, rounding, tests. Rows are those of activations.h; public as pynn.ops.<name>. What
// vmath.h does not have calls the C library element by element.
#pragma once

#include "kernels/activations.h"

namespace pynn::kernels::PYNN_ISA {

// The C library's functions of one argument for both types.
#define PYNN_LIBM(name, function)                                        \
  PYNN_INLINE float name(float x) { return __builtin_##function##f(x); } \
  PYNN_INLINE double name(double x) { return __builtin_##function(x); }
PYNN_LIBM(exp2, exp2)
PYNN_LIBM(log2, log2)
PYNN_LIBM(log10, log10)
PYNN_LIBM(sin, sin)
PYNN_LIBM(cos, cos)
PYNN_LIBM(tan, tan)
PYNN_LIBM(arcsin, asin)
PYNN_LIBM(arccos, acos)
PYNN_LIBM(arctan, atan)
PYNN_LIBM(sinh, sinh)
PYNN_LIBM(cosh, cosh)
PYNN_LIBM(arcsinh, asinh)
PYNN_LIBM(arccosh, acosh)
PYNN_LIBM(arctanh, atanh)
PYNN_LIBM(erfc, erfc)
PYNN_LIBM(cbrt, cbrt)
PYNN_LIBM(floor, floor)
PYNN_LIBM(ceil, ceil)
PYNN_LIBM(trunc, trunc)
PYNN_LIBM(round_to_even, rint)
#undef PYNN_LIBM

// -1, 0 or 1; NaN stays
template <class T>
PYNN_INLINE T sign(T x) {
  return x > 0 ? T(1) : (x < 0 ? T(-1) : (x == 0 ? T(0) : x));
}
template <class T>
PYNN_INLINE T truth(bool holds) {
  return holds ? T(1) : T(0);
}
template <class T>
PYNN_INLINE T bell(T x) {  // erf'
  return T(1.1283791670955126) * exp(-x * x);
}

#define PYNN_OF(argument) \
  []<class T>([[maybe_unused]] T argument, [[maybe_unused]] const T* p) PYNN_LAMBDA->T
#define PYNN_FLAT \
  PYNN_OF(y) { return T(0); }  // a derivative that is 0 wherever there is one

// clang-format off
inline constexpr auto kMath = std::tuple{
  Act{RowText{.name = "negative", .formula = "y = -x", .doc = "Changes the sign."},
    {}, Keep::y,
    PYNN_OF(x) { return -x; },
    PYNN_OF(y) { return T(-1); }},
  Act{RowText{.name = "absolute", .aliases = "abs fabs", .formula = "y = |x|",
      .doc = "The absolute value."},
    {0}, Keep::x,
    PYNN_OF(x) { return abs(x); },
    PYNN_OF(x) { return sign(x); }},
  Act{RowText{.name = "square", .formula = "y = x^2", .doc = "The square."},
    {}, Keep::x,
    PYNN_OF(x) { return x * x; },
    PYNN_OF(x) { return 2 * x; }},
  Act{RowText{.name = "sqrt", .formula = "y = sqrt(x)", .doc = "The square root."},
    {}, Keep::y,
    PYNN_OF(x) { return sqrt(x); },
    PYNN_OF(y) { return T(0.5) / y; }},
  Act{RowText{.name = "rsqrt", .formula = "y = 1 / sqrt(x)",
      .doc = "The reciprocal of the square root."},
    {}, Keep::y,
    PYNN_OF(x) { return 1 / sqrt(x); },
    PYNN_OF(y) { return T(-0.5) * y * y * y; }},
  Act{RowText{.name = "cbrt", .formula = "y = x^(1/3)", .doc = "The cube root."},
    {}, Keep::y,
    PYNN_OF(x) { return cbrt(x); },
    PYNN_OF(y) { return 1 / (3 * y * y); }},
  Act{RowText{.name = "reciprocal", .formula = "y = 1 / x", .doc = "The reciprocal."},
    {}, Keep::y,
    PYNN_OF(x) { return 1 / x; },
    PYNN_OF(y) { return -y * y; }},
  Act{RowText{.name = "exp", .formula = "y = exp(x)", .doc = "The exponential."},
    {}, Keep::y,
    PYNN_OF(x) { return exp(x); },
    PYNN_OF(y) { return y; }},
  Act{RowText{.name = "exp2", .formula = "y = 2^x", .doc = "The power of two."},
    {}, Keep::y,
    PYNN_OF(x) { return exp2(x); },
    PYNN_OF(y) { return y * T(0.69314718055994531); }},
  Act{RowText{.name = "expm1", .formula = "y = exp(x) - 1",
      .doc = "The exponential minus one, exact for small x."},
    {}, Keep::y,
    PYNN_OF(x) { return expm1(x); },
    PYNN_OF(y) { return y + 1; }},
  Act{RowText{.name = "log", .formula = "y = log(x)", .doc = "The natural logarithm."},
    {}, Keep::x,
    PYNN_OF(x) { return log(x); },
    PYNN_OF(x) { return 1 / x; }},
  Act{RowText{.name = "log1p", .formula = "y = log(1 + x)",
      .doc = "The logarithm of one plus x, exact for small x."},
    {}, Keep::x,
    PYNN_OF(x) { return log1p(x); },
    PYNN_OF(x) { return 1 / (1 + x); }},
  Act{RowText{.name = "log2", .formula = "y = log(x) / log(2)", .doc = "The logarithm to base 2."},
    {}, Keep::x,
    PYNN_OF(x) { return log2(x); },
    PYNN_OF(x) { return T(1.4426950408889634) / x; }},
  Act{RowText{.name = "log10", .formula = "y = log(x) / log(10)",
      .doc = "The logarithm to base 10."},
    {}, Keep::x,
    PYNN_OF(x) { return log10(x); },
    PYNN_OF(x) { return T(0.43429448190325183) / x; }},
  Act{RowText{.name = "sin", .formula = "y = sin(x)", .doc = "The sine of radians."},
    {}, Keep::x,
    PYNN_OF(x) { return sin(x); },
    PYNN_OF(x) { return cos(x); }},
  Act{RowText{.name = "cos", .formula = "y = cos(x)", .doc = "The cosine of radians."},
    {}, Keep::x,
    PYNN_OF(x) { return cos(x); },
    PYNN_OF(x) { return -sin(x); }},
  Act{RowText{.name = "tan", .formula = "y = tan(x)", .doc = "The tangent of radians."},
    {}, Keep::y,
    PYNN_OF(x) { return tan(x); },
    PYNN_OF(y) { return 1 + y * y; }},
  Act{RowText{.name = "arcsin", .formula = "y = arcsin(x)", .doc = "The inverse of the sine."},
    {}, Keep::x,
    PYNN_OF(x) { return arcsin(x); },
    PYNN_OF(x) { return 1 / sqrt((1 - x) * (1 + x)); }},
  Act{RowText{.name = "arccos", .formula = "y = arccos(x)", .doc = "The inverse of the cosine."},
    {}, Keep::x,
    PYNN_OF(x) { return arccos(x); },
    PYNN_OF(x) { return -1 / sqrt((1 - x) * (1 + x)); }},
  Act{RowText{.name = "arctan", .formula = "y = arctan(x)", .doc = "The inverse of the tangent."},
    {}, Keep::x,
    PYNN_OF(x) { return arctan(x); },
    PYNN_OF(x) { return 1 / (1 + x * x); }},
  Act{RowText{.name = "sinh", .formula = "y = sinh(x)", .doc = "The hyperbolic sine."},
    {}, Keep::x,
    PYNN_OF(x) { return sinh(x); },
    PYNN_OF(x) { return cosh(x); }},
  Act{RowText{.name = "cosh", .formula = "y = cosh(x)", .doc = "The hyperbolic cosine."},
    {}, Keep::x,
    PYNN_OF(x) { return cosh(x); },
    PYNN_OF(x) { return sinh(x); }},
  Act{RowText{.name = "arcsinh", .formula = "y = arcsinh(x)",
      .doc = "The inverse of the hyperbolic sine."},
    {}, Keep::x,
    PYNN_OF(x) { return arcsinh(x); },
    PYNN_OF(x) { return 1 / sqrt(x * x + 1); }},
  Act{RowText{.name = "arccosh", .formula = "y = arccosh(x)",
      .doc = "The inverse of the hyperbolic cosine."},
    {}, Keep::x,
    PYNN_OF(x) { return arccosh(x); },
    PYNN_OF(x) { return 1 / sqrt((x - 1) * (x + 1)); }},
  Act{RowText{.name = "arctanh", .formula = "y = arctanh(x)",
      .doc = "The inverse of the hyperbolic tangent."},
    {}, Keep::x,
    PYNN_OF(x) { return arctanh(x); },
    PYNN_OF(x) { return 1 / ((1 - x) * (1 + x)); }},
  Act{RowText{.name = "erf", .formula = "y = 2 / sqrt(pi) integral of exp(-t^2) from 0 to x",
      .doc = "The error function."},
    {}, Keep::x,
    PYNN_OF(x) { return erf(x); },
    PYNN_OF(x) { return bell(x); }},
  Act{RowText{.name = "erfc", .formula = "y = 1 - erf(x)", .doc = "The complement of erf."},
    {}, Keep::x,
    PYNN_OF(x) { return erfc(x); },
    PYNN_OF(x) { return -bell(x); }},
  Act{RowText{.name = "floor", .formula = "y = the largest integer <= x",
      .doc = "Rounds down; the gradient is 0."},
    {0}, Keep::y, PYNN_OF(x) { return floor(x); }, PYNN_FLAT},
  Act{RowText{.name = "ceil", .formula = "y = the smallest integer >= x",
      .doc = "Rounds up; the gradient is 0."},
    {0}, Keep::y, PYNN_OF(x) { return ceil(x); }, PYNN_FLAT},
  Act{RowText{.name = "trunc", .formula = "y = the integer next to x towards 0",
      .doc = "Rounds towards 0; the gradient is 0."},
    {0}, Keep::y, PYNN_OF(x) { return trunc(x); }, PYNN_FLAT},
  Act{RowText{.name = "rint", .formula = "y = the nearest integer",
      .doc = "Rounds, halves to even; the gradient is 0."},
    {0.5}, Keep::y, PYNN_OF(x) { return round_to_even(x); }, PYNN_FLAT},
  Act{RowText{.name = "sign", .formula = "y = -1, 0 or 1", .doc = "The sign; the gradient is 0."},
    {0}, Keep::y, PYNN_OF(x) { return sign(x); }, PYNN_FLAT},
  Act{RowText{.name = "signbit", .formula = "y = whether x < 0, or x = -0",
      .doc = "Whether the sign is negative."},
    {0}, Keep::y, PYNN_OF(x) { return truth<T>(copysign(T(1), x) < 0); }, PYNN_FLAT},
  Act{RowText{.name = "isnan", .formula = "y = whether x is NaN", .doc = "Finds NaN."},
    {}, Keep::y, PYNN_OF(x) { return truth<T>(x != x); }, PYNN_FLAT},
  Act{RowText{.name = "isinf", .formula = "y = whether |x| = inf", .doc = "Finds infinities."},
    {}, Keep::y, PYNN_OF(x) { return truth<T>(abs(x) == Number<T>::infinity); }, PYNN_FLAT},
  Act{RowText{.name = "isposinf", .formula = "y = whether x = inf", .doc = "Finds +infinity."},
    {}, Keep::y, PYNN_OF(x) { return truth<T>(x == Number<T>::infinity); }, PYNN_FLAT},
  Act{RowText{.name = "isneginf", .formula = "y = whether x = -inf", .doc = "Finds -infinity."},
    {}, Keep::y, PYNN_OF(x) { return truth<T>(x == -Number<T>::infinity); }, PYNN_FLAT},
  Act{RowText{.name = "isfinite", .formula = "y = whether |x| < inf",
      .doc = "Finds what is neither infinite nor NaN."},
    {}, Keep::y, PYNN_OF(x) { return truth<T>(abs(x) < Number<T>::infinity); }, PYNN_FLAT},
  Act{RowText{.name = "logical_not", .formula = "y = whether x = 0",
      .doc = "The opposite truth value."},
    {}, Keep::y, PYNN_OF(x) { return truth<T>(x == 0); }, PYNN_FLAT},
};
// clang-format on
#undef PYNN_FLAT
#undef PYNN_OF

template <class T>
inline constexpr auto kMathKernels = kKernelsOf<T, kMath>;

}  // namespace pynn::kernels::PYNN_ISA
