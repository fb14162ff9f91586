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

  // For the next call, of so many batches. Those that take at least half of what a region of its
  // own must take are worth a team: the caller comes back with the next ones soon.
  bool wants_team(isize batches) {
    const bool worth = alone_ * static_cast<double>(batches) * 1e9 > 0.5 * kNanosecondsPerTeam;
    if (worth && calls_alone_ > 0) {
      --calls_alone_;
      return false;
    }
    return worth;
  }
  // `seconds` of one of its batches.
  void report(bool team, double seconds) {
    if (alone_ == 0) return;
    if (!team) {
      alone_ = seconds;
      return;
    }
    // One slow call among fast ones says little.
    together_ = together_ == 0 ? seconds : 0.75 * together_ + 0.25 * seconds;
    const double lost = together_ / alone_ - 1;
    if (lost <= 0) {
      wait_ /= 2;
      return;
    }
    // So many calls go without a team that what it has lost is little beside their time.
    wait_ = static_cast<int>(std::min(2 * wait_ + 1 + 8 * lost, 1000.0));
    calls_alone_ = wait_;
    together_ = 0;
  }

 private:
  std::pair<isize, int> known_{0, 0};
  double alone_ = 0, together_ = 0;  // seconds of a batch; 0 where unknown
  int calls_alone_ = 0, wait_ = 0;
};

}  // namespace pynn::exec
