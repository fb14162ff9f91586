#include "exec/plan.h"

#include <algorithm>

namespace pynn::exec {
namespace {

// How many nodes read each tensor; an output is read from outside as well.
std::vector<int> count_readers(const Graph& graph) {
  std::vector<int> readers(graph.inputs.size() + graph.nodes.size());
  std::size_t known = graph.inputs.size();
  for (const Node& node : graph.nodes) {
    for (int input : node.inputs) {
      check(input >= 0 && input < static_cast<int>(known), node.spec.owner,
            ": a node may only use earlier tensors. Received: input=", input, ".");
      ++readers[static_cast<std::size_t>(input)];
    }
    ++known;
  }
  check(!graph.inputs.empty() && !graph.outputs.empty(), "a graph needs inputs and outputs.");
  for (int output : graph.outputs) {
    check(output >= 0 && output < static_cast<int>(known),
          "an output must be a tensor of the graph. Received: output=", output, ".");
    ++readers[static_cast<std::size_t>(output)];
  }
  return readers;
}

}  // namespace

template <class T>
Plan<T>::Plan(const Graph& graph) : outputs(graph.outputs) {
  const std::vector<int> readers = count_readers(graph);
  for (const Shape& shape : graph.inputs) {
    inputs.push_back(add_tensor("input", shape, true, graph.input_gradients));
  }
  mark_sparse(graph);
  // All variables come first: one that any node trains is trained by every node that uses it.
  for (const Node& node : graph.nodes) {
    check(node.variables.size() == node.trainable.size(), node.spec.owner,
          ": expected one trainable flag per variable.");
    for (std::size_t i = 0; i < node.variables.size(); ++i) {
      add_variable(node.variables[i], node.trainable[i], node.spec.owner);
    }
  }
  for (const Node& node : graph.nodes) add_node(node, readers);
  gather_into_arena(variables);
}

template <class T>
int Plan<T>::add_tensor(const std::string& owner, Shape shape, bool batched, bool needs_gradient) {
  const int index = static_cast<int>(tensors.size());
  const isize size = checked_count(owner, shape);
  tensors.push_back({std::move(shape), size, batched, index, needs_gradient});
  return index;
}

template <class T>
void Plan<T>::mark_sparse(const Graph& graph) {
  for (int input : graph.sparse) {
    check(input >= 0 && input < static_cast<int>(inputs.size()),
          "a sparse input must be an input of the graph. Received: input=", input, ".");
    Tensor& tensor = tensors[static_cast<std::size_t>(input)];
    check(tensor.shape.size() == 1,
          "samples of a sparse input must have one axis. Received: samples of shape ", tensor.shape,
          ".");
    check(!tensor.needs_gradient,
          "a sparse input has no gradient. Received: input_gradients=True.");
    check(std::count(graph.outputs.begin(), graph.outputs.end(), input) == 0,
          "a sparse input cannot be an output as it is.");
    tensor.sparse = true;
    tensor.size = 0;
  }
}

template <class T>
int Plan<T>::add_variable(const VariablePtr& variable, bool is_trainable,
                          const std::string& owner) {
  check(variable != nullptr, owner, ": a node's variables must not be None.");
  check(variable->dtype == kDTypeOf<T>, owner,
        ": all layers of a model must have one dtype. Received: a ",
        kDTypes[static_cast<int>(variable->dtype)].name, " variable in a ", kTypeName<T>,
        " model.");
  const auto at = std::find(variables.begin(), variables.end(), variable) - variables.begin();
  const auto index = static_cast<std::size_t>(at);
  if (index == variables.size()) {
    variables.push_back(variable);
    trainable.push_back(false);
  }
  if (is_trainable) trainable[index] = true;
  return static_cast<int>(index);
}

template <class T>
void Plan<T>::add_node(const Node& node, const std::vector<int>& readers) {
  std::vector<Shape> in, weights;
  std::vector<bool> in_batched;
  bool needs_gradient = false, sparse = false;
  for (int input : node.inputs) {
    const Tensor& tensor = tensors[static_cast<std::size_t>(input)];
    in.push_back(tensor.shape);
    in_batched.push_back(tensor.batched);
    needs_gradient |= tensor.needs_gradient;
    sparse |= tensor.sparse;
  }
  Step<T> step;
  for (const VariablePtr& variable : node.variables) {
    weights.push_back(variable->shape);
    step.variables.push_back(add_variable(variable, false, node.spec.owner));
    needs_gradient |= trainable[static_cast<std::size_t>(step.variables.back())];
  }
  step.op = ops::make_op<T>(node.op, {node.spec, in, in_batched, weights});
  check(!sparse || step.op->reads_sparse, node.spec.owner,
        ": only a dense layer reads a sparse input, Input(shape, sparse=True). Received: '",
        node.op, "' on a sparse input.");
  step.name = node.spec.owner;
  step.inputs = node.inputs;
  const bool batched = step.op->batched.value_or(!in_batched.empty() && in_batched[0]);
  step.output = add_tensor(node.spec.owner, step.op->out, batched, needs_gradient);
  step.has_seed = node.spec.has("seed");
  if (step.has_seed) step.seed = static_cast<std::uint64_t>(node.spec.whole("seed"));
  whole_batch |= step.op->whole_batch;
  row_wise &= step.op->row_wise && batched;

  if (step.op->alias) {
    const auto source = static_cast<std::size_t>(step.inputs[0]);
    tensors.back().memory = tensors[source].memory;
    return;
  }
  // An output's activation keeps a step of its own: a loss may be computed from what goes into it.
  const bool is_output = std::find(outputs.begin(), outputs.end(), step.output) != outputs.end();
  const bool sole_reader =
      step.inputs.size() == 1 && readers[static_cast<std::size_t>(step.inputs[0])] == 1;
  if (!is_output && sole_reader && fuse(*step.op, step.inputs[0], step.output)) return;
  steps.push_back(std::move(step));
}

// An activation that alone reads what an op computes needs no step of its own if that op can
// compute it in the same sweep.
template <class T>
bool Plan<T>::fuse(const ops::Op<T>& activation, int input, int output) {
  const int before = producer(input);
  if (activation.activation_row() < 0 || before < 0) return false;
  Step<T>& step = steps[static_cast<std::size_t>(before)];
  if (step.output != input || step.fused || !step.op->absorb(activation)) return false;
  step.output = output;
  step.fused = true;
  return true;
}

template <class T>
int Plan<T>::producer(int tensor) const {
  const int memory = tensors[static_cast<std::size_t>(tensor)].memory;
  for (std::size_t s = 0; s < steps.size(); ++s) {
    if (steps[s].output == memory) return static_cast<int>(s);
  }
  return -1;
}

template struct Plan<float>;
template struct Plan<double>;

}  // namespace pynn::exec
