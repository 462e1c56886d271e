// One peer's conversation, free of sockets: bytes in, records to the intake, bytes out.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/serve/intake.h"

namespace weir::serve {

class Session {
 public:
  virtual ~Session() = default;
  virtual void Receive(std::string_view bytes) = 0;
  virtual void End() = 0;  // the peer sends no more
  virtual void OnSettled(uint64_t entry, const Settled& settled) = 0;
  // To be closed, by a limit of the node.
  virtual void Refuse(std::string_view reason) {
    if (refused.empty()) {
      refused = reason;
    }
  }
  // Called outside of commits: what came ahead of its turn can be taken now.
  virtual void Continue() {}
  virtual bool Waiting() const = 0;      // an answer is owed
  virtual bool Incomplete() const = 0;   // part of a frame or request is here; the rest must come in time
  virtual bool WantsInput() const { return true; }
  virtual size_t HeldBytes() const = 0;  // of what is incomplete

  std::string out;            // to be written
  std::string refused;        // reason to close the connection once `out` is written; empty: none
  bool close_after = false;   // close once `out` is written
  bool linger = false;        // but let the peer say all it has to say first, or the answer is lost on the way
};

// What sessions know of the node they are part of.
struct Scene {
  Intake& intake;
  Metrics& metrics;
  io::Io& io;
  std::string control_prefix;  // of this process's acknowledgements
  uint64_t next_control = 0;
  bool draining = false;
};

}  // namespace weir::serve
