// Sums and the like over any set of axes, the batch among them; the place of the largest number;
// sums from the start of an axis up to each element.
#include <algorithm>
#include <cmath>

#include "ops/space.h"

namespace pynn::ops {
namespace {

using kernels::Reduction;

Reduction reduction_named(const std::string& owner, const std::string& name) {
  constexpr const char* kNames[] = {"sum", "max", "min", "prod", "any", "all"};
  for (int i = 0; i < 6; ++i) {
    if (name == kNames[i]) return static_cast<Reduction>(i);
  }
  check(name == "mean", owner, ": unknown reduction. Received: name='", name, "'.");
  return Reduction::sum;
}

// Settings: `name`, `axes` of a sample, `batch`: whether over the batch too, `keepdims`.
template <class T>
class Reduce : public Op<T> {
 public:
  explicit Reduce(const Blueprint& b)
      : kind_(reduction_named(b.spec.owner, b.spec.text("name"))),
        mean_(b.spec.text("name") == "mean") {
    const Shape& x = b.in.at(0);
    x_batched_ = b.in_batched.at(0);
    over_batch_ = x_batched_ && b.spec.flag("batch");
    std::vector<bool> reduced(x.size());
    for (isize axis : b.spec.whole_list("axes")) reduced.at(static_cast<std::size_t>(axis)) = true;
    const bool keepdims = b.spec.flag("keepdims");
    if (keepdims && over_batch_) this->out.push_back(1);
    Shape kept = x;  // the result's shape with the reduced axes as 1
    for (std::size_t i = 0; i < x.size(); ++i) {
      if (reduced[i]) count_ *= x[i], kept[i] = 1;
      if (!reduced[i] || keepdims) this->out.push_back(kept[i]);
    }
    this->batched = x_batched_ && !over_batch_;
    this->whole_batch = over_batch_;
    space_ = Space<2>(x, x_batched_, {Operand{kept, *this->batched}, Operand{x, x_batched_}});
    size_ = element_count(this->out);
    const isize kept_numbers = ties() ? size_ : (kind_ == Reduction::prod ? 2 * size_ : 0);
    (*this->batched ? this->saved_per_sample : this->saved_fixed) = kept_numbers;
  }

  void forward(const Forward<T>& run) const override {
    const auto& k = kernels::table<T>().reduction[static_cast<int>(kind_)];
    fold(run.pass, run.y, run.x[0], k.start, k.fold);
    if (mean_) scale(run.y, run.pass);
    if (!run.saved) return;
    const isize size = run.pass.n * size_;
    if (ties()) {  // the gradient is shared among all that are the largest
      std::fill_n(run.saved, size, T(0));
      each(run.pass,
           [&](isize at, isize i) { run.saved[at] += same(run.x[0][i], run.y[at]) ? T(1) : T(0); });
    } else if (kind_ == Reduction::prod) {  // how many are 0, and the product of the others
      std::fill_n(run.saved, size, T(0));
      std::fill_n(run.saved + size, size, T(1));
      each(run.pass, [&](isize at, isize i) {
        const T x = run.x[0][i];
        (x == 0 ? run.saved[at] : run.saved[size + at]) =
            x == 0 ? run.saved[at] + 1 : run.saved[size + at] * x;
      });
    }
  }

  void backward(const Backward<T>& run) const override {
    T* dx = run.dx[0];
    if (!dx) return;
    const T *x = run.x[0], *dy = run.dy;
    if (kind_ == Reduction::any || kind_ == Reduction::all) {
      std::fill_n(dx, space_.elements(1, run.pass.batch), T(0));
      return;
    }
    if (mean_) scale(run.dy, run.pass);
    const isize size = run.pass.n * size_;
    space_.for_runs(run.pass.team, samples(run.pass), [&](const auto& at, isize count) {
      const isize stride = space_.stride(0);
      for (isize i = 0; i < count; ++i) {
        const isize from = at[0] + i * stride, to = at[1] + i;
        if (ties()) {
          dx[to] = same(x[to], run.y[from]) ? dy[from] / run.saved[from] : T(0);
        } else if (kind_ == Reduction::prod) {
          const T zeros = run.saved[from], others = run.saved[size + from];
          dx[to] = dy[from] * (zeros == 0   ? others / x[to]
                               : zeros == 1 ? (x[to] == 0 ? others : T(0))
                                            : T(0));
        } else {
          dx[to] = dy[from];
        }
      }
    });
  }

