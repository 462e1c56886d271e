// What the hub holds against what its senders know.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/sim/disk.h"
#include "tests/sim/log.h"
#include "tests/sim/workload.h"

namespace weir::hub {
class Database;
}

namespace weir::sim {

inline constexpr char kHubPath[] = "/hub/hub.db";

// How many records of each digest a store holds; read from a copy of the disk as a life left it.
using Stock = std::map<std::string, uint32_t>;
Result<Stock> ReadStock(const Disk& disk, World& world, const std::string& key_file);

class Judge {
 public:
  Judge(Feed& feed, const Workload& workload, Log& log) : feed_(feed), workload_(workload), log_(log) {}
  // `stocks`: after each life of the node. `disk`: at the end, the node is gone.
  void Look(const Disk& disk, World& world, const std::string& key_file, const std::vector<Stock>& stocks);
  int64_t records() const { return records_; }

 private:
  void CheckAnswers(const std::vector<Stock>& stocks);
  void CheckRows(hub::Database& db);
  void CheckLate(hub::Database& db);
  void CheckState(hub::Hub& hub);

  Feed& feed_;
  const Workload& workload_;
  Log& log_;
  std::set<size_t> present_;      // messages of the workload that are stored
  std::vector<std::string> junk_; // stored records that are none of its messages
  int64_t records_ = 0;
};

}  // namespace weir::sim
