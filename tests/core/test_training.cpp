// The engine without Python: a network with every kind of state, on dense and on sparse samples,
// and one with shared tensors, shared variables and several losses, train, allocate nothing per
// batch, and give the same bits for any number of threads.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <new>
#include <numeric>
#include <thread>

#include "check_test.h"
#include "engine_test.h"

namespace {
std::atomic<long> allocations{0};
}

// Every allocation of the program is counted: aligned ones too, and those that may fail, which
// std::stable_sort asks for. Kept out of line, where the compiler takes them for the pair that they
// are.
#if defined(__GNUC__)
#define PYNN_KEEP __attribute__((noinline))
#else
#define PYNN_KEEP
#endif
PYNN_KEEP void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
  ++allocations;
  return std::malloc(bytes ? bytes : 1);
}
PYNN_KEEP void* operator new(std::size_t bytes, std::align_val_t alignment,
                             const std::nothrow_t&) noexcept {
  ++allocations;
  const auto step = static_cast<std::size_t>(alignment);
  return std::aligned_alloc(step, (bytes + step - 1) / step * step);
}
PYNN_KEEP void* operator new(std::size_t bytes) {
  if (void* p = operator new(bytes, std::nothrow)) return p;
  throw std::bad_alloc();
}
PYNN_KEEP void* operator new(std::size_t bytes, std::align_val_t alignment) {
  if (void* p = operator new(bytes, alignment, std::nothrow)) return p;
  throw std::bad_alloc();
}
PYNN_KEEP void operator delete(void* p) noexcept { std::free(p); }
PYNN_KEEP void operator delete(void* p, std::size_t) noexcept { std::free(p); }
PYNN_KEEP void operator delete(void* p, const std::nothrow_t&) noexcept { std::free(p); }
PYNN_KEEP void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
PYNN_KEEP void operator delete(void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }
PYNN_KEEP void operator delete(void* p, std::align_val_t, const std::nothrow_t&) noexcept {
  std::free(p);
}

