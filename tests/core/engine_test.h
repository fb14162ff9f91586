// What the tests build graphs from.
#pragma once

#include "exec/trainer.h"

namespace pynn::test {

using namespace pynn::exec;
using namespace pynn::ops;

// y = a * b, for inputs of one shape; one without a batch axis counts for every sample.
template <class T>
class Product : public Op<T> {
 public:
  explicit Product(const Blueprint& b) : in_batched_(b.in_batched) {
    this->out = b.in.at(0);
    this->batched = in_batched_.at(0) || in_batched_.at(1);
    size_ = element_count(this->out);
  }
  void forward(const Forward<T>& run) const override {
    for (isize i = 0; i < run.pass.n * size_; ++i) run.y[i] = at(run.x, 0, i) * at(run.x, 1, i);
  }
  void backward(const Backward<T>& run) const override {
    for (std::size_t side = 0; side < 2; ++side) {
      T* dx = run.dx[side];
      const isize rows = in_batched_[side] ? run.pass.n : 1;
      for (isize i = 0; dx && i < rows * size_; ++i) dx[i] = 0;
      for (isize i = 0; dx && i < run.pass.n * size_; ++i) {
        dx[i % (rows * size_)] += run.dy[i] * at(run.x, 1 - side, i);
      }
    }
  }

 private:
  T at(const T* const* x, std::size_t side, isize i) const {
    return x[side][in_batched_[side] ? i : i % size_];
  }
  std::vector<bool> in_batched_;
  isize size_ = 0;
};
PYNN_OP("test_product", Product);

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

inline Node node(const char* op, std::vector<int> inputs,
                 std::map<std::string, Spec::Value> settings,
                 std::vector<VariablePtr> variables = {}, std::vector<bool> trainable = {}) {
  Node n;
  n.op = op;
  n.spec.owner = op;
  n.spec.values = std::move(settings);
  n.inputs = std::move(inputs);
  n.trainable =
      trainable.empty() ? std::vector<bool>(variables.size(), true) : std::move(trainable);
  n.variables = std::move(variables);
  return n;
}

inline Spec::Value text(const char* s) { return std::string(s); }

}  // namespace pynn::test
