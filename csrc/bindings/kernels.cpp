// Direct doors to the kernels: the public functions of pynn.activations, losses and initializers,
// and tests.
#include <atomic>

#include "bindings/arrays.h"
#include "bindings/register.h"
#include "core/limits.h"
#include "kernels/gemm.h"
#include "kernels/lookup.h"
#include "ops/tiling.h"

namespace pynn::bindings {
namespace {

using kernels::CatalogRow;
using kernels::params_of;
using kernels::RandomStream;
using kernels::table;

const CatalogRow& row_of(const char* kind, const std::string& name) {
  const CatalogRow* row = kernels::find_row(kind, name);
  check(row != nullptr, kind, " must be the name of a row of the catalog. Received: name='", name,
        "'.");
  return *row;
}

// The kernels of an elementwise row, or null for an activation of whole rows.
template <class T>
const kernels::ActivationKernels<T>* elementwise(const std::string& name, const CatalogRow*& row) {
  if ((row = kernels::find_row("activation", name))) return table<T>().activation + row->index;
  if ((row = kernels::find_row("math", name))) return table<T>().math + row->index;
  row = &row_of("row_activation", name);
  return nullptr;
}

// The last axis as columns, all others as rows.
struct Rows {
  isize rows, cols;
  explicit Rows(const py::array& a) : rows(1), cols(a.ndim() ? a.shape(a.ndim() - 1) : 1) {
    rows = cols > 0 ? a.size() / cols : 0;
  }
};

py::array activation(const std::string& name, const py::array& x,
                     const std::vector<double>& given) {
  return with_dtype(float_dtype_of(x, "x"), [&]<class T>(T) -> py::array {
    const Dense<T> in(x);
    Dense<T> y(shape_of(x));
    const CatalogRow* row = nullptr;
    if (const auto* k = elementwise<T>(name, row)) {
      k->forward(y.mutable_data(), in.data(), params_of<T>(*row, given).data(), in.size());
    } else {
      const Rows shape(in);
      table<T>().row_activation[row->index].forward(y.mutable_data(), in.data(), shape.rows,
                                                    shape.cols);
    }
    return y;
  });
}

py::array activation_gradient(const std::string& name, const py::array& x, const py::array& dy,
                              const std::vector<double>& given) {
  check(shape_of(x) == shape_of(dy),
        "x and dy must have one shape. Received: x.shape=", shape_of(x),
        ", dy.shape=", shape_of(dy), ".");
  return with_dtype(float_dtype_of(x, "x"), [&]<class T>(T) -> py::array {
    const Dense<T> in(x), dout(dy);
    const Dense<T> y(activation(name, x, given));
    Dense<T> dx(shape_of(x));
    const CatalogRow* row = nullptr;
    if (const auto* k = elementwise<T>(name, row)) {
      const T* kept = row->keep == "x" ? in.data() : y.data();
      k->backward(dx.mutable_data(), kept, dout.data(), params_of<T>(*row, given).data(),
                  in.size());
    } else {
      const Rows shape(in);
      table<T>().row_activation[row->index].backward(dx.mutable_data(), y.data(), dout.data(),
                                                     shape.rows, shape.cols);
    }
    return dx;
  });
}

// A loss kernel over the rows of two arrays; fills values or gradient.
template <class T>
void run_loss(const std::string& name, const Dense<T>& target, const Dense<T>& pred,
              const std::vector<double>& given, double smoothing, bool from_logits, double* values,
              T* grad) {
  const CatalogRow& row = row_of("loss", name);
  const Rows shape(pred);
  const isize expected = row.index_target ? shape.rows : pred.size();
  check(shape.cols > 0, row.name, ": expected predictions of at least one column. Received: ",
        "y_pred.shape=", shape_of(pred), ".");
  check(target.size() == expected, row.name, ": expected ", expected,
        " targets for predictions of shape ", shape_of(pred),
        ". Received: y_true.shape=", shape_of(target), ".");
  const auto kernel = kernels::loss_kernel<T>(row, from_logits);
  kernel({values, grad, pred.data(), target.data(), nullptr, params_of<T>(row, given).data(),
          shape.rows, shape.cols, T(1), static_cast<T>(smoothing)});
}

py::array loss(const std::string& name, const py::array& target, const py::array& pred,
               const std::vector<double>& given, double smoothing, bool from_logits) {
  return with_dtype(float_dtype_of(pred, "y_pred"), [&]<class T>(T) -> py::array {
    Shape shape = shape_of(pred);
    if (!shape.empty()) shape.pop_back();
    Dense<double> values(shape);
    run_loss<T>(name, Dense<T>(target), Dense<T>(pred), given, smoothing, from_logits,
                values.mutable_data(), nullptr);
    return values;
  });
}

py::array loss_gradient(const std::string& name, const py::array& target, const py::array& pred,
                        const std::vector<double>& given, double smoothing, bool from_logits) {
  return with_dtype(float_dtype_of(pred, "y_pred"), [&]<class T>(T) -> py::array {
    Dense<T> grad(shape_of(pred));
    run_loss<T>(name, Dense<T>(target), Dense<T>(pred), given, smoothing, from_logits, nullptr,
                grad.mutable_data());
    return grad;
  });
}

std::vector<double> metric(const std::string& name, const py::array& target, const py::array& pred,
                           const py::object& weight, const std::vector<double>& given) {
  return with_dtype(float_dtype_of(pred, "y_pred"), [&]<class T>(T) {
    const CatalogRow& row = row_of("metric", name);
    const Dense<T> y(target), p(pred);
    const Rows shape(p);
    check(shape.rows > 0 && y.size() == shape.rows * (row.index_target ? 1 : shape.cols), row.name,
          ": targets do not fit predictions of shape ", shape_of(pred),
          ". Received: y_true.shape=", shape_of(target), ".");
    Dense<T> w;
    if (!weight.is_none()) {
      w = weight.cast<Dense<T>>();
      check(w.size() == shape.rows,
            "sample_weight must have one number per row. Received: ", w.size(), " for ", shape.rows,
            " rows.");
    }
    const auto params = params_of<T>(row, given);
    std::vector<double> sums(static_cast<std::size_t>(row.sums(shape.cols, given)));
    table<T>().metric[row.index]({sums.data(), p.data(), y.data(),
                                  weight.is_none() ? nullptr : w.data(), params.data(), shape.rows,
                                  shape.cols, y.size() / shape.rows});
    return sums;
  });
}

// The value of each row, for metrics that are the mean of rows.
py::array metric_values(const std::string& name, const py::array& target, const py::array& pred,
                        const std::vector<double>& given) {
  return with_dtype(float_dtype_of(pred, "y_pred"), [&]<class T>(T) -> py::array {
    const CatalogRow& row = row_of("metric", name);
    const Dense<T> y(target), p(pred);
    const Rows shape(p);
    check(row.result == "mean" && shape.cols > 0 &&
              y.size() == shape.rows * (row.index_target ? 1 : shape.cols),
          row.name, ": targets do not fit predictions of shape ", shape_of(pred),
          ". Received: y_true.shape=", shape_of(target), ".");
    Shape rows = shape_of(pred);
    if (!rows.empty()) rows.pop_back();
    Dense<double> values(rows);
    double sums[2] = {};
    if (shape.rows > 0) {
      table<T>().metric[row.index]({sums, p.data(), y.data(), nullptr,
                                    params_of<T>(row, given).data(), shape.rows, shape.cols,
                                    y.size() / shape.rows, values.mutable_data()});
    }
    return values;
  });
}

// One optimizer step on arrays, in place.
void optimizer_step(const std::string& name, const std::vector<double>& fields,
                    double learning_rate, std::int64_t t, py::array w, const py::array& g,
                    const std::vector<py::array>& slots, double grad_scale, double grad_limit,
                    double keep) {
  with_dtype(float_dtype_of(w, "w"), [&]<class T>(T) {
    const CatalogRow& row = row_of("optimizer", name);
    check(fields.size() == row.fields.size(), row.name, ": expected ", row.fields.size(),
          " hyper-parameters. Received: ", fields.size(), ".");
    check(static_cast<int>(slots.size()) == row.slots(fields.data()), row.name, ": expected ",
          row.slots(fields.data()), " slots. Received: ", slots.size(), ".");
    const auto live = [&](const py::array& a, isize size, bool written) {
      check(py::isinstance<Dense<T>>(a) && a.size() == size && (a.writeable() || !written),
            "w, g and the slots must be C-contiguous arrays of one dtype and fitting sizes, w and "
            "the slots writeable.");
      return static_cast<T*>(const_cast<void*>(a.data()));
    };
    const Shape shape = shape_of(w);
    kernels::UpdateTile<T> tile{};
    tile.w = live(w, w.size(), true);
    tile.g = live(g, w.size(), false);
    for (std::size_t s = 0; s < slots.size(); ++s) {
      tile.slot[s] =
          live(slots[s], element_count(row.slot_shape(static_cast<int>(s), shape)), true);
    }
    tile.matrix = shape.size() == 2;
    tile.rows = tile.matrix ? shape[0] : 1;
    tile.cols = tile.ld = tile.ld_g = tile.matrix ? shape[1] : w.size();
    tile.grad_scale = static_cast<T>(grad_scale);
    tile.grad_limit = static_cast<T>(grad_limit);
    tile.keep = static_cast<T>(keep);
    kernels::StepConstants constants;
    table<T>().optimizer[row.index].begin(&constants, fields.data(), learning_rate, t);
    table<T>().optimizer[row.index].tile(&constants, tile);
  });
}

constexpr const char* kVmathNames[] = {"exp", "log", "expm1", "log1p", "tanh", "erf", "sigmoid"};

py::array vmath(const std::string& name, const py::array& x) {
  int row = 0;
  while (row < 7 && name != kVmathNames[row]) ++row;
  check(row < 7,
        "vmath: name must be one of exp, log, expm1, log1p, tanh, erf, sigmoid. Received: name='",
        name, "'.");
  return with_dtype(float_dtype_of(x, "x"), [&]<class T>(T) -> py::array {
    const Dense<T> in(x);
    Dense<T> y(shape_of(x));
    table<T>().vmath[row](y.mutable_data(), in.data(), in.size());
    return y;
  });
}

template <bool kNormal>
py::array random(const Shape& shape, const std::string& dtype, std::uint64_t seed,
                 std::uint32_t stream, std::uint32_t step) {
  return with_dtype(dtype_named(dtype), [&]<class T>(T) -> py::array {
    Dense<T> y(shape);
    const auto fill = kNormal ? table<T>().normal : table<T>().uniform;
    fill(y.mutable_data(), RandomStream{seed, stream, step}, 0, y.size());
    return y;
  });
}

bool all_finite(const py::array& x, int n_threads) {
  return with_dtype(float_dtype_of(x, "x"), [&]<class T>(T) {
    const Dense<T> in(x);
    const int team = threads_for(n_threads);
    const py::gil_scoped_release no_gil;
    std::atomic<bool> finite{true};
    ops::for_elements(team, in.size(), [&](isize first, isize count) {
      if (!table<T>().all_finite(in.data() + first, count)) finite = false;
    });
    return finite.load();
  });
}

py::array gemm_door(const py::array& a, const py::array& b, bool transpose_a, bool transpose_b) {
  return with_dtype(float_dtype_of(a, "a"), [&]<class T>(T) -> py::array {
    const Dense<T> left(a), right(b);
    check(left.ndim() == 2 && right.ndim() == 2, "gemm: expected matrices.");
    const isize m = left.shape(transpose_a), k = left.shape(!transpose_a),
                n = right.shape(!transpose_b);
    check(right.shape(transpose_b) == k, "gemm: the inner extents must agree.");
    Dense<T> c(Shape{m, n});
    kernels::gemm<T>(c.mutable_data(), n, {}, {left.data(), left.shape(1), transpose_a},
                     {right.data(), right.shape(1), transpose_b}, m, n, k);
    return c;
  });
}

}  // namespace

void register_kernels(py::module_& m) {
  const auto no_params = std::vector<double>{};
  m.def("activation", &activation, py::arg("name"), py::arg("x"), py::arg("params") = no_params,
        "y = f(x), of a float32 or float64 array.");
  m.def("activation_gradient", &activation_gradient, py::arg("name"), py::arg("x"), py::arg("dy"),
        py::arg("params") = no_params, "dx = f'(x)^T dy.");
  m.def("loss", &loss, py::arg("name"), py::arg("y_true"), py::arg("y_pred"),
        py::arg("params") = no_params, py::arg("label_smoothing") = 0.0,
        py::arg("from_logits") = false, "The loss of every row.");
  m.def("loss_gradient", &loss_gradient, py::arg("name"), py::arg("y_true"), py::arg("y_pred"),
        py::arg("params") = no_params, py::arg("label_smoothing") = 0.0,
        py::arg("from_logits") = false,
        "The gradient of the sum of the rows' losses with respect to y_pred.");
  m.def("metric", &metric, py::arg("name"), py::arg("y_true"), py::arg("y_pred"),
        py::arg("sample_weight") = py::none(), py::arg("params") = no_params,
        "The sums of a metric.");
  m.def("metric_values", &metric_values, py::arg("name"), py::arg("y_true"), py::arg("y_pred"),
        py::arg("params") = no_params, "The value of every row, of a metric that is their mean.");
  m.def("optimizer_step", &optimizer_step, py::arg("name"), py::arg("fields"),
        py::arg("learning_rate"), py::arg("t"), py::arg("w"), py::arg("g"), py::arg("slots"),
        py::arg("grad_scale") = 1.0, py::arg("grad_limit") = kernels::kInfinity,
        py::arg("keep") = 1.0,
        "Applies step t (counted from 1) of an optimizer to w and its slots, in place.");
  m.def("vmath", &vmath, py::arg("name"), py::arg("x"),
        "Vectorized exp, log, expm1, log1p, tanh, erf, sigmoid.");
  m.def("random_uniform", &random<false>, py::arg("shape"), py::arg("dtype"), py::arg("seed"),
        py::arg("stream") = 0, py::arg("step") = 0, "Counter-based uniform numbers in [0, 1).");
  m.def("random_normal", &random<true>, py::arg("shape"), py::arg("dtype"), py::arg("seed"),
        py::arg("stream") = 0, py::arg("step") = 0,
        "Counter-based normal numbers, mean 0, variance 1.");
  m.def("all_finite", &all_finite, py::arg("x"), py::arg("n_threads"),
        "Whether a float32 or float64 array without gaps has neither infinity nor NaN.");
  m.def("gemm", &gemm_door, py::arg("a"), py::arg("b"), py::arg("transpose_a") = false,
        py::arg("transpose_b") = false,
        "The product of two matrices through the engine's door to BLAS.");
}

}  // namespace pynn::bindings
