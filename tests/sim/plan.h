// What goes wrong in a run, drawn from its seed; tests make their own.
#pragma once

#include <optional>
#include <vector>

#include "tests/sim/disk.h"
#include "tests/sim/senders.h"

namespace weir::sim {

struct DeathPlan {  // of one life of the node
  int point = -1, count = 0;      // at this io::SyncPoint, the count-th time
  int64_t disk_change = -1;       // within the n-th change to the disk
  int64_t after_us = -1;          // at a time
  int64_t stop_us = -1;           // SIGTERM instead
  bool power = false;             // the machine, not only the process
};

struct FullDisk {
  int64_t from_us = 0, us = 0;
  uint64_t spare = 0;  // bytes left
};

struct Plan {
  int64_t calm_us = 0;  // from here on nothing goes wrong any more
  DiskFaults disk;
  std::vector<DeathPlan> deaths;      // of the first lives
  std::vector<FullDisk> full;
  std::vector<int64_t> cuts_us, swallows_us;
  std::vector<std::pair<int64_t, int64_t>> wall_shifts;  // when, by how much
  uint32_t pauses = 0;
  int64_t delay_us_max = 20'000;
  uint64_t tiny_segments = 10;

  Manners manners;
  size_t mllp_senders = 2;
  bool http = true, folder = true;
  size_t flooders = 0;
  uint32_t batch = 1000;
  bool encrypted = false;
};

Plan DrawPlan(Random random);

}  // namespace weir::sim
