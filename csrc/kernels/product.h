// Products of matrices as dense layers need them: of few rows or many, of odd sizes, one factor in
// the cache already. What is large in every direction is better off with a BLAS (gemm.cpp).
#pragma once

#include "kernels/isa.h"
#include "kernels/table.h"

namespace pynn::kernels::PYNN_ISA {

// c(m, n) = first(m, n) + a(m, k) b(k, n). The order of additions depends on n and k alone: a cut
// of the rows changes no bit.
template <class T>
void product(T* c, isize ldc, Addend<T> first, Factor<T> a, Factor<T> b, isize m, isize n, isize k);

}  // namespace pynn::kernels::PYNN_ISA
