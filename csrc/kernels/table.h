// What one instruction set offers: pointers to pure functions over ranges. The rest of the core
// calls kernels only through table<T>(), chosen once when the library loads (dispatch.cpp).
//
// Argument order everywhere: outputs, saved values, inputs, parameters, sizes, options.
#pragma once

#include <cstdint>

#include "core/csr.h"
#include "core/span.h"

namespace pynn::kernels {

inline constexpr int kMaxParams = 3;  // parameters of an activation or a loss
inline constexpr int kMaxSlots = 3;   // state arrays of an optimizer
inline constexpr int kMaxFields = 8;  // hyper-parameters of an optimizer

// ---- matrices ----------------------------------------------------------------------------------
// A factor of a product, taken as it is or transposed. The rows of what lies in memory are `ld`
// apart; or, in the first of two factors, each is where `rows` says, from `column` on.
template <class T>
struct Factor {
  const T* data;
  isize ld;
  bool transposed = false;
  const T* const* rows = nullptr;
  isize column = 0;

  [[gnu::always_inline]] const T* row(isize r) const {
    return rows ? rows[r] + column : data + r * ld;
  }
  // What begins at this row and column of what lies in memory.
  [[gnu::always_inline]] Factor from(isize r, isize c) const {
    if (rows) return {data, ld, transposed, rows + r, column + c};
    return {data + r * ld + c, ld, transposed};
  }
};
// What a product is added to: nothing, one row for all (ld 0), or a matrix, which may be the
// result.
template <class T>
struct Addend {
  const T* data = nullptr;
  isize ld = 0;
};

// ---- activations: y = f(x; p), dx = dy * f'(kept; p); in and out may be the same memory ---------
template <class T>
struct ActivationKernels {
  void (*forward)(T* y, const T* x, const T* p, isize n);
  void (*backward)(T* dx, const T* kept, const T* dy, const T* p, isize n);
};

// ---- activations that look at a whole row (softmax, ...): always keep y ------------------------
template <class T>
struct RowActivationKernels {
  void (*forward)(T* y, const T* x, isize rows, isize cols);
  void (*backward)(T* dx, const T* y, const T* dy, isize rows, isize cols);
};

// ---- functions of two arguments; a stride is 1, or 0 for an operand that is one number ---------
template <class T>
struct BinaryKernels {
  void (*forward)(T* y, const T* a, isize a_stride, const T* b, isize b_stride, isize n);
  // dx = dy * df/da or dy * df/db; dx and dy may be the same memory
  void (*backward_a)(T* dx, const T* dy, const T* a, isize a_stride, const T* b, isize b_stride,
                     isize n);
  void (*backward_b)(T* dx, const T* dy, const T* a, isize a_stride, const T* b, isize b_stride,
                     isize n);
};

// ---- many numbers to one: total[i * stride] = f(total[i * stride], x[i]), stride 0 or 1 ---------
enum class Reduction { sum, max, min, prod, any, all };
template <class T>
struct ReductionKernels {
  T start;
  void (*fold)(T* total, isize stride, const T* x, isize n);
};

// ---- losses -------------------------------------------------------------------------------------
// value[r] = L(target[r], pred[r]); grad[r,:] = scale * weight[r] * dL/dpred[r,:].
// value or grad may be null (not wanted); weight may be null (all ones).
// smoothing: targets become (1 - smoothing) * target + smoothing / k, k = 2 for binary losses, else
// cols.
template <class T>
struct LossArgs {
  double* value;    // (rows)
  T* grad;          // (rows, cols)
  const T* pred;    // (rows, cols): probabilities, values, or logits for a row with `logits`
  const T* target;  // (rows, target_cols): target_cols == cols, or 1 for class indices
  const T* weight;  // (rows)
  const T* p;       // (kMaxParams)
  isize rows, cols;
  T scale, smoothing;
};
template <class T>
using LossKernel = void (*)(const LossArgs<T>& args);

// ---- metrics: adds to `sums` (width given by the metric table); weight may be null --------------
// values may be null; only metrics that are the mean of rows write them.
template <class T>
struct MetricArgs {
  double* sums;
  const T* pred;    // (rows, cols)
  const T* target;  // (rows, target_cols)
  const T* weight;  // (rows)
  const T* p;       // (kMaxParams)
  isize rows, cols, target_cols;
  double* values = nullptr;  // (rows)
};
template <class T>
using MetricKernel = void (*)(const MetricArgs<T>& args);

// ---- optimizers ---------------------------------------------------------------------------------
// begin() turns hyper-parameters into the constants of one step (t counts from 1) in a small block;
// tile() applies the step to a tile of a variable. Before the rule sees it the gradient becomes
// clamp(g * grad_scale, -grad_limit, grad_limit) and the weight w *= keep (decoupled decay).
// One that needs norms of its variable as a whole gets all of it as one tile.
inline constexpr int kStepBytes = 256;
struct alignas(64) StepConstants {
  unsigned char bytes[kStepBytes];
};
template <class T>
struct UpdateTile {
  T* w;
  const T* g;
  T* slot[kMaxSlots];
  isize rows, cols;
  isize ld;    // of w and the slots, but for slots of row or column form
  isize ld_g;  // of g, which may be a scratch block of its own
  T grad_scale, grad_limit, keep;
  bool matrix;  // the variable has two axes
};

// A slot is shaped as its variable, or has one number for each row or column of a matrix.
enum class SlotForm { full, rows, columns };

// Norm constraint: norms become rate * clamp(norm, low, high) + (1 - rate) * norm
struct NormBounds {
  double low, high, rate, epsilon;
};
template <class T>
struct OptimizerKernels {
  void (*begin)(StepConstants* step, const double* fields, double learning_rate, std::int64_t t);
  void (*tile)(const StepConstants* step, const UpdateTile<T>& tile);
};

// ---- the perceptron -----------------------------------------------------------------------------
// Rows of a table: dense ones lie `cols` apart; row r of a sparse one has its values, and their
// columns, at [starts[r], starts[r + 1]).
template <class T>
struct TableRows {
  const T* values;
  const std::int32_t *columns, *starts;  // null for dense rows
  isize cols;
};
// What training one class against the others needs beside the rows, and keeps from row to row.
template <class T>
struct PerceptronTargets {
  const std::int32_t* label;  // of each row
  const T* weight;            // of each row
};
struct PerceptronRule {
  double alpha, l1_ratio, eta0;
  double keep, l1_step;   // what an update leaves of the weights, and what L1 takes from each
  double intercept_rate;  // 0: none is learned
  bool measures, norms;   // adds up loss and penalty; follows the norms of the weights
  std::int32_t positive;  // the label of the class
  double weight_positive, weight_negative;
};
template <class T>
struct PerceptronState {
  T *w, *paid;  // (cols): the weights divided by the scale; what each has paid for L1
  double scale, intercept, owed;
  double squares, absolutes;  // the norms
  double loss, penalty;       // sums over the rows of an epoch
};

// ---- elements of another type, `stride` bytes apart
// ----------------------------------------------
template <class T>
struct ConvertKernels {
  void (*all)(T* y, const void* x, isize n, isize stride);  // y[i] = T(x[i])
  void (*listed)(T* y, const void* x, const std::int64_t* rows, isize n,
                 isize stride);  // x[rows[i]]
};

// ---- the rest -----------------------------------------------------------------------------------
// One random stream: counter-based, so element i of (seed, stream, step) is the same for any split
// of the work. Kernels take the first element's index and produce elements [first, first + n).
struct RandomStream {
  std::uint64_t seed;
  std::uint32_t stream, step;
};

template <class T>
struct Table {
  const ActivationKernels<T>* activation;         // by row of the activation table
  const RowActivationKernels<T>* row_activation;  // by row of the row-activation table
  const ActivationKernels<T>* math;               // by row of the math table
  const BinaryKernels<T>* binary;                 // by row of the binary table
  const ReductionKernels<T>* reduction;           // by Reduction
  const LossKernel<T>* loss;                      // by row of the loss table
  const MetricKernel<T>* metric;                  // by row of the metric table
  const OptimizerKernels<T>* optimizer;           // by row of the optimizer table

