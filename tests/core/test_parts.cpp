// However a batch is trained, the bits are the same: a small network cuts it into parts, a wide one
// shares out the panels of its kernels and updates them while their gradients are computed, but for
// the last batch of a call. Threads may have weights of their own. The outputs of all rows of a
// batch can be read, and batches of any size follow each other.
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

// Outputs, loss and weights after a few batches of each size, so many in a call.
template <class T>
std::vector<T> trained(Sizes n, int team, isize batches_in_call) {
  const isize features = n.features;
  std::vector<double> x(static_cast<std::size_t>(kSamples * features)), rates(kLong, 1e-3);
  std::vector<std::int64_t> y(kSamples), order(kLong * 190);
  kernels::table<double>().normal(x.data(), {5, 0, 0}, 0, kSamples * features);
  for (isize i = 0; i < kSamples; ++i) {
    const double* row = x.data() + i * features;
    y[static_cast<std::size_t>(i)] = (row[0] > 0) + (row[1] > 0);
  }
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::int64_t>(i % kSamples);
  Dataset data;
  data.x = {{reinterpret_cast<const char*>(x.data()),
             DType::f64,
             {kSamples, features},
             {features * 8, 8}}};
  data.y = {Source{reinterpret_cast<const char*>(y.data()), DType::i64, {kSamples}, {8}}};
  OptimizerSpec adam;
  adam.name = "adam";
  for (const auto& field : kernels::find_row("optimizer", "adam")->fields) {
    adam.fields.push_back(field.value);
  }
  adam.penalties = {{0, 1e-5, 1e-4}, {2, 0, 1e-3, true}};
  const auto net = std::make_shared<const Network<T>>(network<T>(n));
  Trainer<T> trainer(net, net, {{"sparse_categorical_crossentropy"}}, {}, adam);
  Poll poll;
  std::vector<T> all;
  const auto epoch = [&](isize rows, isize batch, isize most) {
    for (isize first = 0; first * batch < rows; first += most) {
      const TrainRequest request{order.data(), rows, batch, first, most,
                                 rates.data(), 1e9,  7,     team};
      trainer.train(data, request, poll);
    }
  };
  for (isize batch : {60, 190, 128}) {  // room for the first is too small for the others
    epoch(kSamples, batch, batches_in_call);
    // Of the last batch, which is smaller, there is one part or two.
    if (batch != 60) epoch(n.hidden < 100 ? kLong * batch - 50 : 0, batch, kLong);
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
  for (std::size_t v = 0; v < net->plan.variables.size(); ++v) {
    const T* w = net->plan.weight(static_cast<int>(v));
    all.insert(all.end(), w, w + net->plan.storage(static_cast<int>(v)).size());
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

}  // namespace

int main() {
  for (Sizes n : {kSmall, kWide}) {
    same_bits<float>(n);
    same_bits<double>(n);
  }
  return pynn::test::finish();
}
