// A graph turned into a list of steps. All decisions are made here, once: shapes, which activation
// is computed together with the layer before it, which tensors share memory, what needs a gradient.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "exec/variable.h"
#include "ops/op.h"

namespace pynn::exec {

// A node of the graph as it comes from outside. Tensors are numbered: the inputs first, then one
// per node in order; a node only uses tensors before it.
struct Node {
  std::string op;
  ops::Spec spec;
  std::vector<int> inputs;
  std::vector<VariablePtr> variables;
  std::vector<bool> trainable;  // one per variable
};

struct Graph {
  std::vector<Shape> inputs;
  std::vector<Node> nodes;
  std::vector<int> outputs;
};

struct Tensor {
  Shape shape;
  isize size = 0;   // elements of one sample
  int memory = -1;  // the tensor whose memory this one shares: itself, unless a reshape
  bool needs_gradient = false;
};

template <class T>
struct Step {
  std::unique_ptr<ops::Op<T>> op;
  std::string name;  // of the layer
  std::vector<int> inputs;
  int output = -1;
  std::vector<int> variables;  // into Plan::variables
  std::uint64_t seed = 0;      // of the layer's own random numbers, where has_seed
  bool has_seed = false;
};

template <class T>
struct Plan {
  explicit Plan(const Graph& graph);

  std::vector<Tensor> tensors;
  std::vector<Step<T>> steps;
  std::vector<int> inputs, outputs;
  std::vector<VariablePtr> variables;
  std::vector<bool> trainable;  // one per variable

  // The step that computes this tensor, -1 for an input.
  int producer(int tensor) const;
  T* weight(int variable) const {
    return static_cast<T*>(variables[static_cast<std::size_t>(variable)]->data);
  }

 private:
  int add_variable(const VariablePtr& variable, bool is_trainable);
  bool fuse(const ops::Op<T>& activation, int input, int output);
};

}  // namespace pynn::exec