namespace {

using namespace pynn;
using namespace pynn::exec;
using namespace pynn::test;

constexpr isize kSamples = 1000, kFeatures = 40, kHidden = 130, kClasses = 7;

// dense, batch normalization, gelu, dropout, dense, softmax
template <class T>
Graph chain() {
  Graph g;
  g.inputs = {{kFeatures}};
  g.nodes = {
      node("dense", {0}, {},
           {variable<T>({kFeatures, kHidden}, 0, 0.15, 1), variable<T>({kHidden}, 0, 0, 2)}),
      node("batch_norm", {1},
           {{"momentum", 0.9},
            {"epsilon", 1e-3},
            {"scale", true},
            {"center", true},
            {"frozen", false}},
           {variable<T>({kHidden}, 1, 0, 3), variable<T>({kHidden}, 0, 0, 4),
            variable<T>({kHidden}, 0, 0, 5), variable<T>({kHidden}, 1, 0, 6)},
           {true, true, false, false}),
      node("activation", {2}, {{"name", text("gelu")}}),
      node("dropout", {3}, {{"rate", 0.25}}),
      node("dense", {4}, {},
           {variable<T>({kHidden, kClasses}, 0, 0.1, 7), variable<T>({kClasses}, 0, 0, 8)}),
      node("activation", {5}, {{"name", text("softmax")}}),
  };
  g.outputs = {6};
  return g;
}

// Of the first layer: output read twice, weights used twice, a product of a tensor with itself and
// with a parameter. Two predictions from there, and the parameter as a penalty.
template <class T>
Graph web() {
  const auto kernel = variable<T>({kFeatures, kFeatures}, 0, 0.15, 1);
  const auto bias = variable<T>({kFeatures}, 0.1, 0.05, 2);
  Graph g;
  g.inputs = {{kFeatures}};
  g.nodes = {
      node("dense", {0}, {}, {kernel, bias}),
      node("activation", {1}, {{"name", text("gelu")}}),
      node("dense", {2}, {}, {kernel, bias}),
      node("test_product", {2, 3}, {}),
      node("parameter", {}, {}, {variable<T>({kFeatures}, 1, 0.1, 3)}),
      node("test_product", {4, 5}, {}),
      node("test_product", {6, 6}, {}),
      node("dense", {7}, {}, {variable<T>({kFeatures, kClasses}, 0, 0.1, 4)}),
      node("activation", {8}, {{"name", text("softmax")}}),
      node("dense", {7}, {}, {variable<T>({kFeatures, 1}, 0, 0.1, 5)}),
      node("dense", {7}, {}, {variable<T>({kFeatures, 2}, 0, 0.1, 6)}),  // no output needs it
  };
  g.outputs = {9, 10, 5};
  return g;
}

struct Model {
  std::vector<LossSpec> losses = {{"sparse_categorical_crossentropy"}};
  std::vector<MetricSpec> metrics = {{"sparse_categorical_accuracy"}};
};

Model web_model() {
  Model model;
  model.losses.resize(4, model.losses[0]);
  model.losses[0].weight = 0.7;
  model.losses[1] = {"mean_squared_error"};
  model.losses[1].output = 1;
  model.losses[1].target = 1;
  model.losses[1].reduction = Reduction::sum;
  model.losses[2].reduction = Reduction::mean_with_sample_weight;  // the first output once more
  model.losses[3].values = true;
  model.losses[3].output = 2;
  model.losses[3].target = -1;
  model.losses[3].reduction = Reduction::sum;
  model.losses[3].weight = 0.01;
  model.metrics.push_back({"mean_squared_error"});
  model.metrics[1].output = 1;
  model.metrics[1].target = 1;
  model.metrics[1].weighted = true;
  return model;
}

enum class Kind { chain, sparse, web };  // the chain on dense or sparse samples, or the web

template <class T>
Graph graph_of(Kind kind) {
  Graph g = kind == Kind::web ? web<T>() : chain<T>();
  if (kind == Kind::sparse) g.sparse = {0};
  return g;
}

template <class T>
struct Setup {
  std::vector<std::uint8_t> x = std::vector<std::uint8_t>(kSamples * kFeatures);
  std::vector<std::int64_t> y = std::vector<std::int64_t>(kSamples), order = y;
  std::vector<std::int32_t> row_starts, columns;  // of sparse samples, whose numbers are in x
  std::vector<double> rates = std::vector<double>(1000, 1e-3);
  std::vector<float> weights = std::vector<float>(kSamples);
  std::shared_ptr<const Network<T>> network;
  Model model;
  OptimizerSpec optimizer;
  Dataset data;
  explicit Setup(Kind kind)
      : network(std::make_shared<const Network<T>>(graph_of<T>(kind))),
        model(kind == Kind::web ? web_model() : Model()) {
    for (std::size_t i = 0; i < x.size(); ++i)
      x[i] = static_cast<std::uint8_t>(i * 2654435761u >> 7) % 2;
    for (std::size_t i = 0; i < y.size(); ++i) {
      y[i] = (x[i * kFeatures] + 2 * x[i * kFeatures + 1] + x[i * kFeatures + 2]) % kClasses;
    }
    std::iota(order.begin(), order.end(), 0);
    optimizer.name = "adam";
    for (const auto& field : kernels::find_row("optimizer", "adam")->fields) {
      optimizer.fields.push_back(field.value);
    }
    optimizer.global_clipnorm = 1;
    optimizer.penalties = {{0, 1e-5, 1e-4}};
    data.x = {{reinterpret_cast<const char*>(x.data()),
               DType::u8,
               {kSamples, kFeatures},
               {kFeatures, 1}}};
    if (kind == Kind::sparse) make_sparse();
    for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = 0.25f * static_cast<float>(i % 5);
    const Source labels{reinterpret_cast<const char*>(y.data()), DType::i64, {kSamples}, {8}};
    const Source weight{reinterpret_cast<const char*>(weights.data()), DType::f32, {kSamples}, {4}};
    data.y = {labels};
    if (kind == Kind::web) {
      data.y.push_back(labels);
      data.weight = {weight, weight};
    }
  }
  // Nine numbers in every row, some of them at one place.
  void make_sparse() {
    constexpr std::int32_t kStored = 9;
    for (std::int32_t r = 0; r <= kSamples; ++r) row_starts.push_back(r * kStored);
    for (std::size_t i = 0; i < kSamples * kStored; ++i) {
      columns.push_back(static_cast<std::int32_t>(i * i * 31 % kFeatures));
    }
    const auto integers = [](const std::vector<std::int32_t>& values) {
      return Integers{reinterpret_cast<const char*>(values.data()),
                      static_cast<isize>(values.size()), 4, false};
    };
    data.x[0].strides = {1};
    data.x[0].compressed = {integers(row_starts), integers(columns), kSamples * kStored};
  }
  Trainer<T> trainer() const { return {network, network, model.losses, model.metrics, optimizer}; }
  Run inference(int team) const { return {kSamples, team}; }
  std::vector<T> predictions(int team) const {
    Poll poll;
    std::vector<T> all(static_cast<std::size_t>(kSamples * (kClasses + 1) + kFeatures));
    std::vector<T*> outputs{all.data()};
    if (network->plan.outputs.size() > 1) {
      outputs.push_back(all.data() + kSamples * kClasses);
      outputs.push_back(all.data() + kSamples * (kClasses + 1));
    }
    network->predict(outputs, data.x, inference(team), poll);
    return all;
  }
  TrainRequest request(int team, isize first = 0, isize count = 1000) const {
    return {order.data(), kSamples, 32, first, count, rates.data(), 1e9, 7, team};
  }
};

template <class T>
std::vector<T> weights_after(Kind kind, int team) {
  Setup<T> setup(kind);
  Trainer<T> trainer = setup.trainer();
  Poll poll;
  double first = 0;
  for (int epoch = 0; epoch < 3; ++epoch) {
    trainer.train(setup.data, setup.request(team), poll);
    if (epoch == 0) first = trainer.training.loss / trainer.training.samples;
    if (epoch < 2) trainer.training.reset();
  }
  const double last = trainer.training.loss / trainer.training.samples;
  CHECK(std::isfinite(last) && last < first, "the loss falls: %g -> %g", first, last);
  trainer.evaluate(setup.data, {}, setup.inference(team), poll);
  std::vector<T> all{static_cast<T>(trainer.evaluation.loss),
                     static_cast<T>(trainer.evaluation.metrics[0][0])};
  for (std::size_t v = 0; v < setup.network->plan.variables.size(); ++v) {
    const T* w = setup.network->plan.weight(static_cast<int>(v));
    all.insert(all.end(), w, w + setup.network->plan.variables[v]->template storage<T>().size());
  }
  const std::vector<T> out = setup.predictions(team);
  all.insert(all.end(), out.begin(), out.end());
  return all;
}

template <class T>
void same_bits(Kind kind) {
  const std::vector<T> one = weights_after<T>(kind, 1);
  for (int team : {2, 3, 8}) {
    const std::vector<T> many = weights_after<T>(kind, team);
    CHECK(one.size() == many.size() &&
              std::memcmp(one.data(), many.data(), one.size() * sizeof(T)) == 0,
          "%zu-byte numbers, %d threads: the same bits as with one", sizeof(T), team);
  }
}

template <class T>
void no_allocation(Kind kind) {
  const Setup<T> setup(kind);
  Trainer<T> trainer = setup.trainer();
  Poll poll;
  for (int team : {1, 2}) {
    trainer.train(setup.data, setup.request(team, 0, 1), poll);
    const long before = allocations;
    trainer.train(setup.data, setup.request(team, 1, 30), poll);
    CHECK(allocations == before, "team %d: %ld allocations in 30 batches", team,
          allocations - before);

    std::vector<T> out(static_cast<std::size_t>(kSamples * kClasses));
    const std::vector<T*> first_output{out.data()};
    for (int warm = 0; warm < 3; ++warm)
      setup.network->predict(first_output, setup.data.x, setup.inference(team), poll);
    const long before_predict = allocations;
    setup.network->predict(first_output, setup.data.x, setup.inference(1), poll);
    CHECK(allocations == before_predict, "team %d: %ld allocations in a prediction", team,
          allocations - before_predict);
  }
}

// Many threads predict with one network at once.
void reentrant() {
  const Setup<float> setup(Kind::web);
  const std::vector<float> expected = setup.predictions(1);
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int repeat = 0; repeat < 20; ++repeat) wrong += setup.predictions(2) != expected;
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0, "%d of 80 concurrent predictions differ", wrong.load());
}

