#include "exec/optimizer.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "exec/backprop.h"
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
    : plan_(plan), spec_(std::move(spec)), constraints_(plan) {
  const auto* row = kernels::find_row("optimizer", spec_.name);
  check(row != nullptr, "optimizer must be the name of an optimizer. Received: optimizer='",
        spec_.name, "'.");
  check(spec_.fields.size() == row->fields.size(), row->name, ": expected ", row->fields.size(),
        " hyper-parameters. Received: ", spec_.fields.size(), ".");
  kernels_ = kernels::table<T>().optimizer[row->index];
  slots_ = row->slots(spec_.fields.data());
  by_tiles_ = !row->whole && spec_.clipnorm == 0 && spec_.global_clipnorm == 0 && !accumulates();

  check(spec_.accumulation >= 1,
        "gradient accumulation needs at least 1 step. Received: ", spec_.accumulation, ".");
  Layout<T> layout, slot_layout;
  gradient_.resize(plan.variables.size());
  for (std::size_t v = 0; v < plan.variables.size(); ++v) {
    if (!plan.trainable[v]) continue;
    const isize size = plan.variables[v]->template storage<T>().size();
    parts_.push_back({static_cast<int>(v), layout.add(size), size, {}});
    add_slots(parts_.back(), slot_layout, *row);
  }
  gradient_arena_ = Arena<T>(layout.size());
  slot_arena_ = Arena<T>(slot_layout.size());
  for (std::size_t p = 0; p < parts_.size(); ++p) {
    gradient_[static_cast<std::size_t>(parts_[p].variable)] =
        gradient_arena_.data() + parts_[p].offset;
    start_slots(parts_[p], *row);
    const Variable& variable = *plan.variables[static_cast<std::size_t>(parts_[p].variable)];
    for (Tile tile : update_tiles<T>(variable, row->whole)) {
      tile.part = p;
      tiles_.push_back(tile);
    }
    updates_.emplace_back(this, p);
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
      part->by_sample = penalty.by_sample;
    }
  }
  for (int variable : spec_.no_decay) {
    if (Part* part = part_of(variable)) part->decays = false;
  }
  for (const ConstraintSpec& constraint : spec_.constraints) {
    if (part_of(constraint.variable)) constraints_.add(constraint);  // else it is not updated
  }
}

template <class T>
void Optimizer<T>::add_slots(Part& part, Layout<T>& layout, const kernels::CatalogRow& row) {
  const Shape& shape = plan_.variables[static_cast<std::size_t>(part.variable)]->shape;
  for (int s = 0; s < slots_; ++s) {
    const Shape own = row.slot_shape(s, shape);
    const bool full = row.slot_form(s) == kernels::SlotForm::full;
    part.slots.push_back({layout.add(full ? part.size : element_count(own)), own});
  }
  for (int s = slots_; s < slot_count(); ++s) part.slots.push_back({layout.add(part.size), shape});
}

template <class T>
void Optimizer<T>::start_slots(const Part& part, const kernels::CatalogRow& row) {
  for (int s = 0; s < slots_; ++s) {
    const double start = row.slot_init(s, spec_.fields.data());
    T* values = slot(s, part.variable);
    if (row.slot_form(s) != kernels::SlotForm::full) continue;  // 0
    if (std::isnan(start)) {
      std::copy_n(plan_.weight(part.variable), part.size, values);
    } else {
      std::fill_n(values, part.size, static_cast<T>(start));
    }
  }
}

template <class T>
void Optimizer<T>::set_fields(std::vector<double> fields) {
  const auto* row = kernels::find_row("optimizer", spec_.name);
  check(fields.size() == row->fields.size(), row->name, ": expected ", row->fields.size(),
        " hyper-parameters. Received: ", fields.size(), ".");
  check(row->slots(fields.data()) == slots_, row->name,
        ": a hyper-parameter that adds or removes state needs a new compile.");
  spec_.fields = std::move(fields);
}

