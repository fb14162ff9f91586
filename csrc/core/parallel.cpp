#include "core/parallel.h"

#include <omp.h>

#include <atomic>
#include <exception>
#include <memory>
#include <utility>

#include "core/denormals.h"

#if !defined(_WIN32)
#include <pthread.h>
#endif

namespace pynn {
namespace {

constexpr int kMaxTeam = 256;

std::atomic<bool> team_started{false}, forked_child{false};

#if !defined(_WIN32)
[[maybe_unused]] const int at_fork = pthread_atfork(nullptr, nullptr, [] {
  if (team_started.load(std::memory_order_relaxed)) forked_child = true;
});
#endif

struct alignas(64) Share {
  std::atomic<isize> next{0};
  isize end = 0;
};

struct Job {
  detail::TaskFunction function = nullptr;
  const void* context = nullptr;
  int threads = 0;
  Share shares[kMaxTeam];
  std::atomic<int> published{0}, finished{0};
  std::atomic<bool> failed{false};
  std::exception_ptr error;

  void work(int thread) {
    // OpenMP orders the start and the end of a region already; these two atomics say the same in a
    // way that ThreadSanitizer sees.
    published.load(std::memory_order_acquire);
    const FlushDenormals flush;
    for (int turn = 0; turn < threads; ++turn) {
      Share& share = shares[(thread + turn) % threads];
      while (!failed.load(std::memory_order_relaxed)) {
        const isize task = share.next.fetch_add(1, std::memory_order_relaxed);
        if (task >= share.end) break;
        try {
          function(context, task);
        } catch (...) {
          if (!failed.exchange(true)) error = std::current_exception();
        }
      }
    }
    finished.fetch_add(1, std::memory_order_release);
  }
};

#if defined(__SANITIZE_THREAD__)
__attribute__((no_sanitize("thread"), noinline))  // libgomp's hand-over is invisible to the sanitizer
#endif
void fork_and_join(Job* job) {
#pragma omp parallel num_threads(job->threads)
  job->work(omp_get_thread_num());
}

}  // namespace

bool in_forked_child() { return forked_child.load(std::memory_order_relaxed); }

void detail::run_tasks(int threads, isize tasks, TaskFunction function, const void* context) {
  threads = threads < kMaxTeam ? threads : kMaxTeam;
  if (omp_in_parallel() || in_forked_child()) threads = 1;
  if (threads <= 1) {
    for (isize task = 0; task < tasks; ++task) function(context, task);
    return;
  }
  team_started.store(true, std::memory_order_relaxed);
  // The calling thread's own: no allocation per region, and nested regions never get here.
  static thread_local std::unique_ptr<Job> own;
  if (!own) own = std::make_unique<Job>();
  Job& job = *own;
  job.function = function;
  job.context = context;
  job.threads = threads;
  for (int t = 0; t < threads; ++t) {
    job.shares[t].next.store(tasks * t / threads, std::memory_order_relaxed);
    job.shares[t].end = tasks * (t + 1) / threads;
  }
  job.failed.store(false, std::memory_order_relaxed);
  job.finished.store(0, std::memory_order_relaxed);
  job.published.store(1, std::memory_order_release);
  fork_and_join(&job);
  job.finished.load(std::memory_order_acquire);
  if (job.failed) std::rethrow_exception(std::exchange(job.error, nullptr));
}

}  // namespace pynn
