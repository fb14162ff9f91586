// Training and evaluation.
#include "exec/trainer.h"

#include <atomic>

#include "bindings/arrays.h"
#include "bindings/register.h"
#include "core/limits.h"

namespace pynn::bindings {
namespace {

using exec::Trainer;

// Optional numbers come as None.
template <class V>
V get_or(const py::dict& dict, const char* key, V fallback) {
  if (!dict.contains(key) || dict[key].is_none()) return fallback;
  return dict[key].cast<V>();
}

// The output that is compared with a target, or that holds the result as it is.
template <class Spec>
void read_place(Spec& spec, const py::dict& dict) {
  spec.values = dict.contains("values");
  spec.output = get_or(dict, spec.values ? "values" : "output", std::size_t{0});
  const bool none = dict.contains("target") && dict["target"].is_none();
  spec.target = none ? -1 : get_or(dict, "target", 0);
  pynn::check(spec.target >= 0 || (none && spec.values), "target must be the number of a target. ",
              "Received: target=", none ? "None" : std::to_string(spec.target), ".");
}

exec::Reduction reduction_of(const std::string& name) {
  if (name == "mean") return exec::Reduction::mean;
  if (name == "sum") return exec::Reduction::sum;
  pynn::check(name == "mean_with_sample_weight",
              "reduction must be 'mean', 'sum' or 'mean_with_sample_weight'. Received: reduction='",
              name, "'.");
  return exec::Reduction::mean_with_sample_weight;
}

exec::LossSpec loss_of(const py::dict& dict) {
  exec::LossSpec spec{get_or(dict, "name", std::string{}),
                      get_or(dict, "params", std::vector<double>{}),
                      get_or(dict, "label_smoothing", 0.0), get_or(dict, "from_logits", false)};
  read_place(spec, dict);
  const std::string reduction = spec.is_penalty() ? "sum" : "mean";
  spec.reduction = reduction_of(get_or(dict, "reduction", reduction));
  spec.weight = get_or(dict, "weight", 1.0);
  return spec;
}

exec::MetricSpec metric_of(const py::dict& dict) {
  exec::MetricSpec spec{get_or(dict, "name", std::string{}),
                        get_or(dict, "params", std::vector<double>{}),
                        get_or(dict, "label_smoothing", 0.0), get_or(dict, "from_logits", false),
                        get_or(dict, "weighted", false)};
  read_place(spec, dict);
  return spec;
}

// {"variable": i}: values of at least 0; with "low" and so on: norms over "axes" within bounds.
exec::ConstraintSpec constraint_of(const py::dict& dict) {
  exec::ConstraintSpec spec{dict["variable"].cast<int>(), {}, std::nullopt};
  if (!dict.contains("axes")) return spec;
  spec.axes = dict["axes"].cast<std::vector<int>>();
  spec.bounds = {dict["low"].cast<double>(), dict["high"].cast<double>(),
                 dict["rate"].cast<double>(), dict["epsilon"].cast<double>()};
  return spec;
}

exec::OptimizerSpec optimizer_of(const py::dict& dict, const py::dict& options) {
  exec::OptimizerSpec spec;
  spec.name = dict["name"].cast<std::string>();
  spec.fields = dict["fields"].cast<std::vector<double>>();
  spec.weight_decay = get_or(dict, "weight_decay", 0.0);
  spec.clipnorm = get_or(dict, "clipnorm", 0.0);
  spec.clipvalue = get_or(dict, "clipvalue", 0.0);
  spec.global_clipnorm = get_or(dict, "global_clipnorm", 0.0);
  for (const auto& [variable, l1, l2, by_sample] :
       get_or(options, "penalties", std::vector<std::tuple<int, double, double, bool>>{})) {
    spec.penalties.push_back({variable, l1, l2, by_sample});
  }
  spec.no_decay = get_or(options, "no_decay", std::vector<int>{});
  spec.accumulation = get_or(dict, "accumulation", 1);
  if (const double momentum = get_or(dict, "ema_momentum", -1.0); momentum >= 0) {
    spec.ema_momentum = momentum;
  }
  spec.ema_overwrite_frequency = get_or(dict, "ema_overwrite_frequency", 0);
  for (const py::dict& constraint : get_or(options, "constraints", std::vector<py::dict>{})) {
    spec.constraints.push_back(constraint_of(constraint));
  }
  return spec;
}

using Int64Array = py::array_t<std::int64_t, py::array::c_style>;
using DoubleArray = py::array_t<double, py::array::c_style>;

// Holds a flag that only one call at a time may hold: while the engine runs without the GIL,
// another Python thread, or a signal handler, may ask the same trainer for more.
class Busy {
 public:
  Busy(std::atomic<bool>& flag, const char* otherwise) : flag_(flag) {
    if (flag_.exchange(true)) throw std::runtime_error(std::string(otherwise) + ".");
  }
  ~Busy() { flag_ = false; }
  Busy(const Busy&) = delete;
  Busy& operator=(const Busy&) = delete;

