// The optimizer table. An optimizer is one struct: its text and fields, the slots it keeps, the
// constants of a step and the rule for one element. The one loop over a tile is in update_loop.h,
// the Adam family in updates_moments.h, rules that need norms of a variable in updates_whole.h.
#pragma once

#include <tuple>
#include <utility>

#include "kernels/updates_moments.h"
#include "kernels/updates_whole.h"

namespace pynn::kernels::PYNN_ISA {

// ---- stochastic gradient descent ----------------------------------------------------------------
// m = momentum m - lr g;  w += m, or with Nesterov's look-ahead w += momentum m - lr g
struct Sgd {
  static constexpr RowText text{
      "sgd",
      "",
      "SGD",
      "w -= lr g; with momentum m = momentum m - lr g, w += m; with nesterov w += momentum m - lr "
      "g",
      "Stochastic gradient descent, with momentum and Nesterov's variant of it.",
      "Sutskever et al. (2013), https://proceedings.mlr.press/v28/sutskever13.html",
      {Field{"momentum", 0.0, "Share of the last step that is kept.", 0, 1},
       Field{"nesterov", 0, "Look ahead along the momentum.", 0, 1, true}}};
  static constexpr double learning_rate = 0.01;
  static constexpr Variant variants[] = {{0}, {1, {"momentum"}}, {1, {"momentum"}}};
  static constexpr int variant(const double* f) { return f[0] == 0 ? 0 : (f[1] == 0 ? 1 : 2); }

  template <class T>
  struct Step {
    T rate, momentum;
  };
  template <class T>
  static Step<T> begin(const double* f, double rate, std::int64_t) {
    return {T(rate), T(f[0])};
  }
  template <int kVariant, class T>
  static PYNN_INLINE void rule(const Step<T>& s, T g, T& w, T& m, T&, T&) {
    if constexpr (kVariant == 0) {
      w -= s.rate * g;
    } else {
      m = s.momentum * m - s.rate * g;
      w += kVariant == 2 ? s.momentum * m - s.rate * g : m;
    }
  }
};

// ---- steps scaled by accumulated squares --------------------------------------------------------
struct Adagrad {
  static constexpr RowText text{
      "adagrad",
      "",
      "Adagrad",
      "a += g^2, w -= lr g / sqrt(a + epsilon)",
      "Each weight's step shrinks with the squares of all its gradients so far; suits rare "
      "features.",
      "Duchi et al. (2011), https://jmlr.org/papers/v12/duchi11a.html",
      {Field{"initial_accumulator_value", 0.1, "Where the sums of squares start.", 0},
       Field{"epsilon", 1e-7, "Keeps the root above 0.", 0}}};
  static constexpr double learning_rate = 0.001;
  static constexpr Variant variants[] = {{1, {"accumulator"}}};
  static constexpr int variant(const double*) { return 0; }
  static constexpr double slot_init(int, const double* f) { return f[0]; }

  template <class T>
  struct Step {
    T rate, epsilon;
  };
  template <class T>
  static Step<T> begin(const double* f, double rate, std::int64_t) {
    return {T(rate), T(f[1])};
  }
  template <int, class T>
  static PYNN_INLINE void rule(const Step<T>& s, T g, T& w, T& a, T&, T&) {
    a += g * g;
    w -= s.rate * g / root(a + s.epsilon);
  }
};

struct Adadelta {
  static constexpr RowText text{
      "adadelta",
      "",
      "Adadelta",
      "a = rho a + (1 - rho) g^2, u = g sqrt(d + epsilon) / sqrt(a + epsilon), "
      "d = rho d + (1 - rho) u^2, w -= lr u",
      "Steps in the unit of the weights: the running size of steps over the running size of "
      "gradients.",
      "Zeiler (2012), arXiv:1212.5701",
      {Field{"rho", 0.95, "Decay of the running means of squares.", 0, 1},
       Field{"epsilon", 1e-7, "Keeps the roots above 0.", 0}}};
  static constexpr double learning_rate = 0.001;
  static constexpr Variant variants[] = {{2, {"accumulated_grad", "accumulated_delta_var"}}};
  static constexpr int variant(const double*) { return 0; }

  template <class T>
  struct Step {
    T rate, rho, rest, epsilon;
  };
  template <class T>
  static Step<T> begin(const double* f, double rate, std::int64_t) {
    return {T(rate), T(f[0]), T(1 - f[0]), T(f[1])};
  }
  template <int, class T>
  static PYNN_INLINE void rule(const Step<T>& s, T g, T& w, T& a, T& d, T&) {
    a = s.rho * a + s.rest * g * g;
    const T u = g * root((d + s.epsilon) / (a + s.epsilon));
    d = s.rho * d + s.rest * u * u;
    w -= s.rate * u;
  }
};

struct RmsProp {
  static constexpr RowText text{
      "rmsprop",
      "",
      "RMSprop",
      "v = rho v + (1 - rho) g^2, w -= lr g / sqrt(v + epsilon); centered: v minus the squared "
      "running "
      "mean of g; momentum: m = momentum m + lr g / sqrt(...), w -= m",
      "Gradients divided by a running root mean square of themselves.",
      "Tieleman and Hinton (2012), Coursera lecture 6.5; centered: Graves (2013), arXiv:1308.0850",
      {Field{"rho", 0.9, "Decay of the running mean of squares.", 0, 1},
       Field{"momentum", 0.0, "Share of the last step that is kept.", 0, 1},
       Field{"epsilon", 1e-7, "Keeps the root above 0.", 0},
       Field{"centered", 0, "Divide by the running standard deviation instead.", 0, 1, true}}};
  static constexpr double learning_rate = 0.001;
  static constexpr Variant variants[] = {{1, {"velocity"}},
                                         {2, {"velocity", "momentum"}},
                                         {2, {"velocity", "average_gradient"}},
                                         {3, {"velocity", "momentum", "average_gradient"}}};
  static constexpr int variant(const double* f) { return (f[1] > 0 ? 1 : 0) + (f[3] != 0 ? 2 : 0); }

