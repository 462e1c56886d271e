#include "runtime/serve/watcher.h"

namespace weir::serve {
namespace {

constexpr size_t kPieceBytes = 256u << 10;
constexpr size_t kReadyMax = 64;  // files taken between two looks: what was seen must still be true

}  // namespace

Result<void> Watcher::Start() {
  if (auto listed = scene_.io.List(folder_); !listed) {
    return listed.error();
  }
  return scene_.io.MakeFolder(folder_ + "/done");
}

void Watcher::Look(int64_t now_us) {
  if (file_ != nullptr || !ready_.empty() || scene_.draining || scene_.intake.state() != StoreState::kOpen) {
    return;
  }
  auto listed = scene_.io.List(folder_);
  if (!listed) {
    ++scene_.metrics.unreadable_files;
    return;
  }
  std::map<std::string, Seen> seen;
  for (const io::FileInfo& info : *listed) {
    Seen now{info.bytes, info.modified_us, now_us};
    if (const auto before = seen_.find(info.name); before != seen_.end() && before->second == info) {
      now.since_us = before->second.since_us;
    }
    const auto stuck = stuck_.find(info.name);
    const bool waits = stuck != stuck_.end() && stuck->second == info;
    if (!waits && now_us - now.since_us >= settle_us_ && ready_.size() < kReadyMax) {
      ready_.push_back(info.name);
    }
    seen.emplace(info.name, now);
  }
  seen_.swap(seen);
}

void Watcher::Begin(const std::string& name) {
  file_ = std::make_unique<File>(File{.name = name, .path = folder_ + "/" + name});
  file_->framer = std::make_unique<frame::Framer>(frame::FramerOptions{}, [this](const frame::Frame& frame) {
    if (frame.kind != frame::FrameKind::kEnvelope && !file_->failed) {
      const uint64_t position = file_->records++;
      scene_.intake.Take(frame, file_->path, {kReceiver, number_}, /*wants_outcome=*/false, position);
    }
  });
  buffer_.resize(kPieceBytes);
}

void Watcher::Turn() {
  if (scene_.draining || scene_.intake.state() != StoreState::kOpen) {
    ready_.clear();
  }
  if (file_ == nullptr && !ready_.empty()) {
    Begin(ready_.front());
    ready_.pop_front();
  }
  if (file_ == nullptr) {
    return;
  }
  if (!file_->read_whole && !file_->failed && !scene_.draining) {
    const auto got = scene_.io.ReadFile(file_->path, file_->offset, buffer_);
    if (!got) {
      ++scene_.metrics.unreadable_files;
      file_->failed = true;
      stuck_[file_->name] = seen_[file_->name];
    } else if (*got == 0) {
      file_->framer->Finish();
      file_->read_whole = true;
    } else {
      file_->offset += *got;
      file_->framer->Push({buffer_.data(), *got});
    }
  }
  if ((file_->read_whole || file_->failed || scene_.draining) && file_->settled == file_->records) {
    Finish();
  }
}

void Watcher::OnSettled(const Settled& settled) {
  if (file_ != nullptr) {
    ++file_->settled;
    file_->failed |= !settled.stored;
  }
}

void Watcher::Finish() {
  // What was not taken whole is found again; what of it was committed is a duplicate then.
  if (file_->read_whole && !file_->failed) {
    io::Io& io = scene_.io;
    io.Reach(io::SyncPoint::kPreRename);
    const std::string done = folder_ + "/done/" + file_->name;
    if (!io.Rename(file_->path, done) && !io.Rename(file_->path, done + "." + std::to_string(io.WallMicros()))) {
      ++scene_.metrics.unreadable_files;
      stuck_[file_->name] = seen_[file_->name];
    }
    io.Reach(io::SyncPoint::kPostRename);
    ++scene_.metrics.files;
  }
  seen_.erase(file_->name);
  file_.reset();
}

}  // namespace weir::serve
