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
  bool input_gradients = false;  // whether the inputs have gradients
  std::vector<int> sparse;       // the inputs whose samples come as compressed rows
};

struct Tensor {
  Shape shape;
  isize size = 0;       // elements of one sample in memory, none of a sparse one
  bool batched = true;  // else it has one value for the whole batch
  int memory = -1;      // the tensor whose memory this one shares: itself, unless a reshape
  bool needs_gradient = false;
  bool sparse = false;

  isize samples(isize batch) const { return batched ? batch : 1; }
  isize elements(isize batch) const { return size * samples(batch); }
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
  bool fused = false;  // with the activation that followed
};

template <class T>
struct Plan {
  explicit Plan(const Graph& graph);

  std::vector<Tensor> tensors;
  std::vector<Step<T>> steps;
  std::vector<int> inputs, outputs;
  std::vector<VariablePtr> variables;
  std::vector<bool> trainable;  // one per variable
  bool row_wise = true;         // training may take a batch in parts as well
  bool whole_batch = false;     // a result depends on the other samples or comes from outside

  const Tensor& output(std::size_t i) const {
    return tensors[static_cast<std::size_t>(outputs[i])];
  }
  // The step that computes this tensor, -1 for an input.
  int producer(int tensor) const;
  T* weight(int variable) const {
    return static_cast<T*>(variables[static_cast<std::size_t>(variable)]->data);
  }
  Storage<T> storage(int variable) const {
    return variables[static_cast<std::size_t>(variable)]->template storage<T>();
  }
  isize weights() const {
    isize count = 0;
    for (std::size_t v = 0; v < variables.size(); ++v) count += storage(static_cast<int>(v)).size();
    return count;
  }

 private:
  int add_tensor(const std::string& owner, Shape shape, bool batched, bool needs_gradient);
  int add_variable(const VariablePtr& variable, bool is_trainable, const std::string& owner);
  void mark_sparse(const Graph& graph);
  void add_node(const Node& node, const std::vector<int>& readers);
  bool fuse(const ops::Op<T>& activation, int input, int output);
};

}  // namespace pynn::exec
