#include "ops/dense.h"

#include <algorithm>

#include "core/arena.h"

namespace pynn::ops {
namespace {

using kernels::Factor;
using kernels::gemm;

// function(offset, count) over the runs of contiguous elements of a tile
template <class F>
void for_tile(isize rows, isize width, isize ld, const F& function) {
  if (width == ld) return function(isize{0}, rows * width);
  for (isize r = 0; r < rows; ++r) function(r * ld, width);
}

}  // namespace

template <class T>
Dense<T>::Dense(const Blueprint& b) {
  const Shape& x = b.in.at(0);
  check(!x.empty(), b.spec.owner, ": a dense layer needs at least one axis besides the batch. ",
        "Received: input shape ", x, ".");
  const Shape& kernel = b.variables.at(0);
  check(kernel.size() == 2 && kernel[0] == x.back(), b.spec.owner, ": expected ",
        kernel.empty() ? 0 : kernel[0], " input features (set when the layer was built). ",
        "Received: input shape ", x, ".");
  in_ = kernel[0];
  cols_ = kernel[1];
  ld_ = Storage<T>(kernel).ld;
  lead_ = rows_per_sample(x);
  has_bias_ = b.variables.size() > 1;
  check(!has_bias_ || b.variables[1] == Shape{cols_}, b.spec.owner, ": bias must have shape (",
        cols_, ",).");
  this->reads_sparse = true;
  this->updates_tiles = true;
  this->out = x;
  this->out.back() = cols_;
  this->row_wise = true;
}

template <class T>
bool Dense<T>::absorb(const Op<T>& activation) {
  row_ = activation.activation_row();
  if (row_ < 0) return false;
  for (int i = 0; i < kernels::kMaxParams; ++i) params_[i] = activation.activation_params()[i];
  keeps_x_ = activation.keeps_input();
  if (keeps_x_) this->saved_per_sample = element_count(this->out);
  return true;
}

// Not where the products would be others, of few rows of W, or by blocks of rows.
template <class T>
bool Dense<T>::shares_panels(isize n) const {
  const isize rows = n * lead_;
  return rows <= kManyRows && in_ >= 16 && product_panels<T>(cols_, rows, in_).count > 1;
}

// Not for the large products that copy x anyway.
template <class T>
bool Dense<T>::reads_listed(isize n) const {
  return lead_ == 1 && n <= kManyRows;
}

template <class T>
void Dense<T>::forward(const Forward<T>& run) const {
  const auto& k = kernels::table<T>();
  const isize rows = run.pass.n * lead_;
  const SparseInput<T>* sparse = run.sparse[0];
  const Cut blocks = sparse ? sparse_row_blocks(rows) : row_blocks(rows);
  const Cut panels = run.packed                     ? kernel_panels<T>(cols_)
                     : run.pass.training && !sparse ? product_panels<T>(cols_, rows, in_)
                                                    : inference_panels<T>(cols_, rows);
  const double cost =
      sparse ? csr_cost(sparse->samples.start[rows], cols_) : gemm_cost(rows, cols_, in_);
  const T* w = run.w[0];
  T* z = before_activation(run);
  parallel_for(run.pass.team, panels.count * blocks.count, cost, [&](isize i) {
    const Tile cols = panels[i % panels.count], block = blocks[i / panels.count];
    const isize at = block.begin * cols_ + cols.begin;
    if (sparse) {
      k.csr_product(z + at, cols_, sparse->samples, w + cols.begin, ld_, block.begin, block.size,
                    cols.size);
      if (has_bias_) k.add_bias(z + at, run.w[1] + cols.begin, block.size, cols.size, cols_);
    } else {
      gemm<T>(z + at, cols_, bias_of(run, cols), input_of(run).from(block.begin, 0),
              panel_of(w, run.packed, cols), block.size, cols.size, in_);
    }
    if (row_ < 0) return;
    for_tile(block.size, cols.size, cols_, [&](isize offset, isize count) {
      k.activation[row_].forward(run.y + at + offset, z + at + offset, params_, count);
    });
  });
}

template <class T>
void Dense<T>::backward(const Backward<T>& run) const {
  const auto& k = kernels::table<T>();
  const isize rows = run.pass.n * lead_;
  const Factor<T> x = input_of(run);
  through_activation(run, rows);
  // dW = x^T dz and db by panels of W; dx = dz W^T by blocks of rows and panels of x.
  T *const dz = run.dy, *const dx = run.dx[0];
  bool gradient = run.dw[0];
  if (const SparseInput<T>* sparse = run.sparse[0]; sparse && gradient) {  // by blocks of rows of W
    for_rows(run.pass.team, in_, cols_, [&](isize first, isize count) {
      k.csr_product(run.dw[0] + first * ld_, ld_, sparse->features, dz, cols_, first, count, cols_);
    });
    gradient = false;
  }
  T* const db = has_bias_ ? run.dw[1] : nullptr;
  const Cut panels = run.packed ? kernel_panels<T>(cols_) : product_panels<T>(cols_, rows, in_);
  const Cut strips = product_panels<T>(in_, rows, cols_);
  const Cut blocks = row_blocks(rows);
  // Of many samples rows of W: what makes one lies in all of them, and is collected but once then.
  const bool by_rows = rows > kManyRows && in_ >= cols_ && strips.count > 1 && !run.updates[0];
  const Cut pieces = by_rows ? panels_in_pairs<T>(in_, Cut(in_, kWidestPanel).count) : panels;
  const Cut shares = by_rows ? Cut(cols_, kLine<T>, pieces.count) : panels;  // of db
  const auto kernel_gradient = [&](isize i) {
    const Tile w_rows = by_rows ? pieces[i] : Tile{0, in_};
    const Tile cols = by_rows ? Tile{0, cols_} : pieces[i];
    weight_gradient(run, w_rows, cols, x.from(0, w_rows.begin), {dz + cols.begin, cols_}, rows);
  };
  const isize dw_tasks = gradient || db ? pieces.count : 0;
  const isize dx_tasks = dx ? strips.count * blocks.count : 0;
  const double product = gemm_cost(rows, cols_, in_);
  parallel_for(run.pass.team, dw_tasks + dx_tasks, product * ((gradient ? 1 : 0) + (dx ? 1 : 0)),
               [&](isize i) {
                 if (i < dw_tasks) {
                   if (gradient) kernel_gradient(i);
                   const auto [begin, size] = shares[i];
                   if (db) k.column_sums(db + begin, dz + begin, rows, size, cols_);
                   return;
                 }
                 i -= dw_tasks;
                 const Tile cols = strips[i % strips.count], block = blocks[i / strips.count];
                 times_transposed(dx + block.begin * in_ + cols.begin, dz + block.begin * cols_,
                                  run.w[0], run.packed, cols, block.size);
               });
  if (!run.updates[0]) return;
  // W is not read any more.
  parallel_for(run.pass.team, panels.count, product, kernel_gradient);
}

// Training keeps the pre-activation where the derivative needs it.
template <class T>
T* Dense<T>::before_activation(const Forward<T>& run) const {
  return row_ >= 0 && keeps_x_ && run.saved ? run.saved : run.y;
}

template <class T>
kernels::Addend<T> Dense<T>::bias_of(const Forward<T>& run, Tile cols) const {
  return {has_bias_ ? run.w[1] + cols.begin : nullptr};
}

template <class T>
Factor<T> Dense<T>::panel_of(const T* w, bool packed, Tile cols) const {
  if (!packed) return {w + cols.begin, ld_};
  const PanelPlace place = panel_place<T>(in_, cols_, 0, cols.begin);
  return {w + place.at, place.ld};
}

template <class T>
void Dense<T>::through_activation(const Backward<T>& run, isize rows) const {
  if (row_ < 0) return;
  const T* kept = keeps_x_ ? run.saved : run.y;
  for_elements(run.pass.team, rows * cols_, [&](isize first, isize count) {
    T* const dz = run.dy + first;
    kernels::table<T>().activation[row_].backward(dz, kept + first, dz, params_, count);
  });
}

// dx = dz W^T for some rows of W; of a packed W panel by panel, which are the same additions.
template <class T>
void Dense<T>::times_transposed(T* dx, const T* dz, const T* w, bool packed, Tile w_rows,
                                isize rows) const {
  const Cut panels = packed ? kernel_panels<T>(cols_) : Cut(cols_, cols_);
  for (isize i = 0; i < panels.count; ++i) {
    const Tile cols = panels[i];
    const Factor<T> panel = panel_of(w, packed, cols);
    gemm<T>(dx, in_, {i > 0 ? dx : nullptr, in_}, {dz + cols.begin, cols_},
            {panel.data + w_rows.begin * panel.ld, panel.ld, true}, rows, w_rows.size, cols.size);
  }
}

template <class T>
void Dense<T>::weight_gradient(const Backward<T>& run, Tile w_rows, Tile cols, Factor<T> x,
                               Factor<T> dz, isize rows) const {
  x.transposed = true;
  if (!run.updates[0]) {
    if (!run.dw[0]) return;
    T* const dw = run.dw[0] + w_rows.begin * ld_ + cols.begin;
    return gemm<T>(dw, ld_, {}, x, dz, w_rows.size, cols.size, rows);
  }
  constexpr isize kFewest = 8, kElements = 16 * 1024 / static_cast<isize>(sizeof(T));
  alignas(kAlignment) T dw[std::max(kElements, kFewest * kWidestPanel)];
  const isize ld = cols.size == ld_ ? ld_ : whole_lines<T>(cols.size);  // no gaps where W has none
  const Cut strips(w_rows.size, std::max(kFewest, kElements / ld / kFewest * kFewest));
  for (isize s = 0; s < strips.count; ++s) {
    const auto [first, count] = strips[s];
    gemm<T>(dw, ld, {}, x.from(0, first), dz, count, cols.size, rows);
    run.updates[0]->apply(w_rows.begin + first, cols.begin, count, cols.size, dw, ld);
  }
}

template class Dense<float>;
template class Dense<double>;
PYNN_OP("dense", Dense);

}  // namespace pynn::ops
