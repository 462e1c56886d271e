// What the senders of a run know: their own account, kept outside of the node, and what they found wrong at once.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weir::sim {

enum class Wrong : uint8_t {
  kLost,        // answered, and not there
  kDoubled,     // has an effect, or a record, that nobody sent
  kReordered,   // the state depends on the order of arrival, or answers do not follow their frames
  kMisanswered, // another answer than the message's
  kUnbalanced,  // ledger, positions or watermarks
  kUnsound,     // `hub verify` finds faults
  kStuck,       // does not come to rest when all faults are over
  kUnbounded,   // memory
};
inline constexpr std::array<std::string_view, 8> kWrongNames = {"lost",       "doubled", "reordered", "misanswered",
                                                                "unbalanced", "unsound", "stuck",     "unbounded"};

struct Finding {
  Wrong wrong;
  std::string text;
};

struct Answered {
  size_t message;
  int life;  // of the node that answered; -1: judged at the end only
};

struct Log {
  std::vector<Answered> answers;   // each says that one record was stored
  std::vector<uint32_t> sent;      // by message: complete copies handed to the network
  std::vector<std::string> junk;   // what was sent outside of frames, or in frames that were not ended
  std::vector<Finding> findings;

  void Find(Wrong wrong, std::string text) { findings.push_back({wrong, std::move(text)}); }
};

}  // namespace weir::sim