 private:
  std::atomic<bool>& flag_;
};

// The trainer of either element type behind one face.
class AnyTrainer {
 public:
  virtual ~AnyTrainer() = default;
  virtual void check(const py::object& x, const py::list& y, const py::list& weight) = 0;
  virtual isize train(const py::object& x, const py::list& y, const py::list& weight,
                      const Int64Array& order, isize batch_size, isize first_batch,
                      isize max_batches, const DoubleArray& learning_rates, double seconds,
                      std::uint64_t seed, int n_threads) = 0;
  virtual py::list evaluate(const py::object& x, const py::list& y, const py::list& weight,
                            int n_threads, bool training, std::uint64_t seed, std::uint32_t step,
                            bool outputs) = 0;
  virtual py::tuple gradients(const py::object& x, const py::list& y, const py::list& weight,
                              std::uint64_t seed, bool training, int n_threads,
                              bool input_gradients) = 0;
  virtual py::list outputs() = 0;
  virtual bool whole_batch() const = 0;
  virtual py::dict results(bool evaluation, bool reset) = 0;
  virtual std::int64_t iterations() const = 0;
  virtual void set_iterations(std::int64_t t) = 0;
  virtual void set_fields(const std::vector<double>& fields) = 0;
  virtual py::list slots(const py::object& self) = 0;
  virtual py::list last_gradients() = 0;
};

template <class T>
class TypedTrainer : public AnyTrainer {
 public:
  TypedTrainer(const NetworkPtr<T>& network, const NetworkPtr<T>& evaluation_network,
               const std::vector<exec::LossSpec>& losses,
               const std::vector<exec::MetricSpec>& metrics, const exec::OptimizerSpec& optimizer)
      : trainer_(network, evaluation_network, losses, metrics, optimizer) {}

  void check(const py::object& x, const py::list& y, const py::list& weight) override {
    const exec::Dataset data = dataset(x, y, weight);
    trainer_.check_shapes(data);
    trainer_.check_values(data);
  }

  isize train(const py::object& x, const py::list& y, const py::list& weight,
              const Int64Array& order, isize batch_size, isize first_batch, isize max_batches,
              const DoubleArray& learning_rates, double seconds, std::uint64_t seed,
              int n_threads) override {
    const exec::Dataset data = dataset(x, y, weight);
    trainer_.check_shapes(data);
    const isize samples = data.x[0].samples(), rows = order.size();
    pynn::check(batch_size > 0, "batch_size must be positive. Received: batch_size=", batch_size,
                ".");
    batch_size = std::min(batch_size, rows);
    pynn::check(first_batch >= 0 && first_batch < rows && first_batch * batch_size < rows,
                "first_batch must lie in the epoch. Received: first_batch=", first_batch, ".");
    pynn::check(max_batches > 0 && learning_rates.size() >= max_batches,
                "expected one learning rate per batch. Received: ", learning_rates.size(), " for ",
                max_batches, " batches.");
    const isize first_row = first_batch * batch_size;
    const isize end_row = std::min(rows, first_row + std::min(max_batches, rows) * batch_size);
    for (isize i = first_row; i < end_row; ++i) {
      pynn::check(order.data()[i] >= 0 && order.data()[i] < samples,
                  "order must hold row numbers of x. Received: order[", i, "]=", order.data()[i],
                  ".");
    }
    const exec::TrainRequest request{order.data(), rows,        batch_size,
                                     first_batch,  max_batches, learning_rates.data(),
                                     seconds,      seed,        threads_for(n_threads)};
    const Busy busy(busy_, kTraining);
    const py::gil_scoped_release no_gil;
    exec::Poll poll = signal_poll();
    return trainer_.train(data, request, poll);
  }

  py::list evaluate(const py::object& x, const py::list& y, const py::list& weight, int n_threads,
                    bool training, std::uint64_t seed, std::uint32_t step, bool outputs) override {
    const exec::Dataset data = dataset(x, y, weight);
    trainer_.check_shapes(data);
    const exec::Run run{data.x[0].samples(), threads_for(n_threads), training, seed, step};
    const Busy busy(evaluating_, "this model is being evaluated already, by another thread");
    std::optional<Outputs<T>> found;
    if (outputs) found.emplace(trainer_.evaluation_network().plan, run.n);
    {
      const py::gil_scoped_release no_gil;
      exec::Poll poll = signal_poll();
      trainer_.evaluate(data, found ? found->data : std::vector<T*>{}, run, poll);
    }
    return found ? found->arrays : py::list();
  }

