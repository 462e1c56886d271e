#include "runtime/hub/turn.h"

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

namespace weir::hub {
namespace {

constexpr int64_t kPollMs = 2;
constexpr int64_t kQueueMs = 30'000;   // of a visitor: the turns of others before it
constexpr int64_t kLentMs = 10'000;    // of the one at home: a visitor's turn is one batch
constexpr int64_t kHandOverMs = 1'000; // until who is at home has seen that it may write again

void Sleep(int64_t ms) {
  const timespec pause{.tv_sec = 0, .tv_nsec = static_cast<long>(ms) * 1'000'000};
  nanosleep(&pause, nullptr);
}

}  // namespace

WriterLock::~WriterLock() {
  if (file_ >= 0) {
    close(file_);
  }
}

Result<void> WriterLock::Open(const std::string& hub_path) {
  path_ = hub_path;
  file_ = open((hub_path + "-lock").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
  return file_ < 0 ? Result<void>(Error{"cannot create `" + hub_path + "-lock`"}) : Result<void>();
}

bool WriterLock::Try(Byte byte) {
  struct flock lock{};  // of the open file, not of the process
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  lock.l_start = byte;
  lock.l_len = 1;
  return fcntl(file_, F_OFD_SETLK, &lock) == 0;
}

void WriterLock::Release(Byte byte) {
  struct flock lock{};
  lock.l_type = F_UNLCK;
  lock.l_whence = SEEK_SET;
  lock.l_start = byte;
  lock.l_len = 1;
  fcntl(file_, F_OFD_SETLK, &lock);
}

bool WriterLock::Await(Byte byte, int64_t wait_ms) {
  for (int64_t waited = 0; !Try(byte); waited += kPollMs) {
    if (waited >= wait_ms) {
      return false;
    }
    Sleep(kPollMs);
  }
  return true;
}

Result<void> WriterLock::Take(const std::string& hub_path) {
  if (auto opened = Open(hub_path); !opened) {
    return opened;
  }
  if (!Try(kHome) || !Await(kWrite, kLentMs)) {
    return Error{"another process is writing the hub `" + hub_path + "`"};
  }
  return {};
}

Result<void> WriterLock::Visit(const std::string& hub_path) {
  visitor_ = true;
  if (auto opened = Open(hub_path); !opened) {
    return opened;
  }
  return Queue();
}

Result<void> WriterLock::Queue() {
  if (!Await(kTurn, kQueueMs) || !Await(kWrite, kQueueMs)) {
    Release(kTurn);
    return Error{"another process is writing the hub `" + path_ + "` and does not lend it"};
  }
  return {};
}

Result<bool> WriterLock::Yield() {
  if (file_ < 0) {
    return false;  // nobody else can reach the file: its disk is simulated
  }
  if (visitor_) {
    Release(kWrite);
    Release(kTurn);
    for (int64_t waited = 0; waited < kHandOverMs && !Try(kHome); waited += kPollMs) {
      if (!Try(kWrite)) {
        break;  // it writes
      }
      Release(kWrite);
      Sleep(kPollMs);
    }
    Release(kHome);  // nobody was there
    auto queued = Queue();
    return queued ? Result<bool>(true) : Result<bool>(queued.error());
  }
  if (Try(kTurn)) {
    Release(kTurn);
    return false;
  }
  Release(kWrite);
  if (!Await(kTurn, kLentMs) || !Await(kWrite, kLentMs)) {
    Release(kTurn);
    return Error{"the hub is lent to another process that does not give it back"};
  }
  Release(kTurn);
  return true;
}

}  // namespace weir::hub
