#include "bindings/external.h"

#include "core/denormals.h"

namespace pynn::bindings {
namespace {

using Array = ops::External::Array;

// A view of the engine's memory with an owner, a copy without one.
py::array array_of(const Array& array, const py::object& owner) {
  return with_dtype(array.dtype, [&](auto zero) -> py::array {
    using T = decltype(zero);
    T* data = static_cast<T*>(array.data);
    if (array.variable) return weights_view(data, array.shape, owner);
    const std::vector<py::ssize_t> shape(array.shape.begin(), array.shape.end());
    return py::array_t<T>(shape, data, owner);
  });
}

// Python code gets copies: it may keep what it was given for longer than the memory lives.
py::list copies_of(const std::vector<Array>& arrays) {
  py::list copies;
  for (const Array& array : arrays) copies.append(array_of(array, py::object()));
  return copies;
}

std::string type_name(const py::handle& object) {
  return py::str(py::type::handle_of(object).attr("__name__"));
}

class PythonNode : public ops::External {
 public:
  PythonNode(std::string layer, py::object forward, py::object backward)
      : layer_(std::move(layer)), forward_(std::move(forward)), backward_(std::move(backward)) {}
  ~PythonNode() override {
    const py::gil_scoped_acquire gil;
    forward_ = backward_ = py::object();
  }

  void forward(const Array& y, std::shared_ptr<void>* kept, const std::vector<Array>& x,
               bool training) const override {
    const KeepDenormals mode;
    const py::gil_scoped_acquire gil;
    const py::object result = forward_(copies_of(x), training);
    check(py::isinstance<py::tuple>(result) && py::len(result) == 2, layer_,
          ": forward must return a pair (y, saved). Received: ", type_name(result), ".");
    const py::tuple pair = result;
    write(y, pair[0], "forward", "y");
    if (kept) *kept = keep(pair[1]);
  }

  void backward(const std::vector<Array>& dx, std::shared_ptr<void>* kept, const Array& dy,
                const std::vector<Array>& x) const override {
    const KeepDenormals mode;
    const py::gil_scoped_acquire gil;
    const std::shared_ptr<void> saved = std::exchange(*kept, nullptr);
    const py::object result =
        backward_(*static_cast<py::object*>(saved.get()), array_of(dy, py::object()), copies_of(x));
    const bool sequence = py::isinstance<py::list>(result) || py::isinstance<py::tuple>(result);
    check(sequence && py::len(result) == dx.size(), layer_, ": backward must return a list of ",
          dx.size(), " gradients. Received: ", type_name(result), " of length ",
          sequence ? py::len(result) : 0, ".");
    std::size_t i = 0;
    for (py::handle gradient : result) {
      const Array& target = dx[i++];
      if (!target.data) continue;
      if (gradient.is_none()) {
        array_of(target, py::none())[py::ellipsis()] = 0;
      } else {
        write(target, gradient, "backward", "gradient");
      }
    }
  }

 private:
  void write(const Array& target, const py::handle& values, const char* function,
             const char* what) const {
    const auto array = py::module_::import("numpy").attr("asarray")(values).cast<py::array>();
    check(shape_of(array) == target.shape, layer_, ": ", function, " must return a ", what,
          " of shape ", target.shape, ". Received: ", what, ".shape=", shape_of(array), ".");
    array_of(target, py::none())[py::ellipsis()] = array;
  }

  // Python's object as memory of the run, let go of wherever that ends.
  static std::shared_ptr<void> keep(py::object object) {
    return {new py::object(std::move(object)), [](void* p) {
              const py::gil_scoped_acquire gil;
              delete static_cast<py::object*>(p);
            }};
  }

  std::string layer_;
  py::object forward_, backward_;
};

}  // namespace

std::shared_ptr<const ops::External> make_external(const std::string& layer, py::object forward,
                                                   py::object backward) {
  return std::make_shared<const PythonNode>(layer, std::move(forward), std::move(backward));
}

}  // namespace pynn::bindings
