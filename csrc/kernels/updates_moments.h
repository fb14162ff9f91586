// The Adam family: steps along running means of gradients, over running means of their squares.
#pragma once

#include "kernels/row_text.h"
#include "kernels/update_loop.h"
#include "kernels/vmath.h"

namespace pynn::kernels::PYNN_ISA {

// x^t, t = 1, 2, ...
inline double power_of(double x, std::int64_t t) {
  return __builtin_pow(x, static_cast<double>(t));
}

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
    m = fma(s.rest_1, g - m, m);
    v = fma(s.rest_2, fma(g, g, -v), v);
    if constexpr (kVariant == 1) top = larger(top, v);
    w -= s.rate * m / root(kVariant == 1 ? top : v, s.epsilon);
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
    m = fma(s.rest_1, g - m, m);
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
    m = fma(s.rest_1, g - m, m);
    v = fma(s.rest_2, fma(g, g, -v), v);
    w -= (s.rate_m * m + s.rate_g * g) / root(v * s.correction, s.epsilon);
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

// z is where the steps go, w = (1 - beta_1) z + beta_1 x the point gradients are taken at, and x
// the mean of all z so far, which need not be stored: it follows from w and z.
struct ScheduleFreeAdamW {
  static constexpr RowText text{
      "schedulefreeadamw",
      "",
      "ScheduleFreeAdamW",
      "v += (1 - beta_2) (g^2 - v), x = (w - (1 - beta_1) z) / beta_1, "
      "z -= lr min(t / warmup_steps, 1) g / (sqrt(v / (1 - beta_2^t)) + epsilon), "
      "x += (z - x) / t, w = (1 - beta_1) z + beta_1 x",
      "Adam's scaling with an average of all iterates in place of a falling learning rate.",
      "Defazio et al. (2024), arXiv:2405.15682",
      {Field{"beta_1", 0.9, "Share of the average in the weights.", kPositive, 1},
       Field{"beta_2", 0.999, "Decay of the running mean of squares.", 0, 1},
       Field{"epsilon", 1e-8, "Keeps the divisor above 0.", 0},
       Field{"warmup_steps", 0, "Steps in which the learning rate rises from 0.", 0}}};
  static constexpr double learning_rate = 0.0025;
  static constexpr Variant variants[] = {{2, {"momentum", "velocity"}}};
  static constexpr int variant(const double*) { return 0; }
  static constexpr double slot_init(int slot, const double*) {
    return slot == 0 ? kFromWeights : 0;
  }

  template <class T>
  struct Step {
    T rate, share, rest_1, beta_1, rest_2, correction, epsilon;
  };
  template <class T>
  static Step<T> begin(const double* f, double rate, std::int64_t t) {
    const double steps = static_cast<double>(t);
    if (steps < f[3]) rate *= steps / f[3];
    return {T(rate), T(1 / steps), T(1 - f[0]),
            T(f[0]), T(1 - f[1]),  T(1 / (1 - power_of(f[1], t))),
            T(f[2])};
  }
  template <int, class T>
  static PYNN_INLINE void rule(const Step<T>& s, T g, T& w, T& z, T& v, T&) {
    v = fma(s.rest_2, fma(g, g, -v), v);
    T x = (w - s.rest_1 * z) / s.beta_1;
    z -= s.rate * g / root(v * s.correction, s.epsilon);
    x += s.share * (z - x);
    w = s.rest_1 * z + s.beta_1 * x;
  }
};

}  // namespace pynn::kernels::PYNN_ISA
