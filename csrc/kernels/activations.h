// The table of elementwise activations. A row is the whole addition: its text, where f' jumps, what
// the backward pass keeps (the input x or the output y), f and f'. The kernels below, the catalog
// and the tests follow from it. Formulas and defaults are Keras's where Keras has the function.
#pragma once

#include <array>
#include <tuple>
#include <type_traits>
#include <utility>

#include "kernels/apply.h"
#include "kernels/row_text.h"

namespace pynn::kernels::PYNN_ISA {

enum class Keep { x, y };

struct Kinks {
  double first = kRequired, second = kRequired;  // NaN for none; at the default parameters
};

template <class F, class D>
struct Act {
  RowText text;
  Kinks kinks;
  Keep keep;
  F f;   // f(x, p)
  D df;  // f'(kept, p): at x for Keep::x, at the x with f(x) = y for Keep::y
};
template <class F, class D>
Act(RowText, Kinks, Keep, F, D) -> Act<F, D>;

// ---- scalar mathematics of more than a line ----------------------------------------------------

// mish = x t with t = tanh(log(1 + e)) = n / (n + 2), e = exp(x), n = e (e + 2)
template <class T>
PYNN_INLINE T mish_gate(T e) {
  const T n = e * (e + 2);
  return n / (n + 2);
}
// Beyond 40 t is 1 in either precision, and e^2 must not overflow; below -1000 e is 0, and 0 * -inf
// not NaN.
template <class T>
PYNN_INLINE T mish_slope(T x) {
  const T c = clamp(x, T(-1000), T(40)), e = exp(c), d = e * (e + 2) + 2;
  return mish_gate(e) + c * (4 * e * (1 + e) / d) / d;
}

// gelu's inner polynomial u = sqrt(2 / pi) (x + 0.044715 x^3): (1 + tanh(u)) / 2 = sigmoid(2 u)
template <class T>
PYNN_INLINE T gelu_tanh_gate(T x) {
  return sigmoid(T(1.5957691216057308) * x * fma(T(0.044715) * x, x, T(1)));
}
template <class T>
PYNN_INLINE T gelu_tanh_slope(T x) {
  const T c = clamp(x, T(-30), T(30)), s = gelu_tanh_gate(c);
  return fma(c * s * (1 - s), T(1.5957691216057308) * fma(T(3 * 0.044715) * c, c, T(1)), s);
}
template <class T>
PYNN_INLINE T gelu_slope(T x) {
  const Normal<T> n = normal(x);
  return fma(clamp(x, T(-40), T(40)) * T(0.39894228040143268), n.bell, n.cdf);
}

// (x + sqrt(x^2 + b)) / 2; for x < 0 as b / (2 (sqrt - x)), free of cancellation
template <class T>
PYNN_INLINE T squareplus(T x, T b) {
  const T a = abs(x), root = a < T(1e15) ? sqrt(fma(x, x, b)) : a;
  return x < 0 ? b / (2 * (root + a)) : T(0.5) * (root + a);
}

// relu with slope 0 maps -inf to 0, not to 0 * -inf
template <class T>
PYNN_INLINE T relu_below(T x, T slope, T threshold) {
  if (slope == 0) return x <= threshold ? T(0) : x;  // what is left is NaN
  return fma(slope, x - threshold, T(0));            // + 0 turns -0 into 0
}

inline constexpr double kSeluScale = 1.0507009873554805, kSeluAlpha = 1.6732632423543772;

// ---- the table ---------------------------------------------------------------------------------

// PYNN_OF(x) { return ...; } is a function of x and the parameters p[0], p[1], ... in field order.
// Where Keras's function gives 0 for -0, + T(0) makes 0 of -0.
#define PYNN_OF(argument) \
  []<class T>([[maybe_unused]] T argument, [[maybe_unused]] const T* p) PYNN_LAMBDA->T

// clang-format off
inline constexpr auto kActivations = std::tuple{
  Act{RowText{.name = "linear", .formula = "f(x) = x", .doc = "The identity."},
    {}, Keep::y,
    PYNN_OF(x) { return x; },
    PYNN_OF(y) { return T(1); }},
  Act{RowText{.name = "heaviside", .formula = "f(x) = 1 if x >= 0 else 0",
      .doc = "The step of the perceptron. Its gradient is 0: train it with the perceptron's rule.",
      .reference = "Rosenblatt (1958), doi:10.1037/h0042519"},
    {0}, Keep::y,
    PYNN_OF(x) { return x >= 0 ? T(1) : (x < 0 ? T(0) : x); },  // NaN stays
    PYNN_OF(y) { return T(0); }},
  Act{RowText{.name = "sigmoid", .formula = "f(x) = 1 / (1 + exp(-x))",
      .doc = "The logistic function, between 0 and 1."},
    {}, Keep::y,
    PYNN_OF(x) { return sigmoid(x); },
    PYNN_OF(y) { return y * (1 - y); }},
  Act{RowText{.name = "hard_sigmoid", .formula = "f(x) = min(max(x + 3, 0), 6) / 6",
      .doc = "The sigmoid in three straight pieces.",
      .reference = "Courbariaux et al. (2015), arXiv:1511.00363"},
    {-3, 3}, Keep::y,
    PYNN_OF(x) { return clamp(x + 3, T(0), T(6)) * (T(1) / 6); },
    PYNN_OF(y) { return y > 0 && y < 1 ? T(1) / 6 : T(0); }},
  Act{RowText{.name = "tanh", .formula = "f(x) = tanh(x)",
      .doc = "Hyperbolic tangent, between -1 and 1."},
    {}, Keep::y,
    PYNN_OF(x) { return tanh(x); },
    PYNN_OF(y) { return (1 - y) * (1 + y); }},
  Act{RowText{.name = "relu",
      .formula = "f(x) = min(x, max_value) if x > threshold else negative_slope (x - threshold)",
      .doc = "Rectified linear unit; max(x, 0) with its defaults.",
      .reference = "Nair and Hinton (2010), https://icml.cc/Conferences/2010/papers/432.pdf",
      .fields = {Field{"negative_slope", 0, "Slope below the threshold.", 0},
                 Field{"max_value", kInfinity, "The largest value; None for no limit.", 0},
                 Field{"threshold", 0, "Inputs up to it are not passed on.", 0}}},
    {0}, Keep::y,
    PYNN_OF(x) { return x > p[2] ? at_most(x, p[1]) : relu_below(x, p[0], p[2]); },
    PYNN_OF(y) { return y > 0 ? (y < p[1] ? T(1) : T(0)) : p[0]; }},
  Act{RowText{.name = "leaky_relu", .formula = "f(x) = x if x > 0 else negative_slope x",
      .doc = "Rectified linear unit that lets a little through below 0.",
      .reference =
        "Maas et al. (2013), https://ai.stanford.edu/~amaas/papers/relu_hybrid_icml2013_final.pdf",
      .fields = {Field{"negative_slope", 0.2, "Slope below 0.", 0}}},
    {0}, Keep::y,
    PYNN_OF(x) { return x > 0 ? x : relu_below(x, p[0], T(0)); },
    PYNN_OF(y) { return y > 0 ? T(1) : p[0]; }},
  Act{RowText{.name = "elu", .formula = "f(x) = x if x > 0 else alpha (exp(x) - 1)",
      .doc = "Exponential linear unit: smooth down to -alpha.",
      .reference = "Clevert et al. (2016), arXiv:1511.07289",
      .fields = {Field{"alpha", 1, "Minus the limit for very negative x.", 0}}},
    {}, Keep::y,
    PYNN_OF(x) { return x > 0 ? x : p[0] * expm1(x); },
    PYNN_OF(y) { return y > 0 ? T(1) : y + p[0]; }},
  Act{RowText{.name = "selu",
      .formula = "f(x) = scale (x if x > 0 else alpha (exp(x) - 1)), "
        "scale = 1.0507..., alpha = 1.6732...",
      .doc = "Scaled exponential linear unit: keeps mean 0 and variance 1 with lecun_normal.",
      .reference = "Klambauer et al. (2017), arXiv:1706.02515"},
    {0}, Keep::y,
    PYNN_OF(x) { return x > 0 ? T(kSeluScale) * x : T(kSeluScale * kSeluAlpha) * expm1(x); },
    PYNN_OF(y) { return y > 0 ? T(kSeluScale) : y + T(kSeluScale * kSeluAlpha); }},
  Act{RowText{.name = "silu", .aliases = "swish", .formula = "f(x) = x sigmoid(x)",
      .doc = "Sigmoid-weighted linear unit, or swish.",
      .reference = "Elfwing et al. (2018), arXiv:1702.03118; "
        "Ramachandran et al. (2017), arXiv:1710.05941"},
    {}, Keep::x,
    PYNN_OF(x) { return at_least(x, T(-1000)) * sigmoid(x); },
    PYNN_OF(x) {
      const T c = clamp(x, T(-1000), T(1000)), s = sigmoid(c);
      return s * fma(c, 1 - s, T(1)); }},
  Act{RowText{.name = "gelu",
      .formula = "f(x) = x P(X <= x), X ~ N(0, 1); "
        "approximate: x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2",
      .doc = "Gaussian error linear unit.",
      .reference = "Hendrycks and Gimpel (2016), arXiv:1606.08415",
      .fields = {Field{"approximate", 0, "Use the formula with tanh.", 0, 1, true}}},
    {}, Keep::x,
    PYNN_OF(x) { return at_least(x, T(-1000)) * (p[0] != 0 ? gelu_tanh_gate(x) : normal(x).cdf); },
    PYNN_OF(x) { return p[0] != 0 ? gelu_tanh_slope(x) : gelu_slope(x); }},
  Act{RowText{.name = "softplus", .formula = "f(x) = log(1 + exp(x))", .doc = "A smooth max(x, 0).",
      .reference = "Glorot et al. (2011), https://proceedings.mlr.press/v15/glorot11a.html"},
    {}, Keep::y,
    PYNN_OF(x) { return softplus(x); },
    PYNN_OF(y) { return -expm1(-y); }},  // sigmoid(x) = 1 - exp(-y)
  Act{RowText{.name = "softsign", .formula = "f(x) = x / (1 + |x|)",
      .doc = "Between -1 and 1, with slower tails than tanh."},
    {}, Keep::x,
    PYNN_OF(x) {
      const T c = clamp(x, -Number<T>::largest, Number<T>::largest);
      return c / (1 + abs(c)); },
    PYNN_OF(x) { const T s = 1 / (1 + abs(x)); return s * s; }},
  Act{RowText{.name = "exponential", .formula = "f(x) = exp(x)",
      .doc = "The exponential function."},
    {}, Keep::y,
    PYNN_OF(x) { return exp(x); },
    PYNN_OF(y) { return y; }},
  Act{RowText{.name = "mish", .formula = "f(x) = x tanh(log(1 + exp(x)))",
      .doc = "Self-gated and smooth, like silu.", .reference = "Misra (2019), arXiv:1908.08681"},
    {}, Keep::x,
    PYNN_OF(x) { return at_least(x, T(-1000)) * mish_gate(exp(at_most(x, T(40)))); },
    PYNN_OF(x) { return mish_slope(x); }},
  Act{RowText{.name = "relu6", .formula = "f(x) = min(max(x, 0), 6)",
      .doc = "Rectified linear unit, at most 6.",
      .reference = "Howard et al. (2017), arXiv:1704.04861"},
    {0, 6}, Keep::y,
    PYNN_OF(x) { return clamp(x, T(0), T(6)) + T(0); },
    PYNN_OF(y) { return y > 0 && y < 6 ? T(1) : T(0); }},
  Act{RowText{.name = "celu", .formula = "f(x) = x if x > 0 else alpha (exp(x / alpha) - 1)",
      .doc = "Exponential linear unit whose derivative is continuous for any alpha.",
      .reference = "Barron (2017), arXiv:1704.07483",
      .fields = {Field{"alpha", 1, "Minus the limit for very negative x.", kPositive}}},
    {}, Keep::y,
    PYNN_OF(x) { return x > 0 ? x : p[0] * expm1(x / p[0]) + T(0); },
    PYNN_OF(y) { return y > 0 ? T(1) : y / p[0] + 1; }},
  Act{RowText{.name = "hard_silu", .aliases = "hard_swish",
      .formula = "f(x) = x min(max(x + 3, 0), 6) / 6",
      .doc = "silu with the hard sigmoid.", .reference = "Howard et al. (2019), arXiv:1905.02244"},
    {-3, 3}, Keep::x,
    PYNN_OF(x) { return at_least(x, T(-3)) * (clamp(x + 3, T(0), T(6)) * (T(1) / 6)); },
    PYNN_OF(x) { return x > -3 ? (x < 3 ? fma(x, T(1) / 3, T(0.5)) : T(1)) : T(0); }},
  Act{RowText{.name = "hard_tanh", .formula = "f(x) = min(max(x, -1), 1)",
      .doc = "tanh in three straight pieces."},
    {-1, 1}, Keep::y,
    PYNN_OF(x) { return clamp(x, T(-1), T(1)); },
    PYNN_OF(y) { return y > -1 && y < 1 ? T(1) : T(0); }},
  Act{RowText{.name = "hard_shrink", .formula = "f(x) = x if |x| > threshold else 0",
      .doc = "Sets small values to 0.",
      .fields = {Field{"threshold", 0.5, "Magnitudes up to it become 0.", 0}}},
    {-0.5, 0.5}, Keep::y,
    PYNN_OF(x) { return abs(x) <= p[0] ? T(0) : x; },
    PYNN_OF(y) { return y == 0 ? T(0) : T(1); }},
  Act{RowText{.name = "soft_shrink", .formula = "f(x) = sign(x) max(|x| - threshold, 0)",
      .doc = "Moves values towards 0 by the threshold.",
      .fields = {Field{"threshold", 0.5, "Magnitudes up to it become 0.", 0}}},
    {-0.5, 0.5}, Keep::y,
    PYNN_OF(x) { return x - clamp(x, -p[0], p[0]); },
    PYNN_OF(y) { return y == 0 ? T(0) : T(1); }},
  Act{RowText{.name = "tanh_shrink", .formula = "f(x) = x - tanh(x)",
      .doc = "What tanh takes away."},
    {}, Keep::x,
    PYNN_OF(x) { return tanh_shrink(x) + T(0); },
    PYNN_OF(x) { const T t = tanh(x); return t * t; }},
  Act{RowText{.name = "log_sigmoid", .formula = "f(x) = -log(1 + exp(-x))",
      .doc = "The logarithm of the sigmoid."},
    {}, Keep::y,
    PYNN_OF(x) { return -softplus(-x); },
    PYNN_OF(y) { return -expm1(y); }},  // 1 - sigmoid(x) = 1 - exp(y)
  Act{RowText{.name = "squareplus", .formula = "f(x) = (x + sqrt(x^2 + b)) / 2",
      .doc = "A smooth max(x, 0) without exponentials.",
      .reference = "Barron (2021), arXiv:2112.11687",
      .fields = {Field{"b", 4, "How smooth: f(0) = sqrt(b) / 2.", kPositive}}},
    {}, Keep::y,
    PYNN_OF(x) { return squareplus(x, p[0]); },
    // f' = y / sqrt(x^2 + b), and the root is y + b / (4 y)
    PYNN_OF(y) { return 1 / (1 + p[0] / (4 * y * y)); }},
  Act{RowText{.name = "sparse_plus",
      .formula = "f(x) = 0 if x <= -1, (x + 1)^2 / 4 if x < 1, else x",
      .doc = "softplus with exact zeros and an exact linear part."},
    {}, Keep::y,
    PYNN_OF(x) { const T h = T(0.5) * (at_least(x, T(-1)) + 1); return x < 1 ? h * h : x; },
    PYNN_OF(y) { return at_most(sqrt(y), T(1)); }},
  Act{RowText{.name = "sparse_sigmoid", .formula = "f(x) = min(max(x + 1, 0), 2) / 2",
      .doc = "sigmoid with exact zeros and ones: sparsemax of two classes.",
      .reference = "Blondel et al. (2019), arXiv:1901.02324"},
    {-1, 1}, Keep::y,
    PYNN_OF(x) { return clamp(fma(x, T(0.5), T(0.5)), T(0), T(1)); },
    PYNN_OF(y) { return y > 0 && y < 1 ? T(0.5) : T(0); }},
  Act{RowText{.name = "threshold", .formula = "f(x) = x if x > threshold else default_value",
      .doc = "Replaces values up to the threshold.",
      .fields = {Field{"threshold", kRequired, "Inputs up to it are replaced."},
                 Field{"default_value", kRequired, "What replaces them."}}},
    {}, Keep::x,
    PYNN_OF(x) { return x <= p[0] ? p[1] : x; },
    PYNN_OF(x) { return x <= p[0] ? T(0) : T(1); }},
};
// clang-format on
#undef PYNN_OF

// ---- the kernels that follow from a table ------------------------------------------------------

// Hands the parameters to a loop. A flag, and parameters that all have their defaults, reach it as
// constants: then what they switch off costs nothing inside.
template <const auto& kRows, std::size_t Row, class T, class Loop>
PYNN_INLINE void with_params(const T* p, Loop loop) {
  constexpr auto& fields = std::get<Row>(kRows).text.fields;
  constexpr T defaults[kMaxParams] = {T(fields[0].value), T(fields[1].value), T(fields[2].value)};
  if constexpr (fields[0].is_flag) {
    if (p[0] != 0) {
      const T on[kMaxParams] = {1, p[1], p[2]};
      loop(on);
    } else {
      const T off[kMaxParams] = {0, p[1], p[2]};
      loop(off);
    }
  } else if (field_count(fields) > 0 && p[0] == defaults[0] && p[1] == defaults[1] &&
             p[2] == defaults[2]) {
    loop(defaults);
  } else {
    const T copy[kMaxParams] = {p[0], p[1], p[2]};  // the loop's stores cannot reach it
    loop(copy);
  }
}

template <class T, const auto& kRows, std::size_t Row>
void activate(T* y, const T* x, const T* p, isize n) {
  constexpr auto f = std::get<Row>(kRows).f;
  with_params<kRows, Row>(
      p, [=](const T* q) PYNN_LAMBDA { map(y, x, n, [=](T v) PYNN_LAMBDA { return f(v, q); }); });
}

template <class T, const auto& kRows, std::size_t Row>
void activate_backward(T* dx, const T* kept, const T* dy, const T* p, isize n) {
  constexpr auto df = std::get<Row>(kRows).df;
  with_params<kRows, Row>(p, [=](const T* q) PYNN_LAMBDA {
    map(dx, kept, dy, n, [=](T k, T g) PYNN_LAMBDA { return g * df(k, q); });
  });
}

template <class T, const auto& kRows>
inline constexpr auto kKernelsOf = []<std::size_t... Row>(std::index_sequence<Row...>) {
  return std::array{
      ActivationKernels<T>{&activate<T, kRows, Row>, &activate_backward<T, kRows, Row>}...};
}(std::make_index_sequence<std::tuple_size_v<std::remove_cvref_t<decltype(kRows)>>>{});

template <class T>
inline constexpr auto kActivationKernels = kKernelsOf<T, kActivations>;

}  // namespace pynn::kernels::PYNN_ISA
