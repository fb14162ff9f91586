#include "exec/trainer.h"

#include <cmath>
#include <mutex>

#include "core/denormals.h"

namespace pynn::exec {

void Sums::add(const Sums& other) {
  loss += other.loss;
  samples += other.samples;
  for (std::size_t m = 0; m < metrics.size(); ++m) {
    for (std::size_t i = 0; i < metrics[m].size(); ++i) metrics[m][i] += other.metrics[m][i];
  }
}

void Sums::reset() {
  loss = samples = 0;
  for (auto& sums : metrics) sums.assign(sums.size(), 0.0);
}

template <class T>
Trainer<T>::Trainer(std::shared_ptr<const Network<T>> network, const LossSpec& loss,
                    const std::vector<MetricSpec>& metrics, const OptimizerSpec& optimizer_spec)
    : optimizer(network->plan, optimizer_spec),
      network_(std::move(network)),
      loss_(loss, network_->plan) {
  for (const MetricSpec& metric : metrics) {
    metrics_.emplace_back(metric, network_->plan);
    check(metrics_.back().target_size == loss_.target_size, metric.name, ": this metric wants ",
          metrics_.back().target_size, " target values per sample, but the loss ", loss_.row.name,
          " has ", loss_.target_size, ".");
  }
  training = evaluation = empty_sums();
}

template <class T>
Sums Trainer<T>::empty_sums() const {
  Sums sums;
  for (const Metric<T>& metric : metrics_) {
    sums.metrics.emplace_back(static_cast<std::size_t>(metric.sum_count), 0.0);
  }
  return sums;
}

template <class T>
void Trainer<T>::check_shapes(const Dataset& data) const {
  network_->check_inputs(data.x);
  const isize n = data.x[0].samples();
  check(data.y.samples() == n, "x and y must have the same number of samples. Received: ", n,
        " and ", data.y.samples(), ".");
  check(data.y.sample_size() == loss_.target_size, loss_.row.name, ": expected ", loss_.target_size,
        loss_.row.index_target ? " class index" : " target value",
        loss_.target_size == 1 ? "" : "s", " per sample. Received: y.shape=", data.y.shape, ".");
  if (data.weight) {
    check(data.weight->samples() == n && data.weight->sample_size() == 1,
          "sample_weight must have one number per sample. Received: sample_weight.shape=",
          data.weight->shape, " for ", n, " samples.");
  }
}

template <class T>
void Trainer<T>::check_labels(const Dataset& data) const {
  if (!loss_.row.index_target) return;
  const isize n = data.y.samples();
  std::vector<T> block(static_cast<std::size_t>(loss_.target_size));
  for (isize i = 0; i < n; ++i) {
    data.y.template gather<T>(block.data(), nullptr, i, 1, 1);
    for (T label : block) {
      check(label >= 0 && label < static_cast<T>(loss_.cols) && label == std::floor(label),
            loss_.row.name, ": y must hold class indices, whole numbers in [0, ", loss_.cols,
            "). Received: y[", i, "]=", label, ".");
    }
  }
}

template <class T>
void Trainer<T>::make_room(isize batch) {
  if (space_ && space_->capacity >= batch) return;
  space_ = std::make_unique<Workspace<T>>(network_->plan, batch, true);
  const auto rows = static_cast<std::size_t>(batch * loss_.lead);
  target_.resize(static_cast<std::size_t>(batch * loss_.target_size));
  weight_.resize(static_cast<std::size_t>(batch));
  row_weight_.resize(rows);
  values_.resize(rows);
  scratch_.resize(rows);
}

template <class T>
void Trainer<T>::train_batch(const Dataset& data, const TrainRequest& request, isize batch,
                             double learning_rate, Poll& poll) {
  const isize first = batch * request.batch_size;
  const isize n = std::min(request.batch_size, request.rows - first);
  const std::int64_t* order = request.order + first;
  for (std::size_t i = 0; i < data.x.size(); ++i) {
    data.x[i].template gather<T>(space_->tensor[i], order, 0, n, request.team);
  }
  data.y.template gather<T>(target_.data(), order, 0, n, request.team);
  if (data.weight) data.weight->template gather<T>(weight_.data(), order, 0, n, request.team);
  const T* weight =
      spread_weights(row_weight_.data(), data.weight ? weight_.data() : nullptr, n, loss_.lead);

  const Run run{n, request.team, true, request.seed,
                static_cast<std::uint32_t>(optimizer.iterations)};
  double penalty =
      network_->forward(*space_, run, poll) + optimizer.penalty() * static_cast<double>(n);

  const auto read = static_cast<std::size_t>(loss_.read_tensor);
  loss_.compute(values_.data(), space_->gradient[read], space_->tensor[read], target_.data(),
                weight, n, request.team);
  network_->backward(*space_, run, loss_.start_step, optimizer.gradients(), poll);
  optimizer.step(learning_rate, request.team);

  double sum = 0;
  for (isize r = 0; r < n * loss_.lead; ++r) {
    const auto i = static_cast<std::size_t>(r);
    sum += values_[i] * (weight ? static_cast<double>(weight[r]) : 1.0);
  }
  training.loss += sum / static_cast<double>(loss_.lead) + penalty;
  training.samples += static_cast<double>(n);
  const T* pred = space_->tensor[static_cast<std::size_t>(network_->plan.outputs[0])];
  for (std::size_t m = 0; m < metrics_.size(); ++m) {
    metrics_[m].accumulate(training.metrics[m].data(), scratch_.data(), pred, target_.data(),
                           weight, n);
  }
}

template <class T>
isize Trainer<T>::train(const Dataset& data, const TrainRequest& request, Poll& poll) {
  const FlushDenormals flush;
  make_room(std::min(request.batch_size, request.rows));
  const isize batches = (request.rows + request.batch_size - 1) / request.batch_size;
  const isize count = std::min(request.max_batches, batches - request.first_batch);
  const double deadline = seconds_now() + request.seconds;
  isize done = 0;
  const auto another = [&] {
    if (done >= count || (done > 0 && seconds_now() >= deadline)) return false;
    train_batch(data, request, request.first_batch + done, request.learning_rates[done], poll);
    ++done;
    return true;
  };
  if (const std::pair now{request.batch_size, request.team}; tried_ != now) {
    const long before = shared_regions();  // the first batch shows whether a team is of use
    another();
    tried_ = now;
    needs_team_ = shared_regions() > before;
  }
  with_team(needs_team_ ? request.team : 1, [&] {
    while (another()) continue;
  });
  return done;
}

template <class T>
void Trainer<T>::evaluate(const Dataset& data, int team, Poll& poll) {
  // Blocks run on any thread; each leaves its sums in a place of its own, added up in order
  // afterwards.
  const isize n = data.x[0].samples(), rows = network_->block_rows(n);
  std::vector<Sums> blocks(static_cast<std::size_t>((n + rows - 1) / rows), empty_sums());
  network_->for_blocks(
      data.x, team, poll, [&](Workspace<T>& space, isize first, isize count, double penalty) {
        const FlushDenormals flush;
        const auto loss_rows = static_cast<std::size_t>(count * loss_.lead);
        std::vector<T> target(static_cast<std::size_t>(count * loss_.target_size));
        std::vector<T> own_weight(data.weight ? static_cast<std::size_t>(count) : 0),
            spread(loss_rows);
        std::vector<double> values(loss_rows), scratch(loss_rows);
        data.y.template gather<T>(target.data(), nullptr, first, count, 1);
        if (data.weight)
          data.weight->template gather<T>(own_weight.data(), nullptr, first, count, 1);
        const T* weight = spread_weights(spread.data(), data.weight ? own_weight.data() : nullptr,
                                         count, loss_.lead);
        loss_.compute(values.data(), nullptr,
                      space.tensor[static_cast<std::size_t>(loss_.read_tensor)], target.data(),
                      weight, count, 1);
        Sums& sums = blocks[static_cast<std::size_t>(first / rows)];
        for (std::size_t r = 0; r < loss_rows; ++r) {
          sums.loss += values[r] * (weight ? static_cast<double>(weight[r]) : 1.0);
        }
        sums.loss = sums.loss / static_cast<double>(loss_.lead) + penalty;
        sums.samples = static_cast<double>(count);
        const T* pred = space.tensor[static_cast<std::size_t>(network_->plan.outputs[0])];
        for (std::size_t m = 0; m < metrics_.size(); ++m) {
          metrics_[m].accumulate(sums.metrics[m].data(), scratch.data(), pred, target.data(),
                                 weight, count);
        }
      });
  for (const Sums& sums : blocks) evaluation.add(sums);
  evaluation.loss += optimizer.penalty() * static_cast<double>(n);
}

template class Trainer<float>;
template class Trainer<double>;

}  // namespace pynn::exec
