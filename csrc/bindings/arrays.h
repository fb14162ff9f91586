// NumPy arrays <-> the core's views: the only place that knows both.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>

#include "core/arena.h"
#include "core/check.h"
#include "exec/source.h"

namespace pynn::bindings {

namespace py = pybind11;

inline DType dtype_of(const py::array& array, const char* what) {
  const py::dtype dtype = array.dtype();
  const char order = dtype.byteorder();
  const bool native = order == '=' || order == '|';
  const char kind = dtype.kind();
  const auto bytes = static_cast<isize>(dtype.itemsize());
  for (int i = 0; native && i < kDTypeCount; ++i) {
    const std::string_view name = kDTypes[i].name;
    const char own = name[0] == 'b' ? 'b' : name[0];  // bool int uint float
    if (own == kind && kDTypes[i].bytes == bytes) return static_cast<DType>(i);
  }
  throw py::type_error(message(
      what, " must hold booleans, integers or floating-point numbers in the ",
      "machine's byte order. Received: ", what, ".dtype=", std::string(py::str(dtype)), "."));
}

inline DType dtype_named(const std::string& name) {
  check(name == "float32" || name == "float64",
        "dtype must be 'float32' or 'float64'. Received: dtype='", name, "'.");
  return name == "float32" ? DType::f32 : DType::f64;
}

inline Shape shape_of(const py::array& array) {
  return Shape(array.shape(), array.shape() + array.ndim());
}

// The source has no share in the array: whoever calls the engine holds it.
inline exec::Source source_of(const py::handle& object, const char* what) {
  if (!py::isinstance<py::array>(object)) {
    throw py::type_error(message(what, " must be a NumPy array. Received: ",
                                 std::string(py::str(py::type::handle_of(object))), "."));
  }
  const auto array = py::reinterpret_borrow<py::array>(object);
  exec::Source source;
  source.data = static_cast<const char*>(array.data());
  source.dtype = dtype_of(array, what);
  source.shape = shape_of(array);
  source.strides.assign(array.strides(), array.strides() + array.ndim());
  check(!source.shape.empty(), what, " must have a batch axis. Received: a single number.");
  return source;
}

// The numbers of a part of a CSR matrix.
inline exec::Integers integers_of(const exec::Source& part, const char* what) {
  if (part.dtype != DType::i32 && part.dtype != DType::i64) {
    throw py::type_error(message(what, " of a CSR matrix must be int32 or int64. Received: ", what,
                                 ".dtype=", kDTypes[static_cast<int>(part.dtype)].name, "."));
  }
  return {part.data, part.shape[0], part.strides[0], part.dtype == DType::i64};
}

// A matrix in compressed rows, as SciPy has it: `data`, `indices` and `indptr`.
inline exec::Source compressed_source_of(const py::handle& matrix) {
  const auto part = [&](const char* name) {
    const py::object array = matrix.attr(name);  // the matrix holds it
    const exec::Source source = source_of(array, name);
    check(source.shape.size() == 1, name, " of a CSR matrix must have one axis. Received: ", name,
          ".shape=", source.shape, ".");
    return source;
  };
  exec::Source source = part("data");
  const exec::Integers start = integers_of(part("indptr"), "indptr");
  const exec::Integers index = integers_of(part("indices"), "indices");
  const isize stored = std::min(source.shape[0], index.size);
  source.shape = matrix.attr("shape").cast<Shape>();
  check(source.shape.size() == 2 && start.size > 0 && start.size == source.samples() + 1,
        "indptr of a CSR matrix must have one number more than there are rows. Received: ",
        start.size, " for the shape ", source.shape, ".");
  source.compressed = {start, index, stored};
  return source;
}

// One array or CSR matrix, or a list or tuple of them.
inline std::vector<exec::Source> sources_of(const py::object& x) {
  const auto input_of = [](const py::handle& part) {
    const bool is_matrix = !py::isinstance<py::array>(part) && py::hasattr(part, "format");
    const bool is_csr = is_matrix && py::str(part.attr("format")).equal(py::str("csr"));
    return is_csr ? compressed_source_of(part) : source_of(part, "x");
  };
  if (!py::isinstance<py::list>(x) && !py::isinstance<py::tuple>(x)) return {input_of(x)};
  std::vector<exec::Source> sources;
  for (py::handle part : x) sources.push_back(input_of(part));
  return sources;
}

// A view of an array of weights in the engine's memory; `owner` keeps the memory alive.
template <class T>
py::array weights_view(T* data, const Shape& shape, const py::object& owner) {
  std::vector<py::ssize_t> strides(shape.size(), sizeof(T));
  for (std::size_t axis = shape.size(); axis-- > 1;)
    strides[axis - 1] = strides[axis] * shape[axis];
  if (shape.size() == 2) strides[0] = Storage<T>(shape).ld * static_cast<py::ssize_t>(sizeof(T));
  return py::array_t<T>(std::vector<py::ssize_t>(shape.begin(), shape.end()), strides, data, owner);
}

template <class T>
using Dense = py::array_t<T, py::array::c_style>;  // what the kernel doors take: no conversion

// function(T) for the element type of a float32 or float64 array.
template <class F>
auto with_dtype(DType dtype, const F& function) {
  if (dtype == DType::f32) return function(float{});
  return function(double{});
}

inline DType float_dtype_of(const py::array& array, const char* what) {
  const DType dtype = dtype_of(array, what);
  if (dtype != DType::f32 && dtype != DType::f64) {
    throw py::type_error(message(what, " must be a float32 or float64 array. Received: ", what,
                                 ".dtype=", kDTypes[static_cast<int>(dtype)].name, "."));
  }
  return dtype;
}

}  // namespace pynn::bindings
