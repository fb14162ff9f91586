// Metrics of decisions: how often positives and negatives were called so.
#pragma once

#include <limits>

#include "kernels/loss_loops.h"

namespace pynn::kernels::PYNN_ISA {

template <class T>
PYNN_INLINE double weight_of(const MetricArgs<T>& args, isize r) {
  return args.weight ? static_cast<double>(args.weight[r]) : 1.0;
}

struct Columns {
  isize begin, end;
};
// The one column named, or all where the parameter is infinite or negative.
template <class T>
PYNN_INLINE Columns columns_of(T column, isize cols) {
  const isize at = class_index(column, cols);
  return at < 0 ? Columns{0, cols} : Columns{at, at + 1};
}

// The k highest scores of a row are those above `score` and the first `ties` equal to it.
template <class T>
struct Cut {
  T score;
  isize ties;
};
template <class T>
PYNN_INLINE Cut<T> cut_of(const T* p, isize cols, T k) {
  Cut<T> cut{T(0), 0};
  bool any = false;
  for (T left = k; left > 0; left -= static_cast<T>(cut.ties)) {
    const T above = cut.score;
    isize ties = 0;
    for (isize j = 0; j < cols; ++j) {  // the highest score below `above`
      if (any && !(p[j] < above)) continue;
      if (ties == 0 || p[j] > cut.score) {
        if (p[j] == p[j]) cut.score = p[j], ties = 1;
      } else if (p[j] == cut.score) {
        ++ties;
      }
    }
    if (ties == 0) return {cut.score, cols};  // fewer than k numbers
    any = true;
    cut.ties = static_cast<T>(ties) < left ? ties : static_cast<isize>(left);
    if (static_cast<T>(ties) >= left) return cut;
  }
  return cut;
}

// sums += {sum w of true positives, false positives, true negatives, false negatives}.
// Parameters: a = threshold, b = how many of the highest scores of a row count (infinite: all),
// c = the only column that counts (infinite: all).
inline constexpr auto count_decisions = []<class T>(const MetricArgs<T>& args) {
  const Params<T> k = params_of(args);
  const Columns columns = columns_of(k.c, args.cols);
  const bool top = k.b < static_cast<T>(args.cols);
  for (isize r = 0; r < args.rows; ++r) {
    const T *y = args.target + r * args.cols, *p = args.pred + r * args.cols;
    const double w = weight_of(args, r);
    Cut<T> cut = top ? cut_of(p, args.cols, k.b) : Cut<T>{T(0), 0};
    for (isize j = top ? 0 : columns.begin; j < columns.end; ++j) {
      const bool chosen = !top || p[j] > cut.score || (p[j] == cut.score && cut.ties-- > 0);
      if (j < columns.begin) continue;
      const bool called = chosen && p[j] > k.a;
      args.sums[y[j] != 0 ? (called ? 0 : 3) : (called ? 1 : 2)] += w;
    }
  }
};

// For n thresholds i / (n - 1): sums += {sum w of positives (n), sum w of negatives (n)}, by how
// many thresholds lie below the score; a score of 1 is above n - 1 of them.
// Parameters: a = n, b = the only column that counts (infinite: all; negative: each has sums of its
// own), c = scores are logits.
inline constexpr auto count_scores = []<class T>(const MetricArgs<T>& args) {
  const Params<T> k = params_of(args);
  const isize thresholds = static_cast<isize>(k.a);
  const Columns columns = columns_of(k.b, args.cols);
  const isize own = k.b < 0 ? 2 * thresholds : 0;
  for (isize r = 0; r < args.rows; ++r) {
    const T *y = args.target + r * args.cols, *p = args.pred + r * args.cols;
    const double w = weight_of(args, r);
    for (isize j = columns.begin; j < columns.end; ++j) {
      const T score = k.c != 0 ? sigmoid(p[j]) : p[j];
      const T place = score > 0 ? (score < 1 ? score : T(1)) * (k.a - 1) : T(0);  // NaN is below 0
      const isize whole = static_cast<isize>(place);
      const isize below = static_cast<T>(whole) < place ? whole + 1 : whole;
      args.sums[j * own + (y[j] != 0 ? 0 : thresholds) + below] += w;
    }
  }
};

// sums += {sum w y d (cols), sum w (1 - y) d (cols), sum w y (1 - d) (cols)}, the decisions d being
// p > a, or where a is infinite: p is the highest of its row and not 0.
inline constexpr auto count_decisions_by_column = []<class T>(const MetricArgs<T>& args) {
  const Params<T> k = params_of(args);
  double *hits = args.sums, *alarms = hits + args.cols, *misses = alarms + args.cols;
  const bool highest = !(k.a <= std::numeric_limits<T>::max());
  for (isize r = 0; r < args.rows; ++r) {
    const T *target = args.target + r * args.cols, *p = args.pred + r * args.cols;
    const double w = weight_of(args, r);
    const T top = highest ? max_of(p, args.cols) : k.a;
    for (isize j = 0; j < args.cols; ++j) {
      const bool called = highest ? p[j] >= top && abs(p[j]) > T(1e-9) : p[j] > top;
      const double y = static_cast<double>(target[j]);
      if (called) {
        hits[j] += w * y, alarms[j] += w * (1 - y);
      } else {
        misses[j] += w * y;
      }
    }
  }
};

}  // namespace pynn::kernels::PYNN_ISA