// The gradients of every variable against central differences of the loss, in random directions.
void gradients() {
  Setup<double> setup(Kind::web);
  setup.optimizer.global_clipnorm = 0;
  Trainer<double> trainer = setup.trainer();
  Poll poll;
  const auto found = trainer.gradients(setup.data, true, 0, 1, poll);
  const auto& plan = setup.network->plan;
  const auto loss = [&] {
    trainer.evaluation.reset();
    trainer.evaluate(setup.data, {}, setup.inference(1), poll);
    return trainer.evaluation.loss / trainer.evaluation.samples;
  };
  for (std::size_t v = 0; v < plan.variables.size(); ++v) {
    double* w = plan.weight(static_cast<int>(v));
    const auto [rows, cols, ld] = plan.storage(static_cast<int>(v));
    std::vector<double> direction(found.variables[v].size()), before(w, w + direction.size());
    double ours = 0;
    for (isize r = 0; r < rows; ++r) {
      kernels::table<double>().normal(direction.data() + r * ld, {99, 0, 0}, r * cols, cols);
    }
    for (std::size_t i = 0; i < direction.size(); ++i) ours += direction[i] * found.variables[v][i];
    double values[2];
    constexpr double kStep = 1e-6;
    for (int side : {0, 1}) {
      for (std::size_t i = 0; i < direction.size(); ++i) {
        w[i] = before[i] + (side ? kStep : -kStep) * direction[i];
      }
      values[side] = loss();
    }
    std::copy(before.begin(), before.end(), w);
    const double numeric = (values[1] - values[0]) / (2 * kStep);
    CHECK(std::abs(ours - numeric) <= 1e-6 * std::max(1.0, std::abs(numeric)),
          "variable %zu: gradient %.12g, central difference %.12g", v, ours, numeric);
  }
  const auto& dead = found.variables.back();
  CHECK(std::all_of(dead.begin(), dead.end(), [](double g) { return g == 0; }),
        "what no loss depends on has no gradient");
}

