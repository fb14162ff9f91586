// Whether a team of threads is worth its while, learned from how long batches took: the first batch
// shows whether threads can share it, the second how long it takes alone, and each call how long
// with a team. Where others want the cores, too, a team can be slower than one thread.
#pragma once

#include <algorithm>
#include <utility>

#include "core/parallel.h"

namespace pynn::exec {

class Pace {
 public:
  // Batches of another size, or for other threads, are measured anew.
  bool knows(isize batch_size, int team) const { return known_ == std::pair{batch_size, team}; }
  // `seconds` of a batch on one thread; 0 where threads cannot share it.
  void learn(isize batch_size, int team, double seconds) {
    known_ = {batch_size, team};
    alone_ = seconds;
  }

  // For a call of so many batches, now. Those that take at least half of what a region of its own
  // must take are worth a team: the caller comes back with the next ones soon.
  bool wants_team(isize batches, double now) const {
    const double nanoseconds = alone_ * static_cast<double>(batches) * 1e9;
    return nanoseconds > 0.5 * kNanosecondsPerTeam && now >= alone_until_;
  }
  // What the call came to.
  void report(bool team, isize batches, double seconds, double now) {
    if (alone_ == 0) return;
    const double each = seconds / static_cast<double>(batches);
    if (!team) {
      alone_ = each;
      return;
    }
    // One slow call among fast ones says little.
    together_ = together_ == 0 ? each : 0.75 * together_ + 0.25 * each;
    if (together_ <= alone_) {
      times_ = kTimes;
      return;
    }
    // For so long no team that what this one has lost is little beside it.
    alone_until_ = now + times_ * std::max(seconds - alone_ * static_cast<double>(batches), 0.0);
    times_ = std::min(2 * times_, 16 * kTimes);
    together_ = 0;
  }

 private:
  static constexpr double kTimes = 4;
  std::pair<isize, int> known_{0, 0};
  double alone_ = 0, together_ = 0;  // seconds of a batch; 0 where unknown
  double alone_until_ = 0, times_ = kTimes;
};

}  // namespace pynn::exec
