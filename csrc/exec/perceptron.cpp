#include "exec/perceptron.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <memory>
#include <numeric>

#include "core/arena.h"
#include "core/check.h"
#include "core/denormals.h"

namespace pynn::exec {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Fisher and Yates's shuffle by Marsaglia's xorshift (2003, doi:10.18637/jss.v008.i14), in the
// order in which scikit-learn draws.
void shuffle(std::vector<std::int32_t>& order, std::uint32_t seed) {
  const auto n = static_cast<std::uint32_t>(order.size());
  std::uint32_t bits = seed == 0 ? 1 : seed;
  for (std::uint32_t i = 0; i + 1 < n; ++i) {
    bits ^= bits << 13;
    bits ^= bits >> 17;
    bits ^= bits << 5;
    std::swap(order[i], order[i + (bits & 0x7fffffffu) % (n - i)]);
  }
}

template <class T>
kernels::PerceptronRule rule_of(const PerceptronProblem<T>& problem,
                                const PerceptronOptions& options, bool measures, bool reports) {
  kernels::PerceptronRule rule{};
  rule.alpha = options.alpha;
  rule.l1_ratio = options.l1_ratio;
  rule.eta0 = options.eta0;
  rule.keep = std::max(0.0, 1 - (1 - options.l1_ratio) * options.eta0 * options.alpha);
  rule.l1_step = options.l1_ratio * options.eta0 * options.alpha;
  rule.intercept_rate = options.intercept_rate;
  rule.measures = measures;
  rule.norms = reports || (measures && options.alpha > 0);
  rule.positive = problem.positive;
  rule.weight_positive = problem.weight_positive;
  rule.weight_negative = problem.weight_negative;
  return rule;
}

// The training of one problem, some rows at a time.
template <class T>
class BinaryFit {
 public:
  BinaryFit(isize number, const PerceptronProblem<T>& problem, const PerceptronTable<T>& table,
            const PerceptronOptions& options, bool reports)
      : problem_(problem),
        table_(table),
        options_(options),
        rule_(rule_of(problem, options, reports || !table.held_out, reports)),
        order_(static_cast<std::size_t>(table.rows)),
        paid_(rule_.l1_step > 0 ? table.x.cols : 0) {
    state_.w = problem.w;
    state_.paid = paid_.data();
    state_.scale = 1;
    state_.intercept = *problem.intercept;
    for (isize j = 0; j < table.x.cols; ++j) {
      const double v = static_cast<double>(problem.w[j]);
      state_.squares += v * v;
      state_.absolutes += std::fabs(v);
    }
    std::iota(order_.begin(), order_.end(), 0);
    for (isize r = 0; table.held_out && r < table.rows; ++r) {
      if (table.held_out[r]) held_out_.push_back(static_cast<std::int32_t>(r));
    }
    epoch_.problem = number;
    trained_ = table.rows - static_cast<isize>(held_out_.size());
  }

  bool finished() const { return finished_; }
  bool epoch_ended() const { return next_ == 0; }
  const PerceptronEpoch& epoch() const { return epoch_; }

  void advance(isize rows) {
    if (next_ == 0) begin_epoch();
    const isize count = std::min(rows, trained_ - next_);
    kernels::table<T>().perceptron(&state_, table_.x, table_.targets, training().data() + next_,
                                   count, rule_);
    next_ += count;
    if (next_ == trained_) end_epoch();
  }

 private:
  const std::vector<std::int32_t>& training() const {
    return held_out_.empty() ? order_ : without_held_out_;
  }

  void begin_epoch() {
    state_.loss = state_.penalty = 0;
    ++epoch_.epoch;
    if (options_.shuffle) shuffle(order_, problem_.seed);
    if (held_out_.empty()) return;
    without_held_out_.clear();
    std::copy_if(order_.begin(), order_.end(), std::back_inserter(without_held_out_),
                 [&](std::int32_t row) { return !table_.held_out[row]; });
  }

  void end_epoch() {
    next_ = 0;
    epoch_.seen += trained_;
    const auto finite = [](T v) { return std::isfinite(v); };
    check(
        std::isfinite(state_.intercept) && std::all_of(state_.w, state_.w + table_.x.cols, finite),
        "Floating-point under-/overflow occurred at epoch #", epoch_.epoch,
        ". Scaling input data with StandardScaler or MinMaxScaler might help.");
    const auto rows = static_cast<double>(trained_);
    epoch_.loss = state_.loss / rows;
    epoch_.objective = (state_.loss + state_.penalty) / rows;
    if (!held_out_.empty()) epoch_.accuracy = accuracy();
    epoch_.converged = converged();
    finished_ = epoch_.converged || epoch_.epoch == options_.max_epochs;
    epoch_.norm = std::sqrt(state_.squares);
    epoch_.seconds = seconds_now() - started_;
    epoch_.nonzeros = table_.x.cols - std::count(state_.w, state_.w + table_.x.cols, T(0));
    epoch_.intercept = state_.intercept;
    if (!finished_) return;
    kernels::table<T>().fold_scale(&state_, table_.x.cols);
    *problem_.intercept = state_.intercept;
  }

