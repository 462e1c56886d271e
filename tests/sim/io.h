// io::Io over the simulated world: where the node's life may end, at any call.
#pragma once

#include <array>
#include <functional>

#include "runtime/io/io.h"
#include "tests/sim/disk.h"
#include "tests/sim/memory.h"
#include "tests/sim/network.h"
#include "tests/sim/world.h"

namespace weir::sim {

// Thrown through the node by whatever it was calling. Its objects go, and reach neither disk nor network any more.
struct Death {};

class SimulatedIo final : public io::Io {
 public:
  SimulatedIo(World& world, Disk& disk, Network& network, sim::Random random) : world_(world), disk_(disk), network_(network), random_(random) {}

  // How this life ends. Of the points, the `dies_at_count`-th visit.
  int dies_at_point = -1;  // io::SyncPoint
  int dies_at_count = 0;
  bool stop = false;       // as SIGTERM
  uint32_t pauses = 0;     // of 10,000 turns: the process stands still for up to a minute
  std::array<uint64_t, 6> reached{};
  uint64_t turns = 0;
  std::function<void()> on_turn = [] {};  // as the node waits

  void Kill();  // at the node's next call

  int64_t WallMicros() override;
  int64_t SteadyMicros() override;
  void Random(std::span<uint8_t> bytes) override;
  bool StopRequested() override;
  void Reach(io::SyncPoint point) override;

  Result<io::Handle> Listen(const std::string& address) override;
  std::string LocalAddress(io::Handle listener) override;
  io::Accepted Accept(io::Handle listener) override;
  io::Transferred Read(io::Handle handle, std::span<char> buffer) override;
  io::Transferred Write(io::Handle handle, std::string_view bytes) override;
  void Watch(io::Handle handle, bool read, bool write) override;
  void Close(io::Handle handle) override;
  void Wait(int64_t timeout_us, std::vector<io::Event>* events) override;

  Result<std::vector<io::FileInfo>> List(const std::string& folder) override;
  Result<size_t> ReadFile(const std::string& path, uint64_t offset, std::span<char> buffer) override;
  Result<void> MakeFolder(const std::string& folder) override;
  Result<void> Rename(const std::string& from, const std::string& to) override;

 private:
  // Of every call: the node lives, or it throws. What the world allocates meanwhile is not the node's.
  class Call {
   public:
    explicit Call(SimulatedIo& io) : memory_(/*node=*/false) {
      if (io.disk_.dead()) {
        throw Death();
      }
    }

   private:
    MemoryScope memory_;
  };

  World& world_;
  Disk& disk_;
  Network& network_;
  sim::Random random_;
};

}  // namespace weir::sim
