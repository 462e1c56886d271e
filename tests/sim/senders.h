// Peers of the node. Each has messages that must all be answered: what is not answered is sent again, and much is sent twice, late, cut
// off or interrupted, over connections that are given up while they still carry something.
#pragma once

#include <deque>
#include <memory>
#include <string>

#include "tests/sim/disk.h"
#include "tests/sim/log.h"
#include "tests/sim/network.h"
#include "tests/sim/workload.h"

namespace weir::sim {

struct Manners {  // percent, of a sender's messages
  uint32_t again = 10;        // once more, after the answer
  uint32_t cuts = 0;          // the connection ends within the frame
  uint32_t interrupts = 0;    // a frame begins before the last one ended
  uint32_t noise = 0;         // between frames
  uint32_t pauses = 0;        // within a frame or request
  uint32_t holds = 0;         // does not read its answers for a while
  uint32_t window = 1;        // frames on the way without an answer
  int64_t patience_us = 5'000'000;  // for an answer
  int64_t think_us = 50'000;        // between two messages, at most
};

class Sender {
 public:
  virtual ~Sender() = default;
  virtual bool Done() const = 0;  // everything is answered
  virtual std::string Name() const = 0;
};

struct Scene {  // what all senders of a run share
  World& world;
  Network& network;
  Disk& disk;
  const Workload& workload;
  Log& log;
};

std::unique_ptr<Sender> MakeMllpSender(Scene scene, Random random, Manners manners, std::string address, std::string host, std::deque<size_t> messages);
std::unique_ptr<Sender> MakeHttpSender(Scene scene, Random random, Manners manners, std::string address, std::string host, std::string feed,
                                       std::deque<size_t> messages);
// Puts files into a folder and looks whether they came to its `done`.
std::unique_ptr<Sender> MakeFileSender(Scene scene, Random random, std::string folder, std::deque<size_t> messages);

// Begins frames and never ends them, as much as the node takes, on several connections one after the other.
std::unique_ptr<Sender> MakeFlooder(Scene scene, Random random, std::string address, std::string host);

}  // namespace weir::sim
