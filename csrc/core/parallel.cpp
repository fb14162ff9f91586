#include "core/parallel.h"

#include <omp.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <thread>
#include <utility>

#include "core/denormals.h"

#if !defined(_WIN32)
#include <pthread.h>
#endif
#if defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>
#endif

namespace pynn {
namespace {

std::atomic<bool> forked_child{false};

#if !defined(_WIN32)
[[maybe_unused]] const int at_fork = pthread_atfork(nullptr, nullptr, [] { forked_child = true; });
#endif

void pause_briefly() {
#if defined(__x86_64__) || defined(_M_X64)
  _mm_pause();
#elif defined(__aarch64__) && defined(__GNUC__)
  asm volatile("yield");
#endif
}

// Spins for a while, then says so: the wait is short, or somebody else has the core.
class Patience {
 public:
  bool runs_out() {
    pause_briefly();
    if (++pauses_ % 64 != 0) return false;
    const auto now = Clock::now();
    if (pauses_ == 64) start_ = now;
    return now - start_ > std::chrono::microseconds(30);
  }

 private:
  using Clock = std::chrono::steady_clock;
  unsigned pauses_ = 0;
  Clock::time_point start_;
};

constexpr int kMaxTeam = 256;
constexpr int kTaskBits = 20;  // a region has fewer tasks than 2^20
constexpr isize kMostTasks = (isize{1} << kTaskBits) - 1;
thread_local bool in_task =
    false;  // this thread works on a region's task: nested regions are not shared

thread_local void (*interrupt_function)(void*) = nullptr;
thread_local void* interrupt_context = nullptr;
thread_local long regions_worth_sharing = 0;

void maybe_interrupt() {
  if (interrupt_function) interrupt_function(interrupt_context);
}

class Team {
 public:
  explicit Team(int size) : size_(size) { region_.store(0, std::memory_order_release); }
  int size() const { return size_; }

  // One region: publishes the tasks, works on them, and returns when all are done.
  void run(isize tasks, detail::TaskFunction function, const void* context) {
    const std::uint32_t region = region_.load(kRelaxed) + 1;
    function_.store(function, kRelaxed);
    context_.store(context, kRelaxed);
    done_.store(0, kRelaxed);
    for (int t = 0; t < size_; ++t) {
      const Ticket whole{region & kRegionMask, tasks * t / size_, tasks * (t + 1) / size_};
      shares_[t].ticket.store(whole.packed(), std::memory_order_release);
    }
    publish(region);
    in_task = true;
    work(0, region);
    in_task = false;
    for (Patience patience; done_.load(std::memory_order_acquire) < tasks;) {
      if (patience.runs_out()) std::this_thread::yield();
    }
    if (failed_.exchange(false)) std::rethrow_exception(std::exchange(error_, nullptr));
  }

  // A helper's life: waits for regions and takes part in them until the team is closed.
  void serve(int thread) {
    std::uint32_t region = next_region(0);
    const FlushDenormals flush;
    in_task = true;
    for (; region != kClosed; region = next_region(region)) work(thread, region);
    in_task = false;
    left_.fetch_add(1, std::memory_order_release);
  }

  void close() { publish(kClosed); }
  // OpenMP orders a region's end already; this says the same in a way that ThreadSanitizer sees.
  void after_close() const { left_.load(std::memory_order_acquire); }

 private:
  // What is left of a thread's share of a region. It changes as one number: a thread that comes
  // late, when the next region is being set up, can neither claim a task that is gone nor one it
  // knows nothing about.
  struct Ticket {
    std::uint32_t region;  // its bits under kRegionMask
    isize next, end;

    static Ticket unpack(std::uint64_t bits) {
      return {static_cast<std::uint32_t>(bits >> (2 * kTaskBits)),
              static_cast<isize>((bits >> kTaskBits) & kTaskMask),
              static_cast<isize>(bits & kTaskMask)};
    }
    std::uint64_t packed() const {
      return (std::uint64_t{region} << (2 * kTaskBits)) |
             (static_cast<std::uint64_t>(next) << kTaskBits) | static_cast<std::uint64_t>(end);
    }
  };
  struct alignas(64) Share {
    std::atomic<std::uint64_t> ticket{0};
  };
  static constexpr auto kRelaxed = std::memory_order_relaxed;
  static constexpr std::uint32_t kClosed = 0xffffffffu;
  static constexpr std::uint32_t kRegionMask = (1u << (64 - 2 * kTaskBits)) - 1;
  static constexpr std::uint64_t kTaskMask = kMostTasks;

  void publish(std::uint32_t region) {
    region_.store(region);
    if (sleepers_.load() > 0) region_.notify_all();
  }