void errors() {
  Setup<float> setup(Kind::sparse);
  const Trainer<float> trainer = setup.trainer();
  const auto refused = [&] {
    try {
      trainer.check_shapes(setup.data);
      trainer.check_values(setup.data);
    } catch (const std::invalid_argument&) {
      return true;
    }
    return false;
  };
  CHECK(!refused(), "good data are taken");
  setup.y[500] = kClasses;
  CHECK(refused(), "a class index out of range is refused");
  setup.y[500] = 0;
  setup.columns[100] = kFeatures;
  CHECK(refused(), "a column out of range is refused");
  setup.columns[100] = 0;
  setup.row_starts[5] = 99;
  CHECK(refused(), "row starts that decrease are refused");
  setup.row_starts[5] = 45;
  CHECK(!refused(), "repaired data are taken");
  setup.data.x[0].shape = {kSamples, kFeatures - 1};
  CHECK(refused(), "a wrong number of features is refused");
}

}  // namespace

int main() {
  for (const Kind kind : {Kind::chain, Kind::sparse, Kind::web}) {
    same_bits<float>(kind);
    same_bits<double>(kind);
    no_allocation<float>(kind);
    no_allocation<double>(kind);
  }
  reentrant();
  gradients();
  errors();
  return pynn::test::finish();
}
