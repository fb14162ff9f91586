// Where weights and their state lie: each variable's in its own place or, while threads train with
// them, panel after panel or in a copy for each thread.
#include <algorithm>

#include "exec/optimizer.h"
#include "ops/tiling.h"

namespace pynn::exec {

template <class T>
const typename Optimizer<T>::Part& Optimizer<T>::part(int variable) const {
  const auto found = std::find_if(parts_.begin(), parts_.end(),
                                  [&](const Part& part) { return part.variable == variable; });
  check(found != parts_.end(), "expected a trained variable. Received: variable=", variable, ".");
  return *found;
}

template <class T>
T* Optimizer<T>::slot(int slot, int variable) const {
  return slot_arena_.data() + part(variable).slots[static_cast<std::size_t>(slot)].offset;
}

template <class T>
const Shape& Optimizer<T>::slot_shape(int slot, int variable) const {
  return part(variable).slots[static_cast<std::size_t>(slot)].shape;
}

template <class T>
typename Optimizer<T>::Part* Optimizer<T>::part_of(int variable) {
  check(variable >= 0 && variable < static_cast<int>(plan_.variables.size()),
        "expected the number of a variable. Received: variable=", variable, ".");
  for (Part& part : parts_) {
    if (part.variable == variable) return &part;
  }
  return nullptr;  // not trained: its penalty is a constant, which Keras leaves out of the loss too
}

// The weights, then the slots.
template <class T>
T* Optimizer<T>::array(const Part& part, int i, const Replica<T>* replica) const {
  const isize slot = i > 0 ? part.slots[static_cast<std::size_t>(i - 1)].offset : 0;
  if (replica) return i > 0 ? replica->slots.data() + slot : replica->values.data() + part.offset;
  if (part.packed) return part.panels.data() + i * packed_size(part);
  return i > 0 ? slot_arena_.data() + slot : plan_.weight(part.variable);
}

template <class T>
typename Optimizer<T>::Place Optimizer<T>::place_of(const Part& part, isize row, isize col) const {
  const Storage<T> storage = plan_.storage(part.variable);
  if (part.packed) return ops::panel_place<T>(storage.rows, storage.cols, row, col);
  return {row * storage.ld + col, storage.ld};
}

template <class T>
isize Optimizer<T>::packed_size(const Part& part) const {
  const Storage<T> storage = plan_.storage(part.variable);
  const ops::Cut panels = ops::kernel_panels<T>(storage.cols);
  const isize last = panels[panels.count - 1].begin;
  return ops::panel_place<T>(storage.rows, storage.cols, storage.rows, last).at;
}

// Copies weights and slots between their own places and the panels, each panel on the thread that
// will compute with it.
template <class T>
void Optimizer<T>::repack(Part& part, bool pack, int team) {
  const Storage<T> storage = plan_.storage(part.variable);
  const ops::Cut panels = ops::kernel_panels<T>(storage.cols);
  const double cost = ops::elementwise_cost((1 + slots_) * part.size);
  std::vector<T*> own, packed;
  part.packed = false;
  for (int i = 0; i <= slots_; ++i) own.push_back(array(part, i));
  part.packed = true;
  for (int i = 0; i <= slots_; ++i) packed.push_back(array(part, i));
  parallel_for(team, panels.count, cost, [&](isize p) {
    const ops::Tile panel = panels[p];
    const Place place = place_of(part, 0, panel.begin);
    for (std::size_t i = 0; i < own.size(); ++i) {
      for (isize r = 0; r < storage.rows; ++r) {
        T* const here = own[i] + r * storage.ld + panel.begin;
        T* const there = packed[i] + place.at + r * place.ld;
        pack ? std::copy_n(here, panel.size, there) : std::copy_n(there, panel.size, here);
      }
    }
  });
  part.packed = pack;
}

template <class T>
void Optimizer<T>::pack(const std::vector<int>& variables, int team) {
  packed_.assign(plan_.variables.size(), nullptr);
  for (int variable : variables) {
    Part& own = *part_of(variable);
    if (averages() || constraints_.concern(variable))
      continue;  // these pass over the variable itself
    const isize size = (1 + slots_) * packed_size(own);
    if (own.panels.size() < size) own.panels = Arena<T>(size);
    repack(own, true, team);
    packed_[static_cast<std::size_t>(variable)] = own.panels.data();
  }
}

template <class T>
void Optimizer<T>::unpack(int team) {
  for (Part& part : parts_) {
    if (part.packed) repack(part, false, team);
  }
  packed_.clear();
}

template <class T>
void Optimizer<T>::copy_to(Replica<T>& replica) const {
  if (replica.values.size() == 0) {
    replica.values = Arena<T>(gradient_arena_.size());
    replica.slots = Arena<T>(slot_arena_.size());
    replica.weights.assign(plan_.variables.size(), nullptr);
    for (const Part& part : parts_) {
      replica.weights[static_cast<std::size_t>(part.variable)] = array(part, 0, &replica);
    }
  }
  for (const Part& part : parts_) {
    std::copy_n(plan_.weight(part.variable), part.size, array(part, 0, &replica));
  }
  std::copy_n(slot_arena_.data(), slot_arena_.size(), replica.slots.data());
}

#define PYNN_OPTIMIZER_PLACES(T)                                                                 \
  template const typename Optimizer<T>::Part& Optimizer<T>::part(int) const;                     \
  template T* Optimizer<T>::slot(int, int) const;                                                \
  template const Shape& Optimizer<T>::slot_shape(int, int) const;                                \
  template typename Optimizer<T>::Part* Optimizer<T>::part_of(int);                              \
  template T* Optimizer<T>::array(const Part&, int, const Replica<T>*) const;                    \
  template typename Optimizer<T>::Place Optimizer<T>::place_of(const Part&, isize, isize) const; \
  template void Optimizer<T>::pack(const std::vector<int>&, int);                                \
  template void Optimizer<T>::unpack(int);                                                       \
  template void Optimizer<T>::copy_to(Replica<T>&) const;
PYNN_OPTIMIZER_PLACES(float)
PYNN_OPTIMIZER_PLACES(double)

}  // namespace pynn::exec