  py::tuple gradients(const py::object& x, const py::list& y, const py::list& weight,
                      std::uint64_t seed, bool training, int n_threads,
                      bool input_gradients) override {
    const exec::Dataset data = dataset(x, y, weight);
    trainer_.check_shapes(data);
    const auto& plan = trainer_.network().plan;
    const isize n = data.x[0].samples();
    pynn::check(n > 0, "x must have at least one sample. Received: no samples.");
    pynn::check(!input_gradients || plan.tensors[0].needs_gradient,
                "the network was built without gradients of its inputs. Received: ",
                "input_gradients=True.");
    exec::Gradients<T> found;
    {
      const Busy busy(busy_, kTraining);
      const py::gil_scoped_release no_gil;
      exec::Poll poll = signal_poll();
      found = trainer_.gradients(data, training, seed, threads_for(n_threads), poll);
    }
    py::list variables;
    for (std::size_t v = 0; v < found.variables.size(); ++v) {
      if (plan.trainable[v]) {
        // Without an owner NumPy copies.
        variables.append(
            weights_view(found.variables[v].data(), plan.variables[v]->shape, py::object()));
      } else {
        variables.append(py::none());
      }
    }
    if (!input_gradients) return py::make_tuple(results_of(found.sums), variables, py::none());
    py::list inputs;
    for (std::size_t i = 0; i < found.inputs.size(); ++i) {
      inputs.append(
          py::array_t<T>(std::vector<py::ssize_t>(data.x[i].shape.begin(), data.x[i].shape.end()),
                         found.inputs[i].data()));
    }
    return py::make_tuple(results_of(found.sums), variables, inputs);
  }

  py::list outputs() override {
    const Busy busy(busy_, kTraining);
    const Outputs<T> y(trainer_.network().plan, trainer_.last_batch());
    trainer_.copy_outputs(y.data);
    return y.arrays;
  }

  bool whole_batch() const override { return trainer_.whole_batch(); }

  py::dict results(bool evaluation, bool reset) override {
    exec::Sums& sums = evaluation ? trainer_.evaluation : trainer_.training;
    py::dict out = results_of(sums);
    if (reset) sums.reset();
    return out;
  }

  std::int64_t iterations() const override { return trainer_.optimizer.iterations; }
  void set_iterations(std::int64_t t) override { trainer_.optimizer.iterations = t; }

  void set_fields(const std::vector<double>& fields) override {
    const Busy busy(busy_, kTraining);
    trainer_.optimizer.set_fields(fields);
  }

  py::list last_gradients() override {
    const Busy busy(busy_, kTraining);
    py::list all;
    const auto& plan = trainer_.network().plan;
    for (std::size_t v = 0; v < plan.variables.size(); ++v) {
      // Without an owner NumPy copies.
      if (T* gradient = trainer_.optimizer.gradients()[v]) {
        all.append(weights_view(gradient, plan.variables[v]->shape, py::object()));
      }
    }
    return all;
  }

  py::list slots(const py::object& self) override {
    py::list all;
    const auto& plan = trainer_.network().plan;
    for (std::size_t v = 0; v < plan.variables.size(); ++v) {
      if (!plan.trainable[v]) continue;
      py::list own;
      for (int s = 0; s < trainer_.optimizer.slot_count(); ++s) {
        const int variable = static_cast<int>(v);
        own.append(weights_view(trainer_.optimizer.slot(s, variable),
                                trainer_.optimizer.slot_shape(s, variable), self));
      }
      all.append(own);
    }
    return all;
  }

 private:
  py::dict results_of(const exec::Sums& sums) const {
    py::dict out;
    const double samples = sums.samples > 0 ? sums.samples : 1.0;
    py::list losses;
    for (std::size_t l = 0; l < sums.losses.size(); ++l) {
      if (trainer_.objective().losses[l].spec.is_penalty()) continue;
      losses.append(sums.losses[l] / samples);
    }
    out["loss"] = sums.loss / samples;
    out["losses"] = losses;
    out["samples"] = sums.samples;
    out["metrics"] = py::cast(sums.metrics);
    return out;
  }

  static constexpr const char* kTraining =
      "this model is being trained already, by another thread or a handler";

