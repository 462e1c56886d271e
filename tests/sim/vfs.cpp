#include "tests/sim/vfs.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "tests/sim/memory.h"

namespace weir::sim {
namespace {

struct OpenFile : sqlite3_file {
  Disk* disk = nullptr;
  FilePtr file;
  int level = SQLITE_LOCK_NONE;
  bool delete_on_close = false, shares_memory = false;
  bool names_folder = false;  // its first sync must make its name durable too, as SQLite's own VFS does
  std::string path;
};

OpenFile& Of(sqlite3_file* file) { return *static_cast<OpenFile*>(file); }

int Close(sqlite3_file* file) {
  const MemoryScope world(/*node=*/false);
  OpenFile& self = Of(file);
  if (self.delete_on_close && !self.path.empty()) {
    self.disk->Remove(self.path);
  }
  if (self.level >= SQLITE_LOCK_SHARED) {
    --self.file->readers;
  }
  if (self.level >= SQLITE_LOCK_RESERVED) {
    self.file->level = SQLITE_LOCK_NONE;
  }
  self.~OpenFile();
  return SQLITE_OK;
}

int Read(sqlite3_file* file, void* into, int size, sqlite3_int64 offset) {
  OpenFile& self = Of(file);
  size_t got = 0;
  if (self.disk->Read(*self.file, static_cast<uint64_t>(offset), static_cast<char*>(into), static_cast<size_t>(size), &got) != DiskStatus::kOk) {
    return SQLITE_IOERR_READ;
  }
  memset(static_cast<char*>(into) + got, 0, static_cast<size_t>(size) - got);
  return got == static_cast<size_t>(size) ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

int Write(sqlite3_file* file, const void* from, int size, sqlite3_int64 offset) {
  const MemoryScope world(/*node=*/false);
  OpenFile& self = Of(file);
  switch (self.disk->Write(*self.file, static_cast<uint64_t>(offset), {static_cast<const char*>(from), static_cast<size_t>(size)})) {
    case DiskStatus::kOk: return SQLITE_OK;
    case DiskStatus::kFull: return SQLITE_FULL;
    default: return SQLITE_IOERR_WRITE;
  }
}

int Truncate(sqlite3_file* file, sqlite3_int64 size) {
  const MemoryScope world(/*node=*/false);
  return Of(file).disk->Truncate(*Of(file).file, static_cast<uint64_t>(size)) == DiskStatus::kOk ? SQLITE_OK : SQLITE_IOERR_TRUNCATE;
}

int Sync(sqlite3_file* file, int) {
  const MemoryScope world(/*node=*/false);
  OpenFile& self = Of(file);
  if (self.disk->Sync(*self.file) != DiskStatus::kOk) {
    return SQLITE_IOERR_FSYNC;
  }
  if (self.names_folder && !self.file->folder_synced) {
    self.file->folder_synced = self.disk->SyncFolders() == DiskStatus::kOk;
  }
  return SQLITE_OK;
}

int FileSize(sqlite3_file* file, sqlite3_int64* size) {
  *size = static_cast<sqlite3_int64>(Of(file).file->data.size());
  return SQLITE_OK;
}

// SQLite's five levels among the connections of one process.
int Lock(sqlite3_file* file, int level) {
  OpenFile& self = Of(file);
  File& shared = *self.file;
  if (level <= self.level) {
    return SQLITE_OK;
  }
  const bool others_write = shared.level > SQLITE_LOCK_NONE && self.level < SQLITE_LOCK_RESERVED;
  if (level == SQLITE_LOCK_SHARED ? shared.level >= SQLITE_LOCK_PENDING && others_write : others_write) {
    return SQLITE_BUSY;
  }
  if (self.level < SQLITE_LOCK_SHARED) {
    ++shared.readers;
    self.level = SQLITE_LOCK_SHARED;
  }
  if (level > SQLITE_LOCK_SHARED) {
    const bool waits = level == SQLITE_LOCK_EXCLUSIVE && shared.readers > 1;
    self.level = shared.level = waits ? SQLITE_LOCK_PENDING : level;
    return waits ? SQLITE_BUSY : SQLITE_OK;
  }
  return SQLITE_OK;
}

int Unlock(sqlite3_file* file, int level) {
  OpenFile& self = Of(file);
  if (self.level >= SQLITE_LOCK_RESERVED && level < SQLITE_LOCK_RESERVED) {
    self.file->level = SQLITE_LOCK_NONE;
  }
  if (self.level >= SQLITE_LOCK_SHARED && level < SQLITE_LOCK_SHARED) {
    --self.file->readers;
  }
  self.level = std::min(self.level, level);
  return SQLITE_OK;
}

int CheckReservedLock(sqlite3_file* file, int* reserved) {
  *reserved = Of(file).file->level >= SQLITE_LOCK_RESERVED ? 1 : 0;
  return SQLITE_OK;
}

int FileControl(sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; }
int SectorSize(sqlite3_file*) { return 512; }
// As SQLite takes of every disk of today, and as Disk keeps it: a torn write leaves the bytes beside it alone.
int DeviceCharacteristics(sqlite3_file*) { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; }

int ShmMap(sqlite3_file* file, int region, int size, int extend, void volatile** memory) {
  const MemoryScope world(/*node=*/false);
  OpenFile& self = Of(file);
  if (!self.shares_memory) {
    self.shares_memory = true;
    ++self.file->connections;
  }
  auto& regions = self.file->shared_memory;
  while (static_cast<int>(regions.size()) <= region && extend != 0) {
    regions.push_back(std::make_unique<char[]>(static_cast<size_t>(size)));
  }
  *memory = region < static_cast<int>(regions.size()) ? regions[static_cast<size_t>(region)].get() : nullptr;
  return SQLITE_OK;
}

int ShmLock(sqlite3_file* file, int first, int count, int flags) {
  int* locks = Of(file).file->shared_memory_locks;
  const bool exclusive = (flags & SQLITE_SHM_EXCLUSIVE) != 0;
  if ((flags & SQLITE_SHM_UNLOCK) != 0) {
    for (int i = first; i < first + count; ++i) {
      locks[i] = exclusive ? 0 : std::max(0, locks[i] - 1);
    }
    return SQLITE_OK;
  }
  for (int i = first; i < first + count; ++i) {
    if (exclusive ? locks[i] != 0 : locks[i] < 0) {
      return SQLITE_BUSY;
    }
  }
  for (int i = first; i < first + count; ++i) {
    locks[i] = exclusive ? -1 : locks[i] + 1;
  }
  return SQLITE_OK;
}

void ShmBarrier(sqlite3_file*) {}

// The last one takes the memory with it, as a process does that dies: the next must recover the index from the WAL.
int ShmUnmap(sqlite3_file* file, int) {
  const MemoryScope world(/*node=*/false);
  OpenFile& self = Of(file);
  if (self.shares_memory && --self.file->connections == 0) {
    self.file->shared_memory.clear();
    std::ranges::fill(self.file->shared_memory_locks, 0);
  }
  self.shares_memory = false;
  return SQLITE_OK;
}

constexpr sqlite3_io_methods kFileMethods = {
    .iVersion = 2, .xClose = Close, .xRead = Read, .xWrite = Write, .xTruncate = Truncate, .xSync = Sync, .xFileSize = FileSize,
    .xLock = Lock, .xUnlock = Unlock, .xCheckReservedLock = CheckReservedLock, .xFileControl = FileControl, .xSectorSize = SectorSize,
    .xDeviceCharacteristics = DeviceCharacteristics, .xShmMap = ShmMap, .xShmLock = ShmLock, .xShmBarrier = ShmBarrier,
    .xShmUnmap = ShmUnmap, .xFetch = nullptr, .xUnfetch = nullptr};

}  // namespace

struct Vfs::Methods {
  static Vfs& Self(sqlite3_vfs* vfs) { return *static_cast<Vfs*>(vfs->pAppData); }

