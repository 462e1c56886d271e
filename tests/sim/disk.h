// A disk as bad as disks are. What was written is seen at once (page cache) and is there after the process was killed; after a power cut
// only what was synced is sure: of each 512-byte sector written since, any version may be there, and of the changes to names a prefix.
// A failed fsync loses what it should have written and a later one does not mend that, although readers still see it: so does Linux.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/io/io.h"
#include "tests/sim/world.h"

namespace weir::sim {

enum class DiskStatus : uint8_t { kOk, kMissing, kError, kFull };

struct File {
  struct Change {  // since the last sync
    uint64_t offset = 0;
    std::string bytes{};
    bool truncates = false;  // to `offset`
  };
  uint64_t number = 0;
  int64_t modified_us = 0;
  std::string data;     // as readers see it
  std::string durable;  // as a power cut leaves it, but for `pending`
  std::vector<Change> pending;
  bool folder_synced = false;  // since it was created
  // Of SQLite's connections to it; one process.
  std::vector<std::unique_ptr<char[]>> shared_memory;
  int shared_memory_locks[8] = {};  // -1: exclusive, else how many share
  int connections = 0, readers = 0, level = 0;
};
using FilePtr = std::shared_ptr<File>;

struct DiskFaults {  // of 10,000 operations, as long as they last
  uint32_t read_errors = 0, write_errors = 0, sync_errors = 0;  // of SQLite's
  uint32_t file_errors = 0;                                     // of the folders'
  int64_t sync_us_max = 2'000;
};

class Disk {
 public:
  Disk(World& world, Random random) : world_(world), random_(random) {}

  DiskFaults faults;
  uint64_t capacity = UINT64_MAX;  // bytes
  int64_t dies_at = -1;            // so many changes from now, in the middle of one; -1: does not
  bool syncs_lie = false, sync_errors_hidden = false;  // seeded bugs of the storage below
  std::map<std::string, uint64_t, std::less<>> counts; // of what went wrong

  FilePtr Open(const std::string& path, bool create);
  FilePtr Anonymous();
  bool Exists(const std::string& path) const { return !dead_ && names_.contains(path); }
  DiskStatus Read(File& file, uint64_t offset, char* into, size_t size, size_t* got);
  DiskStatus Write(File& file, uint64_t offset, std::string_view bytes);
  DiskStatus Truncate(File& file, uint64_t size);
  DiskStatus Sync(File& file);
  DiskStatus SyncFolders();
  DiskStatus Remove(const std::string& path);
  DiskStatus Rename(const std::string& from, const std::string& to);  // never replaces
  void Place(const std::string& path, std::string_view bytes);        // by somebody else, durable at once
  std::vector<io::FileInfo> List(const std::string& folder) const;    // as io::Io

  bool FileFails() { return Fails(faults.file_errors, "file error"); }

  bool dead() const { return dead_; }
  void Die() { dead_ = true; }       // from here on nothing reaches it
  void Revive(bool power_was_cut);   // nobody has a file of it open
  std::unique_ptr<Disk> Copy(Random random) const;  // without faults, silent
  uint64_t used() const;

 private:
  struct NameChange {
    std::string from, to;  // both: renamed
    FilePtr file;
  };
  bool Dies();  // in the middle of this change
  bool Fails(uint32_t per_myriad, const char* what);
  void Apply(File& file, uint64_t offset, std::string_view bytes);
  void Change(NameChange change);
  static void Perform(std::map<std::string, FilePtr>* names, const NameChange& change);
  void Tear(File& file);
  void Note(std::string_view what, std::initializer_list<int64_t> numbers, std::string_view bytes = {}) {
    if (!silent_) {
      world_.Note(what, numbers, bytes);
    }
  }

  World& world_;
  Random random_;
  std::map<std::string, FilePtr> names_, durable_names_;
  std::vector<NameChange> name_changes_;  // since the last sync of a folder
  uint64_t next_file_ = 1;
  bool dead_ = false, silent_ = false;
};

}  // namespace weir::sim