  template <class T>
  struct Step {
    T rate, rho, rest, momentum, epsilon;
  };
  template <class T>
  static Step<T> begin(const double* f, double rate, std::int64_t) {
    return {T(rate), T(f[0]), T(1 - f[0]), T(f[1]), T(f[2])};
  }
  template <int kVariant, class T>
  static PYNN_INLINE void rule(const Step<T>& s, T g, T& w, T& v, T& second, T& third) {
    v = s.rho * v + s.rest * g * g;
    T spread = v;
    if constexpr (kVariant >= 2) {
      T& mean = kVariant == 2 ? second : third;
      mean = s.rho * mean + s.rest * g;
      spread = larger(v - mean * mean, T(0));  // rounding can take it below 0
    }
    const T step = s.rate * g / root(spread + s.epsilon);
    if constexpr (kVariant % 2 == 1) {
      second = s.momentum * second + step;
      w -= second;
    } else {
      w -= step;
    }
  }
};

// ---- follow the regularized leader --------------------------------------------------------------
struct Ftrl {
  static constexpr RowText text{
      "ftrl",
      "",
      "Ftrl",
      "p = -learning_rate_power, z += g + 2 l2_shrinkage w - ((a + g^2)^p - a^p) / lr w, a += g^2, "
      "w = (clamp(z, -l1, l1) - z) / (a^p / lr + 2 l2 + beta / lr)",
      "Follow the regularized leader: l1 makes weights exactly 0; for wide sparse linear models. "
      "Weights are a function of the gradients so far, whatever they started from.",
      "McMahan et al. (2013), https://research.google/pubs/pub41159",
      {Field{"learning_rate_power", -0.5, "How the rate falls with the squares.", -kInfinity, 0},
       Field{"initial_accumulator_value", 0.1, "Where the sums of squares start.", 0},
       Field{"l1_regularization_strength", 0.0, "L1 penalty.", 0},
       Field{"l2_regularization_strength", 0.0, "L2 penalty.", 0},
       Field{"l2_shrinkage_regularization_strength", 0.0, "L2 penalty of the gradient only.", 0},
       Field{"beta", 0.0, "Added to the root of the sums of squares.", 0}}};
  static constexpr double learning_rate = 0.001;
  static constexpr Variant variants[] = {{2, {"accumulator", "linear"}},
                                         {2, {"accumulator", "linear"}}};
  static constexpr int variant(const double* f) { return f[0] == -0.5 ? 0 : 1; }
  static constexpr double slot_init(int slot, const double* f) { return slot == 0 ? f[1] : 0; }

  template <class T>
  struct Step {
    T power, inverse_rate, l1, l2, shrinkage;
  };
  template <class T>
  static Step<T> begin(const double* f, double rate, std::int64_t) {
    return {T(-f[0]), T(1 / rate), T(f[2]), T(2 * f[3] + f[5] / rate), T(2 * f[4])};
  }
  template <int kVariant, class T>
  static PYNN_INLINE T raised(const Step<T>& s, T a) {
    if constexpr (kVariant == 0) return root(a);
    return exp(s.power * log(a));
  }
  // now - before; of square roots without cancellation, and 0 where both are 0
  template <int kVariant, class T>
  static PYNN_INLINE T grown(T g, T before, T now) {
    if constexpr (kVariant == 0) return now > 0 ? g * g / (now + before) : now;
    return now - before;
  }
  template <int kVariant, class T>
  static PYNN_INLINE void rule(const Step<T>& s, T g, T& w, T& a, T& z, T&) {
    const T before = raised<kVariant>(s, a);
    a += g * g;
    const T now = raised<kVariant>(s, a);
    z += g + s.shrinkage * w - grown<kVariant>(g, before, now) * s.inverse_rate * w;
    const T inside = z < -s.l1 ? -s.l1 : (z > s.l1 ? s.l1 : z);
    const T divisor = now * s.inverse_rate + s.l2;
    w = divisor == 0 ? w : (inside - z) / divisor;  // 0 / 0 before the first gradient
  }
};

using Optimizers = std::tuple<Sgd, Adagrad, Adadelta, RmsProp, Ftrl, Adam, AdamW, Adamax, Nadam,
                              Lion, ScheduleFreeAdamW, Lamb, Adafactor>;
inline constexpr int kOptimizerCount = std::tuple_size_v<Optimizers>;

// ---- the pointers that follow from it -----------------------------------------------------------
template <class T>
struct OptimizerTable {
  OptimizerKernels<T> at[kOptimizerCount];
};
template <class T, std::size_t... Row>
constexpr OptimizerTable<T> optimizer_table(std::index_sequence<Row...>) {
  return {{OptimizerKernels<T>{&begin_step<std::tuple_element_t<Row, Optimizers>, T>,
                               &update_tile<std::tuple_element_t<Row, Optimizers>, T>}...}};
}
template <class T>
inline constexpr OptimizerTable<T> kOptimizerTable =
    optimizer_table<T>(std::make_index_sequence<kOptimizerCount>{});

}  // namespace pynn::kernels::PYNN_ISA
