// Optimizers whose step depends on norms of the whole variable.
#pragma once

#include "kernels/row_text.h"
#include "kernels/update_loop.h"
#include "kernels/updates_moments.h"
#include "kernels/vmath.h"

namespace pynn::kernels::PYNN_ISA {

struct Lamb {
  static constexpr RowText text{
      "lamb",
      "",
      "Lamb",
      "m += (1 - beta_1) (g - m), v += (1 - beta_2) (g^2 - v), "
      "u = m / (1 - beta_1^t) / (sqrt(v / (1 - beta_2^t)) + epsilon), w -= lr |w| / |u| u",
      "Adam's step scaled to the norm of each variable; for large batches.",
      "You et al. (2019), arXiv:1904.00962",
      {Field{"beta_1", 0.9, "Decay of the running mean of gradients.", 0, 1},
       Field{"beta_2", 0.999, "Decay of the running mean of squares.", 0, 1},
       Field{"epsilon", 1e-7, "Keeps the divisor above 0.", 0}}};
  static constexpr double learning_rate = 0.001;
  static constexpr Variant variants[] = {{2, {"momentum", "velocity"}}};
  static constexpr int variant(const double*) { return 0; }
  struct Whole {};

  template <class T>
  struct Step {
    T rate, rest_1, rest_2, correction_1, correction_2, epsilon;
  };
  template <class T>
  static Step<T> begin(const double* f, double rate, std::int64_t t) {
    return {T(rate),
            T(1 - f[0]),
            T(1 - f[1]),
            T(1 / (1 - power_of(f[0], t))),
            T(1 / (1 - power_of(f[1], t))),
            T(f[2])};
  }
  template <class T>
  static PYNN_INLINE T direction(const Step<T>& s, T m, T v) {
    return m * s.correction_1 / root(v * s.correction_2, s.epsilon);
  }
  template <class T>
  static void update(const Step<T>& s, const UpdateTile<T>& tile) {
    double weights = 0, steps = 0;  // squared norms
    for (isize r = 0; r < tile.rows; ++r) {
      T *w = tile.w + r * tile.ld, *m = tile.slot[0] + r * tile.ld, *v = tile.slot[1] + r * tile.ld;
      const T* g = tile.g + r * tile.ld_g;
      PYNN_SIMD_SUM(weights, steps)
      for (isize i = 0; i < tile.cols; ++i) {
        const T gi = prepared(g[i], tile.grad_scale, tile.grad_limit);
        m[i] += s.rest_1 * (gi - m[i]);
        v[i] += s.rest_2 * (gi * gi - v[i]);
        w[i] *= tile.keep;
        const double u = static_cast<double>(direction(s, m[i], v[i]));
        weights += static_cast<double>(w[i]) * static_cast<double>(w[i]);
        steps += u * u;
      }
    }
    const double ratio = weights > 0 && steps > 0 ? __builtin_sqrt(weights / steps) : 1;
    const T rate = s.rate * static_cast<T>(ratio);
    for (isize r = 0; r < tile.rows; ++r) {
      T* w = tile.w + r * tile.ld;
      const T *m = tile.slot[0] + r * tile.ld, *v = tile.slot[1] + r * tile.ld;
      PYNN_SIMD
      for (isize i = 0; i < tile.cols; ++i) w[i] -= rate * direction(s, m[i], v[i]);
    }
  }
};

struct Adafactor {
  static constexpr RowText text{
      "adafactor",
      "",
      "Adafactor",
      "q = g^2 + epsilon_1, b = 1 - t^beta_2_decay; matrices: r = b r + (1 - b) row means of q, "
      "c = b c + (1 - b) column means of q, v = r c / mean(r); else v = b v + (1 - b) q; "
      "u = g / sqrt(v), "
      "w -= max(epsilon_2, rms(w)) min(lr, 1 / sqrt(t)) u / max(1, rms(u) / clip_threshold)",
      "Steps relative to the size of each variable, over mean squares factored into rows and "
      "columns.",
      "Shazeer and Stern (2018), arXiv:1804.04235",
      {Field{"beta_2_decay", -0.8, "Exponent by which the decay of squares nears 1.", -kInfinity,
             0},
       Field{"epsilon_1", 1e-30, "Added to squared gradients.", 0},
       Field{"epsilon_2", 1e-3, "The least size a variable counts for.", 0},
       Field{"clip_threshold", 1.0, "The largest root mean square of u.", kPositive},
       Field{"relative_step", 1,
             "Bound the rate by 1 / sqrt(t); the rule does so either way, as in Keras.", 0, 1,
             true}}};
  static constexpr double learning_rate = 0.001;
  static constexpr Variant variants[] = {{3, {"row", "column", "velocity"}}};
  static constexpr SlotForm forms[] = {SlotForm::rows, SlotForm::columns, SlotForm::full};
  static constexpr int variant(const double*) { return 0; }
  struct Whole {};

