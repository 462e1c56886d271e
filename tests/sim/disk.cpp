#include "tests/sim/disk.h"

#include <algorithm>
#include <cstring>
#include <set>

namespace weir::sim {
namespace {

constexpr uint64_t kSector = 512, kPage = 4096;

void WriteAt(std::string* into, uint64_t offset, std::string_view bytes) {
  if (into->size() < offset + bytes.size()) {
    into->resize(offset + bytes.size(), '\0');
  }
  bytes.copy(into->data() + offset, bytes.size());
}

}  // namespace

bool Disk::Dies() {
  if (dies_at < 0 || dies_at-- > 0) {
    return false;
  }
  Note("disk dies", {});
  dead_ = true;
  return true;
}

bool Disk::Fails(uint32_t per_myriad, const char* what) {
  if (per_myriad == 0 || !random_.PerMyriad(per_myriad)) {
    return false;
  }
  Note(what, {});
  ++counts[what];
  return true;
}

FilePtr Disk::Open(const std::string& path, bool create) {
  if (dead_) {
    return nullptr;
  }
  if (const auto found = names_.find(path); found != names_.end()) {
    return found->second;
  }
  if (!create) {
    return nullptr;
  }
  FilePtr file = Anonymous();
  Change({{}, path, file});
  return file;
}

FilePtr Disk::Anonymous() {
  auto file = std::make_shared<File>();
  file->number = next_file_++;
  file->modified_us = world_.wall_us();
  return file;
}

DiskStatus Disk::Read(File& file, uint64_t offset, char* into, size_t size, size_t* got) {
  *got = 0;
  if (dead_ || Fails(faults.read_errors, "read error")) {
    return DiskStatus::kError;
  }
  if (offset < file.data.size()) {
    *got = std::min<uint64_t>(size, file.data.size() - offset);
    memcpy(into, file.data.data() + offset, *got);
  }
  return DiskStatus::kOk;
}

void Disk::Apply(File& file, uint64_t offset, std::string_view bytes) {
  WriteAt(&file.data, offset, bytes);
  file.pending.push_back({.offset = offset, .bytes = std::string(bytes)});
  file.modified_us = world_.wall_us();
}

DiskStatus Disk::Write(File& file, uint64_t offset, std::string_view bytes) {
  if (dead_) {
    return DiskStatus::kError;
  }
  Note("write", {static_cast<int64_t>(file.number), static_cast<int64_t>(offset), static_cast<int64_t>(bytes.size())});
  if (Dies()) {
    Apply(file, offset, bytes.substr(0, random_.Below(bytes.size() + 1)));
    return DiskStatus::kError;
  }
  if (Fails(faults.write_errors, "write error")) {
    return DiskStatus::kError;
  }
  const uint64_t end = offset + bytes.size();
  if (capacity != UINT64_MAX && end > file.data.size()) {
    const uint64_t others = used() - file.data.size();
    if (others + end > capacity) {
      const uint64_t fits = capacity > others + offset ? capacity - others - offset : 0;
      Apply(file, offset, bytes.substr(0, fits));
      Note("disk full", {static_cast<int64_t>(fits)});
      ++counts["disk full"];
      return DiskStatus::kFull;
    }
  }
  Apply(file, offset, bytes);
  return DiskStatus::kOk;
}

DiskStatus Disk::Truncate(File& file, uint64_t size) {
  if (dead_ || Dies()) {
    return DiskStatus::kError;
  }
  Note("truncate", {static_cast<int64_t>(file.number), static_cast<int64_t>(size)});
  file.data.resize(size, '\0');
  file.pending.push_back({.offset = size, .truncates = true});
  return DiskStatus::kOk;
}

DiskStatus Disk::Sync(File& file) {
  if (dead_) {
    return DiskStatus::kError;
  }
  if (!silent_) {
    world_.Advance(random_.Skewed(20, faults.sync_us_max));
  }
  Note("sync", {static_cast<int64_t>(file.number), static_cast<int64_t>(file.pending.size())});
  if (syncs_lie) {
    return DiskStatus::kOk;
  }
  const bool dies = Dies();
  if (dies && random_.Percent(50)) {
    return DiskStatus::kError;
  }
  if (!file.pending.empty() && Fails(faults.sync_errors, "sync error")) {
    file.pending.clear();  // their pages are clean now, and were not written
    return sync_errors_hidden ? DiskStatus::kOk : DiskStatus::kError;
  }
  // Whole pages are written, as the cache has them.
  file.durable.resize(file.data.size(), '\0');
  std::set<uint64_t> pages;
  for (const File::Change& change : file.pending) {
    if (!change.truncates) {
      for (uint64_t page = change.offset / kPage; page * kPage < change.offset + change.bytes.size(); ++page) {
        pages.insert(page);
      }
    }
  }
  for (const uint64_t page : pages) {
    if (page * kPage < file.data.size()) {
      file.data.copy(file.durable.data() + page * kPage, kPage, page * kPage);
    }
  }
  file.pending.clear();
  return dies ? DiskStatus::kError : DiskStatus::kOk;
}

DiskStatus Disk::SyncFolders() {
  if (dead_) {
    return DiskStatus::kError;
  }
  if (!syncs_lie) {
    durable_names_ = names_;
    name_changes_.clear();
  }
  return DiskStatus::kOk;
}

void Disk::Perform(std::map<std::string, FilePtr>* names, const NameChange& change) {
  if (!change.from.empty()) {
    names->erase(change.from);
  }
  if (!change.to.empty()) {
    (*names)[change.to] = change.file;
  }
}

void Disk::Change(NameChange change) {
  Perform(&names_, change);
  name_changes_.push_back(std::move(change));
}

DiskStatus Disk::Remove(const std::string& path) {
  const auto found = names_.find(path);
  if (dead_ || found == names_.end()) {
    return dead_ ? DiskStatus::kError : DiskStatus::kMissing;
  }
  Note("remove", {static_cast<int64_t>(found->second->number)});
  if (Dies()) {
    return DiskStatus::kError;
  }
  Change({path, {}, found->second});
  return DiskStatus::kOk;
}

DiskStatus Disk::Rename(const std::string& from, const std::string& to) {
  const auto found = names_.find(from);
  if (dead_ || found == names_.end() || names_.contains(to)) {
    return DiskStatus::kError;
  }
  Note("rename", {static_cast<int64_t>(found->second->number)});
  Change({from, to, found->second});
  return DiskStatus::kOk;
}

void Disk::Place(const std::string& path, std::string_view bytes) {
  FilePtr& file = names_[path];
  if (file == nullptr) {
    file = Anonymous();
  }
  durable_names_[path] = file;
  file->data = file->durable = bytes;
  file->modified_us = world_.wall_us();
  Note("place", {static_cast<int64_t>(file->number), static_cast<int64_t>(bytes.size())}, bytes);
}

std::vector<io::FileInfo> Disk::List(const std::string& folder) const {
  std::vector<io::FileInfo> files;
  const std::string prefix = folder + "/";
  for (auto it = names_.lower_bound(prefix); it != names_.end() && it->first.starts_with(prefix); ++it) {
    const std::string name = it->first.substr(prefix.size());
    if (!name.starts_with('.') && name.find('/') == std::string::npos) {
      files.push_back({name, it->second->data.size(), it->second->modified_us});
    }
  }
  return files;
}

// What a power cut leaves of the changes since the last sync.
void Disk::Tear(File& file) {
  // A sector has as many versions as changes touched it; how many of them count is drawn when it is met first.
  const uint64_t mode = random_.Below(4);  // none, all, and twice whatever comes
  std::map<uint64_t, uint64_t> kept;
  std::string data = file.durable;
  const size_t count = file.pending.size();
  for (size_t i = 0; i < count; ++i) {
    const File::Change& change = file.pending[i];
    if (change.truncates) {
      if (mode == 1 || (mode > 1 && random_.Percent(50))) {
        data.resize(change.offset, '\0');
      }
      continue;
    }
    std::string_view rest = change.bytes;
    for (uint64_t at = change.offset; !rest.empty();) {
      const std::string_view part = rest.substr(0, kSector - at % kSector);
      const auto [sector, fresh] = kept.try_emplace(at / kSector, 0);
      if (fresh) {
        sector->second = mode == 0 ? 0 : mode == 1 ? count : random_.Below(count + 1);
      }
      if (i < sector->second) {
        WriteAt(&data, at, part);
      }
      at += part.size();
      rest.remove_prefix(part.size());
    }
  }
  file.durable = file.data = std::move(data);
  file.pending.clear();
}

void Disk::Revive(bool power_was_cut) {
  if (power_was_cut) {
    const size_t kept = random_.Below(name_changes_.size() + 1);
    names_ = durable_names_;
    for (size_t i = 0; i < kept; ++i) {
      Perform(&names_, name_changes_[i]);
    }
    durable_names_ = names_;
    name_changes_.clear();
    for (const auto& [name, file] : names_) {
      Tear(*file);
      file->folder_synced = false;
    }
  }
  dead_ = false;
  dies_at = -1;
}

std::unique_ptr<Disk> Disk::Copy(Random random) const {
  auto copy = std::make_unique<Disk>(world_, random);
  copy->silent_ = true;
  copy->next_file_ = next_file_;
  for (const auto& [name, file] : names_) {
    FilePtr twin = copy->Open(name, /*create=*/true);
    twin->data = twin->durable = file->data;
  }
  copy->SyncFolders();
  return copy;
}

uint64_t Disk::used() const {
  uint64_t bytes = 0;
  for (const auto& [name, file] : names_) {
    bytes += file->data.size();
  }
  return bytes;
}

}  // namespace weir::sim