  static int Open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out_flags) {
    const MemoryScope world(/*node=*/false);
    Disk& disk = Self(vfs).disk_;
    file->pMethods = nullptr;
    const std::string path = name == nullptr ? "" : name;
    FilePtr opened = path.empty() ? disk.Anonymous() : disk.Open(path, (flags & SQLITE_OPEN_CREATE) != 0);
    if (opened == nullptr) {
      return SQLITE_CANTOPEN;
    }
    auto* self = new (file) OpenFile();
    self->pMethods = &kFileMethods;
    self->disk = &disk;
    self->file = std::move(opened);
    self->path = path;
    self->delete_on_close = (flags & SQLITE_OPEN_DELETEONCLOSE) != 0;
    self->names_folder = (flags & SQLITE_OPEN_CREATE) != 0 && (flags & (SQLITE_OPEN_SUPER_JOURNAL | SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_WAL)) != 0;
    if (out_flags != nullptr) {
      *out_flags = flags;
    }
    return SQLITE_OK;
  }

  static int Delete(sqlite3_vfs* vfs, const char* name, int sync_folder) {
    const MemoryScope world(/*node=*/false);
    Disk& disk = Self(vfs).disk_;
    switch (disk.Remove(name)) {
      case DiskStatus::kMissing: return SQLITE_IOERR_DELETE_NOENT;
      case DiskStatus::kOk: break;
      default: return SQLITE_IOERR_DELETE;
    }
    return sync_folder != 0 && disk.SyncFolders() != DiskStatus::kOk ? SQLITE_IOERR_DIR_FSYNC : SQLITE_OK;
  }

