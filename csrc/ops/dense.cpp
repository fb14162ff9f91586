// y = f(x W + b) on the last axis, x(n, in), W(in, out), b(out). A sparse x takes the same way, but
// for the two products with x.
#include <algorithm>

#include "core/arena.h"
#include "kernels/gemm.h"
#include "ops/op.h"
#include "ops/tiling.h"

namespace pynn::ops {
namespace {

using kernels::Factor;
using kernels::gemm;

template <class T>
class Dense : public Op<T> {
 public:
  explicit Dense(const Blueprint& b) {
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

  bool absorb(const Op<T>& activation) override {
    row_ = activation.activation_row();
    if (row_ < 0) return false;
    for (int i = 0; i < kernels::kMaxParams; ++i) params_[i] = activation.activation_params()[i];
    keeps_x_ = activation.keeps_input();
    if (keeps_x_) this->saved_per_sample = element_count(this->out);
    return true;
  }

  // Not where the products would be others: of few rows of W, or by a BLAS.
  bool shares_panels(isize n) const override {
    const isize rows = n * lead_;
    return rows <= 256 && in_ >= 16 && product_panels<T>(cols_, rows, in_).count > 1;
  }

  void forward(const Forward<T>& run) const override {
    const auto& k = kernels::table<T>();
    const isize rows = run.pass.n * lead_;
    const SparseInput<T>* sparse = run.sparse[0];
    const Cut blocks = sparse ? sparse_row_blocks(rows) : row_blocks(rows);
    const Cut panels = run.packed                     ? kernel_panels<T>(cols_)
                       : run.pass.training && !sparse ? product_panels<T>(cols_, rows, in_)
                                                      : inference_panels<T>(cols_, rows);
    const double cost =
        sparse ? csr_cost(sparse->samples.start[rows], cols_) : gemm_cost(rows, cols_, in_);
    const T *x = run.x[0], *w = run.w[0];
    // Training keeps the pre-activation where the derivative needs it.
    T* z = row_ >= 0 && keeps_x_ && run.saved ? run.saved : run.y;
    parallel_for(run.pass.team, panels.count * blocks.count, cost, [&](isize i) {
      const Tile cols = panels[i % panels.count], block = blocks[i / panels.count];
      const isize at = block.begin * cols_ + cols.begin;
      if (sparse) {
        k.csr_product(z + at, cols_, sparse->samples, w + cols.begin, ld_, block.begin, block.size,
                      cols.size);
        if (has_bias_) k.add_bias(z + at, run.w[1] + cols.begin, block.size, cols.size, cols_);
      } else {
        const T* bias = has_bias_ ? run.w[1] + cols.begin : nullptr;
        gemm<T>(z + at, cols_, {bias}, {x + block.begin * in_, in_}, panel_of(w, run.packed, cols),
                block.size, cols.size, in_);
      }
      if (row_ < 0) return;
      for_tile(block.size, cols.size, [&](isize offset, isize count) {
        k.activation[row_].forward(run.y + at + offset, z + at + offset, params_, count);
      });
    });
  }

  void backward(const Backward<T>& run) const override {
    const auto& k = kernels::table<T>();
    const isize rows = run.pass.n * lead_;
    T* dz = run.dy;
    if (row_ >= 0) {
      const T* kept = keeps_x_ ? run.saved : run.y;
      for_elements(run.pass.team, rows * cols_, [&](isize first, isize count) {
        k.activation[row_].backward(dz + first, kept + first, dz + first, params_, count);
      });
    }
    // dW = x^T dz and db by panels of W; dx = dz W^T by blocks of rows and panels of x.
    const TileUpdate<T>* update = run.updates[0];
    T *dw = run.dw[0], *db = has_bias_ ? run.dw[1] : nullptr, *dx = run.dx[0];
    if (const SparseInput<T>* sparse = run.sparse[0]; sparse && dw) {  // by blocks of rows of W
      for_rows(run.pass.team, in_, cols_, [&](isize first, isize count) {
        k.csr_product(dw + first * ld_, ld_, sparse->features, dz, cols_, first, count, cols_);
      });
      dw = nullptr;
    }
    const Cut panels = run.packed ? kernel_panels<T>(cols_) : product_panels<T>(cols_, rows, in_);
    const Cut strips = product_panels<T>(in_, rows, cols_);
    const Cut blocks = row_blocks(rows);
    const isize dw_tasks = dw || db ? panels.count : 0;
    const isize dx_tasks = dx ? strips.count * blocks.count : 0;
    const double product = gemm_cost(rows, cols_, in_);
    parallel_for(run.pass.team, dw_tasks + dx_tasks, product * ((dw ? 1 : 0) + (dx ? 1 : 0)),
                 [&](isize i) {
                   if (i < dw_tasks) {
                     const Tile cols = panels[i];
                     const T* dz_panel = dz + cols.begin;
                     if (dw) {
                       gemm<T>(dw + cols.begin, ld_, {}, {run.x[0], in_, true}, {dz_panel, cols_},
                               in_, cols.size, rows);
                     }
                     if (db) k.column_sums(db + cols.begin, dz_panel, rows, cols.size, cols_);
                     return;
                   }
                   i -= dw_tasks;
                   const Tile cols = strips[i % strips.count], block = blocks[i / strips.count];
                   times_transposed(dx + block.begin * in_ + cols.begin, dz + block.begin * cols_,
                                    run.w[0], run.packed, cols, block.size);
                 });
    if (!update) return;
    // W is not read any more.
    parallel_for(run.pass.team, panels.count, product,
                 [&](isize i) { update_panel(*update, panels[i], run.x[0], dz, rows); });
  }

 private:
  Factor<T> panel_of(const T* w, bool packed, Tile cols) const {
    if (!packed) return {w + cols.begin, ld_};
    const PanelPlace place = panel_place<T>(in_, cols_, 0, cols.begin);
    return {w + place.at, place.ld};
  }

  // dx = dz W^T for some rows of W; of a packed W panel by panel, which are the same additions.
  void times_transposed(T* dx, const T* dz, const T* w, bool packed, Tile w_rows,
                        isize rows) const {
    const Cut panels = packed ? kernel_panels<T>(cols_) : Cut(cols_, cols_);
    for (isize i = 0; i < panels.count; ++i) {
      const Tile cols = panels[i];
      const Factor<T> panel = panel_of(w, packed, cols);
      gemm<T>(dx, in_, {i > 0 ? dx : nullptr, in_}, {dz + cols.begin, cols_},
              {panel.data + w_rows.begin * panel.ld, panel.ld, true}, rows, w_rows.size, cols.size);
    }
  }

  // Some rows of dW at a time, which the update takes while they are in the first-level cache.
  void update_panel(const TileUpdate<T>& update, Tile cols, const T* x, const T* dz,
                    isize rows) const {
    constexpr isize kFewest = 8, kElements = 16 * 1024 / static_cast<isize>(sizeof(T));
    alignas(kAlignment) T dw[std::max(kElements, kFewest * kWidestPanel)];
    const isize ld = whole_lines<T>(cols.size);
    const Cut strips(in_, std::max(kFewest, kElements / ld / kFewest * kFewest));
    for (isize s = 0; s < strips.count; ++s) {
      const Tile strip = strips[s];
      gemm<T>(dw, ld, {}, {x + strip.begin, in_, true}, {dz + cols.begin, cols_}, strip.size,
              cols.size, rows);
      update.apply(strip.begin, cols.begin, strip.size, cols.size, dw, ld);
    }
  }

  // function(offset, count) over the runs of contiguous elements of a tile of y
  template <class F>
  void for_tile(isize rows, isize width, const F& function) const {
    if (width == cols_) return function(isize{0}, rows * width);
    for (isize r = 0; r < rows; ++r) function(r * cols_, width);
  }

  isize in_ = 0, cols_ = 0, lead_ = 1;
  isize ld_ = 0;  // between the rows of W
  bool has_bias_ = false, keeps_x_ = false;
  int row_ = -1;  // of the activation table
  T params_[kernels::kMaxParams] = {};
};

PYNN_OP("dense", Dense);

}  // namespace
}  // namespace pynn::ops
