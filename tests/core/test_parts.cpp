// A batch of many rows through a small network is cut into parts: the bits do not depend on the
// number of threads, the outputs of all rows can be read, batches of any size follow each other.
#include <cstring>
#include <numeric>

#include "check_test.h"
#include "engine_test.h"
#include "kernels/lookup.h"

namespace {

using namespace pynn;
using namespace pynn::exec;
using namespace pynn::test;

constexpr isize kSamples = 500, kFeatures = 13, kHidden = 21, kClasses = 3;

template <class T>
Graph network() {
  Graph g;
  g.inputs = {{kFeatures}};
  g.nodes = {
      node("dense", {0}, {},
           {variable<T>({kFeatures, kHidden}, 0, 0.15, 1), variable<T>({kHidden}, 0, 0, 2)}),
      node("activation", {1}, {{"name", text("relu")}}),
      node("dense", {2}, {},
           {variable<T>({kHidden, kClasses}, 0, 0.1, 3), variable<T>({kClasses}, 0, 0, 4)}),
      node("activation", {3}, {{"name", text("softmax")}}),
  };
  g.outputs = {4};
  return g;
}

// Outputs, loss and weights after a few batches of each size.
template <class T>
std::vector<T> trained(int team) {
  std::vector<double> x(kSamples * kFeatures), rates(10, 1e-2);
  std::vector<std::int64_t> y(kSamples), order(kSamples);
  kernels::table<double>().normal(x.data(), {5, 0, 0}, 0, kSamples * kFeatures);
  for (std::size_t i = 0; i < y.size(); ++i)
    y[i] = (x[i * kFeatures] > 0) + (x[i * kFeatures + 1] > 0);
  std::iota(order.begin(), order.end(), 0);
  Dataset data;
  data.x = {{reinterpret_cast<const char*>(x.data()),
             DType::f64,
             {kSamples, kFeatures},
             {kFeatures * 8, 8}}};
  data.y = {Source{reinterpret_cast<const char*>(y.data()), DType::i64, {kSamples}, {8}}};
  OptimizerSpec adam;
  adam.name = "adam";
  for (const auto& field : kernels::find_row("optimizer", "adam")->fields) {
    adam.fields.push_back(field.value);
  }
  const auto net = std::make_shared<const Network<T>>(network<T>());
  Trainer<T> trainer(net, net, {{"sparse_categorical_crossentropy"}}, {}, adam);
  Poll poll;
  std::vector<T> all;
  for (isize batch : {60, 190, 128}) {  // room for the first is too small for the others
    const TrainRequest request{order.data(), kSamples, batch, 0, 9, rates.data(), 1e9, 7, team};
    trainer.train(data, request, poll);
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
void same_bits() {
  const std::vector<T> one = trained<T>(1);
  for (int team : {2, 3, 8}) {
    const std::vector<T> many = trained<T>(team);
    CHECK(one.size() == many.size() &&
              std::memcmp(one.data(), many.data(), one.size() * sizeof(T)) == 0,
          "%zu-byte numbers, %d threads: the same bits as with one", sizeof(T), team);
  }
}

}  // namespace

int main() {
  same_bits<float>();
  same_bits<double>();
  return pynn::test::finish();
}
