// The optimizer table. An optimizer is one struct: its text and fields, the slots it keeps, the
// constants of a step and the rule for one element. The one loop over a tile is in update_loop.h.
#pragma once

#include <tuple>
#include <utility>

#include "kernels/row_text.h"
#include "kernels/update_loop.h"
#include "kernels/vmath.h"

namespace pynn::kernels::PYNN_ISA {

template <class T>
PYNN_INLINE T larger(T a, T b) {
  return a < b ? b : a;
}
// x^t, t = 1, 2, ...
inline double power_of(double x, std::int64_t t) {
  return __builtin_pow(x, static_cast<double>(t));
}

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
    w -= s.rate * g / sqrt(a + s.epsilon);
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
    const T u = g * sqrt((d + s.epsilon) / (a + s.epsilon));
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
    const T step = s.rate * g / sqrt(spread + s.epsilon);
    if constexpr (kVariant % 2 == 1) {
      second = s.momentum * second + step;
      w -= second;
    } else {
      w -= step;
    }
  }
};

// ---- the Adam family ----------------------------------------------------------------------------
struct Adam {
  static constexpr RowText text{
      "adam",
      "",
      "Adam",
      "m += (1 - beta_1) (g - m), v += (1 - beta_2) (g^2 - v), "
      "w -= lr sqrt(1 - beta_2^t) / (1 - beta_1^t) m / (sqrt(v) + epsilon)",
      "Running mean of gradients over the root of their running mean square, both corrected for "
      "the start "
      "at 0. amsgrad keeps the largest mean square so far.",
      "Kingma and Ba (2014), arXiv:1412.6980; amsgrad: Reddi et al. (2018), arXiv:1904.09237",
      {Field{"beta_1", 0.9, "Decay of the running mean of gradients.", 0, 1},
       Field{"beta_2", 0.999, "Decay of the running mean of squares.", 0, 1},
       Field{"epsilon", 1e-7, "Keeps the divisor above 0 (the paper's epsilon hat).", 0},
       Field{"amsgrad", 0, "Divide by the largest mean square so far.", 0, 1, true}}};
  static constexpr double learning_rate = 0.001;
  static constexpr Variant variants[] = {{2, {"momentum", "velocity"}},
                                         {3, {"momentum", "velocity", "velocity_hat"}}};
  static constexpr int variant(const double* f) { return f[3] != 0 ? 1 : 0; }

  template <class T>
  struct Step {
    T rate, rest_1, rest_2, epsilon;
  };
  template <class T>
  static Step<T> begin(const double* f, double rate, std::int64_t t) {
    const double corrected = rate * sqrt(1 - power_of(f[1], t)) / (1 - power_of(f[0], t));
    return {T(corrected), T(1 - f[0]), T(1 - f[1]), T(f[2])};
  }
  template <int kVariant, class T>
  static PYNN_INLINE void rule(const Step<T>& s, T g, T& w, T& m, T& v, T& top) {
    m += s.rest_1 * (g - m);
    v += s.rest_2 * (g * g - v);
    if constexpr (kVariant == 1) top = larger(top, v);
    w -= s.rate * m / (sqrt(kVariant == 1 ? top : v) + s.epsilon);
  }
};

struct AdamW : Adam {
  static constexpr RowText text{
      "adamw",
      "",
      "AdamW",
      "w *= 1 - lr weight_decay, then Adam's step",
      "Adam with decoupled weight decay: the decay does not pass through the moments.",
      "Loshchilov and Hutter (2019), arXiv:1711.05101",
      Adam::text.fields};
  static constexpr double weight_decay = 0.004;
};

struct Adamax {
  static constexpr RowText text{
      "adamax",
      "",
      "Adamax",
      "m += (1 - beta_1) (g - m), u = max(beta_2 u, |g|), w -= lr / (1 - beta_1^t) m / (u + "
      "epsilon)",
      "Adam with the running maximum of gradients in place of the root mean square.",
      "Kingma and Ba (2014), section 7, arXiv:1412.6980",
      {Field{"beta_1", 0.9, "Decay of the running mean of gradients.", 0, 1},
       Field{"beta_2", 0.999, "Decay of the running maximum.", 0, 1},
       Field{"epsilon", 1e-7, "Keeps the divisor above 0.", 0}}};
  static constexpr double learning_rate = 0.001;
  static constexpr Variant variants[] = {{2, {"momentum", "norm"}}};
  static constexpr int variant(const double*) { return 0; }

