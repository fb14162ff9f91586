// Variables, graphs and prediction.
#include "bindings/arrays.h"
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
    } else if (!value.is_none()) {
      node.spec.values[key] = value_of(value);
    }
  }
  return node;
}

AnyNetwork make_network(const std::string& dtype, std::vector<Shape> inputs, const py::list& nodes,
                        std::vector<int> outputs) {
  Graph graph{std::move(inputs), {}, std::move(outputs)};
  for (py::handle node : nodes) graph.nodes.push_back(node_of(node.cast<py::dict>()));
  return with_dtype(dtype_named(dtype), [&](auto zero) {
    return AnyNetwork{std::make_shared<const Network<decltype(zero)>>(graph)};
  });
}

template <class T>
py::array empty_output(const Network<T>& network, isize samples) {
  std::vector<py::ssize_t> shape{samples};
  for (isize extent :
       network.plan.tensors[static_cast<std::size_t>(network.plan.outputs[0])].shape) {
    shape.push_back(extent);
  }
  return py::array_t<T>(shape);
}

py::array predict(const AnyNetwork& any, const py::object& x, int n_threads) {
  const int team = threads_for(n_threads);
  return std::visit(
      [&]<class T>(const NetworkPtr<T>& network) {
        const auto sources = sources_of(x);
        network->check_inputs(sources);
        py::array y = empty_output(*network, sources[0].samples());
        T* data = static_cast<T*>(y.mutable_data());
        const py::gil_scoped_release no_gil;
        exec::Poll poll = signal_poll();
        if (sources[0].samples() > 0) network->predict(data, sources, team, poll);
        return y;
      },
      any.network);
}

py::array forward(const AnyNetwork& any, const py::object& x, std::uint64_t seed,
                  std::uint32_t step, int n_threads) {
  const int team = threads_for(n_threads);
  return std::visit(
      [&]<class T>(const NetworkPtr<T>& network) {
        const auto sources = sources_of(x);
        network->check_inputs(sources);
        const isize n = sources[0].samples();
        py::array y = empty_output(*network, n);
        T* data = static_cast<T*>(y.mutable_data());
        const py::gil_scoped_release no_gil;
        exec::Poll poll = signal_poll();
        if (n == 0) return y;
        exec::Workspace<T> space(network->plan, n, true);
        for (std::size_t i = 0; i < sources.size(); ++i) {
          sources[i].template gather<T>(space.tensor[i], nullptr, 0, n, team);
        }
        network->forward(space, {n, team, true, seed, step}, poll);
        const auto out = static_cast<std::size_t>(network->plan.outputs[0]);
        std::copy_n(space.tensor[out], n * network->plan.tensors[out].size, data);
        return y;
      },
      any.network);
}

}  // namespace

void register_network(py::module_& m) {
  py::class_<Variable, VariablePtr>(m, "Variable", "A weight array whose memory the engine shares.")
      .def(py::init([](Shape shape, const std::string& dtype) {
             for (isize extent : shape) {
               check(extent >= 0, "shape must not be negative. Received: shape=", shape, ".");
             }
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
           py::arg("outputs"))
      .def_property_readonly(
          "output_shapes",
          [](const AnyNetwork& any) {
            return std::visit(
                [](const auto& network) {
                  py::list shapes;
                  for (int out : network->plan.outputs) {
                    shapes.append(py::tuple(
                        py::cast(network->plan.tensors[static_cast<std::size_t>(out)].shape)));
                  }
                  return shapes;
                },
                any.network);
          })
      .def("predict", &predict, py::arg("x"), py::arg("n_threads"),
           "Outputs in inference mode for samples of any element type and strides.")
      .def("forward", &forward, py::arg("x"), py::arg("seed"), py::arg("step"),
           py::arg("n_threads"),
           "Outputs in training mode: dropout active, batch statistics used and recorded.");
}

}  // namespace pynn::bindings
