// Runs a plan: forward and backward over a workspace, and prediction by blocks of rows. A network
// is immutable after it is built and has no state of a run, so any number of threads may use one at
// once.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <vector>

#include "core/parallel.h"
#include "exec/backprop.h"
#include "exec/source.h"
#include "exec/workspace.h"
#include "ops/tiling.h"

namespace pynn::exec {

// Called now and then from the thread that runs the engine; throws to stop (Ctrl-C).
struct Poll {
  void (*function)(void*) = nullptr;
  void* context = nullptr;
  double next = 0;  // time of the next call

  void now_and_then();  // at most every 50 ms
  static void call(void* poll) { static_cast<Poll*>(poll)->now_and_then(); }
};
double seconds_now();

struct Run {
  isize n;
  int team;
  bool training = false;
  std::uint64_t seed = 0;
  std::uint32_t step = 0;
  const std::vector<bool>* unread = nullptr;  // by step: its output will not be read
  const std::vector<bool>* pairs = nullptr;   // by step: it may run together with the next one
};

template <class T>
class Network {
 public:
  explicit Network(const Graph& graph) : plan(graph) {}

  const Plan<T> plan;

  // Forward from the inputs in the workspace. Returns the sum of the activity penalties.
  double forward(Workspace<T>& space, const Run& run, Poll& poll) const;
  // Backward from the gradients of the tensors that `backprop` starts from; variable v's gradient
  // goes to dw[v], or to updates[v] where there is one; `updates` may be null.
  void backward(Workspace<T>& space, const Run& run, const Backprop<T>& backprop, T* const* dw,
                const ops::TileUpdate<T>* const* updates, Poll& poll) const;
  // Whether a step runs together with the next one.
  bool runs_with_next(std::size_t step, const Run& run) const;

  // Forward over all run.n samples: by blocks of rows shared among threads, in training as one
  // batch. use(space, first, count, penalty) is called for each block, on any thread, when its
  // outputs are there.
  template <class Use>
  void for_blocks(const std::vector<Source>& x, const Run& run, Poll& poll, const Use& use) const;

  // y[i](samples, output size) of every output.
  void predict(const std::vector<T*>& y, const std::vector<Source>& x, const Run& run,
               Poll& poll) const;

  // Writes the rows [first, first + n) of every output; a value for the whole batch comes with row
  // 0.
  void copy_outputs(const std::vector<T*>& y, const Workspace<T>& space, isize first,
                    isize n) const;

  void check_inputs(const std::vector<Source>& x) const;
  isize block_rows(const Run& run) const;

 private:
  // Workspaces of finished blocks wait here for the next one: no lock, no allocation after the
  // first.
  class Pool {
   public:
    ~Pool();
    std::unique_ptr<Workspace<T>> take();
    void give(std::unique_ptr<Workspace<T>> space);

   private:
    std::array<std::atomic<Workspace<T>*>, 64> spare_{};
  };
  mutable Pool pool_;
};

template <class T>
template <class Use>
void Network<T>::for_blocks(const std::vector<Source>& x, const Run& run, Poll& poll,
                            const Use& use) const {
  // The block length depends on the network alone, so outputs do not depend on the number of
  // threads.
  const isize rows = block_rows(run), blocks = (run.n + rows - 1) / rows;
  const auto run_block = [&](isize block, int block_team, Poll& block_poll) {
    const isize first = block * rows, count = run.n - first < rows ? run.n - first : rows;
    std::unique_ptr<Workspace<T>> space;
    if (!run.training) space = pool_.take();
    if (!space || space->capacity < rows) {
      space = std::make_unique<Workspace<T>>(plan, rows, run.training);
    }
    space->gather(x, nullptr, first, count, block_team);
    const Run part{count, block_team, run.training, run.seed, run.step};
    const double penalty = forward(*space, part, block_poll);
    use(*space, first, count, penalty);
    if (!run.training) pool_.give(std::move(space));
  };
  if (blocks == 1) return run_block(0, run.team, poll);
  const Interruptible between_blocks(Poll::call, &poll);
  // The weights tell at least how much work there is. Where that is too little for threads, the
  // first block tells the rest.
  double work = ops::gemm_cost(run.n, plan.weights(), 1);
  isize done = 0;
  if (work < kNanosecondsPerTeam) {
    const double start = seconds_now();
    run_block(done++, 1, poll);
    work = (seconds_now() - start) * 1e9 * static_cast<double>(blocks - done);
  }
  parallel_for(run.team, blocks - done, work, [&](isize block) {
    Poll silent;
    run_block(done + block, 1, silent);
  });
}

}  // namespace pynn::exec
