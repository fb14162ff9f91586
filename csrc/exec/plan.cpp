#include "exec/plan.h"

#include <algorithm>

namespace pynn::exec {

template <class T>
Plan<T>::Plan(const Graph& graph) {
  const auto tensor_at = [&](int i) -> Tensor& { return tensors[static_cast<std::size_t>(i)]; };
  const auto add_tensor = [&](Shape shape) {
    const int index = static_cast<int>(tensors.size());
    const isize size = element_count(shape);
    tensors.push_back({std::move(shape), size, index, false});
    return index;
  };
  // An output's activation keeps a step of its own: a loss may be computed from what goes into it.
  const auto is_output = [&](int tensor) {
    return std::find(graph.outputs.begin(), graph.outputs.end(), tensor) != graph.outputs.end();
  };
  for (const Shape& shape : graph.inputs) inputs.push_back(add_tensor(shape));

  std::vector<bool> consumed(graph.inputs.size() + graph.nodes.size());
  for (const Node& node : graph.nodes) {
    std::vector<Shape> in, weights;
    bool needs_gradient = false;
    for (int input : node.inputs) {
      check(input >= 0 && input < static_cast<int>(tensors.size()), node.spec.owner,
            ": a node may only use earlier tensors. Received: input=", input, ".");
      check(!consumed[static_cast<std::size_t>(input)], node.spec.owner,
            ": a tensor can feed one layer only.");
      consumed[static_cast<std::size_t>(input)] = true;
      in.push_back(tensor_at(input).shape);
      needs_gradient |= tensor_at(input).needs_gradient;
    }
    check(node.variables.size() == node.trainable.size(), node.spec.owner,
          ": expected one trainable flag per variable.");
    Step<T> step;
    for (std::size_t i = 0; i < node.variables.size(); ++i) {
      check(node.variables[i]->dtype == kDTypeOf<T>, node.spec.owner,
            ": all layers of a model must have one dtype. Received: a ",
            kDTypes[static_cast<int>(node.variables[i]->dtype)].name, " variable in a ",
            kTypeName<T>, " model.");
      weights.push_back(node.variables[i]->shape);
      step.variables.push_back(add_variable(node.variables[i], node.trainable[i]));
      needs_gradient |= node.trainable[i];
    }
    step.op = ops::make_op<T>(node.op, {node.spec, in, weights});
    step.name = node.spec.owner;
    step.inputs = node.inputs;
    step.output = add_tensor(step.op->out);
    step.has_seed = node.spec.has("seed");
    if (step.has_seed) step.seed = static_cast<std::uint64_t>(node.spec.number("seed"));
    Tensor& out = tensor_at(step.output);
    out.needs_gradient = needs_gradient;
    if (step.op->alias) {
      out.memory = tensor_at(step.inputs[0]).memory;
    } else if (is_output(step.output) || !fuse(*step.op, step.inputs[0], step.output)) {
      steps.push_back(std::move(step));
    }
  }
  check(!graph.outputs.empty(), "a graph needs an output.");
  outputs = graph.outputs;
  gather_into_arena(variables);
}

template <class T>
int Plan<T>::add_variable(const VariablePtr& variable, bool is_trainable) {
  check(std::find(variables.begin(), variables.end(), variable) == variables.end(),
        "a variable can belong to one node of a graph only.");
  variables.push_back(variable);
  trainable.push_back(is_trainable);
  return static_cast<int>(variables.size()) - 1;
}

// An activation right behind an op that can compute it in the same sweep needs no step of its own.
template <class T>
bool Plan<T>::fuse(const ops::Op<T>& activation, int input, int output) {
  if (activation.activation_row() < 0 || steps.empty()) return false;
  Step<T>& before = steps.back();
  if (before.output != input || !before.op->absorb(activation)) return false;
  before.output = output;
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
