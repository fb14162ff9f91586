// However a batch is trained, the bits are the same: a small network cuts it into parts, a wide one
// shares out the panels of its kernels and updates them while their gradients are computed, but for
// the last batch of a call. Threads may have weights of their own. The outputs of all rows of a
// batch can be read, and batches of any size follow each other.
#include <algorithm>
#include <cstring>

#include "check_test.h"
#include "engine_test.h"
#include "kernels/lookup.h"

namespace {

using namespace pynn;
using namespace pynn::exec;
using namespace pynn::test;

constexpr isize kSamples = 1000, kClasses = 3;
constexpr isize kLong =
    60;  // batches that are worth a team, and weights of its own for each thread

struct Sizes {
  isize features, hidden;
};
constexpr Sizes kSmall{13, 21}, kWide{45, 310};

template <class T>
Graph network(Sizes n) {
  Graph g;
  g.inputs = {{n.features}};
  g.nodes = {
      node("dense", {0}, {},
           {variable<T>({n.features, n.hidden}, 0, 0.15, 1), variable<T>({n.hidden}, 0, 0, 2)}),
      node("activation", {1}, {{"name", text("relu")}}),
      node("dense", {2}, {},
           {variable<T>({n.hidden, n.hidden}, 0, 0.05, 3), variable<T>({n.hidden}, 0, 0, 4)}),
      node("activation", {3}, {{"name", text("tanh")}}),
      node("dense", {4}, {},
           {variable<T>({n.hidden, kClasses}, 0, 0.1, 5), variable<T>({kClasses}, 0, 0, 6)}),
      node("activation", {5}, {{"name", text("softmax")}}),
  };
  g.outputs = {6};
  return g;
}

// Samples of three classes, a small or wide network, and who trains it.
template <class T>
struct Training {
  explicit Training(Sizes n)
      : x(static_cast<std::size_t>(kSamples * n.features)),
        y(kSamples),
        order(kLong * 190),
        net(std::make_shared<const Network<T>>(network<T>(n))),
        trainer(net, net, {{"sparse_categorical_crossentropy"}}, {}, adam()) {
    const isize features = n.features;
    kernels::table<double>().normal(x.data(), {5, 0, 0}, 0, kSamples * features);
    for (isize i = 0; i < kSamples; ++i) {
      const double* row = x.data() + i * features;
      y[static_cast<std::size_t>(i)] = (row[0] > 0) + (row[1] > 0);
    }
    for (std::size_t i = 0; i < order.size(); ++i) {
      order[i] = static_cast<std::int64_t>(i % kSamples);
    }
    data.x = {{reinterpret_cast<const char*>(x.data()),
               DType::f64,
               {kSamples, features},
               {features * 8, 8}}};
    data.y = {Source{reinterpret_cast<const char*>(y.data()), DType::i64, {kSamples}, {8}}};
  }
  static OptimizerSpec adam() {
    OptimizerSpec spec;
    spec.name = "adam";
    for (const auto& field : kernels::find_row("optimizer", "adam")->fields) {
      spec.fields.push_back(field.value);
    }
    spec.penalties = {{0, 1e-5, 1e-4}, {2, 0, 1e-3, true}};
    return spec;
  }
  // In calls of so many batches.
  void epoch(isize rows, isize batch, isize most, int team, Poll& poll) {
    for (isize first = 0; first * batch < rows; first += most) {
      const TrainRequest request{order.data(), rows, batch, first, most,
                                 rates.data(), 1e9,  7,     team};
      trainer.train(data, request, poll);
    }
  }

  std::vector<double> x, rates = std::vector<double>(kLong, 1e-3);
  std::vector<std::int64_t> y, order;
  Dataset data;
  std::shared_ptr<const Network<T>> net;
  Trainer<T> trainer;
};

// Outputs, loss and weights after a few batches of each size, so many in a call.
template <class T>
std::vector<T> trained(Sizes n, int team, isize batches_in_call) {
  Training<T> training(n);
  const Plan<T>& plan = training.net->plan;
  Trainer<T>& trainer = training.trainer;
  Poll poll;
  std::vector<T> all;
  for (isize batch : {60, 190, 128}) {  // room for the first is too small for the others
    training.epoch(kSamples, batch, batches_in_call, team, poll);
    // Of the last batch, which is smaller, there is one part or two.
    if (batch != 60 && n.hidden < 100) {
      training.epoch(kLong * batch - 50, batch, kLong, team, poll);
    }
    std::vector<T> out(static_cast<std::size_t>(trainer.last_batch() * kClasses));
    trainer.copy_outputs({out.data()});
    for (isize r = 0; r < trainer.last_batch(); ++r) {
      const T* row = out.data() + r * kClasses;
      const double sum = static_cast<double>(row[0] + row[1] + row[2]);
      CHECK(sum > 0.999 && sum < 1.001, "row %td of the outputs sums to %g", r, sum);
    }
    all.insert(all.end(), out.begin(), out.end());
  }
  all.push_back(static_cast<T>(trainer.training.loss));
  for (std::size_t v = 0; v < plan.variables.size(); ++v) {
    const T* w = plan.weight(static_cast<int>(v));
    all.insert(all.end(), w, w + plan.storage(static_cast<int>(v)).size());
  }
  return all;
}

template <class T>
void same_bits(Sizes n) {
  const std::vector<T> one = trained<T>(n, 1, 1);
  const auto check = [&](int team, isize batches_in_call) {
    const std::vector<T> many = trained<T>(n, team, batches_in_call);
    CHECK(one.size() == many.size() &&
              std::memcmp(one.data(), many.data(), one.size() * sizeof(T)) == 0,
          "%td hidden units, %zu-byte numbers, %d threads, %td batches in a call", n.hidden,
          sizeof(T), team, batches_in_call);
  };
  for (int team : {1, 2, 3, 8}) check(team, 20);
}

// A call of one batch tells nothing of how long the next ones take: these get their team.
void team_after_one_batch() {
  static int threads;
  Poll watch;
  watch.function = [](void* poll) {
    threads = std::max(threads, team_at_hand());
    static_cast<Poll*>(poll)->next = 0;  // again after the next batch
  };
  watch.context = &watch;
  Training<float> training(kSmall);
  Poll poll;
  training.epoch(190, 190, 1, 2, poll);
  training.epoch(kLong * 190, 190, kLong, 2, watch);
  CHECK(threads == 2, "%d threads", threads);
}

}  // namespace

int main() {
  for (Sizes n : {kSmall, kWide}) {
    same_bits<float>(n);
    same_bits<double>(n);
  }
  team_after_one_batch();
  return pynn::test::finish();
}