  template <class T>
  struct Step {
    T keep, rest, epsilon_1;
    double rate, epsilon_2, threshold;
  };
  template <class T>
  static Step<T> begin(const double* f, double rate, std::int64_t t) {
    const double steps = static_cast<double>(t), bound = 1 / __builtin_sqrt(steps);
    const double rest = __builtin_pow(steps, f[0]);
    return {T(1 - rest), T(rest), T(f[1]), rate < bound ? rate : bound, f[2], f[3]};
  }
  // Where both factors are so small that v is 0, g is 0 too.
  template <class T>
  static PYNN_INLINE T direction(T g, T v) {
    return g == 0 ? g : g / root(v);
  }
  // r and c; returns 1 / mean(r)
  template <class T>
  static T factor(const Step<T>& s, const UpdateTile<T>& tile) {
    T *rows = tile.slot[0], *columns = tile.slot[1];
    PYNN_SIMD
    for (isize i = 0; i < tile.cols; ++i) columns[i] *= s.keep;
    const T share = s.rest / static_cast<T>(tile.rows);
    double total = 0;
    for (isize r = 0; r < tile.rows; ++r) {
      const T* g = tile.g + r * tile.ld_g;
      double sum = 0;
      PYNN_SIMD_SUM(sum)
      for (isize i = 0; i < tile.cols; ++i) {
        const T gi = prepared(g[i], tile.grad_scale, tile.grad_limit);
        const T square = gi * gi + s.epsilon_1;
        columns[i] += share * square;
        sum += static_cast<double>(square);
      }
      rows[r] = s.keep * rows[r] + s.rest * static_cast<T>(sum / static_cast<double>(tile.cols));
      total += static_cast<double>(rows[r]);
    }
    return static_cast<T>(static_cast<double>(tile.rows) / total);
  }
  template <class T>
  static void update(const Step<T>& s, const UpdateTile<T>& tile) {
    const T inverse_mean = tile.matrix ? factor(s, tile) : T(0);
    double weights = 0, steps = 0;  // squared norms
    for (isize r = 0; r < tile.rows; ++r) {
      T *w = tile.w + r * tile.ld, *v = tile.slot[2] + r * tile.ld;
      const T *g = tile.g + r * tile.ld_g, *columns = tile.slot[1];
      const T row = tile.matrix ? tile.slot[0][r] * inverse_mean : T(0);
      if (tile.matrix) {
        PYNN_SIMD
        for (isize i = 0; i < tile.cols; ++i) v[i] = row * columns[i];
      } else {
        PYNN_SIMD
        for (isize i = 0; i < tile.cols; ++i) {
          const T gi = prepared(g[i], tile.grad_scale, tile.grad_limit);
          v[i] = s.keep * v[i] + s.rest * (gi * gi + s.epsilon_1);
        }
      }
      PYNN_SIMD_SUM(weights, steps)
      for (isize i = 0; i < tile.cols; ++i) {
        w[i] *= tile.keep;
        const double u =
            static_cast<double>(direction(prepared(g[i], tile.grad_scale, tile.grad_limit), v[i]));
        weights += static_cast<double>(w[i]) * static_cast<double>(w[i]);
        steps += u * u;
      }
    }
    const double count = static_cast<double>(tile.rows) * static_cast<double>(tile.cols);
    const double size = __builtin_sqrt(weights / count);
    const double excess = __builtin_sqrt(steps / count) / s.threshold;
    const T rate = static_cast<T>((size > s.epsilon_2 ? size : s.epsilon_2) * s.rate /
                                  (excess < 1 ? 1 : excess));
    for (isize r = 0; r < tile.rows; ++r) {
      T* w = tile.w + r * tile.ld;
      const T *g = tile.g + r * tile.ld_g, *v = tile.slot[2] + r * tile.ld;
      PYNN_SIMD
      for (isize i = 0; i < tile.cols; ++i) {
        w[i] -= rate * direction(prepared(g[i], tile.grad_scale, tile.grad_limit), v[i]);
      }
    }
  }
};

}  // namespace pynn::kernels::PYNN_ISA