  std::uint32_t next_region(std::uint32_t seen) {
    for (Patience patience; !patience.runs_out();) {
      if (const std::uint32_t region = region_.load(std::memory_order_acquire); region != seen)
        return region;
    }
    ++sleepers_;
    region_.wait(seen);
    --sleepers_;
    return region_.load(std::memory_order_acquire);
  }

  void work(int thread, std::uint32_t region) {
    for (int turn = 0; turn < size_; ++turn) {
      const int t = (thread + turn) % size_;
      std::atomic<std::uint64_t>& share = shares_[t].ticket;
      std::uint64_t seen = share.load(std::memory_order_acquire);
      for (;;) {
        Ticket ticket = Ticket::unpack(seen);
        if (ticket.region != (region & kRegionMask) || ticket.next >= ticket.end) break;
        // Read before the claim: if that succeeds, the region has not ended in between.
        const detail::TaskFunction function = function_.load(kRelaxed);
        const void* context = context_.load(kRelaxed);
        const isize task = ticket.next++;
        if (!share.compare_exchange_weak(seen, ticket.packed(), std::memory_order_acq_rel))
          continue;
        try {
          if (!failed_.load(kRelaxed)) function(context, task);
          if (thread == 0) maybe_interrupt();
        } catch (...) {
          if (!failed_.exchange(true)) error_ = std::current_exception();
        }
        done_.fetch_add(1, std::memory_order_acq_rel);
        seen = share.load(std::memory_order_acquire);
      }
    }
  }

  const int size_;
  Share shares_[kMaxTeam];
  alignas(64) std::atomic<std::uint32_t> region_{0};
  std::atomic<int> sleepers_{0}, left_{0};
  alignas(64) std::atomic<isize> done_{0};
  alignas(64) std::atomic<detail::TaskFunction> function_{nullptr};
  std::atomic<const void*> context_{nullptr};
  std::atomic<bool> failed_{false};
  std::exception_ptr error_;
};

thread_local Team* own_team = nullptr;  // the team this thread leads

// Callers of the engine share the machine: each of n that are in it at once gets an n-th of the
// threads it would have alone.
std::atomic<int> callers{0};

class Caller {
 public:
  Caller() : among_(callers.fetch_add(1, std::memory_order_relaxed) + 1) {}
  ~Caller() { callers.fetch_sub(1, std::memory_order_relaxed); }
  Caller(const Caller&) = delete;
  Caller& operator=(const Caller&) = delete;
  int share_of(int threads) const { return threads > among_ ? threads / among_ : 1; }

 private:
  int among_;
};

struct Body {
  void (*function)(const void*);
  const void* context;
  std::exception_ptr error;

  void run(Team* team) {
    own_team = team;
    try {
      function(context);
    } catch (...) {
      error = std::current_exception();
    }
    own_team = nullptr;
    team->close();
  }
};

#if defined(__SANITIZE_THREAD__)
__attribute__((no_sanitize("thread"),
               noinline))  // libgomp's hand-over is invisible to the sanitizer
#endif
void fork_and_join(Team* team, Body* body) {
#pragma omp parallel num_threads(team->size())
  {
    const int thread = omp_get_thread_num();
    thread == 0 ? body->run(team) : team->serve(thread);
  }
}

}  // namespace

Interruptible::Interruptible(void (*function)(void*), void* context)
    : outer_function_(std::exchange(interrupt_function, function)),
      outer_context_(std::exchange(interrupt_context, context)) {}

Interruptible::~Interruptible() {
  interrupt_function = outer_function_;
  interrupt_context = outer_context_;
}

long shared_regions() { return regions_worth_sharing; }

int team_at_hand() { return own_team ? own_team->size() : 1; }

bool in_forked_child() { return forked_child.load(std::memory_order_relaxed); }

void detail::run_with_team(int threads, void (*function)(const void*), const void* context) {
  if (own_team || in_task || omp_in_parallel() || in_forked_child()) return function(context);
  const Caller caller;
  threads = caller.share_of(threads);
  if (threads <= 1) return function(context);
  Team team(threads < kMaxTeam ? threads : kMaxTeam);
  Body body{function, context, nullptr};
  fork_and_join(&team, &body);
  team.after_close();
  if (body.error) std::rethrow_exception(body.error);
}

void detail::run_here(isize tasks, TaskFunction function, const void* context) {
  for (isize task = 0; task < tasks; ++task) {
    function(context, task);
    if (!in_task) maybe_interrupt();
  }
}

void detail::run_tasks(int threads, isize tasks, double nanoseconds, TaskFunction function,
                       const void* context) {
  if (in_task || tasks > kMostTasks) return run_here(tasks, function, context);
  ++regions_worth_sharing;
  const auto region = [&] {
    own_team ? own_team->run(tasks, function, context) : run_here(tasks, function, context);
  };
  own_team || nanoseconds < kNanosecondsPerTeam ? region() : with_team(threads, region);
}

}  // namespace pynn