// By the panels of a kernel, however these are stored.
template <class T>
double Optimizer<T>::penalty(double samples) const {
  double sum = 0;
  for (const Part& part : parts_) {
    if (!part.penalized()) continue;
    const Storage<T> storage = plan_.storage(part.variable);
    const ops::Cut panels = ops::kernel_panels<T>(storage.cols);
    double own = 0;
    for (isize i = 0; i < panels.count; ++i) {
      const Place place = place_of(part, 0, panels[i].begin);
      own += kernels::table<T>().penalty(array(part, 0) + place.at, part.l1, part.l2, storage.rows,
                                         panels[i].size, place.ld);
    }
    sum += part.by_sample ? own / samples : own;
  }
  return sum;
}

template <class T>
void Optimizer<T>::add_penalty_gradient(const Part& part, T* g, const T* w, double samples,
                                        isize n) const {
  const double share = part.by_sample ? 1 / samples : 1;
  kernels::table<T>().add_penalty_gradient(g, w, static_cast<T>(part.l1 * share),
                                           static_cast<T>(part.l2 * share), n);
}

template <class T>
void Optimizer<T>::add_penalty_gradients(double samples, int team) {
  for (const Part& part : parts_) {
    if (!part.penalized()) continue;
    T* g = gradient_arena_.data() + part.offset;
    const T* w = plan_.weight(part.variable);
    ops::for_elements(team, part.size, [&](isize first, isize count) {
      add_penalty_gradient(part, g + first, w + first, samples, count);
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
  for (Part& part : parts_) part.norm = 0;
  for (std::size_t i = 0; i < tiles_.size(); ++i) {
    all += norms_[i];
    parts_[tiles_[i].part].norm += norms_[i];
  }
  const bool global = spec_.global_clipnorm > 0;
  const double limit = global ? spec_.global_clipnorm : spec_.clipnorm;
  for (Part& part : parts_) {
    const double norm = std::sqrt(global ? all : part.norm);
    part.scale = static_cast<T>(norm > limit ? limit / norm : 1.0);
  }
}

// Whether the gradients of enough steps have come together; they are then their mean.
template <class T>
bool Optimizer<T>::accumulate(int team) {
  if (!accumulates()) return true;
  const bool due = (iterations + 1) % spec_.accumulation == 0;
  for (const Part& part : parts_) {
    T *g = gradient_arena_.data() + part.offset, *sum = sum_of(part);
    const T share = T(1) / static_cast<T>(spec_.accumulation);
    ops::for_elements(team, part.size, [&](isize first, isize count) {
      const auto& kernels = kernels::table<T>();
      kernels.add_bias(sum + first, g + first, 1, count, count);
      if (!due) return;
      kernels.affine(g + first, sum + first, share, T(0), count);
      std::fill_n(sum + first, count, T(0));
    });
  }
  return due;
}

template <class T>
void Optimizer<T>::update_tile(const Part& part, Place place, isize rows, isize cols, T* g,
                               isize ld_g, const Replica<T>* replica) const {
  kernels::UpdateTile<T> tile{};
  tile.w = array(part, 0, replica) + place.at;
  for (isize r = 0; by_tiles_ && part.penalized() && r < rows; ++r) {
    add_penalty_gradient(part, g + r * ld_g, tile.w + r * place.ld, samples_, cols);
  }
  tile.g = g;
  for (int s = 0; s < slots_; ++s) tile.slot[s] = array(part, 1 + s, replica) + place.at;
  tile.rows = rows;
  tile.cols = cols;
  tile.ld = place.ld;
  tile.ld_g = ld_g;
  tile.grad_scale = part.scale;
  tile.grad_limit =
      spec_.clipvalue > 0 ? static_cast<T>(spec_.clipvalue) : std::numeric_limits<T>::infinity();
  tile.keep = part.decays ? static_cast<T>(1 - learning_rate_ * spec_.weight_decay) : T(1);
  tile.matrix = plan_.variables[static_cast<std::size_t>(part.variable)]->shape.size() == 2;
  kernels_.tile(&constants_, tile);
}

template <class T>
void Optimizer<T>::PartUpdate::apply(isize row, isize col, isize rows, isize cols, T* g,
                                     isize ld_g) const {
  const Part& own = optimizer->parts_[part];
  optimizer->update_tile(own, optimizer->place_of(own, row, col), rows, cols, g, ld_g);
}

template <class T>
const ops::TileUpdate<T>* Optimizer<T>::tile_update(int variable) const {
  for (const PartUpdate& update : updates_) {
    if (by_tiles_ && parts_[update.part].variable == variable) return &update;
  }
  return nullptr;
}

// The running mean of the weights starts at the first of them.
template <class T>
void Optimizer<T>::average(int team) {
  const std::int64_t updates = iterations / spec_.accumulation;
  const T keep = updates == 0 ? T(0) : static_cast<T>(*spec_.ema_momentum);
  const int every = spec_.ema_overwrite_frequency;
  const bool overwrite = every > 0 && (updates + 1) % every == 0;
  for (const Part& part : parts_) {
    T *w = plan_.weight(part.variable), *mean = average_of(part);
    ops::for_elements(team, part.size, [&](isize first, isize count) {
      kernels::table<T>().average(mean + first, w + first, keep, count);
      if (overwrite) std::copy_n(mean + first, count, w + first);
    });
  }
}

template <class T>
void Optimizer<T>::begin_step(double learning_rate, double samples) {
  learning_rate_ = learning_rate;
  samples_ = samples;
  kernels_.begin(&constants_, spec_.fields.data(), learning_rate,
                 iterations / spec_.accumulation + 1);
}

template <class T>
void Optimizer<T>::end_step(const ops::TileUpdate<T>* const* done,
                            const std::vector<const T*>& others, int team) {
  if (!by_tiles_) {  // these want gradients that are complete
    for (const T* other : others)
      add_to(gradient_arena_.data(), other, gradient_arena_.size(), team);
    add_penalty_gradients(samples_, team);
  }
  if (accumulate(team)) {
    if (spec_.clipnorm > 0 || spec_.global_clipnorm > 0) clip_by_norm(team);
    // What other cores have written takes its time to come.
    const double each = (0.2 + 0.1 * slots_) * (others.empty() ? 1 : 6);
    const double cost = done ? 0 : each * static_cast<double>(gradient_arena_.size());
    parallel_for(team, static_cast<isize>(tiles_.size()), cost, [&](isize i) {
      const Tile& tile = tiles_[static_cast<std::size_t>(i)];
      const Part& part = parts_[tile.part];
      if (done && done[part.variable]) return;
      const isize at = part.offset + tile.at;
      T* g = gradient_arena_.data() + at;
      for (std::size_t o = 0; by_tiles_ && o < others.size(); ++o) {
        for_tile_rows(tile.rows, tile.cols, tile.ld, [&](isize row, isize count) {
          kernels::table<T>().add_bias(g + row, others[o] + at + row, 1, count, count);
        });
      }
      update_tile(part, {tile.at, tile.ld}, tile.rows, tile.cols, g, tile.ld);
    });
  }
  if (averages()) average(team);
  constraints_.apply(team);
  ++iterations;
}

template <class T>
void Optimizer<T>::update(const Replica<T>* replica, const std::vector<const T*>& gradients,
                          T* sum) const {
  const isize size = gradient_arena_.size();
  std::copy_n(gradients[0], size, sum);
  for (std::size_t i = 1; i < gradients.size(); ++i) {
    kernels::table<T>().add_bias(sum, gradients[i], 1, size, size);
  }
  for (const Tile& tile : tiles_) {
    const Part& part = parts_[tile.part];
    T* const g = sum + part.offset + tile.at;
    update_tile(part, {tile.at, tile.ld}, tile.rows, tile.cols, g, tile.ld, replica);
  }
}

template class Optimizer<float>;
template class Optimizer<double>;

}  // namespace pynn::exec
