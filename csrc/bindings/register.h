// One function per subject; module.cpp calls them all.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <variant>

#include "core/denormals.h"
#include "exec/network.h"

namespace py = pybind11;

namespace pynn::bindings {

void register_config(py::module_& m);
void register_catalog(py::module_& m);
void register_kernels(py::module_& m);
void register_network(py::module_& m);
void register_perceptron(py::module_& m);
void register_shuffle(py::module_& m);
void register_trainer(py::module_& m);

// A network of either element type: the one place where Python's dtype becomes a C++ type.
template <class T>
using NetworkPtr = std::shared_ptr<const exec::Network<T>>;
struct AnyNetwork {
  std::variant<NetworkPtr<float>, NetworkPtr<double>> network;
};

// Arrays for the outputs of n samples.
template <class T>
struct Outputs {
  py::list arrays;
  std::vector<T*> data;

  Outputs(const exec::Plan<T>& plan, isize n) {
    for (std::size_t i = 0; i < plan.outputs.size(); ++i) {
      const exec::Tensor& out = plan.output(i);
      std::vector<py::ssize_t> shape(out.shape.begin(), out.shape.end());
      if (out.batched) shape.insert(shape.begin(), n);
      py::array_t<T> array(shape);
      if (n == 0) array.attr("fill")(0);
      data.push_back(array.mutable_data());
      arrays.append(array);
    }
  }
};

// Lets Python handle signals (Ctrl-C) while the engine runs without the GIL.
inline exec::Poll signal_poll() {
  return {[](void*) {
            const KeepDenormals mode;
            const py::gil_scoped_acquire gil;
            if (PyErr_CheckSignals() != 0) throw py::error_already_set();
          },
          nullptr, exec::seconds_now() + 0.05};
}

}  // namespace pynn::bindings
