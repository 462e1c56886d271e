#include "tests/sim/io.h"

namespace weir::sim {

void SimulatedIo::Kill() { disk_.Die(); }

int64_t SimulatedIo::WallMicros() {
  const Call call(*this);
  return world_.wall_us();
}

int64_t SimulatedIo::SteadyMicros() {
  const Call call(*this);
  return world_.now_us();
}

void SimulatedIo::Random(std::span<uint8_t> bytes) {
  const Call call(*this);
  for (uint8_t& byte : bytes) {
    byte = static_cast<uint8_t>(random_.Next());
  }
}

bool SimulatedIo::StopRequested() {
  const Call call(*this);
  return stop;
}

void SimulatedIo::Reach(io::SyncPoint point) {
  const Call call(*this);
  world_.Note("reach", {static_cast<int64_t>(point)});
  ++reached[static_cast<size_t>(point)];
  if (static_cast<int>(point) == dies_at_point && --dies_at_count <= 0) {
    world_.Note("dies here");
    Kill();
    throw Death();
  }
}

Result<io::Handle> SimulatedIo::Listen(const std::string& address) {
  const Call call(*this);
  return network_.Listen(address);
}

std::string SimulatedIo::LocalAddress(io::Handle listener) { return network_.LocalAddress(listener); }

io::Accepted SimulatedIo::Accept(io::Handle listener) {
  const Call call(*this);
  return network_.Accept(listener);
}

io::Transferred SimulatedIo::Read(io::Handle handle, std::span<char> buffer) {
  const Call call(*this);
  return network_.Read(handle, buffer);
}

io::Transferred SimulatedIo::Write(io::Handle handle, std::string_view bytes) {
  const Call call(*this);
  return network_.Write(handle, bytes);
}

void SimulatedIo::Watch(io::Handle handle, bool read, bool write) {
  const Call call(*this);
  network_.Watch(handle, read, write);
}

void SimulatedIo::Close(io::Handle handle) {
  const Call call(*this);
  network_.Close(handle);
}

void SimulatedIo::Wait(int64_t timeout_us, std::vector<io::Event>* events) {
  const Call call(*this);
  ++turns;
  on_turn();
  events->clear();
  world_.Advance(random_.Skewed(1, 200));  // the work of the turn before
  if (pauses != 0 && random_.PerMyriad(pauses)) {
    const int64_t pause_us = random_.Skewed(1'000'000, 60'000'000);
    world_.Note("pause", {pause_us});
    world_.Advance(pause_us);
  }
  while (world_.Step(world_.now_us())) {  // what came meanwhile
  }
  const int64_t until_us = world_.now_us() + std::max<int64_t>(0, timeout_us);
  do {
    network_.Ready(events);
  } while (events->empty() && !stop && !disk_.dead() && world_.Step(until_us));
  if (disk_.dead()) {
    throw Death();
  }
}

Result<std::vector<io::FileInfo>> SimulatedIo::List(const std::string& folder) {
  const Call call(*this);
  if (disk_.FileFails()) {
    return Error{"cannot list a folder: it is the simulation"};
  }
  return disk_.List(folder);
}

Result<size_t> SimulatedIo::ReadFile(const std::string& path, uint64_t offset, std::span<char> buffer) {
  const Call call(*this);
  const FilePtr file = disk_.Open(path, /*create=*/false);
  size_t got = 0;
  if (file == nullptr || disk_.FileFails() || disk_.Read(*file, offset, buffer.data(), buffer.size(), &got) != DiskStatus::kOk) {
    return Error{"cannot read a file: it is the simulation"};
  }
  return got;
}

Result<void> SimulatedIo::MakeFolder(const std::string&) {
  const Call call(*this);
  return {};
}

Result<void> SimulatedIo::Rename(const std::string& from, const std::string& to) {
  const Call call(*this);
  return !disk_.FileFails() && disk_.Rename(from, to) == DiskStatus::kOk ? Result<void>() : Result<void>(Error{"cannot move a file: it is the simulation"});
}

}  // namespace weir::sim
