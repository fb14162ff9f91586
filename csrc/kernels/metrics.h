// The metric table. A metric adds to sums kept in double; what they come to is told by the row's
// Result. Every loss is a metric too (the mean of its rows) and needs no row here.
#pragma once

#include <tuple>
#include <utility>

#include "kernels/confusion.h"
#include "kernels/losses.h"

namespace pynn::kernels::PYNN_ISA {

// ---- the value of one row: (y(target_cols), p(cols), cols; k) -> T ------------------------------
template <class T>
PYNN_INLINE isize argmax(const T* v, isize n) {  // the first of equal maxima
  isize at = 0;
  for (isize j = 1; j < n; ++j) {
    if (v[j] > v[at]) at = j;
  }
  return at;
}

// How many classes were scored above class `at`; too many to count if there is no such class (at <
// 0), or its score is NaN.
template <class T>
PYNN_INLINE isize rank_of(const T* p, isize at, isize cols) {
  if (at < 0 || p[at] != p[at]) return isize(1) << 30;
  const T own = p[at];
  isize above = 0;
  PYNN_SIMD_SUM(above)
  for (isize j = 0; j < cols; ++j) above += p[j] > own ? 1 : 0;
  return above;
}

template <class T, class Match>
PYNN_INLINE T share_of(isize cols, Match match) {
  T hits = 0;
  PYNN_SIMD_SUM(hits)
  for (isize j = 0; j < cols; ++j) hits += match(j) ? T(1) : T(0);
  return hits / static_cast<T>(cols);
}

#define PYNN_ROW \
  []<class T>(const T* y, const T* p, isize cols, [[maybe_unused]] Params<T> k) PYNN_LAMBDA->T

// sums += {sum w v, sum w} over the rows
template <class Value>
struct MeanOfRows {
  Value value;
  template <class T>
  void operator()(const MetricArgs<T>& args) const {
    const Params<T> k = params_of(args);
    double total = 0, weights = 0;
    for (isize r = 0; r < args.rows; ++r) {
      const double w = weight_of(args, r);
      const double v = static_cast<double>(
          value(args.target + r * args.target_cols, args.pred + r * args.cols, args.cols, k));
      if (args.values) args.values[r] = v;
      total += w * v;
      weights += w;
    }
    args.sums[0] += total;
    args.sums[1] += weights;
  }
};
template <class Value>
MeanOfRows(Value) -> MeanOfRows<Value>;

// sums += {elements, sum w, sum w y (cols), sum w y^2 (cols), sum w (y - p)^2 (cols)}
inline constexpr auto squares_by_column = []<class T>(const MetricArgs<T>& args) {
  double *y1 = args.sums + 2, *y2 = y1 + args.cols, *ee = y2 + args.cols;
  for (isize r = 0; r < args.rows; ++r) {
    const double w = weight_of(args, r);
    const T *target = args.target + r * args.cols, *pred = args.pred + r * args.cols;
    args.sums[0] += static_cast<double>(args.cols);
    args.sums[1] += w;
    PYNN_SIMD
    for (isize j = 0; j < args.cols; ++j) {
      const double y = static_cast<double>(target[j]), e = y - static_cast<double>(pred[j]);
      y1[j] += w * y, y2[j] += w * y * y, ee[j] += w * e * e;
    }
  }
};

// Means, variances and covariance of a row's targets and predictions.
template <class T>
struct Moments {
  T mean_y, mean_p, yy, pp, yp;
};
template <class T>
PYNN_INLINE Moments<T> moments_of(const T* y, const T* p, isize cols) {
  const T n = static_cast<T>(cols), my = sum_of(y, cols) / n, mp = sum_of(p, cols) / n;
  T yy = 0, pp = 0, yp = 0;
  PYNN_SIMD_SUM(yy, pp, yp)
  for (isize j = 0; j < cols; ++j) {
    yy += (y[j] - my) * (y[j] - my), pp += (p[j] - mp) * (p[j] - mp);
    yp += (y[j] - my) * (p[j] - mp);
  }
  return {my, mp, yy / n, pp / n, yp / n};
}

// ---- the table ----------------------------------------------------------------------------------
// What the sums come to: total / weight, its root, 1 - residual / variance by column, or something
// that the metrics sharing a row compute from counts.
enum class Result { mean, root_mean, r2, decisions, scores, decisions_by_column };
inline constexpr std::string_view kResultNames[] = {
    "mean", "root_mean", "r2", "decisions", "scores", "decisions_by_column"};

template <class Form>
struct MetricRow {
  RowText text;
  Form form;
  bool up = true;             // better when higher
  bool index_target = false;  // target(rows, 1) names classes
  Result result = Result::mean;
};
template <class Form, class... Rest>
MetricRow(RowText, Form, Rest...) -> MetricRow<Form>;

// clang-format off
inline constexpr auto kMetrics = std::tuple{
  MetricRow{
    RowText{"accuracy", "acc", "Accuracy",
      "v = mean(y = p)",
      "How often the prediction equals the target. In compile() the name means the accuracy that "
      "fits the shapes: binary, categorical or sparse categorical.", ""},
    MeanOfRows{PYNN_ROW {
      return share_of<T>(cols, [=](isize j) PYNN_LAMBDA { return y[j] == p[j]; }); }}},
  MetricRow{
    RowText{"binary_accuracy", "", "BinaryAccuracy",
      "v = mean(y = (p > threshold))",
      "How often the thresholded prediction equals a target of 0 or 1.", "",
      {Field{"threshold", 0.5, "Predictions above it count as 1."}}},
    MeanOfRows{PYNN_ROW {
      return share_of<T>(cols, [=](isize j) PYNN_LAMBDA {
        return y[j] == (p[j] > k.a ? T(1) : T(0)); }); }}},
  MetricRow{
    RowText{"categorical_accuracy", "", "CategoricalAccuracy",
      "v = (argmax y = argmax p)",
      "How often the highest score is at the one-hot target's class.", ""},
    MeanOfRows{PYNN_ROW {
      return argmax(y, cols) == argmax(p, cols) ? T(1) : T(0); }}},
  MetricRow{
    RowText{"sparse_categorical_accuracy", "", "SparseCategoricalAccuracy",
      "v = (y = argmax p)",
      "How often the highest score is at the class the target names.", ""},
    MeanOfRows{PYNN_ROW {
      return class_index(y[0], cols) == argmax(p, cols) ? T(1) : T(0); }},
    true, true},
  MetricRow{
    RowText{"top_k_categorical_accuracy", "", "TopKCategoricalAccuracy",
      "v = (p at argmax y is among the k highest)",
      "How often the one-hot target's class is among the k highest scores.", "",
      {Field{"k", 5, "How many of the highest scores count.", 1}}},
    MeanOfRows{PYNN_ROW {
      return static_cast<T>(rank_of(p, argmax(y, cols), cols)) < k.a ? T(1) : T(0); }}},
  MetricRow{
    RowText{"sparse_top_k_categorical_accuracy", "", "SparseTopKCategoricalAccuracy",
      "v = (p_y is among the k highest)",
      "How often the class the target names is among the k highest scores.", "",
      {Field{"k", 5, "How many of the highest scores count.", 1}}},
    MeanOfRows{PYNN_ROW {
      return static_cast<T>(rank_of(p, class_index(y[0], cols), cols)) < k.a ? T(1) : T(0); }},
    true, true},
  MetricRow{
    RowText{"cosine_similarity", "", "CosineSimilarity",
      "v = sum(y p) / (|y| |p|)",
      "The cosine of the angle between target and prediction (the loss of this name is its "
      "negative).", ""},
    MeanOfRows{PYNN_ROW { return angle_between(y, p, cols).cosine; }}},
  MetricRow{
    RowText{"root_mean_squared_error", "rmse RMSE", "RootMeanSquaredError",
      "sqrt(mean((y - p)^2)) over all rows",
      "The root of the mean squared error, in the unit of the target.", ""},
    MeanOfRows{PYNN_ROW {
      T sum = 0;
      PYNN_SIMD_SUM(sum)
      for (isize j = 0; j < cols; ++j) sum += squared(y[j] - p[j]);
      return sum / static_cast<T>(cols); }},
    false, false, Result::root_mean},
  MetricRow{
    RowText{"r2_score", "r2", "R2Score",
      "1 - sum((y - p)^2) / sum((y - mean y)^2), by column",
      "Coefficient of determination: 1 is perfect, 0 as good as the mean of the target.", ""},
    squares_by_column,
    true, false, Result::r2},
  MetricRow{
    RowText{"pearson_correlation", "", "PearsonCorrelation",
      "v = cov(y, p) / (std(y) std(p))",
      "How close target and prediction are to a straight line, over the elements of a row.",
      "Pearson (1895), doi:10.1098/rspl.1895.0041"},
    MeanOfRows{PYNN_ROW {
      const Moments<T> m = moments_of(y, p, cols);
      return m.yp / (sqrt(m.yy) * sqrt(m.pp)); }}},
  MetricRow{
    RowText{"concordance_correlation", "", "ConcordanceCorrelation",
      "v = 2 cov(y, p) / (var(y) + var(p) + (mean(y) - mean(p))^2 + 1e-7)",
      "How close target and prediction are to being equal, over the elements of a row.",
      "Lin (1989), doi:10.2307/2532051"},
    MeanOfRows{PYNN_ROW {
      const Moments<T> m = moments_of(y, p, cols);
      return 2 * m.yp / (m.yy + m.pp + squared(m.mean_y - m.mean_p) + kEpsilon<T>); }}},
  // Rows without a class of their own: several classes come to their values from the same counts.
  MetricRow{
    RowText{"decisions", "", "",
      "true and false positives, true and false negatives",
      "Counts of decisions for one threshold.", "",
      {Field{"threshold", 0.5, "Predictions above it are positive."},
       Field{"top_k", kInfinity, "How many of the highest scores of a row can be positive.", 1},
       Field{"class_id", kInfinity, "The only class that counts.", 0}}},
    count_decisions,
    true, false, Result::decisions},
  MetricRow{
    RowText{"scores_by_threshold", "", "",
      "positives and negatives by the number of thresholds below their score",
      "Counts for evenly spaced thresholds between 0 and 1.", "",
      {Field{"num_thresholds", 200, "How many thresholds.", 2, 1 << 24},
       Field{"class_id", kInfinity, "The only class that counts; -1 for each by itself.", -1},
       Field{"from_logits", 0, "Whether y_pred goes into sigmoid first.", 0, 1, true}}},
    count_scores,
    true, false, Result::scores},
  MetricRow{
    RowText{"decisions_by_column", "", "",
      "true positives, false positives and false negatives of each column",
      "Counts of decisions for the highest score of a row, or for one threshold.", "",
      {Field{"threshold", kInfinity, "Predictions above it are positive; None: the highest."}}},
    count_decisions_by_column,
    true, false, Result::decisions_by_column},
};
// clang-format on
inline constexpr int kMetricCount = std::tuple_size_v<decltype(kMetrics)>;

template <class T, std::size_t Row>
void metric_kernel(const MetricArgs<T>& args) {
  constexpr auto form = std::get<Row>(kMetrics).form;
  form(args);
}
template <class T>
struct MetricTable {
  MetricKernel<T> at[kMetricCount];
};
template <class T, std::size_t... Row>
constexpr MetricTable<T> metric_table(std::index_sequence<Row...>) {
  return {{&metric_kernel<T, Row>...}};
}
template <class T>
inline constexpr MetricTable<T> kMetricTable =
    metric_table<T>(std::make_index_sequence<kMetricCount>{});

#undef PYNN_ROW

}  // namespace pynn::kernels::PYNN_ISA