  static int Access(sqlite3_vfs* vfs, const char* name, int, int* result) {
    const MemoryScope world(/*node=*/false);
    *result = Self(vfs).disk_.Exists(name) ? 1 : 0;
    return SQLITE_OK;
  }

  static int FullPathname(sqlite3_vfs*, const char* name, int size, char* out) {
    sqlite3_snprintf(size, out, "%s", name);
    return SQLITE_OK;
  }

  // Not asked: the process's generator is seeded when a node starts, and is that of the default VFS.
  static int Randomness(sqlite3_vfs*, int size, char* out) {
    memset(out, 0, static_cast<size_t>(size));
    return size;
  }
  static int Sleep(sqlite3_vfs* vfs, int us) {
    Self(vfs).world_.Advance(us);
    return us;
  }
  static int CurrentTimeInt64(sqlite3_vfs* vfs, sqlite3_int64* julian_ms) {
    constexpr sqlite3_int64 kUnixEpoch = 210'866'760'000'000;
    *julian_ms = kUnixEpoch + Self(vfs).world_.wall_us() / 1000;
    return SQLITE_OK;
  }
  static int CurrentTime(sqlite3_vfs* vfs, double* julian_days) {
    sqlite3_int64 ms = 0;
    CurrentTimeInt64(vfs, &ms);
    *julian_days = static_cast<double>(ms) / 86'400'000.0;
    return SQLITE_OK;
  }
  static int GetLastError(sqlite3_vfs*, int, char*) { return 0; }
};

Vfs::Vfs(Disk& disk, World& world) : disk_(disk), world_(world) {
  static uint64_t made = 0;
  name_ = "simulated-" + std::to_string(made++);
  vfs_.iVersion = 2;
  vfs_.szOsFile = sizeof(OpenFile);
  vfs_.mxPathname = 512;
  vfs_.zName = name_.c_str();
  vfs_.pAppData = this;
  vfs_.xOpen = Methods::Open;
  vfs_.xDelete = Methods::Delete;
  vfs_.xAccess = Methods::Access;
  vfs_.xFullPathname = Methods::FullPathname;
  vfs_.xRandomness = Methods::Randomness;
  vfs_.xSleep = Methods::Sleep;
  vfs_.xCurrentTime = Methods::CurrentTime;
  vfs_.xGetLastError = Methods::GetLastError;
  vfs_.xCurrentTimeInt64 = Methods::CurrentTimeInt64;
  sqlite3_vfs_register(&vfs_, /*makeDflt=*/0);
}

Vfs::~Vfs() { sqlite3_vfs_unregister(&vfs_); }

}  // namespace weir::sim
