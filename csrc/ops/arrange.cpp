// Ops that only move numbers: views by strides, choices by index, joins, rows of a table.
#include <algorithm>
#include <cmath>
#include <utility>

#include "ops/op.h"
#include "ops/tiling.h"

namespace pynn::ops {
namespace {

// y_i = x_source(i) within a sample, or a number where there is no source. The sources are a view
// (`strides` of the axes of `shape`, `offset`) or a list (`index`, -1 for the number `fill`). An x
// without batch axis gives every sample the same values if `batched` says that y has one.
template <class T>
class Gather : public Op<T> {
 public:
  explicit Gather(const Blueprint& b) {
    this->out = b.spec.whole_list("shape");
    size_ = checked_count(b.spec.owner, this->out);
    x_size_ = element_count(b.in.at(0));
    x_batched_ = b.in_batched.at(0);
    this->batched = x_batched_ || (b.spec.has("batched") && b.spec.flag("batched"));
    if (b.spec.has("index")) {
      source_ = b.spec.whole_list("index");
      fill_ = static_cast<T>(b.spec.number("fill"));
    } else {
      source_ = view(this->out, b.spec.whole_list("strides"), b.spec.whole("offset"));
    }
    const bool inside = std::all_of(source_.begin(), source_.end(),
                                    [&](isize at) { return at >= -1 && at < x_size_; });
    check(static_cast<isize>(source_.size()) == size_ && inside, b.spec.owner,
          ": expected one place in the input for each element of the output.");
  }

  void forward(const Forward<T>& run) const override {
    for_rows(run.pass.team, run.pass.n, size_, [&](isize first, isize count) {
      for (isize r = first; r < first + count; ++r) {
        const T* x = run.x[0] + (x_batched_ ? r : 0) * x_size_;
        T* y = run.y + r * size_;
        const isize* source = source_.data();
        for (isize i = 0; i < size_; ++i) y[i] = source[i] < 0 ? fill_ : x[source[i]];
      }
    });
  }

  void backward(const Backward<T>& run) const override {
    T* dx = run.dx[0];
    if (!dx) return;
    const auto add = [&](isize first, isize count) {
      for (isize r = first; r < first + count; ++r) {
        T* to = dx + (x_batched_ ? r : 0) * x_size_;
        const T* dy = run.dy + r * size_;
        if (x_batched_ || r == 0) std::fill_n(to, x_size_, T(0));
        for (isize i = 0; i < size_; ++i) {
          if (source_[static_cast<std::size_t>(i)] >= 0) {
            to[source_[static_cast<std::size_t>(i)]] += dy[i];
          }
        }
      }
    };
    if (x_batched_) {
      for_rows(run.pass.team, run.pass.n, std::max(size_, x_size_), add);
    } else {
      add(0, run.pass.n);
    }
  }

 private:
  static std::vector<isize> view(const Shape& shape, const std::vector<isize>& strides,
                                 isize offset) {
    std::vector<isize> places(1, offset);
    for (std::size_t axis = 0; axis < shape.size(); ++axis) {
      std::vector<isize> finer;
      for (isize place : places) {
        for (isize i = 0; i < shape[axis]; ++i) {
          finer.push_back(place + i * strides.at(axis));
        }
      }
      places = std::move(finer);
    }
    return places;
  }

  std::vector<isize> source_;
  T fill_ = 0;
  isize size_ = 0, x_size_ = 0;
  bool x_batched_ = false;
};

// The inputs one behind the other along an axis of the samples.
template <class T>
class Concatenate : public Op<T> {
 public:
  explicit Concatenate(const Blueprint& b) {
    this->out = b.in.at(0);
    const std::size_t axis = axis_of(b.spec, this->out);
    this->out[axis] = 0;
    for (std::size_t i = 0; i < b.in.size(); ++i) {
      Shape rest = b.in[i];
      check(rest.size() == this->out.size(), b.spec.owner,
            ": the inputs must have one number of axes. Received: shapes ", b.in[0], " and ",
            b.in[i], ".");
      this->out[axis] += rest[axis];
      rest[axis] = this->out[axis];
      check(rest == this->out, b.spec.owner,
            ": the inputs may differ along the joined axis only. Received: shapes ", b.in[0],
            " and ", b.in[i], ".");
      check(b.in_batched[i] == b.in_batched[0], b.spec.owner,
            ": either all inputs or none may have a batch axis.");
      widths_.push_back(1);
      for (std::size_t j = axis; j < rest.size(); ++j) widths_.back() *= b.in[i][j];
      width_ += widths_.back();
    }
    outer_ = width_ == 0 ? 0 : element_count(this->out) / width_;
  }