  static std::vector<std::optional<exec::Source>> sources_or_none(const py::list& arrays,
                                                                  const char* what) {
    std::vector<std::optional<exec::Source>> sources;
    for (py::handle array : arrays) {
      sources.emplace_back();
      if (!array.is_none()) sources.back() = source_of(array, what);
    }
    return sources;
  }

  static exec::Dataset dataset(const py::object& x, const py::list& y, const py::list& weight) {
    return {sources_of(x), sources_or_none(y, "y"), sources_or_none(weight, "sample_weight")};
  }

  Trainer<T> trainer_;
  std::atomic<bool> busy_{false}, evaluating_{false};
};

std::unique_ptr<AnyTrainer> make_trainer(const AnyNetwork& any, const AnyNetwork& evaluation,
                                         const std::vector<py::dict>& losses,
                                         const std::vector<py::dict>& metrics,
                                         const py::dict& optimizer, const py::dict& options) {
  std::vector<exec::LossSpec> loss_specs;
  for (const py::dict& loss : losses) loss_specs.push_back(loss_of(loss));
  std::vector<exec::MetricSpec> metric_specs;
  for (const py::dict& metric : metrics) metric_specs.push_back(metric_of(metric));
  return std::visit(
      [&]<class T>(const NetworkPtr<T>& network) -> std::unique_ptr<AnyTrainer> {
        const auto* other = std::get_if<NetworkPtr<T>>(&evaluation.network);
        check(other != nullptr, "network and evaluation_network must have one dtype.");
        return std::make_unique<TypedTrainer<T>>(network, *other, loss_specs, metric_specs,
                                                 optimizer_of(optimizer, options));
      },
      any.network);
}

}  // namespace

void register_trainer(py::module_& m) {
  py::class_<AnyTrainer>(m, "Trainer",
                         "Trains one network: losses, metrics, optimizer and their state.")
      .def(py::init(&make_trainer), py::arg("network"), py::arg("evaluation_network"),
           py::arg("losses"), py::arg("metrics"), py::arg("optimizer"), py::arg("options"))
      .def("check", &AnyTrainer::check, py::arg("x"), py::arg("y"),
           py::arg("sample_weight") = py::list(),
           "Raises ValueError where the arrays do not fit the network or the loss.")
      .def("train", &AnyTrainer::train, py::arg("x"), py::arg("y"), py::arg("sample_weight"),
           py::arg("order"), py::arg("batch_size"), py::arg("first_batch"), py::arg("max_batches"),
           py::arg("learning_rates"), py::arg("seconds"), py::arg("seed"), py::arg("n_threads"),
           "Trains on consecutive batches of `order` until the time is up; returns how many.")
      .def("evaluate", &AnyTrainer::evaluate, py::arg("x"), py::arg("y"), py::arg("sample_weight"),
           py::arg("n_threads"), py::arg("training") = false, py::arg("seed") = 0,
           py::arg("step") = 0, py::arg("outputs") = false,
           "Adds loss and metrics over all samples, as one batch, to the evaluation sums; returns "
           "the outputs where they are wanted.")
      .def(
          "gradients", &AnyTrainer::gradients, py::arg("x"), py::arg("y"), py::arg("sample_weight"),
          py::arg("seed"), py::arg("training"), py::arg("n_threads"),
          py::arg("input_gradients") = false,
          "What `results` returns, of all samples as one batch; the gradients of the total loss by "
          "each variable, None where it is not trained; and those by each input, or None.")
      .def("outputs", &AnyTrainer::outputs,
           "Copies of the network's outputs for the last training batch.")
      .def_property_readonly("whole_batch", &AnyTrainer::whole_batch,
                             "Whether an evaluation must come batch by batch.")
      .def("results", &AnyTrainer::results, py::arg("evaluation") = false, py::arg("reset") = false,
           "The running means of the total loss and of each loss that is no penalty, without its "
           "weight; the number of samples; the sums of each metric.")
      .def_property("iterations", &AnyTrainer::iterations, &AnyTrainer::set_iterations,
                    "Optimizer steps done.")
      .def("set_fields", &AnyTrainer::set_fields, py::arg("fields"),
           "Other hyper-parameters of the optimizer for the next steps.")
      .def("last_gradients", &AnyTrainer::last_gradients,
           "Copies of the gradients of the last batch, one per trained variable.")
      .def_property_readonly(
          "slots", [](const py::object& self) { return self.cast<AnyTrainer&>().slots(self); },
          "The optimizer's state: one list of live arrays per trained variable.");
}

}  // namespace pynn::bindings