  // Counts the epochs that did not better the best by the tolerance.
  bool converged() {
    const double loss = options_.penalty_counts ? epoch_.objective : epoch_.loss;
    const double value = held_out_.empty() ? -loss : epoch_.accuracy;
    // A value that is no number is not idle: no comparison with it is true.
    const bool idle = options_.tolerance > -kInfinity && value < best_ + options_.tolerance;
    idle_ = idle ? idle_ + 1 : 0;
    if (value > best_) best_ = value;
    return idle_ >= options_.patience;
  }

  // Of the rows held out, by their weights. The scale is left out, as scikit-learn does.
  double accuracy() {
    const isize n = static_cast<isize>(held_out_.size());
    products_.resize(held_out_.size());
    kernels::table<T>().row_products(products_.data(), table_.x, held_out_.data(), n, state_.w);
    double right = 0, all = 0;
    for (std::size_t i = 0; i < held_out_.size(); ++i) {
      const double decision = static_cast<double>(static_cast<T>(products_[i])) + state_.intercept;
      const std::int32_t row = held_out_[i];
      const double weight = static_cast<double>(table_.targets.weight[row]);
      const bool positive = table_.targets.label[row] == problem_.positive;
      right += (decision > 0) == positive ? weight : 0;
      all += weight;
    }
    return right / all;
  }

  const PerceptronProblem<T>& problem_;
  const PerceptronTable<T>& table_;
  const PerceptronOptions& options_;
  const kernels::PerceptronRule rule_;
  kernels::PerceptronState<T> state_{};
  std::vector<std::int32_t> order_, held_out_, without_held_out_;
  std::vector<double> products_;
  Arena<T> paid_;
  isize trained_ = 0, next_ = 0, idle_ = 0;
  double best_ = -kInfinity;
  double started_ = seconds_now();
  bool finished_ = false;
  PerceptronEpoch epoch_{};
};

}  // namespace

template <class T>
std::vector<isize> train_perceptrons(const std::vector<PerceptronProblem<T>>& problems,
                                     const PerceptronTable<T>& table,
                                     const PerceptronOptions& options, int team,
                                     const PerceptronReport& report, Poll& poll) {
  const FlushDenormals flush;
  constexpr double kStretch = 1e6;  // products between two looks at the clock and at each other
  const isize values = table.x.starts ? table.x.starts[table.rows] : table.rows * table.x.cols;
  const double row = 10 + static_cast<double>(values) / static_cast<double>(table.rows);
  const isize stretch = std::max(isize{1}, static_cast<isize>(kStretch / row));
  team = std::min(team, static_cast<int>(problems.size()));
  const double nanoseconds = row * static_cast<double>(std::min(stretch, table.rows));
  std::vector<isize> epochs(problems.size());
  std::vector<std::unique_ptr<BinaryFit<T>>> running;
  with_team(nanoseconds > kNanosecondsPerThread ? team : 1, [&] {
    for (std::size_t next = 0; next < problems.size() || !running.empty();) {
      while (next < problems.size() && static_cast<int>(running.size()) < team) {
        const auto number = static_cast<isize>(next);
        running.push_back(std::make_unique<BinaryFit<T>>(number, problems[next], table, options,
                                                         report != nullptr));
        ++next;
      }
      const auto count = static_cast<isize>(running.size());
      parallel_for(team, count, nanoseconds * static_cast<double>(count),
                   [&](isize i) { running[static_cast<std::size_t>(i)]->advance(stretch); });
      poll.now_and_then();
      for (const auto& fit : running) {
        const PerceptronEpoch& epoch = fit->epoch();
        epochs[static_cast<std::size_t>(epoch.problem)] = epoch.epoch;
        if (report && fit->epoch_ended()) report(epoch);
      }
      std::erase_if(running, [](const auto& fit) { return fit->finished(); });
    }
  });
  return epochs;
}

#define PYNN_PERCEPTRONS(T)                                                \
  template std::vector<isize> train_perceptrons<T>(                        \
      const std::vector<PerceptronProblem<T>>&, const PerceptronTable<T>&, \
      const PerceptronOptions&, int, const PerceptronReport&, Poll&);
PYNN_PERCEPTRONS(float)
PYNN_PERCEPTRONS(double)

}  // namespace pynn::exec
