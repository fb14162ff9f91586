// All kernels but product.cpp, compiled once per instruction set: with PYNN_ISA set to its name.
#include "kernels/activations.h"
#include "kernels/binary.h"
#include "kernels/constraints.h"
#include "kernels/convert.h"
#include "kernels/elementwise.h"
#include "kernels/losses.h"
#include "kernels/math.h"
#include "kernels/metrics.h"
#include "kernels/norms.h"
#include "kernels/perceptron.h"
#include "kernels/product.h"
#include "kernels/random.h"
#include "kernels/reductions.h"
#include "kernels/rowwise.h"
#include "kernels/sparse.h"
#include "kernels/updates.h"
#include "kernels/vmath.h"

namespace pynn::kernels::PYNN_ISA {
namespace {

template <class T>
constexpr Table<T> make_table() {
  Table<T> table{};
  table.activation = kActivationKernels<T>.data();
  table.row_activation = kRowActivationKernels<T>.data();
  table.math = kMathKernels<T>.data();
  table.binary = kBinaryKernels<T>.data();
  table.reduction = kReductionKernels<T>.data();
  table.loss = kLossTable<T>.at;
  table.metric = kMetricTable<T>.at;
  table.optimizer = kOptimizerTable<T>.at;
  table.vmath = kVmathKernels<T>.data();
  table.product = product<T>;
  table.uniform = fill_uniform<T>;
  table.normal = fill_normal<T>;
  table.dropout = apply_dropout<T>;
  table.multiply = multiply<T>;
  table.affine = affine<T>;
  table.add_bias = add_bias<T>;
  table.column_sums = column_sums<T>;
  table.add_penalty_gradient = add_penalty_gradient<T>;
  table.penalty = penalty<T>;
  table.sum_of_squares = sum_of_squares<T>;
  table.all_finite = all_finite<T>;
  table.average = average<T>;
  table.non_negative = non_negative<T>;
  table.bound_norms = bound_norms<T>;
  table.convert = kConvert<T>;
  table.column_moments = column_moments<T>;
  table.normalize = normalize<T>;
  table.normalize_backward = normalize_backward<T>;
  table.perceptron = train_perceptron<T>;
  table.row_products = row_products<T>;
  table.fold_scale = fold_scale<T>;
  table.csr_product = csr_product<T>;
  table.csr_transpose = csr_transpose<T>;
  return table;
}

}  // namespace

extern const Table<float> kTable32;
extern const Table<double> kTable64;
const Table<float> kTable32 = make_table<float>();
const Table<double> kTable64 = make_table<double>();

}  // namespace pynn::kernels::PYNN_ISA
