// An MLLP peer: frames in, acknowledgements out in the order of the frames, each after its commit.
#pragma once

#include <deque>

#include "runtime/serve/ack.h"
#include "runtime/serve/credentials.h"
#include "runtime/serve/mllp.h"
#include "runtime/serve/session.h"

namespace weir::serve {

class MllpSession final : public Session {
 public:
  MllpSession(Scene& scene, uint64_t id, std::string source, Rights rights, MllpLimits limits)
      : scene_(scene), id_(id), source_(std::move(source)), rights_(std::move(rights)), reader_(limits) {}

  void Receive(std::string_view bytes) override;
  void End() override;
  void OnSettled(uint64_t entry, const Settled& settled) override;
  bool Waiting() const override { return !entries_.empty(); }
  bool Incomplete() const override { return reader_.in_frame(); }
  size_t HeldBytes() const override { return reader_.held_bytes(); }

 private:
  struct Entry {  // a frame, or junk that nobody waits for
    bool answered = true;
    size_t expected = 0, settled = 0;
    bool complete = false;  // all its records are handed in
    size_t accepts = 0, applications = 0;
    Header first{};
    std::string accept{}, application{};
  };
  void OnFrame(MllpReader::Kind kind, std::string_view bytes);
  bool Add(Entry& entry, const Header& header, const Verdict& verdict);  // false: this sender is told nothing of it
  void Send(const Header& first, const std::string& text, size_t count);
  void Drain();  // complete entries, from the oldest

  Scene& scene_;
  uint64_t id_;
  std::string source_;
  Rights rights_;
  MllpReader reader_;
  std::string_view taking_;  // the record being handed in, for one that is refused at once
  bool untold_ = false;  // a frame was not stored, and its sender cannot be told: nothing behind it is answered
  std::deque<Entry> entries_;
  uint64_t first_entry_ = 0;  // number of entries_.front()
};

}  // namespace weir::serve
