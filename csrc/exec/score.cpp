#include "exec/score.h"

#include <algorithm>

namespace pynn::exec {
namespace {

// "y" where there is one target, else "y[1]".
std::string place_name(const char* name, std::size_t index, std::size_t count) {
  return count == 1 ? name : message(name, "[", index, "]");
}

}  // namespace

template <class T>
void Feed<T>::gather(const Dataset& data, const std::int64_t* rows, isize first, isize n,
                     int team) {
  target.resize(data.y.size());
  weight.resize(data.y.size());
  for (std::size_t k = 0; k < data.y.size(); ++k) {
    if (const auto& y = data.y[k]) {
      y->template gather<T>(grown(target[k], n * y->sample_size()), rows, first, n, team);
    }
    weight[k].per_sample = 0;
    if (k >= data.weight.size() || !data.weight[k]) continue;
    const Source& source = *data.weight[k];
    weight[k].per_sample = source.sample_size();
    T* values_here = grown(weight[k].values, n * weight[k].per_sample);
    source.template gather<T>(values_here, rows, first, n, team);
  }
}

template <class T>
RowWeights<T> Feed<T>::row_weights(int index, const Rows& rows, isize n) {
  if (index < 0) return {};
  const Weights& own = weight[static_cast<std::size_t>(index)];
  const T* given = own.values.data();
  if (own.per_sample == 0) return {};
  if (rows.batched && own.per_sample == rows.lead) return {given};
  T* spread = grown(row_weight, rows.of(n));
  if (rows.batched) {
    for (isize i = 0; i < n; ++i) std::fill_n(spread + i * rows.lead, rows.lead, given[i]);
    return {spread};
  }
  const isize count = n * own.per_sample;
  double sum = 0;
  for (isize i = 0; i < count; ++i) sum += static_cast<double>(given[i]);
  std::fill_n(spread, rows.lead, static_cast<T>(sum));
  return {spread, count};
}

template <class T>
double* Feed<T>::values_for(isize rows) {
  return grown(values, rows);
}

void Score::add(const Score& other) {
  activity += other.activity;
  for (std::size_t l = 0; l < losses.size(); ++l) {
    losses[l].values += other.losses[l].values;
    losses[l].weights += other.losses[l].weights;
    losses[l].rows += other.losses[l].rows;
  }
  for (std::size_t m = 0; m < metrics.size(); ++m) {
    for (std::size_t i = 0; i < metrics[m].size(); ++i) metrics[m][i] += other.metrics[m][i];
  }
}

void Score::clear() {
  activity = 0;
  losses.assign(losses.size(), LossSum{});
  for (auto& sums : metrics) sums.assign(sums.size(), 0.0);
}

template <class T>
Objective<T>::Objective(const std::vector<LossSpec>& loss_specs,
                        const std::vector<MetricSpec>& metric_specs, const Plan<T>& plan) {
  for (const LossSpec& spec : loss_specs) {
    const Loss<T>& loss = losses.emplace_back(spec, plan);
    const bool classes = loss.row && loss.row->index_target;
    claim(spec.target, loss.target_size, "loss " + spec.name, classes);
  }
  for (const MetricSpec& spec : metric_specs) {
    const Metric<T>& metric = metrics.emplace_back(spec, plan);
    claim(spec.target, metric.target_size, "metric " + spec.name, false);
  }
}

template <class T>
void Objective<T>::claim(int index, isize size, const std::string& reader, bool classes) {
  if (index < 0) return;
  const auto k = static_cast<std::size_t>(index);
  if (k >= targets_.size()) targets_.resize(k + 1);
  Target& target = targets_[k];
  if (size == 0) return;
  check(target.size == 0 || target.size == size, "the ", reader, " wants ", size,
        " target values per sample, but the ", target.reader, " wants ", target.size, ".");
  if (target.size == 0) target = {size, reader, classes};
}

template <class T>
bool Objective<T>::whole_batch() const {
  return std::any_of(losses.begin(), losses.end(), [](const Loss<T>& loss) {
    return loss.rows.batched && loss.spec.reduction != Reduction::mean;
  });
}

template <class T>
std::vector<int> Objective<T>::starts() const {
  std::vector<int> tensors;
  for (const Loss<T>& loss : losses) tensors.push_back(loss.rows.tensor);
  return tensors;
}

template <class T>
Score Objective<T>::empty_score() const {
  Score score;
  score.losses.resize(losses.size());
  for (const Metric<T>& metric : metrics) {
    score.metrics.emplace_back(static_cast<std::size_t>(metric.sum_count), 0.0);
  }
  return score;
}

template <class T>
void Objective<T>::check_shapes(const Dataset& data) const {
  const isize n = data.x[0].samples();
  const std::size_t count = data.y.size();
  check(count >= targets_.size(), "expected targets for ", targets_.size(),
        " outputs. Received: ", count, ".");
  check(data.weight.empty() || data.weight.size() == count,
        "sample_weight must have a place for every target. Received: ", data.weight.size(), " for ",
        count, " targets.");
  for (std::size_t k = 0; k < data.weight.size();
       ++k) {  // those that nobody reads are gathered too
    const auto& weight = data.weight[k];
    check(!weight || weight->samples() == n, "x and ", place_name("sample_weight", k, count),
          " must have the same number of samples. Received: ", n, " and ",
          weight ? weight->samples() : 0, ".");
  }
  for (std::size_t k = 0; k < count; ++k) {
    const std::string name = place_name("y", k, count);
    const Target target = k < targets_.size() ? targets_[k] : Target{};
    if (const auto& y = data.y[k]) {
      check(y->samples() == n, "x and ", name,
            " must have the same number of samples. Received: ", n, " and ", y->samples(), ".");
      check(target.size == 0 || y->sample_size() == target.size, target.reader, ": expected ",
            target.size, target.classes ? " class index" : " target value",
            target.size == 1 ? "" : "s", " per sample. Received: ", name, ".shape=", y->shape, ".");
    } else {
      check(target.size == 0, target.reader, ": expected targets. Received: ", name, "=None.");
    }
  }
  const auto check_weight = [&](int target, const Rows& rows) {
    const auto k = static_cast<std::size_t>(target);
    if (target < 0 || k >= data.weight.size() || !data.weight[k]) return;
    const Source& weight = *data.weight[k];
    const isize size = weight.sample_size();
    check((size == 1 || !rows.batched || size == rows.lead),
          "sample_weight must have one number per sample",
          rows.lead == 1 ? "" : ", or one per row of predictions",
          ". Received: ", place_name("sample_weight", k, count), ".shape=", weight.shape, " for ",
          n, " samples.");
  };
  for (const Loss<T>& loss : losses) check_weight(loss.spec.target, loss.rows);
  for (const Metric<T>& metric : metrics) {
    if (metric.spec.weighted) check_weight(metric.spec.target, metric.rows);
  }
}

template <class T>
void Objective<T>::check_labels(const Dataset& data) const {
  for (const Loss<T>& loss : losses) {
    if (!loss.row || !loss.row->index_target) continue;
    const auto k = static_cast<std::size_t>(loss.spec.target);
    const Source& y = *data.y[k];
    const isize size = loss.target_size, cols = loss.rows.cols;
    const ops::Cut blocks(y.samples(), 1 + 4096 / std::max<isize>(size, 1));
    std::vector<T> labels(static_cast<std::size_t>(blocks.unit * size));
    const auto is_class = [cols](T label) {
      return label >= 0 && label < static_cast<T>(cols) &&
             label == static_cast<T>(static_cast<isize>(label));
    };
    for (isize b = 0; b < blocks.count; ++b) {
      const auto [first, count] = blocks[b];
      y.template gather<T>(labels.data(), nullptr, first, count, 1);
      const auto end = labels.begin() + count * size;
      const auto bad = std::find_if_not(labels.begin(), end, is_class);
      if (bad == end) continue;
      check(false, loss.row->name, ": y must hold class indices, whole numbers in [0, ", cols,
            "). Received: ", place_name("y", k, data.y.size()), "[",
            first + (bad - labels.begin()) / size, "]=", *bad, ".");
    }
  }
}

template <class T>
void Objective<T>::judge(Score& score, Feed<T>& feed, const Workspace<T>& space, isize first,
                         isize n, isize batch, int team, const Backprop<T>* backprop) const {
  for (std::size_t l = 0; l < losses.size(); ++l) {
    const Loss<T>& loss = losses[l];
    const RowWeights<T> weights = feed.row_weights(loss.spec.target, loss.rows, n);
    if (!loss.rows.batched && first > 0 && !weights.values) continue;
    const auto tensor = static_cast<std::size_t>(loss.rows.tensor);
    const Arrival arrival = backprop ? backprop->starts[l] : Arrival::none;
    T* grad = arrival == Arrival::none    ? nullptr
              : arrival == Arrival::first ? space.gradient[tensor]
                                          : space.scratch;
    const isize rows = loss.rows.of(n);
    const LossSum sum = loss.compute(feed.values_for(rows), grad, space.tensor[tensor],
                                     feed.target_of(loss.spec.target), weights, n, batch, team);
    if (arrival == Arrival::further) {
      add_to(space.gradient[tensor], grad, rows * loss.rows.cols, team);
    }
    score.losses[l].values += sum.values;
    score.losses[l].weights += sum.weights;
    score.losses[l].rows += sum.rows;
  }
  for (std::size_t m = 0; m < metrics.size(); ++m) {
    const Metric<T>& metric = metrics[m];
    const int target = metric.spec.weighted ? metric.spec.target : -1;
    const T* weight = feed.row_weights(target, metric.rows, n).values;
    if (!metric.rows.batched && first > 0 && !weight) continue;
    metric.accumulate(score.metrics[m].data(), feed.values_for(metric.rows.of(n)),
                      space.tensor[static_cast<std::size_t>(metric.rows.tensor)],
                      feed.target_of(metric.spec.target), weight, n);
  }
}

template struct Feed<float>;
template struct Feed<double>;
template class Objective<float>;
template class Objective<double>;

}  // namespace pynn::exec
