// Layers that disturb training and pass their input through otherwise.
#include <algorithm>
#include <cmath>

#include "ops/op.h"
#include "ops/tiling.h"

namespace pynn::ops {
namespace {

// The frame: in training y = disturb(x) and dx = dy * factor, with the factor kept in `saved`.
template <class T>
class Noise : public Op<T> {
 public:
  explicit Noise(const Blueprint& b) {
    this->out = b.in.at(0);
    size_ = this->saved_per_sample = element_count(this->out);
  }

  // Fills y and factor for the elements [first, first + count); y may not be x.
  virtual void disturb(T* y, T* factor, const T* x, const kernels::RandomStream& random,
                       isize first, isize count) const = 0;

  void forward(const Forward<T>& run) const override {
    const T* x = run.x[0];
    for_elements(run.pass.team, run.pass.n * size_, [&](isize first, isize count) {
      if (run.pass.training) {
        disturb(run.y + first, run.saved + first, x + first, run.pass.random, first, count);
      } else {
        for (isize i = first; i < first + count; ++i) run.y[i] = x[i];
      }
    });
  }

  void backward(const Backward<T>& run) const override {
    if (!run.dx[0]) return;
    for_elements(run.pass.team, run.pass.n * size_, [&](isize first, isize count) {
      T* dx = run.dx[0] + first;
      if (run.pass.training) {
        kernels::table<T>().multiply(dx, run.dy + first, run.saved + first, count);
      } else {
        std::copy_n(run.dy + first, count, dx);
      }
    });
  }

 private:
  isize size_ = 0;
};

template <class T>
class Dropout : public Noise<T> {
 public:
  explicit Dropout(const Blueprint& b)
      : Noise<T>(b), rate_(static_cast<T>(b.spec.number("rate"))) {}
  void disturb(T* y, T* factor, const T* x, const kernels::RandomStream& random, isize first,
               isize count) const override {
    kernels::table<T>().dropout(y, factor, x, rate_, random, first, count);
  }

 private:
  T rate_;
};

// Dropped units take the value -lambda alpha of SELU's saturation, then an affine map restores mean
// and variance (Klambauer et al. 2017, arXiv:1706.02515).
template <class T>
class AlphaDropout : public Noise<T> {
 public:
  explicit AlphaDropout(const Blueprint& b) : Noise<T>(b) {
    constexpr double kAlpha = 1.6732632423543772848170429916717;
    constexpr double kScale = 1.0507009873554804934193349852946;
    const double rate = b.spec.number("rate"), dropped = -kAlpha * kScale;
    const double a = 1 / std::sqrt((1 - rate) * (1 + rate * dropped * dropped));
    rate_ = static_cast<T>(rate);
    dropped_ = static_cast<T>(dropped);
    scale_ = static_cast<T>(a);
    offset_ = static_cast<T>(-a * dropped * rate);
  }
  void disturb(T* y, T* factor, const T* x, const kernels::RandomStream& random, isize first,
               isize count) const override {
    kernels::table<T>().uniform(factor, random, first, count);
    for (isize i = 0; i < count; ++i) {
      const bool keep = factor[i] >= rate_;
      y[i] = scale_ * (keep ? x[i] : dropped_) + offset_;
      factor[i] = keep ? scale_ : T(0);
    }
  }

 private:
  T rate_, dropped_, scale_, offset_;
};

template <class T>
class GaussianNoise : public Noise<T> {
 public:
  explicit GaussianNoise(const Blueprint& b)
      : Noise<T>(b), stddev_(static_cast<T>(b.spec.number("stddev"))) {}
  void disturb(T* y, T* factor, const T* x, const kernels::RandomStream& random, isize first,
               isize count) const override {
    kernels::table<T>().normal(factor, random, first, count);
    for (isize i = 0; i < count; ++i) {
      y[i] = x[i] + stddev_ * factor[i];
      factor[i] = 1;
    }
  }

 private:
  T stddev_;
};

// Multiplies by noise of mean 1 and variance rate / (1 - rate) (Srivastava et al. 2014).
template <class T>
class GaussianDropout : public Noise<T> {
 public:
  explicit GaussianDropout(const Blueprint& b) : Noise<T>(b) {
    const double rate = b.spec.number("rate");
    stddev_ = static_cast<T>(std::sqrt(rate / (1 - rate)));
  }
  void disturb(T* y, T* factor, const T* x, const kernels::RandomStream& random, isize first,
               isize count) const override {
    kernels::table<T>().normal(factor, random, first, count);
    kernels::table<T>().affine(factor, factor, stddev_, T(1), count);
    kernels::table<T>().multiply(y, x, factor, count);
  }

 private:
  T stddev_;
};

PYNN_OP("dropout", Dropout);
PYNN_OP("alpha_dropout", AlphaDropout);
PYNN_OP("gaussian_noise", GaussianNoise);
PYNN_OP("gaussian_dropout", GaussianDropout);

}  // namespace
}  // namespace pynn::ops