  // vector math on arrays, for tests and tools: exp log expm1 log1p tanh erf sigmoid
  void (*const* vmath)(T* y, const T* x, isize n);

  // product.h: c(m, n) = first(m, n) + a(m, k) b(k, n)
  void (*product)(T* c, isize ldc, Addend<T> first, Factor<T> a, Factor<T> b, isize m, isize n,
                  isize k);

  // random.h
  void (*uniform)(T* y, RandomStream stream, isize first, isize n);  // in [0, 1)
  void (*normal)(T* y, RandomStream stream, isize first, isize n);   // mean 0, variance 1
  // y = x * mask, mask = (u >= rate) / (1 - rate)
  void (*dropout)(T* y, T* mask, const T* x, T rate, RandomStream stream, isize first, isize n);

  // elementwise.h
  void (*multiply)(T* y, const T* a, const T* b, isize n);               // y = a * b
  void (*affine)(T* y, const T* x, T scale, T offset, isize n);          // y = scale * x + offset
  void (*add_bias)(T* y, const T* b, isize rows, isize cols, isize ld);  // y[r,:] += b
  void (*column_sums)(T* db, const T* dy, isize rows, isize cols, isize ld);
  void (*add_penalty_gradient)(T* dw, const T* w, T l1, T l2,
                               isize n);  // dw += l1 sign(w) + 2 l2 w
  // l1 sum|w| + l2 sum w^2
  double (*penalty)(const T* w, double l1, double l2, isize rows, isize cols, isize ld);
  double (*sum_of_squares)(const T* x, isize n);
  bool (*all_finite)(const T* x, isize n);
  void (*average)(T* mean, const T* x, T keep, isize n);  // mean = keep * mean + (1 - keep) * x
  void (*non_negative)(T* w, isize n);                    // w = max(w, 0)
  // norms of the columns of w(rows, cols)
  void (*bound_norms)(T* w, isize rows, isize cols, isize ld, const NormBounds& bounds);

