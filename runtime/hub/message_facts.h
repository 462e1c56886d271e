// What the hub reads of a raw message itself, whether or not a kernel could: who sent it, its control id, whom it is about. Only MSH
// and PID-3 are looked at, by their delimiters alone, so that it works on messages that are refused.
#pragma once

#include <string>
#include <string_view>

#include "runtime/hub/hash.h"

namespace weir::hub {

struct MessageFacts {
  std::string sender;                 // MSH-4, else MSH-3: first component, printable ASCII; `?` when unreadable, empty when absent
  std::string_view control_id;        // MSH-10, in the message's bytes
  std::string_view patient;           // PID-3 as sent, in the message's bytes
};

inline constexpr size_t kSenderMax = 64;  // an outsider writes it; it is shown in listings

MessageFacts FactsOf(std::string_view raw);

// The message with every value as its shape: letters `a` and `A`, digits `9`. MSH's routing fields, delimiters and segment ids stay.
std::string Masked(std::string_view raw);

}  // namespace weir::hub