  void forward(const Forward<T>& run) const override {
    each(run.pass, [&](std::size_t input, isize from, isize to, isize count) {
      std::copy_n(run.x[input] + from, count, run.y + to);
    });
  }
  void backward(const Backward<T>& run) const override {
    each(run.pass, [&](std::size_t input, isize from, isize to, isize count) {
      if (run.dx[input]) std::copy_n(run.dy + to, count, run.dx[input] + from);
    });
  }

 private:
  // function(input, place in it, place in the output, count)
  template <class F>
  void each(const Pass& pass, const F& function) const {
    for_rows(pass.team, pass.n * outer_, width_, [&](isize first, isize count) {
      for (isize r = first; r < first + count; ++r) {
        isize to = r * width_;
        for (std::size_t i = 0; i < widths_.size(); ++i) {
          function(i, r * widths_[i], to, widths_[i]);
          to += widths_[i];
        }
      }
    });
  }

  std::vector<isize> widths_;  // elements that lie together, of each input
  isize width_ = 0, outer_ = 0;
};

// y = table[index]: rows of an input without batch axis, by numbers in another input
template <class T>
class Take : public Op<T> {
 public:
  explicit Take(const Blueprint& b) : owner_(b.spec.owner) {
    const Shape& table = b.in.at(0);
    check(!table.empty() && !b.in_batched.at(0), b.spec.owner,
          ": the table must have rows and no batch axis. Received: shape ", table, ".");
    rows_ = table[0];
    this->out = b.in.at(1);
    indices_ = element_count(this->out);
    this->out.insert(this->out.end(), table.begin() + 1, table.end());
    width_ = element_count(table) / std::max<isize>(rows_, 1);
    this->batched = b.in_batched.at(1);
  }

  void forward(const Forward<T>& run) const override {
    for_rows(run.pass.team, run.pass.n * indices_, width_, [&](isize first, isize count) {
      for (isize i = first; i < first + count; ++i) {
        std::copy_n(run.x[0] + row(run.x[1][i]) * width_, width_, run.y + i * width_);
      }
    });
  }

  void backward(const Backward<T>& run) const override {
    if (T* d_index = run.dx[1]) std::fill_n(d_index, run.pass.n * indices_, T(0));
    T* d_table = run.dx[0];
    if (!d_table) return;
    const Cut strips(width_, 64);
    const isize count = run.pass.n * indices_;
    const double cost = elementwise_cost((rows_ + count) * width_);
    parallel_for(run.pass.team, strips.count, cost, [&](isize s) {
      const Tile strip = strips[s];
      for (isize r = 0; r < rows_; ++r) {
        std::fill_n(d_table + r * width_ + strip.begin, strip.size, T(0));
      }
      for (isize i = 0; i < count; ++i) {
        T* to = d_table + row(run.x[1][i]) * width_ + strip.begin;
        const T* dy = run.dy + i * width_ + strip.begin;
        for (isize j = 0; j < strip.size; ++j) to[j] += dy[j];
      }
    });
  }

 private:
  isize row(T index) const {
    const T whole = std::trunc(index), rows = static_cast<T>(rows_);
    check(whole >= -rows && whole < rows, owner_, ": an index must be at least -", rows_,
          " and less than ", rows_, ". Received: ", index, ".");
    return static_cast<isize>(whole < 0 ? whole + rows : whole);
  }

  std::string owner_;
  isize rows_ = 0, width_ = 1, indices_ = 1;
};

// y = x; nothing goes back
template <class T>
class StopGradient : public Op<T> {
 public:
  explicit StopGradient(const Blueprint& b) {
    this->out = b.in.at(0);
    size_ = element_count(this->out);
  }
  void forward(const Forward<T>& run) const override {
    for_elements(run.pass.team, run.pass.n * size_, [&](isize first, isize count) {
      std::copy_n(run.x[0] + first, count, run.y + first);
    });
  }
  void backward(const Backward<T>& run) const override {
    if (run.dx[0]) std::fill_n(run.dx[0], run.pass.n * size_, T(0));
  }

 private:
  isize size_ = 0;
};

PYNN_OP("gather", Gather);
PYNN_OP("concatenate", Concatenate);
PYNN_OP("take", Take);
PYNN_OP("stop_gradient", StopGradient);

}  // namespace
}  // namespace pynn::ops
