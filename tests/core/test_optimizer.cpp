// Optimizers on a plan, without a network around them: the same bits for any number of threads, and
// averages, accumulated gradients and constraints that do what they say.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "check_test.h"
#include "exec/network.h"
#include "exec/optimizer.h"

namespace {

using namespace pynn;
using namespace pynn::exec;

constexpr isize kRows = 70, kCols = 300;

template <class T>
VariablePtr variable(const Shape& shape, std::uint64_t seed) {
  auto v = std::make_shared<Variable>(shape, kDTypeOf<T>);
  const auto [rows, cols, ld] = v->template storage<T>();
  for (isize r = 0; r < rows; ++r) {
    kernels::table<T>().normal(static_cast<T*>(v->data) + r * ld, {seed, 0, 0}, r * cols, cols);
  }
  return v;
}

// One dense layer: variable 0 is a matrix with padded rows, variable 1 a vector.
template <class T>
Graph graph() {
  Node dense;
  dense.op = dense.spec.owner = "dense";
  dense.inputs = {0};
  dense.variables = {variable<T>({kRows, kCols}, 1), variable<T>({kCols}, 2)};
  dense.trainable = {true, true};
  Graph g;
  g.inputs = {{kRows}};
  g.nodes = {dense};
  g.outputs = {1};
  return g;
}

OptimizerSpec spec(const char* name) {
  OptimizerSpec made;
  made.name = name;
  for (const auto& field : kernels::find_row("optimizer", name)->fields) {
    made.fields.push_back(field.value);
  }
  return made;
}

// Weights and state after some steps with random gradients.
template <class T>
std::vector<T> after_steps(const OptimizerSpec& given, int team) {
  const Network<T> network(graph<T>());
  Optimizer<T> optimizer(network.plan, given);
  const auto storage = [&](int v) {
    return network.plan.variables[static_cast<std::size_t>(v)]->template storage<T>();
  };
  for (std::uint32_t step = 0; step < 7; ++step) {
    for (int v : {0, 1}) {
      const auto [rows, cols, ld] = storage(v);
      const kernels::RandomStream stream{9, static_cast<std::uint32_t>(v), step};
      for (isize r = 0; r < rows; ++r) {
        kernels::table<T>().normal(optimizer.gradients()[v] + r * ld, stream, r * cols, cols);
      }
    }
    optimizer.begin_step(0.01, 1);
    optimizer.end_step(nullptr, {}, team);
  }
  std::vector<T> all;
  for (int v : {0, 1}) {
    const T* w = network.plan.weight(v);
    all.insert(all.end(), w, w + storage(v).size());
    for (int s = 0; s < optimizer.slot_count(); ++s) {
      const T* slot = optimizer.slot(s, v);
      all.insert(all.end(), slot, slot + Storage<T>(optimizer.slot_shape(s, v)).size());
    }
  }
  return all;
}

template <class T>
void same_bits() {
  OptimizerSpec all = spec("sgd");
  all.accumulation = 2;
  all.ema_momentum = 0.9;
  all.ema_overwrite_frequency = 2;
  all.constraints = {{0, {0}, kernels::NormBounds{0.5, 1.5, 0.7, 1e-7}}, {1, {}, std::nullopt}};
  OptimizerSpec rows = spec("adam");
  rows.constraints = {{0, {1}, kernels::NormBounds{0, 1, 1, 1e-7}}};
  OptimizerSpec whole = spec("adam");
  whole.constraints = {{0, {0, 1}, kernels::NormBounds{1, 1, 1, 1e-7}}};
  for (const OptimizerSpec& one : {all, rows, whole, spec("lamb"), spec("adafactor"), spec("ftrl"),
                                   spec("schedulefreeadamw")}) {
    const std::vector<T> alone = after_steps<T>(one, 1);
    const bool finite =
        std::all_of(alone.begin(), alone.end(), [](T v) { return std::isfinite(v); });
    CHECK(finite, "%s: not finite", one.name.c_str());
    for (int team : {2, 3, 8}) {
      const std::vector<T> many = after_steps<T>(one, team);
      CHECK(alone.size() == many.size() &&
                std::memcmp(alone.data(), many.data(), alone.size() * sizeof(T)) == 0,
            "%s, %zu-byte numbers, %d threads: the same bits as with one", one.name.c_str(),
            sizeof(T), team);
    }
  }
}

// Norms of the columns, of the rows and of the whole matrix, gaps between its rows or not.
void norms() {
  for (const std::vector<int>& axes : {std::vector<int>{0}, {1}, {0, 1}}) {
    const Network<double> network(graph<double>());
    OptimizerSpec held = spec("sgd");
    held.constraints = {{0, axes, kernels::NormBounds{2, 2, 1, 0}}};
    Optimizer<double> optimizer(network.plan, held);
    optimizer.begin_step(0.1, 1);
    optimizer.end_step(nullptr, {}, 2);
    const auto [rows, cols, ld] = network.plan.variables[0]->storage<double>();
    const double* w = network.plan.weight(0);
    std::vector<double> sums(static_cast<std::size_t>(rows + cols + 1));
    for (isize r = 0; r < rows; ++r) {
      for (isize c = 0; c < cols; ++c) {
        const isize place = axes.size() == 2 ? 0 : axes[0] == 0 ? c : r;
        sums[static_cast<std::size_t>(place)] += w[r * ld + c] * w[r * ld + c];
      }
    }
    const isize count = axes.size() == 2 ? 1 : axes[0] == 0 ? cols : rows;
    for (isize i = 0; i < count; ++i) {
      const double norm = std::sqrt(sums[static_cast<std::size_t>(i)]);
      CHECK(std::abs(norm - 2) < 1e-12, "norm %g is not 2", norm);
    }
  }
}

// The mean of the weights so far, and an update only once in two steps.
void averages() {
  const Network<double> network(graph<double>());
  OptimizerSpec given = spec("sgd");
  given.accumulation = 2;
  given.ema_momentum = 0.75;
  Optimizer<double> optimizer(network.plan, given);
  CHECK(optimizer.slot_count() == 2, "%d slots", optimizer.slot_count());
  double* w = network.plan.weight(1);
  double expected = w[0], mean = 0;
  for (int step = 0; step < 6; ++step) {
    optimizer.gradients()[1][0] = step + 1;
    optimizer.begin_step(0.1, 1);
    optimizer.end_step(nullptr, {}, 1);
    if (step % 2 == 1) expected -= 0.1 * (2 * step + 1) / 2;
    mean = step < 2 ? expected : 0.75 * mean + 0.25 * expected;
    CHECK(std::abs(w[0] - expected) < 1e-12, "step %d: %g, not %g", step, w[0], expected);
    CHECK(std::abs(optimizer.slot(0, 1)[0] - mean) < 1e-12, "step %d: the mean", step);
  }
  CHECK(optimizer.iterations == 6, "calls are counted");
}

// A gradient in rows of its own length has the effect of one laid out as the weights.
template <class T>
void gradient_rows() {
  constexpr isize rows = 5, cols = 19, ld = 32;
  for (const kernels::CatalogRow& row : kernels::catalog()) {
    if (row.kind != "optimizer") continue;
    std::vector<double> fields;
    for (const auto& field : row.fields) fields.push_back(field.value);
    const kernels::OptimizerKernels<T>& optimizer = kernels::table<T>().optimizer[row.index];
    const auto after = [&](isize ld_g) {
      std::vector<T> state(4 * rows * ld, T(0.5)), g(rows * ld_g);
      for (isize r = 0; r < rows; ++r) {
        kernels::table<T>().normal(g.data() + r * ld_g, {3, 0, 0}, r * cols, cols);
      }
      kernels::UpdateTile<T> tile{state.data(), g.data(), {}, rows, cols, ld, ld_g, 1, 1, 1, true};
      for (isize s = 0; s < 3; ++s) tile.slot[s] = state.data() + (s + 1) * rows * ld;
      kernels::StepConstants constants;
      optimizer.begin(&constants, fields.data(), 0.01, 1);
      optimizer.tile(&constants, tile);
      return state;
    };
    CHECK(after(ld) == after(cols), "%s, %zu-byte numbers: rows of the gradient", row.name.c_str(),
          sizeof(T));
  }
}

// One step of an optimizer on vectors whose first slots are given; the weights after it.
template <class T>
std::vector<T> stepped(const char* name, std::vector<double> fields, std::vector<T> w,
                       const std::vector<T>& g, std::vector<std::vector<T>> slots) {
  const auto& optimizer =
      kernels::table<T>().optimizer[kernels::find_row("optimizer", name)->index];
  const isize n = static_cast<isize>(w.size());
  kernels::UpdateTile<T> tile{
      w.data(), g.data(), {}, 1, n, n, n, 1, std::numeric_limits<T>::infinity(), 1, false};
  for (std::size_t s = 0; s < slots.size(); ++s) tile.slot[s] = slots[s].data();
  kernels::StepConstants constants;
  optimizer.begin(&constants, fields.data(), 1, 1);
  optimizer.tile(&constants, tile);
  return w;
}

// 1 / sqrt(v) over all of T, from RMSprop with a mean square v that stays, and a weight that is 0.
template <class T>
void roots() {
  using Limits = std::numeric_limits<T>;
  std::vector<T> v;
  for (int exponent = Limits::min_exponent - 1; exponent < Limits::max_exponent; ++exponent) {
    for (int i = 0; i < 1024; ++i) {
      v.push_back(std::ldexp(T(1) + T(i) / 1024 + T(i) * Limits::epsilon(), exponent));
    }
  }
  const std::vector<T> zero(v.size()), one(v.size(), 1);
  const std::vector<T> got = stepped<T>("rmsprop", {1, 0, 0, 0}, zero, one, {v});
  double worst = 0;
  for (std::size_t i = 0; i < v.size(); ++i) {
    const long double want = -1 / std::sqrt(static_cast<long double>(v[i]));
    const long double error = std::fabs((got[i] - want) / want) / Limits::epsilon();
    worst = std::fmax(worst, static_cast<double>(error));
  }
  CHECK(worst <= 2, "%zu-byte numbers: 1 / sqrt(v) is wrong by %g epsilon", sizeof(T), worst);

  const T inf = Limits::infinity(), nan = Limits::quiet_NaN(), least = Limits::denorm_min();
  const std::vector<T> rates = stepped<T>("rmsprop", {1, 0, 0, 0}, std::vector<T>(5),
                                          {1, 0, 1, 1, 1}, {{0, 0, inf, nan, least}});
  CHECK(rates[0] == -inf && std::isnan(rates[1]), "steps over 0: %g %g", double(rates[0]),
        double(rates[1]));
  CHECK(rates[2] == 0 && std::isnan(rates[3]), "steps over infinity, NaN: %g %g", double(rates[2]),
        double(rates[3]));
  CHECK(-rates[4] > 1 / std::sqrt(Limits::min()), "a step over a subnormal: %g", double(rates[4]));
  // Adam of a first gradient: g / (|g| + epsilon)
  for (const double epsilon : {0.0, 1e-7}) {
    const std::vector<T> g = {0, T(1e-18), T(-1e-7), T(1e-3), T(1e18)};
    const std::vector<T> w = stepped<T>("adam", {0, 0, epsilon, 0}, std::vector<T>(5), g,
                                        {std::vector<T>(5), std::vector<T>(5)});
    for (std::size_t i = 0; i < g.size(); ++i) {
      const long double want = -g[i] / (std::fabs(static_cast<long double>(g[i])) + T(epsilon));
      const bool right = std::isnan(want)
                             ? std::isnan(w[i])
                             : std::fabs(w[i] - want) <= 3 * Limits::epsilon() * std::fabs(want);
      CHECK(right, "%zu-byte numbers: Adam, g = %g: %g", sizeof(T), double(g[i]), double(w[i]));
    }
  }
}

// A weight's step does not depend on its place in a row.
template <class T>
void places() {
  for (const kernels::CatalogRow& row : kernels::catalog()) {
    if (row.kind != "optimizer" || row.whole) continue;
    std::vector<double> fields;
    for (const auto& field : row.fields) fields.push_back(field.value);
    const std::vector<T> same(101, T(0.7));
    const std::vector<T> w = stepped<T>(row.name.c_str(), fields, same, same, {same, same, same});
    for (const T& one : w) {
      CHECK(std::memcmp(&one, w.data(), sizeof(T)) == 0, "%s: other bits", row.name.c_str());
    }
  }
}

}  // namespace

int main() {
  roots<float>();
  roots<double>();
  places<float>();
  places<double>();
  gradient_rows<float>();
  gradient_rows<double>();
  same_bits<float>();
  same_bits<double>();
  norms();
  averages();
  return test::finish();
}
