// How many threads this process may use, and why.
#pragma once

#include <string>

namespace pynn {

struct TeamSize {
  int threads;
  std::string reason;
};

// The minimum of the CPUs this process may run on, the container's CPU quota and OMP_NUM_THREADS.
// Read from the system on every call: affinity and quota can change while the process runs.
TeamSize machine_team();

// The same with the caller's wish: 0 means none. With `oversubscribe` the wish is granted whatever
// the machine has, for tests of thread independence.
TeamSize team_size(int wish, bool oversubscribe);

// The same for a call of the engine, from an answer at most a second old: 0 is no wish, and -n asks
// for n threads whatever the machine has.
int threads_for(int wish);

}  // namespace pynn
