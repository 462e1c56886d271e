// One writer per file, and turns. FILE-lock has three locks of a byte each: `home` is the long-lived writer's for as long as it lives,
// `write` belongs to whoever may write, `turn` to the first of the visitors that queue. Between two batches the one at home looks
// whether somebody queues and lends `write`. A process that dies gives back what it held.
#pragma once

#include <cstdint>
#include <string>

#include "runtime/base/result.h"

namespace weir::hub {

class WriterLock {
 public:
  WriterLock() = default;
  ~WriterLock();
  WriterLock(const WriterLock&) = delete;
  WriterLock& operator=(const WriterLock&) = delete;

  // Moves in, or an error that another process is writing. Visitors are waited for.
  Result<void> Take(const std::string& hub_path);
  // Queues for a turn; who is at home must lend.
  Result<void> Visit(const std::string& hub_path);

  // At home: lends to who queues and waits until `write` is back. A visitor: gives the others their turn and queues again. True:
  // somebody else may have written. On an error `write` is gone.
  Result<bool> Yield();

 private:
  enum Byte : int64_t { kHome = 0, kTurn = 1, kWrite = 2 };
  Result<void> Open(const std::string& hub_path);
  bool Try(Byte byte);
  bool Await(Byte byte, int64_t wait_ms);
  void Release(Byte byte);
  Result<void> Queue();

  int file_ = -1;
  bool visitor_ = false;
  std::string path_;
};

}  // namespace weir::hub
