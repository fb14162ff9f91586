// pynn._core: translates between Python and the engine, and computes nothing itself.
#include "bindings/register.h"

PYBIND11_MODULE(_core, m, py::mod_gil_not_used()) {
  m.doc() = "The engine of pynn: kernels, networks and training, in C++.";
  m.attr("__version__") = PYNN_VERSION;
  pybind11::register_local_exception_translator([](std::exception_ptr error) {
    try {
      std::rethrow_exception(error);
    } catch (const pybind11::cast_error& wrong_type) {
      pybind11::set_error(PyExc_TypeError, wrong_type.what());
    }
  });
  pynn::bindings::register_config(m);
  pynn::bindings::register_catalog(m);
  pynn::bindings::register_kernels(m);
  pynn::bindings::register_network(m);
  pynn::bindings::register_perceptron(m);
  pynn::bindings::register_shuffle(m);
  pynn::bindings::register_trainer(m);
}
