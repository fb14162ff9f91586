// The loss table. A row is the whole addition: names, text, value and slope, and from logits the
// same again where the loss has that form. The loops are in loss_loops.h and loss_classes.h.
#pragma once

#include <limits>
#include <tuple>
#include <utility>

#include "kernels/loss_classes.h"
#include "kernels/row_text.h"

namespace pynn::kernels::PYNN_ISA {

// ---- scalar mathematics used by more than one row -----------------------------------------------
template <class T>
PYNN_INLINE T sign_of(T x) {
  return x > 0 ? T(1) : (x < 0 ? T(-1) : x);  // 0 and NaN stay
}
template <class T>
PYNN_INLINE T squared(T x) {
  return x * x;
}
// x^a of x in [0, 1], held above epsilon so that a derivative with a < 1 stays finite
template <class T>
PYNN_INLINE T unit_power(T x, T a) {
  return exp(a * log(at_least(x, kEpsilon<T>)));
}
// log cosh x without overflow, and without cancellation near 0
template <class T>
PYNN_INLINE T log_cosh(T x) {
  const T a = abs(x), e = expm1(-a), decay = 1 + e;  // decay = exp(-a)
  const bool small = a < 1;
  const T rest = small ? e * e / (2 * decay) : decay * decay;
  return (small ? T(0) : a - T(0.69314718055994530942)) + log1p_unit(rest);
}
template <class T>
PYNN_INLINE T hinge_label(T y) {
  return y == 0 ? T(-1) : y;
}

// Binary cross-entropy of one element, from a probability and from a logit.
inline constexpr auto bce = []<class T>(T y, T p) PYNN_LAMBDA {
  const T q = clip_probability(p);
  return -(y * log(q) + (1 - y) * log(1 - q));
};
inline constexpr auto bce_slope = []<class T>(T y, T p) PYNN_LAMBDA {
  const T q = clip_probability(p);
  return inside_clip(p) ? (q - y) / (q * (1 - q)) : T(0);
};
inline constexpr auto bce_of_logit = []<class T>(T y, T z) PYNN_LAMBDA {  // log(1 + e^z) - y z
  return at_least(z, T(0)) - z * y + log1p_unit(exp(-abs(z)));
};
inline constexpr auto bce_of_logit_slope = []<class T>(T y, T z) PYNN_LAMBDA {  // sigmoid(z) - y
  const T e = exp(-abs(z));  // that of the value: computed once
  return (z < 0 ? e : T(1)) / (1 + e) - y;
};

// The log loss of a probability within [eps, 1 - eps], eps the machine epsilon: what a row can cost
// is bounded. Its slope is that without the bounds, as in scikit-learn.
inline constexpr auto log_loss = []<class T>(T y, T, T log_q, Params<T>) PYNN_LAMBDA {
  const T least = std::numeric_limits<T>::epsilon();
  const T most = sizeof(T) == 8 ? T(36.043653389117154) : T(15.942384719848633);  // -log(eps)
  return y == 0 ? T(0) : y * clamp(-log_q, least, most);
};

inline constexpr auto binary_log_loss = []<class T>(T y, T p) PYNN_LAMBDA {
  constexpr T eps = std::numeric_limits<T>::epsilon();
  const T q = clamp(p, eps, 1 - eps);
  return -(y * log(q) + (1 - y) * log(1 - q));
};

// Focal loss (Lin et al. 2017): cross-entropy times (1 - q)^gamma, q the probability given to the
// truth. Parameters: a = class balancing on, b = alpha, c = gamma.
inline constexpr auto focal_balance = []<class T>(T y, Params<T> k) PYNN_LAMBDA {
  return k.a != 0 ? y * k.b + (1 - y) * (1 - k.b) : T(1);
};
inline constexpr auto focal_miss = []<class T>(T y, T p)
                                       PYNN_LAMBDA { return y * (1 - p) + (1 - y) * p; };

// Terms of a distribution: value(y, q, log q; k) and slope = q dvalue/dq.
inline constexpr auto cce = []<class T>(T y, T, T log_q, Params<T>)
                                PYNN_LAMBDA { return y == 0 ? T(0) : -y * log_q; };
inline constexpr auto cce_slope = []<class T>(T y, T, T, Params<T>) PYNN_LAMBDA { return -y; };
inline constexpr auto focal_cce = []<class T>(T y, T q, T log_q, Params<T> k) PYNN_LAMBDA {
  return y == 0 ? T(0) : -k.a * unit_power(1 - q, k.b) * y * log_q;
};
inline constexpr auto focal_cce_slope = []<class T>(T y, T q, T log_q, Params<T> k) PYNN_LAMBDA {
  const T miss = 1 - q;
  return y == 0 ? T(0)
                : k.a * y * (k.b * q * unit_power(miss, k.b - 1) * log_q - unit_power(miss, k.b));
};

// (1 - p_y^q) / q of class numbers y; the slope stays finite at p_y = 0
inline constexpr auto generalized_cce = []<class T>(const LossArgs<T>& args) {
  const T q = args.p[0];
  for (isize r = 0; r < args.rows; ++r) {
    const isize hit = class_index(args.target[r], args.cols);
    const T p = hit < 0 ? T(__builtin_nanf("")) : args.pred[r * args.cols + hit];
    if (args.value) args.value[r] = static_cast<double>((p == 0 ? T(1) : 1 - exp(q * log(p))) / q);
    if (!args.grad) continue;
    T* grad = args.grad + r * args.cols;
    for (isize j = 0; j < args.cols; ++j) grad[j] = 0;
    if (hit >= 0) grad[hit] = -row_scale(args, r) * unit_power(p, q - 1);
  }
};

// max(max_j (1 - y_j) p_j - sum_j y_j p_j + 1, 0); the first of equal maxima takes the gradient
inline constexpr auto categorical_hinge = []<class T>(const LossArgs<T>& args) {
  for (isize r = 0; r < args.rows; ++r) {
    const T *y = args.target + r * args.cols, *p = args.pred + r * args.cols;
    T positive = 0, negative = (1 - y[0]) * p[0];
    isize at = 0;
    for (isize j = 0; j < args.cols; ++j) {
      const T other = (1 - y[j]) * p[j];
      positive += y[j] * p[j];
      if (other > negative) negative = other, at = j;
    }
    const T margin = negative - positive + 1;
    if (args.value) args.value[r] = static_cast<double>(at_least(margin, T(0)));
    if (!args.grad) continue;
    T* grad = args.grad + r * args.cols;
    const T factor = margin > 0 ? row_scale(args, r) : T(0);
    PYNN_SIMD
    for (isize j = 0; j < args.cols; ++j) grad[j] = -factor * y[j];
    grad[at] += factor * (1 - y[at]);
  }
};

// sum_j y_j p_j / (|y| |p|), norms held above epsilon
template <class T>
struct Angle {
  T cosine, inverse_norms, pull;  // the cosine, 1 / (|y| |p|), cosine / |p|^2
};
template <class T>
PYNN_INLINE Angle<T> angle_between(const T* y, const T* p, isize cols) {
  constexpr T kTiny = kEpsilon<T> * kEpsilon<T>;
  T yy = 0, pp = 0, yp = 0;
  PYNN_SIMD_SUM(yy, pp, yp)
  for (isize j = 0; j < cols; ++j) yy += y[j] * y[j], pp += p[j] * p[j], yp += y[j] * p[j];
  const T inverse = 1 / (sqrt(at_least(yy, kTiny)) * sqrt(at_least(pp, kTiny)));
  return {yp * inverse, inverse, pp > kTiny ? yp * inverse / pp : T(0)};
}
inline constexpr auto negative_cosine = []<class T>(const LossArgs<T>& args) {
  for (isize r = 0; r < args.rows; ++r) {
    const T *y = args.target + r * args.cols, *p = args.pred + r * args.cols;
    const Angle<T> angle = angle_between(y, p, args.cols);
    if (args.value) args.value[r] = -static_cast<double>(angle.cosine);
    if (!args.grad) continue;
    T* grad = args.grad + r * args.cols;
    const T factor = row_scale(args, r);
    PYNN_SIMD
    for (isize j = 0; j < args.cols; ++j)
      grad[j] = factor * (angle.pull * p[j] - angle.inverse_norms * y[j]);
  }
};

// ---- the table ----------------------------------------------------------------------------------
struct NoLogits {};

template <class Form, class Logits = NoLogits>
struct LossRow {
  RowText text;
  Form form;
  Smoothing smoothing = Smoothing::none;
  bool index_target = false;      // target(rows, 1) names classes
  std::string_view fuses_with{};  // the output activation `logits` takes in: "sigmoid", "softmax"
  Logits logits{};
};
template <class Form>
LossRow(RowText, Form) -> LossRow<Form>;
template <class Form, class Logits>
LossRow(RowText, Form, Smoothing, bool, std::string_view, Logits) -> LossRow<Form, Logits>;

// One element: target y, prediction p (in a form from logits: the logit), parameters k.
#define PYNN_TERM \
  []<class T>([[maybe_unused]] T y, T p, [[maybe_unused]] Params<T> k) PYNN_LAMBDA->T

// clang-format off
inline constexpr auto kLosses = std::tuple{
  LossRow{
    RowText{"mean_squared_error", "mse MSE", "MeanSquaredError",
      "L = mean((y - p)^2)",
      "Squared error: the mean of a normal distribution with constant variance.", ""},
    mean_of(PYNN_TERM { return squared(p - y); },
            PYNN_TERM { return 2 * (p - y); })},
  LossRow{
    RowText{"mean_absolute_error", "mae MAE", "MeanAbsoluteError",
      "L = mean(|y - p|)",
      "Absolute error: fits the median and is robust to outliers.", ""},
    mean_of(PYNN_TERM { return abs(p - y); },
            PYNN_TERM { return sign_of(p - y); })},
  LossRow{
    RowText{"mean_absolute_percentage_error", "mape MAPE", "MeanAbsolutePercentageError",
      "L = 100 mean(|y - p| / max(|y|, 1e-7))",
      "Absolute error in percent of the target; targets near 0 dominate it.", ""},
    mean_of(PYNN_TERM { return 100 * abs(p - y) / at_least(abs(y), kEpsilon<T>); },
            PYNN_TERM { return 100 * sign_of(p - y) / at_least(abs(y), kEpsilon<T>); })},
  LossRow{
    RowText{"mean_squared_logarithmic_error", "msle MSLE", "MeanSquaredLogarithmicError",
      "L = mean((log(1 + y) - log(1 + p))^2), y and p held above 1e-7",
      "Squared error of logarithms: for targets above 0 that span orders of magnitude.", ""},
    mean_of(PYNN_TERM {
              return squared(log1p(at_least(p, kEpsilon<T>)) - log1p(at_least(y, kEpsilon<T>))); },
            PYNN_TERM {
              const T low = kEpsilon<T>, ratio = log1p(at_least(p, low)) - log1p(at_least(y, low));
              return p < low ? T(0) : 2 * ratio / (1 + p); })},
  LossRow{
    RowText{"huber", "", "Huber",
      "L = mean(e^2 / 2 if |e| <= delta else delta |e| - delta^2 / 2), e = p - y",
      "Squared near 0 and absolute beyond delta: smooth, and robust to outliers.",
      "Huber (1964), doi:10.1214/aoms/1177703732",
      {Field{"delta", 1.0, "Where the square turns into the absolute error.", kPositive}}},
    mean_of(PYNN_TERM {
              const T e = abs(p - y);
              return e <= k.a ? e * e / 2 : k.a * e - k.a * k.a / 2; },
            PYNN_TERM { return clamp(p - y, -k.a, k.a); })},
  LossRow{
    RowText{"log_cosh", "logcosh", "LogCosh",
      "L = mean(log(cosh(p - y)))",
      "About e^2 / 2 for small and |e| - log 2 for large errors; smooth everywhere.", ""},
    mean_of(PYNN_TERM { return log_cosh(p - y); },
            PYNN_TERM { return tanh(p - y); })},
  LossRow{
    RowText{"quantile", "pinball", "Quantile",
      "L = mean(max(q (y - p), (q - 1) (y - p)))",
      "Pinball loss: fits the q-quantile of the target; q = 0.5 is half the absolute error.",
      "Koenker and Bassett (1978), doi:10.2307/1913643",
      {Field{"quantile", 0.5, "The quantile to fit, between 0 and 1.", 0.0, 1.0}}},
    mean_of(PYNN_TERM { return (y > p ? k.a : k.a - 1) * (y - p); },
            PYNN_TERM { return y > p ? -k.a : (y < p ? 1 - k.a : T(0)); })},
  LossRow{
    RowText{"poisson", "", "Poisson",
      "L = mean(p - y log(p + 1e-7))",
      "Negative log-likelihood of counts y with rate p, without the term of y alone.", ""},
    mean_of(PYNN_TERM { return p - y * log(p + kEpsilon<T>); },
            PYNN_TERM { return 1 - y / (p + kEpsilon<T>); })},
  LossRow{
    RowText{"half_poisson_deviance", "", "HalfPoissonDeviance",
      "L = mean(y log(y / p) - y + p), y log y = 0 at 0",
      "Poisson's negative log-likelihood above its minimum; from logits p = exp(z).", ""},
    mean_of(PYNN_TERM { return y > 0 ? y * log(y / p) - y + p : p; },
            PYNN_TERM { return 1 - y / p; }),
    Smoothing::none, false, "exponential",
    mean_of(PYNN_TERM { return exp(p) - y + (y > 0 ? y * (log(y) - p) : T(0)); },
            PYNN_TERM { return exp(p) - y; })},
  LossRow{
    RowText{"hinge", "", "Hinge",
      "L = mean(max(1 - y p, 0)), y in {-1, 1}",
      "Maximum-margin loss; targets 0 count as -1.",
      "Cortes and Vapnik (1995), doi:10.1007/BF00994018"},
    mean_of(PYNN_TERM { return at_least(1 - hinge_label(y) * p, T(0)); },
            PYNN_TERM { return hinge_label(y) * p < 1 ? -hinge_label(y) : T(0); })},
  LossRow{
    RowText{"squared_hinge", "", "SquaredHinge",
      "L = mean(max(1 - y p, 0)^2), y in {-1, 1}",
      "The square of the hinge: differentiable at the margin; targets 0 count as -1.", ""},
    mean_of(PYNN_TERM { return squared(at_least(1 - hinge_label(y) * p, T(0))); },
            PYNN_TERM { return -2 * hinge_label(y) * at_least(1 - hinge_label(y) * p, T(0)); })},
  LossRow{
    RowText{"categorical_hinge", "", "CategoricalHinge",
      "L = max(max_j((1 - y_j) p_j) - sum_j(y_j p_j) + 1, 0)",
      "Margin between the right class (one-hot y) and the best of the others.",
      "Crammer and Singer (2001), https://jmlr.org/papers/v2/crammer01a.html"},
    categorical_hinge},
  LossRow{
    RowText{"kl_divergence", "kld KLD kullback_leibler_divergence", "KLDivergence",
      "L = sum(y log(y / p)), y and p held in [1e-7, 1]",
      "Kullback-Leibler divergence of the predicted from the true distribution.",
      "Kullback and Leibler (1951), doi:10.1214/aoms/1177729694"},
    sum_over(PYNN_TERM {
               const T t = clamp(y, kEpsilon<T>, T(1));
               return t * (log(t) - log(clamp(p, kEpsilon<T>, T(1)))); },
             PYNN_TERM {
               return p < kEpsilon<T> || p > 1 ? T(0) : -clamp(y, kEpsilon<T>, T(1)) / p; })},
  LossRow{
    RowText{"cosine_similarity", "", "CosineSimilarity",
      "L = -sum(y p) / (|y| |p|)",
      "Minus the cosine of the angle between target and prediction: -1 for one direction.", ""},
    negative_cosine},
  LossRow{
    RowText{"binary_crossentropy", "bce BCE", "BinaryCrossentropy",
      "L = -mean(y log p + (1 - y) log(1 - p))",
      "Cross-entropy of independent yes/no targets; from logits z: log(1 + e^z) - y z.", ""},
    mean_of<Smoothing::binary>(
      PYNN_TERM { return bce(y, p); },
      PYNN_TERM { return bce_slope(y, p); }),
    Smoothing::binary, false, "sigmoid",
    mean_of<Smoothing::binary>(
      PYNN_TERM { return bce_of_logit(y, p); }, PYNN_TERM { return bce_of_logit_slope(y, p); })},
  LossRow{
    RowText{"categorical_crossentropy", "", "CategoricalCrossentropy",
      "L = -sum_j(y_j log(p_j / sum p))",
      "Cross-entropy of one class out of several, y one-hot or a distribution; from logits "
      "p = softmax(z).", ""},
    of_probabilities<false>(cce, cce_slope),
    Smoothing::classes, false, "softmax",
    of_logits<false>(cce, cce_slope)},
  LossRow{
    RowText{"sparse_categorical_crossentropy", "", "SparseCategoricalCrossentropy",
      "L = -log(p_y / sum p)",
      "Categorical cross-entropy for targets given as class numbers 0, 1, ...", ""},
    of_probabilities<true>(cce, cce_slope),
    Smoothing::classes, true, "softmax",
    of_logits<true>(cce, cce_slope)},
  LossRow{
    RowText{"log_loss", "", "LogLoss",
      "L = -log(p_y), p_y held in [eps, 1 - eps], eps the machine epsilon",
      "Sparse categorical cross-entropy as scikit-learn reports it; the gradient has no bounds.", ""},
    of_probabilities<true>(log_loss, cce_slope),
    Smoothing::none, true, "softmax",
    of_logits<true>(log_loss, cce_slope)},
  LossRow{
    RowText{"binary_log_loss", "", "BinaryLogLoss",
      "L = -mean(y log p + (1 - y) log(1 - p)), p held in [eps, 1 - eps]",
      "Binary cross-entropy as scikit-learn reports it; the gradient has no bounds.", ""},
    mean_of(PYNN_TERM { return binary_log_loss(y, p); },
            PYNN_TERM { return (p - y) / (p * (1 - p)); }),
    Smoothing::none, false, "sigmoid",
    mean_of(PYNN_TERM { return binary_log_loss(y, sigmoid(p)); },  // with its rounding near 1
            PYNN_TERM { return sigmoid(p) - y; })},
  LossRow{
    RowText{"categorical_generalized_cross_entropy", "", "CategoricalGeneralizedCrossEntropy",
      "L = (1 - p_y^q) / q",
      "Between categorical cross-entropy (q near 0) and absolute error (q near 1): robust to wrong "
      "labels; targets are class numbers.",
      "Zhang and Sabuncu (2018), arXiv:1805.07836",
      {Field{"q", 0.5, "How much wrong labels are discounted.", kPositive, kBelowOne}}},
    generalized_cce, Smoothing::none, true, "", NoLogits{}},
  LossRow{
    RowText{"binary_focal_crossentropy", "", "BinaryFocalCrossentropy",
      "L = mean((1 - q)^gamma BCE(y, p)), q = y p + (1 - y) (1 - p)",
      "Binary cross-entropy that fades out examples already classified well.",
      "Lin et al. (2017), arXiv:1708.02002",
      {Field{"apply_class_balancing", 0, "Weight class 1 by alpha, class 0 by 1 - alpha.", 0, 1,
             true},
       Field{"alpha", 0.25, "Weight of class 1.", 0, 1},
       Field{"gamma", 2.0, "How fast easy examples fade; 0 is plain cross-entropy.", 0}}},
    mean_of<Smoothing::binary>(
      PYNN_TERM {
        return focal_balance(y, k) * unit_power(focal_miss(y, p), k.c) * bce(y, p); },
      PYNN_TERM {
        const T miss = focal_miss(y, p);
        return focal_balance(y, k) * (k.c * unit_power(miss, k.c - 1) * (1 - 2 * y) * bce(y, p) +
                                      unit_power(miss, k.c) * bce_slope(y, p)); }),
    Smoothing::binary, false, "sigmoid",
    mean_of<Smoothing::binary>(
      PYNN_TERM {
        const T miss = focal_miss(y, sigmoid(p));
        return focal_balance(y, k) * unit_power(miss, k.c) * bce_of_logit(y, p); },
      PYNN_TERM {
        const T q = sigmoid(p), miss = focal_miss(y, q);
        const T pull = k.c * unit_power(miss, k.c - 1) * (1 - 2 * y) * q * (1 - q);
        return focal_balance(y, k) *
               (pull * bce_of_logit(y, p) + unit_power(miss, k.c) * (q - y)); })},
  LossRow{
    RowText{"categorical_focal_crossentropy", "", "CategoricalFocalCrossentropy",
      "L = -sum_j(alpha (1 - q_j)^gamma y_j log q_j), q = p / sum p",
      "Categorical cross-entropy that fades out examples already classified well.",
      "Lin et al. (2017), arXiv:1708.02002",
      {Field{"alpha", 0.25, "Weight of every class.", 0},
       Field{"gamma", 2.0, "How fast easy examples fade; 0 is plain cross-entropy.", 0}}},
    of_probabilities<false>(focal_cce, focal_cce_slope),
    Smoothing::classes, false, "softmax",
    of_logits<false>(focal_cce, focal_cce_slope)},
};
// clang-format on
#undef PYNN_TERM
inline constexpr int kLossCount = std::tuple_size_v<decltype(kLosses)>;

// ---- the pointers that follow from it: row i, its form from logits at kLossCount + i (or null)
template <class T, std::size_t Row>
void loss_kernel(const LossArgs<T>& args) {
  constexpr auto form = std::get<Row>(kLosses).form;
  form(args);
}
template <class T, std::size_t Row>
void loss_kernel_of_logits(const LossArgs<T>& args) {
  constexpr auto form = std::get<Row>(kLosses).logits;
  form(args);
}
template <std::size_t Row>
inline constexpr bool kHasLogits = !std::get<Row>(kLosses).fuses_with.empty();

template <class T>
struct LossTable {
  LossKernel<T> at[2 * kLossCount];
};
template <class T, std::size_t Row>
constexpr LossKernel<T> logits_pointer() {
  if constexpr (kHasLogits<Row>) return &loss_kernel_of_logits<T, Row>;
  return nullptr;
}
template <class T, std::size_t... Row>
constexpr LossTable<T> loss_table(std::index_sequence<Row...>) {
  return {{&loss_kernel<T, Row>..., logits_pointer<T, Row>()...}};
}
template <class T>
inline constexpr LossTable<T> kLossTable = loss_table<T>(std::make_index_sequence<kLossCount>{});

}  // namespace pynn::kernels::PYNN_ISA
