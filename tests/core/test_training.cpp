// The engine without Python: a network with every kind of state trains, allocates nothing per
// batch, and gives the same bits for any number of threads.
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <new>
#include <numeric>
#include <thread>

#include "check_test.h"
#include "exec/trainer.h"

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

constexpr isize kSamples = 1000, kFeatures = 40, kHidden = 130, kClasses = 7;

template <class T>
VariablePtr variable(const Shape& shape, double start, double scale, std::uint64_t seed) {
  auto v = std::make_shared<Variable>(shape, kDTypeOf<T>);
  const auto [rows, cols, ld] = v->template storage<T>();
  for (isize r = 0; r < rows; ++r) {
    T* row = static_cast<T*>(v->data) + r * ld;
    kernels::table<T>().normal(row, {seed, 0, 0}, r * cols, cols);
    kernels::table<T>().affine(row, row, T(scale), T(start), cols);
  }
  return v;
}

Node node(const char* op, int input, std::map<std::string, ops::Spec::Value> settings,
          std::vector<VariablePtr> variables = {}, std::vector<bool> trainable = {}) {
  Node n;
  n.op = op;
  n.spec.owner = op;
  n.spec.values = std::move(settings);
  n.inputs = {input};
  n.trainable =
      trainable.empty() ? std::vector<bool>(variables.size(), true) : std::move(trainable);
  n.variables = std::move(variables);
  return n;
}

// dense, batch normalization, gelu, dropout, dense, softmax
template <class T>
Graph graph() {
  const auto text = [](const char* s) { return ops::Spec::Value(std::string(s)); };
  Graph g;
  g.inputs = {{kFeatures}};
  g.nodes = {
      node("dense", 0, {},
           {variable<T>({kFeatures, kHidden}, 0, 0.15, 1), variable<T>({kHidden}, 0, 0, 2)}),
      node("batch_norm", 1,
           {{"momentum", 0.9},
            {"epsilon", 1e-3},
            {"scale", true},
            {"center", true},
            {"frozen", false}},
           {variable<T>({kHidden}, 1, 0, 3), variable<T>({kHidden}, 0, 0, 4),
            variable<T>({kHidden}, 0, 0, 5), variable<T>({kHidden}, 1, 0, 6)},
           {true, true, false, false}),
      node("activation", 2, {{"name", text("gelu")}}),
      node("dropout", 3, {{"rate", 0.25}}),
      node("dense", 4, {},
           {variable<T>({kHidden, kClasses}, 0, 0.1, 7), variable<T>({kClasses}, 0, 0, 8)}),
      node("activation", 5, {{"name", text("softmax")}}),
  };
  g.outputs = {6};
  return g;
}

template <class T>
struct Setup {
  std::vector<std::uint8_t> x = std::vector<std::uint8_t>(kSamples * kFeatures);
  std::vector<std::int64_t> y = std::vector<std::int64_t>(kSamples), order = y;
  std::vector<double> rates = std::vector<double>(1000, 1e-3);
  std::shared_ptr<const Network<T>> network = std::make_shared<const Network<T>>(graph<T>());
  OptimizerSpec optimizer;
  Dataset data;
  Setup() {
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
    data.y = {reinterpret_cast<const char*>(y.data()), DType::i64, {kSamples}, {8}};
  }
  TrainRequest request(int team, isize first = 0, isize count = 1000) const {
    return {order.data(), kSamples, 32, first, count, rates.data(), 1e9, 7, team};
  }
};

