// Files that appear in a folder. One is taken when two looks a second apart saw it the same, a piece at each turn of the loop so that
// connections are not kept waiting, and moved to `done/` once its last record is committed.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "runtime/frame/framer.h"
#include "runtime/serve/session.h"

namespace weir::serve {

class Watcher {
 public:
  static constexpr uint64_t kReceiver = 0;  // of its tickets; connections count from 1

  Watcher(Scene& scene, std::string folder, uint64_t number, int64_t settle_us)
      : scene_(scene), folder_(std::move(folder)), number_(number), settle_us_(settle_us) {}

  Result<void> Start();
  void Look(int64_t now_us);  // for new files
  void Turn();                // takes the next piece; call outside of commits
  void OnSettled(const Settled& settled);
  bool Busy() const { return file_ != nullptr ? !file_->read_whole : !ready_.empty(); }

 private:
  struct Seen {
    uint64_t bytes = 0;
    int64_t modified_us = 0, since_us = 0;
    bool taken = false;  // of what is stuck: only the move is owed
    bool operator==(const io::FileInfo& info) const { return bytes == info.bytes && modified_us == info.modified_us; }
  };
  struct File {
    std::string name, path;
    uint64_t offset = 0, records = 0, settled = 0;
    bool read_whole = false, failed = false;
    std::unique_ptr<frame::Framer> framer{};
  };
  void Begin(const std::string& name);
  void Finish();
  void Stick(bool taken);
  bool Move(const std::string& name);

  Scene& scene_;
  std::string folder_;
  uint64_t number_;
  int64_t settle_us_;
  std::map<std::string, Seen> seen_;
  std::map<std::string, Seen> stuck_;  // could not be read or moved: tried again from time to time, or when it changes
  std::deque<std::string> ready_;      // to be taken, by the last look
  int64_t now_us_ = 0;                 // of the last look
  std::unique_ptr<File> file_;
  std::vector<char> buffer_;
};

}  // namespace weir::serve
