// What a sender is told: the verdict on a record (HL7 table 0008 and 0357), and the acknowledgement message that says it. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/hub/hub.h"
#include "runtime/hub/manifest.h"

namespace weir::serve {

// The header fields an answer needs, as they were sent. Empty where there is no usable MSH.
struct Header {
  bool usable = false;
  char field = '|';
  std::string encoding = "^~\\&";  // MSH-2
  std::array<std::string, 19> fields;  // by MSH number; 3 to 18 are read

  // Component `number` of a field's first repetition.
  std::string_view Component(int field_number, int number) const;
  // The message is itself an answer; answering it could go on for ever.
  bool IsAcknowledgement() const;
  bool Enhanced() const { return !fields[15].empty() || !fields[16].empty(); }
};
Header ReadHeader(std::string_view message);

enum class Fate : uint8_t {
  kStored,    // committed and fine, or a dead letter whose repair is ours
  kError,     // committed as a dead letter of a feed that says `acknowledge errors`
  kRejected,  // committed as a dead letter that the sender must mend: header, type, processing id
  kNotStored,
};

struct Verdict {
  Fate fate = Fate::kStored;
  int error = 0;              // HL7 table 0357; 0: none
  std::string_view location{};  // "MSH-9", empty: none
  std::string code{};         // class/code of the dead letter, ours, never data
};

// Of a record that was committed. `letter` is the dead letter of the message that counts, looked up only for feeds that say
// `acknowledge errors`; empty class: none.
Verdict Judge(const hub::Record& record, const Header& header, const hub::Manifest& manifest, const hub::SiteInfo& letter);

struct Stamp {  // what distinguishes one answer from another
  int64_t wall_us = 0;
  std::string control_id;
};

// The messages to send back, without framing: none, the one of original mode, or the accept acknowledgement and the application
// acknowledgement that MSH-15 and MSH-16 ask for.
struct Acknowledgements {
  std::string accept, application;
};
Acknowledgements Acknowledge(const Header& header, const Verdict& verdict, const Stamp& stamp);

// "AA", "CR", … of an acknowledgement that Acknowledge made; for counting.
std::string_view CodeOf(std::string_view acknowledgement);

// Several acknowledgements as one HL7 batch, in the delimiters of the first.
std::string Batch(const Header& first, const std::string& acknowledgements, size_t count);

}  // namespace weir::serve
