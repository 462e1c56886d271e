#include "runtime/serve/watcher.h"

namespace weir::serve {
namespace {

constexpr size_t kPieceBytes = 256u << 10;
constexpr size_t kReadyMax = 64;  // files taken between two looks: what was seen must still be true
constexpr int64_t kRetryUs = 60'000'000;

}  // namespace

Result<void> Watcher::Start() {
  if (auto listed = scene_.io.List(folder_); !listed) {
    return listed.error();
  }
  return scene_.io.MakeFolder(folder_ + "/done");
}

void Watcher::Look(int64_t now_us) {
  now_us_ = now_us;
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
    bool waits = false;
    if (const auto stuck = stuck_.find(info.name); stuck != stuck_.end() && stuck->second == info) {
      const bool due = now_us - stuck->second.since_us >= kRetryUs;
      waits = !due || stuck->second.taken;
      if (due && stuck->second.taken) {
        stuck->second.since_us = now_us;
        if (Move(info.name)) {
          stuck_.erase(stuck);
        }
      }
    }
    if (!waits && now_us - now.since_us >= settle_us_ && ready_.size() < kReadyMax) {
      ready_.push_back(info.name);
    }
    seen.emplace(info.name, now);
  }
  seen_.swap(seen);
  std::erase_if(stuck_, [this](const auto& stuck) { return !seen_.contains(stuck.first); });
}

void Watcher::Begin(const std::string& name) {
  file_ = std::make_unique<File>(File{.name = name, .path = folder_ + "/" + name});
  file_->framer = std::make_unique<frame::Framer>(frame::FramerOptions{}, [this](const frame::Frame& frame) {
    if (frame.kind != frame::FrameKind::kEnvelope && !file_->failed) {
      const uint64_t position = file_->records++;
      scene_.intake.Take(frame, {.source = file_->path, .ticket = {kReceiver, number_}, .position = position});
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
      Stick(/*taken=*/false);
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
    if (Move(file_->name)) {
      stuck_.erase(file_->name);
    } else {
      Stick(/*taken=*/true);
    }
    io.Reach(io::SyncPoint::kPostRename);
    ++scene_.metrics.files;
  }
  seen_.erase(file_->name);
  file_.reset();
}

bool Watcher::Move(const std::string& name) {
  const std::string from = folder_ + "/" + name, to = folder_ + "/done/" + name;
  if (scene_.io.Rename(from, to) || scene_.io.Rename(from, to + "." + std::to_string(scene_.io.WallMicros()))) {
    return true;
  }
  ++scene_.metrics.unreadable_files;
  return false;
}

void Watcher::Stick(bool taken) {
  Seen& stuck = stuck_[file_->name] = seen_[file_->name];
  stuck.since_us = now_us_;
  stuck.taken = taken;
}

}  // namespace weir::serve
