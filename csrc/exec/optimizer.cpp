#include "exec/optimizer.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/table.h"
#include "ops/tiling.h"

namespace pynn::exec {
namespace {

// Row by row over a tile whose rows are `ld` apart.
template <class F>
void for_tile_rows(isize rows, isize cols, isize ld, const F& function) {
  if (cols == ld) return function(isize{0}, rows * cols);
  for (isize r = 0; r < rows; ++r) function(r * ld, cols);
}

}  // namespace

template <class T>
Optimizer<T>::Optimizer(const Plan<T>& plan, OptimizerSpec spec)
    : plan_(plan), spec_(std::move(spec)) {
  const auto* row = kernels::find_row("optimizer", spec_.name);
  check(row != nullptr, "optimizer must be the name of an optimizer. Received: optimizer='",
        spec_.name, "'.");
  check(spec_.fields.size() == row->fields.size(), row->name, ": expected ", row->fields.size(),
        " hyper-parameters. Received: ", spec_.fields.size(), ".");
  kernels_ = kernels::table<T>().optimizer[row->index];
  slots_ = row->slots(spec_.fields.data());

  Layout<T> layout;
  gradient_.resize(plan.variables.size());
  for (std::size_t v = 0; v < plan.variables.size(); ++v) {
    if (!plan.trainable[v]) continue;
    const isize size = plan.variables[v]->template storage<T>().size();
    parts_.push_back({static_cast<int>(v), layout.add(size), size});
  }
  gradient_arena_ = Arena<T>(layout.size());
  slot_arena_ = Arena<T>(layout.size() * slots_);
  for (std::size_t p = 0; p < parts_.size(); ++p) {
    const Part& part = parts_[p];
    const Variable& variable = *plan.variables[static_cast<std::size_t>(part.variable)];
    gradient_[static_cast<std::size_t>(part.variable)] = gradient_arena_.data() + part.offset;
    for (int s = 0; s < slots_; ++s) {
      std::fill_n(slot(s, part.variable), part.size,
                  static_cast<T>(row->slot_init(s, spec_.fields.data())));
    }
    // A kernel is updated by the panels its layer computes with, a vector in pieces.
    const auto [rows, cols, ld] = variable.template storage<T>();
    const ops::Cut panels =
        variable.shape.size() == 2 ? ops::kernel_panels(cols, 1) : ops::Cut(cols, 8192);
    for (isize i = 0; i < panels.count; ++i) {
      const double place = (static_cast<double>(i) + 0.5) / static_cast<double>(panels.count);
      tiles_.push_back({p, panels[i].begin, rows, panels[i].size, ld, place});
    }
  }
  // The team shares consecutive tasks out by position, so this order gives every thread the panels
  // that it also computes with: weights stay in the cache where they were read.
  std::stable_sort(tiles_.begin(), tiles_.end(),
                   [](const Tile& a, const Tile& b) { return a.place < b.place; });
  norms_.resize(tiles_.size());
  for (const Penalty& penalty : spec_.penalties) {
    if (Part* part = part_of(penalty.variable)) {
      part->l1 = penalty.l1;
      part->l2 = penalty.l2;
    }
  }
  for (int variable : spec_.no_decay) {
    if (Part* part = part_of(variable)) part->decays = false;
  }
}

template <class T>
T* Optimizer<T>::slot(int slot, int variable) const {
  const isize offset = gradient_[static_cast<std::size_t>(variable)] - gradient_arena_.data();
  return slot_arena_.data() + slot * gradient_arena_.size() + offset;
}

template <class T>
typename Optimizer<T>::Part* Optimizer<T>::part_of(int variable) {
  for (Part& part : parts_) {
    if (part.variable == variable) return &part;
  }
  return nullptr;  // not trained: its penalty is a constant, which Keras leaves out of the loss too
}

template <class T>
double Optimizer<T>::penalty() const {
  double sum = 0;
  for (const Part& part : parts_) {
    if (part.l1 == 0 && part.l2 == 0) continue;
    sum += kernels::table<T>().penalty(plan_.weight(part.variable), part.l1, part.l2, part.size);
  }
  return sum;
}

template <class T>
void Optimizer<T>::add_penalty_gradients(int team) {
  for (const Part& part : parts_) {
    if (part.l1 == 0 && part.l2 == 0) continue;
    T* g = gradient_arena_.data() + part.offset;
    const T* w = plan_.weight(part.variable);
    ops::for_elements(team, part.size, [&](isize first, isize count) {
      kernels::table<T>().add_penalty_gradient(g + first, w + first, static_cast<T>(part.l1),
                                               static_cast<T>(part.l2), count);
    });
  }
}

// clipnorm: every variable's gradient on its own; global_clipnorm: all of them as one long vector.
template <class T>
void Optimizer<T>::clip_by_norm(int team) {
  parallel_for(team, static_cast<isize>(tiles_.size()), 1e6, [&](isize i) {
    const Tile& tile = tiles_[static_cast<std::size_t>(i)];
    const T* g = gradient_arena_.data() + parts_[tile.part].offset + tile.at;
    double sum = 0;
    for_tile_rows(tile.rows, tile.cols, tile.ld, [&](isize at, isize count) {
      sum += kernels::table<T>().sum_of_squares(g + at, count);
    });
    norms_[static_cast<std::size_t>(i)] = sum;
  });
  double all = 0;
  for (double norm : norms_) all += norm;
  for (std::size_t p = 0; p < parts_.size(); ++p) {
    double own = 0;
    for (std::size_t i = 0; i < tiles_.size(); ++i) own += tiles_[i].part == p ? norms_[i] : 0;
    const bool global = spec_.global_clipnorm > 0;
    const double limit = global ? spec_.global_clipnorm : spec_.clipnorm;
    const double norm = std::sqrt(global ? all : own);
    parts_[p].scale = static_cast<T>(norm > limit ? limit / norm : 1.0);
  }
}

template <class T>
void Optimizer<T>::step(double learning_rate, int team) {
  add_penalty_gradients(team);
  if (spec_.clipnorm > 0 || spec_.global_clipnorm > 0) clip_by_norm(team);
  kernels::StepConstants constants;
  kernels_.begin(&constants, spec_.fields.data(), learning_rate, ++iterations);
  const T limit =
      spec_.clipvalue > 0 ? static_cast<T>(spec_.clipvalue) : std::numeric_limits<T>::infinity();
  const T keep = static_cast<T>(1 - learning_rate * spec_.weight_decay);
  const double cost = static_cast<double>(gradient_arena_.size()) * (0.3 + 0.2 * slots_);
  parallel_for(team, static_cast<isize>(tiles_.size()), cost, [&](isize i) {
    const Tile& tile = tiles_[static_cast<std::size_t>(i)];
    const Part& part = parts_[tile.part];
    kernels::UpdateTile<T> update{};
    update.w = plan_.weight(part.variable) + tile.at;
    update.g = gradient_arena_.data() + part.offset + tile.at;
    for (int s = 0; s < slots_; ++s) update.slot[s] = slot(s, part.variable) + tile.at;
    update.rows = tile.rows;
    update.cols = tile.cols;
    update.ld = tile.ld;
    update.grad_scale = part.scale;
    update.grad_limit = limit;
    update.keep = part.decays ? keep : T(1);
    kernels_.tile(&constants, update);
  });
}

template class Optimizer<float>;
template class Optimizer<double>;

}  // namespace pynn::exec
