// Everything the node asks of the world: sockets, files, clocks, randomness, the wish to stop. The node is one thread over this
// interface, so a simulation can stand in for the world and replay a run from a seed.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.h"

namespace weir::io {

enum class Handle : int32_t { kNone = -1 };

struct Event {
  Handle handle = Handle::kNone;
  bool readable = false, writable = false;  // a closed or broken connection is readable
};

enum class Transfer : uint8_t { kDone, kWouldBlock, kClosed };
struct Transferred {
  Transfer status = Transfer::kDone;
  size_t bytes = 0;
};

struct Accepted {
  Handle handle = Handle::kNone;
  std::string peer;  // its address without the port
};

struct FileInfo {
  std::string name;  // within its folder
  uint64_t bytes = 0;
  int64_t modified_us = 0;
};

// Named moments of the commit protocol, where tests stop the process.
enum class SyncPoint : uint8_t { kPreCommit, kPostCommit, kPreAnswer, kPostAnswer, kPreRename, kPostRename };

class Io {
 public:
  virtual ~Io() = default;

  virtual int64_t WallMicros() = 0;
  virtual int64_t SteadyMicros() = 0;  // never goes back; for limits of time
  virtual void Random(std::span<uint8_t> bytes) = 0;
  virtual bool StopRequested() = 0;
  virtual bool TakeReloadRequest() { return false; }  // once per wish to read configuration files again
  virtual void Reach(SyncPoint point) = 0;

  // `address` is HOST:PORT or :PORT; port 0 is any free one, LocalAddress says which.
  virtual Result<Handle> Listen(const std::string& address) = 0;
  virtual std::string LocalAddress(Handle listener) = 0;
  // Handle::kNone: nobody is waiting, or the process has no room for another (then that one was turned away).
  virtual Accepted Accept(Handle listener) = 0;
  virtual Transferred Read(Handle handle, std::span<char> buffer) = 0;
  virtual Transferred Write(Handle handle, std::string_view bytes) = 0;
  virtual void Watch(Handle handle, bool read, bool write) = 0;  // what Wait tells of
  virtual void Close(Handle handle) = 0;
  // Returns early when something is ready or a stop is requested.
  virtual void Wait(int64_t timeout_us, std::vector<Event>* events) = 0;

  // Regular files of a folder, hidden ones left out, in name order.
  virtual Result<std::vector<FileInfo>> List(const std::string& folder) = 0;
  // Bytes from `offset` on; 0 at the end.
  virtual Result<size_t> ReadFile(const std::string& path, uint64_t offset, std::span<char> buffer) = 0;
  virtual Result<void> MakeFolder(const std::string& folder) = 0;
  // Never replaces a file.
  virtual Result<void> Rename(const std::string& from, const std::string& to) = 0;
};

// The real world: epoll and POSIX files. SIGTERM and SIGINT become StopRequested, SIGHUP a reload request; SIGPIPE is ignored. One per process.
Result<std::unique_ptr<Io>> OpenSystem();

}  // namespace weir::io