template <class T>
std::vector<T> weights_after(int team) {
  Setup<T> setup;
  Trainer<T> trainer(setup.network, {"sparse_categorical_crossentropy", {}},
                     {{"sparse_categorical_accuracy", {}}}, setup.optimizer);
  Poll poll;
  double first = 0;
  for (int epoch = 0; epoch < 3; ++epoch) {
    trainer.train(setup.data, setup.request(team), poll);
    if (epoch == 0) first = trainer.training.loss / trainer.training.samples;
    if (epoch < 2) trainer.training.reset();
  }
  const double last = trainer.training.loss / trainer.training.samples;
  CHECK(std::isfinite(last) && last < first, "the loss falls: %g -> %g", first, last);
  trainer.evaluate(setup.data, team, poll);
  std::vector<T> all{static_cast<T>(trainer.evaluation.loss),
                     static_cast<T>(trainer.evaluation.metrics[0][0])};
  for (std::size_t v = 0; v < setup.network->plan.variables.size(); ++v) {
    const T* w = setup.network->plan.weight(static_cast<int>(v));
    all.insert(all.end(), w, w + setup.network->plan.variables[v]->template storage<T>().size());
  }
  std::vector<T> out(static_cast<std::size_t>(kSamples * kClasses));
  setup.network->predict(out.data(), setup.data.x, team, poll);
  all.insert(all.end(), out.begin(), out.end());
  return all;
}

template <class T>
void same_bits() {
  const std::vector<T> one = weights_after<T>(1);
  for (int team : {2, 3, 8}) {
    const std::vector<T> many = weights_after<T>(team);
    CHECK(one.size() == many.size() &&
              std::memcmp(one.data(), many.data(), one.size() * sizeof(T)) == 0,
          "%zu-byte numbers, %d threads: the same bits as with one", sizeof(T), team);
  }
}

template <class T>
void no_allocation() {
  Setup<T> setup;
  Trainer<T> trainer(setup.network, {"sparse_categorical_crossentropy", {}},
                     {{"sparse_categorical_accuracy", {}}}, setup.optimizer);
  Poll poll;
  for (int team : {1, 2}) {
    trainer.train(setup.data, setup.request(team, 0, 1), poll);
    const long before = allocations;
    trainer.train(setup.data, setup.request(team, 1, 30), poll);
    CHECK(allocations == before, "team %d: %ld allocations in 30 batches", team,
          allocations - before);

    std::vector<T> out(static_cast<std::size_t>(kSamples * kClasses));
    for (int warm = 0; warm < 3; ++warm)
      setup.network->predict(out.data(), setup.data.x, team, poll);
    const long before_predict = allocations;
    setup.network->predict(out.data(), setup.data.x, 1, poll);
    CHECK(allocations == before_predict, "team %d: %ld allocations in a prediction", team,
          allocations - before_predict);
  }
}

// Many threads predict with one network at once.
void reentrant() {
  Setup<float> setup;
  std::vector<float> expected(static_cast<std::size_t>(kSamples * kClasses));
  Poll poll;
  setup.network->predict(expected.data(), setup.data.x, 1, poll);
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      std::vector<float> own(expected.size());
      Poll silent;
      for (int repeat = 0; repeat < 20; ++repeat) {
        setup.network->predict(own.data(), setup.data.x, 2, silent);
        wrong += own != expected;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0, "%d of 80 concurrent predictions differ", wrong.load());
}

void errors() {
  Setup<float> setup;
  Trainer<float> trainer(setup.network, {"sparse_categorical_crossentropy", {}}, {},
                         setup.optimizer);
  const auto refused = [&] {
    try {
      trainer.check_shapes(setup.data);
      trainer.check_labels(setup.data);
    } catch (const std::invalid_argument&) {
      return true;
    }
    return false;
  };
  CHECK(!refused(), "good data are taken");
  setup.y[500] = kClasses;
  CHECK(refused(), "a class index out of range is refused");
  setup.y[500] = 0;
  setup.data.x[0].shape = {kSamples, kFeatures - 1};
  CHECK(refused(), "a wrong number of features is refused");
}

}  // namespace

int main() {
  same_bits<float>();
  same_bits<double>();
  no_allocation<float>();
  no_allocation<double>();
  reentrant();
  errors();
  return pynn::test::finish();
}