  const ConvertKernels<T>* convert;  // by source type, in the order of core/dtype.h

  // norms.h: batch normalization over the columns [0, cols) of x(rows, ld); statistics are per
  // column
  void (*column_moments)(T* mean, T* variance, const T* x, isize rows, isize cols, isize ld);
  // y = (x - mean) * inv_std * gamma + beta; gamma and beta may be null; xhat may be null
  void (*normalize)(T* y, T* xhat, const T* x, const T* mean, const T* inv_std, const T* gamma,
                    const T* beta, isize rows, isize cols, isize ld);
  // dx dgamma dbeta of the training pass; dgamma and dbeta may be null
  void (*normalize_backward)(T* dx, T* dgamma, T* dbeta, const T* xhat, const T* inv_std,
                             const T* dy, const T* gamma, isize rows, isize cols, isize ld);

  // perceptron.h: trains on rows order[0..n); y[i] = row order[i] times w; scale becomes 1
  void (*perceptron)(PerceptronState<T>* state, const TableRows<T>& rows,
                     const PerceptronTargets<T>& targets, const std::int32_t* order, isize n,
                     const PerceptronRule& rule);
  void (*row_products)(double* y, const TableRows<T>& rows, const std::int32_t* order, isize n,
                       const T* w);
  void (*fold_scale)(PerceptronState<T>* state, isize cols);
  // sparse.h: y(count, cols) = s d for the rows [first, first + count) of s
  void (*csr_product)(T* y, isize ld_y, const Csr<T>& s, const T* d, isize ld, isize first,
                      isize count, isize cols);
  // start(s.cols + 2), the last of it scratch
  void (*csr_transpose)(isize* start, isize* index, T* value, const Csr<T>& s);
};

template <class T>
const Table<T>& table();  // T = float, double

}  // namespace pynn::kernels
