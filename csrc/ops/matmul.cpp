// c(..., m, n) = a(..., m, k) b(..., k, n), the axes before the last two broadcast.
#include <algorithm>

#include "kernels/gemm.h"
#include "ops/space.h"

namespace pynn::ops {
namespace {

using kernels::Factor;
using kernels::gemm;

template <class T>
class Matmul : public Op<T> {
 public:
  explicit Matmul(const Blueprint& b) {
    const Shape &a = b.in.at(0), &c = b.in.at(1);
    a_batched_ = b.in_batched.at(0);
    flat_ = !b.in_batched.at(1) && c.size() == 2 && !a.empty();
    check(flat_ || (a.size() >= 2 && c.size() >= 2), b.spec.owner,
          ": expected matrices. Received: shapes ", a, " and ", c, ".");
    k_ = a.back();
    n_ = c.back();
    check(c[c.size() - 2] == k_, b.spec.owner, ": the last axis of the first and the last but one ",
          "of the second must have the same length. Received: shapes ", a, " and ", c, ".");
    if (flat_) {  // all rows of a in one product
      this->out = a;
      this->out.back() = n_;
      m_ = rows_per_sample(a);
      return;
    }
    m_ = a[a.size() - 2];
    this->batched = a_batched_ || b.in_batched[1];
    const Shape lead_a(a.begin(), a.end() - 2), lead_b(c.begin(), c.end() - 2);
    this->out = broadcast(b.spec.owner, lead_a, lead_b);
    space_ = Space<3>(this->out, *this->batched,
                      {Operand{this->out, *this->batched}, Operand{lead_a, a_batched_},
                       Operand{lead_b, b.in_batched[1]}});
    this->out.push_back(m_);
    this->out.push_back(n_);
  }

  void forward(const Forward<T>& run) const override {
    const T *a = run.x[0], *b = run.x[1];
    if (flat_) {
      rows_times_matrix(run.pass, run.y, Factor<T>{b, n_}, a, k_, n_);
      return;
    }
    matrices(run.pass, kAll, [&](isize c_at, isize a_at, isize b_at) {
      gemm<T>(run.y + c_at * m_ * n_, n_, {}, {a + a_at * m_ * k_, k_}, {b + b_at * k_ * n_, n_},
              m_, n_, k_);
    });
  }

  void backward(const Backward<T>& run) const override {
    const T *a = run.x[0], *b = run.x[1], *dc = run.dy;
    T *da = run.dx[0], *db = run.dx[1];
    if (flat_) {
      if (da) rows_times_matrix(run.pass, da, Factor<T>{b, n_, true}, dc, n_, k_);
      if (!db) return;
      const isize rows = run.pass.n * m_;  // db(k, n) = a^T dc
      const Cut panels = kernel_panels<T>(n_);
      parallel_for(run.pass.team, panels.count, gemm_cost(rows, n_, k_), [&](isize i) {
        const Tile cols = panels[i];
        gemm<T>(db + cols.begin, n_, {}, {a, k_, true}, {dc + cols.begin, n_}, k_, cols.size, rows);
      });
      return;
    }
    // A matrix that was repeated gets the sum of its gradients, in a fixed order by one task.
    if (da) {
      std::fill_n(da, space_.elements(1, run.pass.n) * m_ * k_, T(0));
      matrices(run.pass, 1, [&](isize c_at, isize a_at, isize b_at) {
        T* sum = da + a_at * m_ * k_;
        gemm<T>(sum, k_, {sum, k_}, {dc + c_at * m_ * n_, n_}, {b + b_at * k_ * n_, n_, true}, m_,
                k_, n_);
      });
    }
    if (db) {
      std::fill_n(db, space_.elements(2, run.pass.n) * k_ * n_, T(0));
      matrices(run.pass, 2, [&](isize c_at, isize a_at, isize b_at) {
        T* sum = db + b_at * k_ * n_;
        gemm<T>(sum, n_, {sum, n_}, {a + a_at * m_ * k_, k_, true}, {dc + c_at * m_ * n_, n_}, k_,
                n_, m_);
      });
    }
  }

 private:
  static constexpr int kAll = -1;

  // y(rows, n) = x(rows, k) w(k, n) by blocks of rows and panels of columns
  void rows_times_matrix(const Pass& pass, T* y, Factor<T> w, const T* x, isize k, isize n) const {
    const isize rows = pass.n * m_;
    const Cut blocks = row_blocks(rows), panels = kernel_panels<T>(n);
    parallel_for(pass.team, blocks.count * panels.count, gemm_cost(rows, n, k), [&](isize i) {
      const Tile block = blocks[i / panels.count], cols = panels[i % panels.count];
      const Factor<T> panel{w.data + cols.begin * (w.transposed ? w.ld : 1), w.ld, w.transposed};
      gemm<T>(y + block.begin * n + cols.begin, n, {}, {x + block.begin * k, k}, panel, block.size,
              cols.size, k);
    });
  }

  // function(matrix of c, of a, of b) for all; each matrix of `owner` on one thread only
  template <class F>
  void matrices(const Pass& pass, int owner, const F& function) const {
    const auto run = [&](const auto& at, isize count) {
      for (isize i = 0; i < count; ++i) {
        function(at[0] + i * space_.stride(0), at[1] + i * space_.stride(1),
                 at[2] + i * space_.stride(2));
      }
    };
    const isize weight = 1 + static_cast<isize>(gemm_cost(m_, n_, k_) / elementwise_cost(1));
    if (owner == kAll) {
      space_.for_runs(pass.team, pass.n, run, weight);
    } else {
      space_.for_owned_runs(pass.team, pass.n, static_cast<std::size_t>(owner), run, weight);
    }
  }

  bool a_batched_ = false, flat_ = false;
  isize m_ = 1, k_ = 1, n_ = 1;
  Space<3> space_;  // of matrices: c, a, b
};

PYNN_OP("matmul", Matmul);

}  // namespace
}  // namespace pynn::ops
