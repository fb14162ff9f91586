// Perceptrons: arrays of a table, dense or sparse, to the engine's training.
#include "exec/perceptron.h"

#include <algorithm>
#include <limits>
#include <tuple>

#include "bindings/arrays.h"
#include "bindings/register.h"
#include "core/limits.h"

namespace pynn::bindings {
namespace {

using exec::PerceptronEpoch;
using Problem = std::tuple<std::int32_t, double, double, std::uint32_t>;

// The elements of a C-contiguous array of this type and size.
template <class V>
V* elements(const py::object& object, const char* what, isize size, bool written = false) {
  const bool fits = py::isinstance<Dense<std::remove_const_t<V>>>(object);
  const auto array = py::reinterpret_borrow<py::array>(object);
  check(fits && array.size() == size && (array.writeable() || !written), what,
        " must be a C-contiguous array of its dtype and ", size,
        " elements. Received: ", std::string(py::str(py::type::handle_of(object))),
        fits ? message(" with ", array.size(), " elements.") : std::string("."));
  return static_cast<V*>(const_cast<void*>(array.data()));
}

template <class V>
V* elements_or_null(const py::object& object, const char* what, isize size) {
  return object.is_none() ? nullptr : elements<V>(object, what, size);
}

// What a sparse table points to lies inside it.
template <class T>
void check_sparse(const kernels::TableRows<T>& x, isize rows, isize values) {
  bool inside =
      x.starts[0] == 0 && x.starts[rows] == values && std::is_sorted(x.starts, x.starts + rows + 1);
  for (isize i = 0; inside && i < values; ++i) inside = x.columns[i] >= 0 && x.columns[i] < x.cols;
  check(inside, "columns and starts must be those of a CSR matrix of ", rows, " rows and ", x.cols,
        " columns.");
}

exec::PerceptronOptions options_of(const py::dict& dict) {
  exec::PerceptronOptions options{};
  options.alpha = dict["alpha"].cast<double>();
  options.l1_ratio = dict["l1_ratio"].cast<double>();
  options.eta0 = dict["eta0"].cast<double>();
  options.intercept_rate = dict["intercept_rate"].cast<double>();
  options.tolerance =
      dict["tol"].is_none() ? -std::numeric_limits<double>::infinity() : dict["tol"].cast<double>();
  options.max_epochs = dict["max_epochs"].cast<isize>();
  options.patience = dict["patience"].cast<isize>();
  options.shuffle = dict["shuffle"].cast<bool>();
  options.penalty_counts = dict["penalty_counts"].cast<bool>();
  check(options.max_epochs > 0,
        "max_epochs must be positive. Received: max_epochs=", options.max_epochs, ".");
  return options;
}

exec::PerceptronReport report_of(const py::object& report) {
  if (report.is_none()) return nullptr;
  return [report](const PerceptronEpoch& epoch) {
    const KeepDenormals mode;
    const py::gil_scoped_acquire gil;
    report(epoch);
  };
}

std::vector<isize> train_perceptrons(const py::array& x, const py::object& columns,
                                     const py::object& starts, const py::object& labels,
                                     const py::object& sample_weight, const py::object& held_out,
                                     const py::array& coef, const py::array& intercept,
                                     const std::vector<Problem>& problems, const py::dict& options,
                                     const py::object& report, int n_threads) {
  const exec::PerceptronOptions chosen = options_of(options);
  const exec::PerceptronReport reporter = report_of(report);
  check(
      coef.ndim() == 2 && !problems.empty() && coef.shape(0) == static_cast<isize>(problems.size()),
      "coef must have one row per problem. Received: coef.shape=", shape_of(coef), " for ",
      problems.size(), " problems.");
  check(columns.is_none() == starts.is_none() && (x.ndim() == 2) == starts.is_none(),
        "x must have two axes, or one and columns and starts. Received: x.shape=", shape_of(x),
        ".");
  return with_dtype(float_dtype_of(x, "x"), [&]<class T>(T) {
    const isize cols = coef.shape(1), count = coef.shape(0);
    const isize rows = py::len(labels);
    constexpr isize kMost = std::numeric_limits<std::int32_t>::max();
    check(rows > 0 && rows <= kMost && cols <= kMost, "x must have from 1 to ", kMost,
          " rows and at most as many columns. Received: ", rows, " rows, ", cols, " columns.");
    const isize values = starts.is_none() ? rows * cols : x.size();
    exec::PerceptronTable<T> table{};
    table.x = {elements<const T>(x, "x", values),
               elements_or_null<const std::int32_t>(columns, "columns", values),
               elements_or_null<const std::int32_t>(starts, "starts", rows + 1), cols};
    if (table.x.starts) check_sparse(table.x, rows, values);
    table.targets = {elements<const std::int32_t>(labels, "labels", rows),
                     elements<const T>(sample_weight, "sample_weight", rows)};
    table.rows = rows;
    const bool* held = elements_or_null<const bool>(held_out, "held_out", rows);
    check(!held || std::find(held, held + rows, false) != held + rows,
          "held_out must leave rows to train on.");
    table.held_out = held;
    T* w = elements<T>(coef, "coef", count * cols, true);
    double* bias = elements<double>(intercept, "intercept", count, true);
    std::vector<exec::PerceptronProblem<T>> all;
    for (const auto& [positive, weight_positive, weight_negative, seed] : problems) {
      const auto i = static_cast<isize>(all.size());
      all.push_back({w + i * cols, bias + i, positive, weight_positive, weight_negative, seed});
    }
    const py::gil_scoped_release no_gil;
    exec::Poll poll = signal_poll();
    return exec::train_perceptrons(all, table, chosen, threads_for(n_threads), reporter, poll);
  });
}

}  // namespace

void register_perceptron(py::module_& m) {
  py::class_<PerceptronEpoch>(m, "PerceptronEpoch", "What an epoch of one perceptron came to.")
      .def_readonly("problem", &PerceptronEpoch::problem)
      .def_readonly("epoch", &PerceptronEpoch::epoch)
      .def_readonly("norm", &PerceptronEpoch::norm)
      .def_readonly("intercept", &PerceptronEpoch::intercept)
      .def_readonly("nonzeros", &PerceptronEpoch::nonzeros)
      .def_readonly("seen", &PerceptronEpoch::seen)
      .def_readonly("loss", &PerceptronEpoch::loss)
      .def_readonly("objective", &PerceptronEpoch::objective)
      .def_readonly("accuracy", &PerceptronEpoch::accuracy)
      .def_readonly("seconds", &PerceptronEpoch::seconds)
      .def_readonly("converged", &PerceptronEpoch::converged);
  m.def("train_perceptrons", &train_perceptrons, py::arg("x"), py::arg("columns"),
        py::arg("starts"), py::arg("labels"), py::arg("sample_weight"), py::arg("held_out"),
        py::arg("coef"), py::arg("intercept"), py::arg("problems"), py::arg("options"),
        py::arg("report"), py::arg("n_threads"),
        "Trains one perceptron per row of coef, in place, and returns how many epochs each took. "
        "Each problem is a label, the weights of its rows and of all others, and the seed of the "
        "shuffles. `report`, unless None, is called after each epoch.");
}

}  // namespace pynn::bindings
