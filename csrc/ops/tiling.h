// How ops cut their work. Everything here depends on shapes alone, never on the number of threads:
// that is what makes results independent of it.
#pragma once

#include "core/arena.h"
#include "core/parallel.h"

namespace pynn::ops {

struct Tile {
  isize begin, size;
};

// Cuts [0, extent) into pieces of `width`; the last one is what is left.
struct Cut {
  isize extent, width, count;
  Cut(isize extent_, isize width_)
      : extent(extent_), width(width_), count((extent_ + width_ - 1) / width_) {}
  Tile operator[](isize i) const {
    const isize begin = i * width;
    return {begin, i + 1 == count ? extent - begin : width};
  }
};

inline constexpr isize kWidestPanel = 512;

// The panels of columns of a dense layer's kernel in training: forward, weight gradient and update
// use the same, so that a panel stays in the cache of the core that owns it. Three registers of the
// widest instruction set, which is whole cache lines; several of these where there are many. The
// last panel takes a rest of up to one register.
template <class T>
Cut kernel_panels(isize cols) {
  constexpr isize kWidth = 192 / static_cast<isize>(sizeof(T));
  Cut panels(cols, cols > kWidestPanel ? 5 * kWidth : kWidth);
  if (panels.count > 1 && panels[panels.count - 1].size <= kWidth / 3) --panels.count;
  return panels;
}

// The place of an element of a kernel that is stored panel after panel, and the distance between
// the rows of its panel. Nothing that one thread reads ahead of its panel then belongs to another:
// in a matrix stored by rows, that takes the weights from core to core in each step.
struct PanelPlace {
  isize at, ld;
};
template <class T>
PanelPlace panel_place(isize rows, isize cols, isize row, isize col) {
  const Cut panels = kernel_panels<T>(cols);
  const isize last = panels.count - 1, i = col / panels.width < last ? col / panels.width : last;
  const Tile panel = panels[i];
  const isize ld = whole_lines<T>(panel.size);
  return {rows * panel.begin + row * ld + col - panel.begin, ld};
}

// The same for the product of a layer of this depth. One that is too small to share is not cut: its
// rows stay whole for what follows.
template <class T>
Cut product_panels(isize cols, isize batch_rows, isize depth) {
  constexpr isize kSmall = 600'000;
  const bool whole = cols > 0 && cols <= kWidestPanel && cols * batch_rows * depth <= kSmall;
  return whole ? Cut(cols, cols) : kernel_panels<T>(cols);
}

// In inference the rows are shared out, and each product should see as much of the kernel as it
// can.
template <class T>
Cut inference_panels(isize cols, isize rows) {
  return rows <= 32 ? kernel_panels<T>(cols) : Cut(cols, 1024);
}

// Blocks of rows of a batch; few of a sparse one, as each has a length of its own.
inline Cut row_blocks(isize rows) { return {rows, 256}; }
inline Cut sparse_row_blocks(isize rows) { return {rows, 8}; }

// Work in estimated nanoseconds, for deciding how many threads are worth it.
inline double gemm_cost(isize m, isize n, isize k) {
  return static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k) / 60;
}
inline double csr_cost(isize stored, isize cols) {
  return static_cast<double>(stored) * static_cast<double>(cols) / 8;
}
inline double elementwise_cost(isize n) { return static_cast<double>(n) * 0.4; }

// function(first, count) over runs of the elements [0, n)
template <class F>
void for_elements(int team, isize n, const F& function) {
  const Cut runs(n, 8192);
  parallel_for(team, runs.count, elementwise_cost(n), [&](isize i) {
    const Tile run = runs[i];
    function(run.begin, run.size);
  });
}

// function(first, count) over blocks of whole rows of `cols` elements
template <class F>
void for_rows(int team, isize rows, isize cols, const F& function) {
  const isize block = cols >= 8192 ? 1 : 8192 / (cols > 0 ? cols : 1);
  const Cut blocks(rows, block);
  parallel_for(team, blocks.count, elementwise_cost(rows * cols), [&](isize i) {
    const Tile tile = blocks[i];
    function(tile.begin, tile.size);
  });
}

}  // namespace pynn::ops
