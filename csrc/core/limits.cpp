#include "core/limits.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <thread>

#include "core/parallel.h"

#if defined(__linux__)
#include <sched.h>
#endif

namespace pynn {
namespace {

int affinity() {
#if defined(__linux__)
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return std::max(1, CPU_COUNT(&set));
#endif
  return std::max(1u, std::thread::hardware_concurrency());
}

#if defined(__linux__)
// "max 100000" or "50000 100000" (cgroup v2), in CPUs; 0 when there is no limit.
double quota_v2(const std::string& folder) {
  std::ifstream file(folder + "/cpu.max");
  std::string quota;
  double period = 0;
  if (!(file >> quota >> period) || quota == "max" || period <= 0) return 0;
  return std::strtod(quota.c_str(), nullptr) / period;
}

double quota_v1(const std::string& folder) {
  double quota = -1, period = 0;
  std::ifstream(folder + "/cpu.cfs_quota_us") >> quota;
  std::ifstream(folder + "/cpu.cfs_period_us") >> period;
  return quota > 0 && period > 0 ? quota / period : 0;
}

// The tightest quota on the way from this process's control group up to the root.
double cgroup_quota() {
  double tightest = 0;
  const auto consider = [&](double cpus) {
    if (cpus > 0 && (tightest == 0 || cpus < tightest)) tightest = cpus;
  };
  std::ifstream groups("/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    const auto controllers = line.find(':'), path_at = line.find(':', controllers + 1);
    if (controllers == std::string::npos || path_at == std::string::npos) continue;
    const std::string names = line.substr(controllers + 1, path_at - controllers - 1);
    const bool v2 = names.empty();
    if (!v2 && ("," + names + ",").find(",cpu,") == std::string::npos) continue;
    const std::string root = v2 ? "/sys/fs/cgroup" : "/sys/fs/cgroup/cpu";
    for (std::string path = line.substr(path_at + 1);;) {
      const std::string folder = root + (path == "/" ? "" : path);
      consider(v2 ? quota_v2(folder) : quota_v1(folder));
      const auto slash = path.find_last_of('/');
      if (path.empty() || path == "/" || slash == std::string::npos) break;
      path.resize(slash);
    }
  }
  return tightest;
}
#else
double cgroup_quota() { return 0; }
#endif

}  // namespace

TeamSize machine_team() {
  if (in_forked_child()) return {1, "1 in a forked process, which has no OpenMP threads"};
  TeamSize team{affinity(), ""};
  team.reason = std::to_string(team.threads) + " CPUs usable by this process";
  if (const double quota = cgroup_quota(); quota > 0 && std::ceil(quota) < team.threads) {
    team.threads = std::max(1, static_cast<int>(std::ceil(quota)));
    std::ostringstream text;
    text << "container CPU quota of " << quota;
    team.reason = text.str();
  }
  if (const char* text = std::getenv("OMP_NUM_THREADS")) {
    const int wish = std::atoi(text);
    if (wish > 0 && wish < team.threads) {
      team = {wish, "OMP_NUM_THREADS=" + std::to_string(wish)};
    }
  }
  return team;
}

TeamSize team_size(int wish, bool oversubscribe) {
  TeamSize team = machine_team();
  const bool forked = in_forked_child();
  if (wish > 0 && !forked && (wish < team.threads || oversubscribe)) {
    team = {wish, "asked for " + std::to_string(wish)};
  }
  return team;
}

int threads_for(int wish) {
  if (in_forked_child()) return 1;
  if (wish < 0) return -wish;
  using Clock = std::chrono::steady_clock;
  static std::atomic<std::int64_t> read_at{0};
  static std::atomic<int> machine{0};
  const std::int64_t now = Clock::now().time_since_epoch() / std::chrono::milliseconds(1);
  if (machine == 0 || now - read_at > 1000) {
    machine = machine_team().threads;
    read_at = now;
  }
  return wish > 0 ? std::min(wish, machine.load()) : machine.load();
}

}  // namespace pynn
