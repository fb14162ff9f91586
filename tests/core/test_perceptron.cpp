// The perceptron's training, against a textbook's: weights without a scale, one row at a time.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "check_test.h"
#include "exec/perceptron.h"

namespace {

using namespace pynn;
using namespace pynn::exec;

constexpr isize kRows = 60, kCols = 7, kClasses = 3;
constexpr double kNever = -std::numeric_limits<double>::infinity();

// A table with zeros, in both forms.
template <class T>
struct Data {
  std::vector<T> x, values, weight;
  std::vector<std::int32_t> columns, starts{0}, label;

  Data() : x(kRows * kCols), weight(kRows) {
    kernels::table<T>().normal(x.data(), {3, 0, 0}, 0, kRows * kCols);
    kernels::table<T>().uniform(weight.data(), {3, 1, 0}, 0, kRows);
    for (isize r = 0; r < kRows; ++r) {
      for (isize j = 0; j < kCols; ++j) {
        T& v = x[static_cast<std::size_t>(r * kCols + j)];
        if (std::fabs(v) < T(0.4)) v = 0;
        if (v == 0) continue;
        values.push_back(v);
        columns.push_back(static_cast<std::int32_t>(j));
      }
      starts.push_back(static_cast<std::int32_t>(values.size()));
      label.push_back(static_cast<std::int32_t>((r * 7 + r / 5) % kClasses));
    }
  }
  PerceptronTable<T> table(bool sparse) const {
    kernels::TableRows<T> rows{x.data(), nullptr, nullptr, kCols};
    if (sparse) rows = {values.data(), columns.data(), starts.data(), kCols};
    return {rows, {label.data(), weight.data()}, kRows, nullptr};
  }
};

struct Result {
  std::vector<double> w, intercept;
  std::vector<isize> epochs;
  bool operator==(const Result&) const = default;
};

PerceptronOptions options_of(double alpha, double l1_ratio, isize epochs) {
  return {.alpha = alpha,
          .l1_ratio = l1_ratio,
          .eta0 = 0.5,
          .intercept_rate = 0.3,
          .tolerance = kNever,
          .max_epochs = epochs,
          .patience = 2,
          .shuffle = false,
          .penalty_counts = true};
}

template <class T>
Result train(const Data<T>& data, bool sparse, const PerceptronOptions& options, int team) {
  std::vector<T> w(kClasses * kCols, T(0.25));
  Result result;
  result.intercept.assign(kClasses, 0.125);
  std::vector<PerceptronProblem<T>> problems;
  for (isize k = 0; k < kClasses; ++k) {
    problems.push_back({w.data() + k * kCols, result.intercept.data() + k,
                        static_cast<std::int32_t>(k), 1.5, 0.75,
                        static_cast<std::uint32_t>(17 + k)});
  }
  Poll poll;
  result.epochs = train_perceptrons(problems, data.table(sparse), options, team, nullptr, poll);
  result.w.assign(w.begin(), w.end());
  return result;
}

// w and b of one class after all epochs: the weights shrink by L2, learn, and pay L1 up to what all
// rows so far have called for, in each row for the columns that it has.
template <class T>
std::vector<double> textbook(const Data<T>& data, bool sparse, const PerceptronOptions& o,
                             std::int32_t k) {
  std::vector<double> w(kCols, 0.25), paid(kCols);
  double b = 0.125, owed = 0;
  for (isize step = 0; step < o.max_epochs * kRows; ++step) {
    const isize r = step % kRows;
    const T* x = data.x.data() + r * kCols;
    const bool positive = data.label[static_cast<std::size_t>(r)] == k;
    const double y = positive ? 1 : -1;
    double p = b;
    for (std::size_t j = 0; j < kCols; ++j) p += w[j] * static_cast<double>(x[j]);
    const double weight =
        (positive ? 1.5 : 0.75) * static_cast<double>(data.weight[static_cast<std::size_t>(r)]);
    const double c = p * y <= 0 ? o.eta0 * y * weight : 0;
    owed += o.l1_ratio * o.eta0 * o.alpha;
    b += c * o.intercept_rate;
    for (std::size_t j = 0; j < kCols; ++j) {
      w[j] = w[j] * (1 - (1 - o.l1_ratio) * o.eta0 * o.alpha) + c * static_cast<double>(x[j]);
      if (sparse && x[j] == 0) continue;
      const double before = w[j];
      if (before > 0) w[j] = std::max(0.0, before - (owed + paid[j]));
      if (before < 0) w[j] = std::min(0.0, before + (owed - paid[j]));
      paid[j] += w[j] - before;
    }
  }
  w.push_back(b);
  return w;
}

template <class T>
void against_textbook() {
  const Data<T> data;
  const double tolerance = sizeof(T) == 4 ? 1e-4 : 1e-12;
  for (bool sparse : {false, true}) {
    for (double alpha : {0.0, 0.01}) {
      for (double l1_ratio : {0.0, 0.4, 1.0}) {
        const PerceptronOptions options = options_of(alpha, l1_ratio, 4);
        const Result found = train(data, sparse, options, 1);
        double worst = 0;
        for (isize k = 0; k < kClasses; ++k) {
          const auto expected = textbook(data, sparse, options, static_cast<std::int32_t>(k));
          const auto at = static_cast<std::size_t>(k);
          for (std::size_t j = 0; j < kCols; ++j) {
            worst = std::max(worst, std::fabs(found.w[at * kCols + j] - expected[j]));
          }
          worst = std::max(worst, std::fabs(found.intercept[at] - expected[kCols]));
          CHECK(found.epochs[at] == 4, "all epochs are run: %td", found.epochs[at]);
        }
        CHECK(worst <= tolerance, "sparse %d, alpha %g, l1_ratio %g: %g", sparse, alpha, l1_ratio,
              worst);
      }
    }
  }
}

template <class T>
void same_bits() {
  const Data<T> data;
  PerceptronOptions options = options_of(0.001, 0, 50);
  options.shuffle = true;
  options.tolerance = 1e-3;
  const Result one = train(data, false, options, 1);
  CHECK(train(data, false, options, 2) == one, "two threads");
  CHECK(train(data, false, options, 8) == one, "more threads than classes");
  CHECK(train(data, true, options, 1).w == one.w, "zeros left out change nothing without L1");
  CHECK(one.epochs[0] < 50, "an idle epoch stops: %td", one.epochs[0]);
}

// A scale that would become too small to divide by goes into the weights.
template <class T>
void strong_shrinking() {
  const Data<T> data;
  const PerceptronOptions options = options_of(1.5, 0, 5);
  const Result found = train(data, false, options, 1);
  const auto expected = textbook(data, false, options, 0);
  double worst = 0;
  for (std::size_t j = 0; j < kCols; ++j) {
    worst = std::max(worst, std::fabs(found.w[j] - expected[j]));
  }
  CHECK(worst < 1e-5, "weights quartered by each row: %g", worst);
  const Result none = train(data, false, options_of(4, 0, 1), 1);
  CHECK(std::all_of(none.w.begin(), none.w.end(), [](double v) { return std::isfinite(v); }),
        "weights that would change their sign become 0");
}

}  // namespace

int main() {
  against_textbook<float>();
  against_textbook<double>();
  same_bits<float>();
  same_bits<double>();
  strong_shrinking<float>();
  strong_shrinking<double>();
  return pynn::test::finish();
}
