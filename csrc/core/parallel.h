// The one door to threads. Work is cut into tasks that do not depend on the number of threads; each
// output element belongs to one task, so results are the same bits for any team size.
//
// A team is opened once for many regions (with_team around a chunk of batches). A region never
// waits for a thread that has nothing to do: its tasks are claimed one by one, and it ends when the
// last is done. So a neighbour who takes a core slows the work down instead of stalling it at a
// barrier.
#pragma once

#include "core/span.h"

namespace pynn {

// A region is shared only when every thread gets at least this much work, in estimated nanoseconds.
inline constexpr double kNanosecondsPerThread = 3000;
// And a team is opened only for this much: on a busy machine its threads come late, and leave late.
inline constexpr double kNanosecondsPerTeam = 500e3;

namespace detail {
using TaskFunction = void (*)(const void* context, isize task);
void run_here(isize tasks, TaskFunction function, const void* context);
void run_tasks(int threads, isize tasks, double nanoseconds, TaskFunction function,
               const void* context);
void run_with_team(int threads, void (*body)(const void*), const void* context);
}  // namespace detail

// True in a forked child process. OpenMP's threads, ours or another library's, are gone there, and
// libgomp would wait for them for ever: such a child computes on one thread.
bool in_forked_child();

// While one of these lives, its thread calls function(context) now and then during long regions,
// between two tasks. The function may throw: the rest of the region is then skipped and the
// exception passed on.
class Interruptible {
 public:
  Interruptible(void (*function)(void*), void* context);
  ~Interruptible();
  Interruptible(const Interruptible&) = delete;
  Interruptible& operator=(const Interruptible&) = delete;

 private:
  void (*outer_function_)(void*);
  void* outer_context_;
};

// How many regions of this thread were worth sharing so far.
long shared_regions();

// Threads of the team that this thread has at hand; 1 without.
int team_at_hand();

// Calls body() with a team of `threads` at hand: its parallel_for regions cost a fraction of a
// microsecond.
template <class F>
void with_team(int threads, const F& body) {
  detail::run_with_team(
      threads, [](const void* context) { (*static_cast<const F*>(context))(); }, &body);
}

// Calls function(task) for every task in [0, tasks), on at most `team` threads. Thread t starts
// with its own contiguous share (so the same weights stay in the same core's cache step after step)
// and then helps the others. Nested calls run on the calling thread. The first exception is
// rethrown here.
template <class F>
void parallel_for(int team, isize tasks, double nanoseconds, const F& function) {
  const double useful = nanoseconds / kNanosecondsPerThread;
  int threads = useful < team ? static_cast<int>(useful) : team;
  if (tasks < threads) threads = static_cast<int>(tasks);
  constexpr double kShort = 1e6;  // not worth asking whether to go on
  if (threads <= 1 && nanoseconds < kShort) {
    for (isize task = 0; task < tasks; ++task) function(task);
    return;
  }
  const detail::TaskFunction call = [](const void* context, isize task) {
    (*static_cast<const F*>(context))(task);
  };
  if (threads <= 1) return detail::run_here(tasks, call, &function);
  detail::run_tasks(threads, tasks, nanoseconds, call, &function);
}

}  // namespace pynn