  template <class T>
  struct Step {
    T rate, rest_1, beta_2, epsilon;
  };
  template <class T>
  static Step<T> begin(const double* f, double rate, std::int64_t t) {
    return {T(rate / (1 - power_of(f[0], t))), T(1 - f[0]), T(f[1]), T(f[2])};
  }
  template <int, class T>
  static PYNN_INLINE void rule(const Step<T>& s, T g, T& w, T& m, T& u, T&) {
    m += s.rest_1 * (g - m);
    u = larger(s.beta_2 * u, g < 0 ? -g : g);
    w -= s.rate * m / (u + s.epsilon);
  }
};

// Momentum of step i is mu_i = beta_1 (1 - 0.96^i / 2). Its product over i = 1 .. t is a function
// of t: the factors 1 - 0.96^i / 2 are 1 to double precision beyond i = 900.
inline double nadam_momentum(double beta_1, std::int64_t i) {
  return beta_1 * (1 - 0.5 * power_of(0.96, i));
}
inline double nadam_product(double beta_1, std::int64_t t) {
  double product = power_of(beta_1, t), decay = 1;
  for (std::int64_t i = 1; i <= t && i <= 900 && product > 1e-20; ++i) {
    decay *= 0.96;
    product *= 1 - 0.5 * decay;
  }
  return product;
}

struct Nadam {
  static constexpr RowText text{
      "nadam",
      "",
      "Nadam",
      "mu_t = beta_1 (1 - 0.96^t / 2), m += (1 - beta_1) (g - m), v += (1 - beta_2) (g^2 - v), "
      "w -= lr (mu_{t+1} m / (1 - mu_1...mu_{t+1}) + (1 - mu_t) g / (1 - mu_1...mu_t)) "
      "/ (sqrt(v / (1 - beta_2^t)) + epsilon)",
      "Adam with Nesterov's look-ahead and a momentum that warms up.",
      "Dozat (2016), https://openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ",
      {Field{"beta_1", 0.9, "Decay of the running mean of gradients.", 0, 1},
       Field{"beta_2", 0.999, "Decay of the running mean of squares.", 0, 1},
       Field{"epsilon", 1e-7, "Keeps the divisor above 0.", 0}}};
  static constexpr double learning_rate = 0.001;
  static constexpr Variant variants[] = {{2, {"momentum", "velocity"}}};
  static constexpr int variant(const double*) { return 0; }

  template <class T>
  struct Step {
    T rate_m, rate_g, rest_1, rest_2, correction, epsilon;
  };
  template <class T>
  static Step<T> begin(const double* f, double rate, std::int64_t t) {
    const double now = nadam_momentum(f[0], t), next = nadam_momentum(f[0], t + 1);
    const double product = nadam_product(f[0], t);
    return {T(rate * next / (1 - product * next)),
            T(rate * (1 - now) / (1 - product)),
            T(1 - f[0]),
            T(1 - f[1]),
            T(1 / (1 - power_of(f[1], t))),
            T(f[2])};
  }
  template <int, class T>
  static PYNN_INLINE void rule(const Step<T>& s, T g, T& w, T& m, T& v, T&) {
    m += s.rest_1 * (g - m);
    v += s.rest_2 * (g * g - v);
    w -= (s.rate_m * m + s.rate_g * g) / (sqrt(v * s.correction) + s.epsilon);
  }
};

struct Lion {
  static constexpr RowText text{
      "lion",
      "",
      "Lion",
      "w -= lr sign(beta_1 m + (1 - beta_1) g), m = beta_2 m + (1 - beta_2) g",
      "Steps of one size in the direction of the mixed momentum's sign; wants a smaller learning "
      "rate than "
      "Adam.",
      "Chen et al. (2023), arXiv:2302.06675",
      {Field{"beta_1", 0.9, "Share of the momentum in the step.", kPositive, 1},
       Field{"beta_2", 0.99, "Decay of the momentum.", 0, 1}}};
  static constexpr double learning_rate = 0.001;
  static constexpr Variant variants[] = {{1, {"momentum"}}};
  static constexpr int variant(const double*) { return 0; }

  template <class T>
  struct Step {
    T rate, beta_1, rest_1, beta_2, rest_2;
  };
  template <class T>
  static Step<T> begin(const double* f, double rate, std::int64_t) {
    return {T(rate), T(f[0]), T(1 - f[0]), T(f[1]), T(1 - f[1])};
  }
  template <int, class T>
  static PYNN_INLINE void rule(const Step<T>& s, T g, T& w, T& m, T&, T&) {
    const T mix = s.beta_1 * m + s.rest_1 * g;
    w -= mix > 0 ? s.rate : (mix < 0 ? -s.rate : mix);  // 0, or NaN that must not hide
    m = s.beta_2 * m + s.rest_2 * g;
  }
};

using Optimizers = std::tuple<Sgd, Adagrad, Adadelta, RmsProp, Adam, AdamW, Adamax, Nadam, Lion>;
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
