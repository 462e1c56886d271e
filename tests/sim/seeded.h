// The switch of the mistakes that bugs.py writes into copies of the runtime's files. Only the simulator's own build of those has it.
#pragma once

#include <string_view>

namespace weir::sim {

inline int seeded_bug = 0;  // by its place in bugs.py, from 1; 0: none
inline bool Seeded(int number) { return seeded_bug == number; }

struct SeededBug {
  std::string_view name, what;
};

}  // namespace weir::sim
