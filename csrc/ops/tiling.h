// How ops cut their work. Everything here depends on shapes alone, never on the number of threads:
// that is what makes results independent of it.
#pragma once

#include <algorithm>

#include "core/arena.h"
#include "core/parallel.h"

namespace pynn::ops {

struct Tile {
  isize begin, size;
};

// Cuts [0, extent) into pieces of whole units, the last of which may be less: of one unit each, or
// `count` pieces as equal as that allows.
struct Cut {
  isize extent, unit, units, count;
  Cut(isize extent_, isize unit_)
      : extent(extent_), unit(unit_), units((extent_ + unit_ - 1) / unit_), count(units) {}
  Cut(isize extent_, isize unit_, isize count_) : Cut(extent_, unit_) { count = count_; }
  Tile operator[](isize i) const {
    const isize begin = units * i / count * unit;
    return {begin, (i + 1 == count ? extent : units * (i + 1) / count * unit) - begin};
  }
  // The piece in which `at` lies.
  isize holding(isize at) const { return ((at / unit + 1) * count - 1) / units; }
};

inline constexpr isize kWidestPanel = 512;
inline constexpr isize kManyRows = 256;  // more of them make products large
template <class T>
inline constexpr isize kLine = kAlignment / static_cast<isize>(sizeof(T));

// An even number of panels of columns, so that two threads have the same to do. They are whole
// cache lines, which are registers of the widest instruction set.
template <class T>
Cut panels_in_pairs(isize cols, isize pairs) {
  return {cols, kLine<T>, 2 * std::max<isize>(pairs, 1)};
}

// The panels of columns of a dense layer's kernel in training: forward, weight gradient and update
// use the same, so that a panel stays in the cache of the core that owns it. About three lines
// each; several times that where there are many, all in one where they are not worth sharing.
template <class T>
Cut kernel_panels(isize cols) {
  constexpr isize kFewest = 4;
  const isize lines = Cut(cols, kLine<T>).count, of_pair = cols > kWidestPanel ? 30 : 6;
  return lines < kFewest ? Cut(cols, std::max<isize>(cols, 1))
                         : panels_in_pairs<T>(cols, (lines + of_pair / 2) / of_pair);
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
  const Tile panel = panels[panels.holding(col)];
  const isize ld = whole_lines<T>(panel.size);
  return {rows * panel.begin + row * ld + col - panel.begin, ld};
}

// The same for the product of a layer of this depth. One that is too small to share is not cut: its
// rows stay whole for what follows. In large ones, for a BLAS, panels are as wide as they may be.
template <class T>
Cut product_panels(isize cols, isize batch_rows, isize depth) {
  constexpr isize kSmall = 600'000;
  const bool wide = cols > kWidestPanel;
  if (cols > 0 && !wide && cols * batch_rows * depth <= kSmall) return {cols, cols};
  if (!wide || batch_rows <= kManyRows) return kernel_panels<T>(cols);
  return panels_in_pairs<T>(cols, Cut(cols, 2 * kWidestPanel).count);
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