 private:
  bool ties() const { return kind_ == Reduction::max || kind_ == Reduction::min; }
  static bool same(T a, T b) { return a == b || (a != a && b != b); }
  isize samples(const Pass& pass) const { return x_batched_ ? pass.batch : 1; }

  void fold(const Pass& pass, T* y, const T* x, T start,
            void (*kernel)(T*, isize, const T*, isize)) const {
    std::fill_n(y, pass.n * size_, start);
    space_.for_owned_runs(pass.team, samples(pass), 0, [&](const auto& at, isize count) {
      kernel(y + at[0], space_.stride(0), x + at[1], count);
    });
  }
  // function(place in y, place in x)
  template <class F>
  void each(const Pass& pass, const F& function) const {
    space_.for_owned_runs(pass.team, samples(pass), 0, [&](const auto& at, isize count) {
      for (isize i = 0; i < count; ++i) function(at[0] + i * space_.stride(0), at[1] + i);
    });
  }
  void scale(T* y, const Pass& pass) const {
    const isize terms = count_ * (over_batch_ ? pass.batch : 1);
    const T share = static_cast<T>(1.0 / static_cast<double>(terms));
    for (isize i = 0; i < pass.n * size_; ++i) y[i] *= share;
  }

  Reduction kind_;
  bool mean_, x_batched_ = false, over_batch_ = false;
  isize count_ = 1, size_ = 1;
  Space<2> space_;  // of x: the result, x
};

// Samples cut at one axis: element (o, i, j) of a sample is o * length * inner + i * inner + j.
struct AxisCut {
  explicit AxisCut(const Blueprint& b) : outer(1), length(1), inner(1) {
    const Shape& x = b.in.at(0);
    const std::size_t axis = axis_of(b.spec, x);
    for (std::size_t i = 0; i < x.size(); ++i)
      (i < axis ? outer : i == axis ? length : inner) *= x[i];
  }
  isize outer, length, inner;
};

// The place of the largest or smallest number along an axis of a sample; the first one of equals.
template <class T>
class Arg : public Op<T> {
 public:
  explicit Arg(const Blueprint& b) : cut_(b), smallest_(b.spec.flag("smallest")) {
    this->out = b.in[0];
    this->out.erase(this->out.begin() + b.spec.whole("axis"));
    check(cut_.length > 0, b.spec.owner, ": an empty axis has no largest number.");
  }
  void forward(const Forward<T>& run) const override {
    const auto [outer, length, inner] = cut_;
    for_rows(run.pass.team, run.pass.n * outer, length * inner, [&](isize first, isize count) {
      for (isize o = first; o < first + count; ++o) {
        for (isize j = 0; j < inner; ++j) {
          const T* x = run.x[0] + o * length * inner + j;
          isize best = 0;
          for (isize i = 1; i < length; ++i) {
            const T value = x[i * inner], top = x[best * inner];
            const bool better = smallest_ ? value < top : value > top;
            if (better || (std::isnan(value) && !std::isnan(top))) best = i;
          }
          run.y[o * inner + j] = static_cast<T>(best);
        }
      }
    });
  }
  void backward(const Backward<T>& run) const override {
    if (run.dx[0]) std::fill_n(run.dx[0], run.pass.n * cut_.outer * cut_.length * cut_.inner, T(0));
  }

 private:
  AxisCut cut_;
  bool smallest_;
};

// y_i = x_0 + ... + x_i along an axis of a sample
template <class T>
class Cumsum : public Op<T> {
 public:
  explicit Cumsum(const Blueprint& b) : cut_(b) { this->out = b.in[0]; }
  void forward(const Forward<T>& run) const override { sum(run.pass, run.y, run.x[0], false); }
  void backward(const Backward<T>& run) const override {
    if (run.dx[0]) sum(run.pass, run.dx[0], run.dy, true);
  }

 private:
  void sum(const Pass& pass, T* y, const T* x, bool from_end) const {
    const auto [outer, length, inner] = cut_;
    for_rows(pass.team, pass.n * outer, length * inner, [&](isize first, isize count) {
      for (isize o = first; o < first + count; ++o) {
        for (isize j = 0; j < inner; ++j) {
          T total = 0;
          for (isize i = 0; i < length; ++i) {
            const isize at = (o * length + (from_end ? length - 1 - i : i)) * inner + j;
            y[at] = total += x[at];
          }
        }
      }
    });
  }
  AxisCut cut_;
};

PYNN_OP("reduce", Reduce);
PYNN_OP("arg", Arg);
PYNN_OP("cumsum", Cumsum);

}  // namespace
}  // namespace pynn::ops
