// Variables, graphs and prediction.
#include "bindings/arrays.h"
#include "bindings/external.h"
#include "bindings/register.h"
#include "core/limits.h"

namespace pynn::bindings {
namespace {

using exec::Graph;
using exec::Network;
using exec::Node;
using exec::Variable;
using exec::VariablePtr;

py::array array_of(const VariablePtr& variable) {
  return with_dtype(variable->dtype, [&](auto zero) {
    using T = decltype(zero);
    auto* owner = new std::shared_ptr<void>(variable->memory);
    const py::capsule keep(owner, [](void* p) { delete static_cast<std::shared_ptr<void>*>(p); });
    return weights_view(static_cast<T*>(variable->data), variable->shape, keep);
  });
}

// A view that outlives this call: the variable must not move any more.
py::array live_array_of(const VariablePtr& variable) {
  variable->stays = true;
  return array_of(variable);
}

ops::Spec::Value value_of(const py::handle& value) {
  if (py::isinstance<py::bool_>(value)) return value.cast<bool>();
  if (py::isinstance<py::int_>(value)) return value.cast<std::int64_t>();
  if (py::isinstance<py::float_>(value)) return value.cast<double>();
  if (py::isinstance<py::str>(value)) return value.cast<std::string>();
  return value.cast<std::vector<double>>();
}

Node node_of(const py::dict& dict) {
  Node node;
  py::object forward, backward;
  for (const auto& [key_object, value] : dict) {
    const auto key = key_object.cast<std::string>();
    if (key == "op") {
      node.op = value.cast<std::string>();
    } else if (key == "layer") {
      node.spec.owner = value.cast<std::string>();
    } else if (key == "inputs") {
      node.inputs = value.cast<std::vector<int>>();
    } else if (key == "variables") {
      node.variables = value.cast<std::vector<VariablePtr>>();
    } else if (key == "trainable") {
      node.trainable = value.cast<std::vector<bool>>();
    } else if (key == "forward") {
      forward = py::reinterpret_borrow<py::object>(value);
    } else if (key == "backward") {
      backward = py::reinterpret_borrow<py::object>(value);
    } else if (!value.is_none()) {
      node.spec.values[key] = value_of(value);
    }
  }
  if (forward) node.spec.values["external"] = make_external(node.spec.owner, forward, backward);
  return node;
}

AnyNetwork make_network(const std::string& dtype, std::vector<Shape> inputs, const py::list& nodes,
                        std::vector<int> outputs, bool input_gradients, std::vector<int> sparse) {
  Graph graph{std::move(inputs), {}, std::move(outputs), input_gradients, std::move(sparse)};
  for (py::handle node : nodes) graph.nodes.push_back(node_of(node.cast<py::dict>()));
  return with_dtype(dtype_named(dtype), [&](auto zero) {
    return AnyNetwork{std::make_shared<const Network<decltype(zero)>>(graph)};
  });
}

// Of the samples x; `run` says how, but for their number.
py::list outputs_of(const AnyNetwork& any, const py::object& x, exec::Run run) {
  return std::visit(
      [&]<class T>(const NetworkPtr<T>& network) {
        const auto sources = sources_of(x);
        network->check_inputs(sources);
        run.n = sources[0].samples();
        const Outputs<T> y(network->plan, run.n);
        if (run.n > 0) {
          const py::gil_scoped_release no_gil;
          exec::Poll poll = signal_poll();
          network->predict(y.data, sources, run, poll);
        }
        return y.arrays;
      },
      any.network);
}

py::list predict(const AnyNetwork& any, const py::object& x, int n_threads) {
  return outputs_of(any, x, {0, threads_for(n_threads)});
}

py::list forward(const AnyNetwork& any, const py::object& x, std::uint64_t seed, std::uint32_t step,
                 int n_threads) {
  return outputs_of(any, x, {0, threads_for(n_threads), true, seed, step});
}

// A property of the plan, of either element type.
template <class F>
auto plan_property(const F& function) {
  return [function](const AnyNetwork& any) {
    return std::visit([&](const auto& network) { return function(network->plan); }, any.network);
  };
}

py::list output_shapes(const auto& plan) {
  py::list shapes;
  for (std::size_t i = 0; i < plan.outputs.size(); ++i) {
    shapes.append(py::tuple(py::cast(plan.output(i).shape)));
  }
  return shapes;
}

}  // namespace

void register_network(py::module_& m) {
  py::class_<Variable, VariablePtr>(m, "Variable", "A weight array whose memory the engine shares.")
      .def(py::init([](Shape shape, const std::string& dtype) {
             checked_count("Variable", shape);
             return std::make_shared<Variable>(std::move(shape), dtype_named(dtype));
           }),
           py::arg("shape"), py::arg("dtype") = "float32")
      .def_property_readonly("array", &live_array_of, "A live view without a copy.")
      .def("copy", [](const VariablePtr& v) { return py::array(array_of(v).attr("copy")()); })
      .def(
          "assign",
          [](const VariablePtr& v, const py::array& values) {
            check(shape_of(values) == v->shape, "expected values of shape ", v->shape,
                  ". Received: values.shape=", shape_of(values), ".");
            array_of(v)[py::ellipsis()] = values;
          },
          py::arg("values"), "Overwrites the values.")
      .def_property_readonly("shape",
                             [](const Variable& v) { return py::tuple(py::cast(v.shape)); })
      .def_property_readonly("dtype", [](const Variable& v) {
        return std::string(kDTypes[static_cast<int>(v.dtype)].name);
      });

  py::class_<AnyNetwork>(m, "Network",
                         "An executable graph. Immutable; many threads may use it at once.")
      .def(py::init(&make_network), py::arg("dtype"), py::arg("inputs"), py::arg("nodes"),
           py::arg("outputs"), py::arg("input_gradients") = false,
           py::arg("sparse") = std::vector<int>())
      .def_property_readonly("output_shapes",
                             plan_property([](const auto& plan) { return output_shapes(plan); }),
                             "The shape of one sample of each output.")
      .def_property_readonly("whole_batch",
                             plan_property([](const auto& plan) { return plan.whole_batch; }),
                             "Whether an output depends on the other samples of the batch.")
      .def("predict", &predict, py::arg("x"), py::arg("n_threads"),
           "Outputs in inference mode for samples of any element type and strides.")
      .def("forward", &forward, py::arg("x"), py::arg("seed"), py::arg("step"),
           py::arg("n_threads"),
           "Outputs in training mode: dropout active, batch statistics used and recorded.");
}

}  // namespace pynn::bindings
