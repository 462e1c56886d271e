#include "runtime/hub/message_facts.h"

#include <algorithm>

namespace weir::hub {
namespace {

constexpr std::string_view kLineEnds = "\r\n\x1c\x0b";

// Of MSH, whose first field is its own delimiter.
constexpr size_t kApplication = 3, kFacility = 4, kControlId = 10;

bool StartsWith(std::string_view line, std::string_view id) {
  return line.size() > 3 && std::ranges::equal(line.substr(0, 3), id, [](char a, char b) { return (a & ~0x20) == b; });
}

// `number` counts as the standard does: MSH-1 is the delimiter itself.
std::string_view Field(std::string_view segment, size_t number) {
  const char delimiter = segment[3];
  std::string_view rest = segment;
  for (size_t i = StartsWith(segment, "MSH") ? 1 : 0; i < number; ++i) {
    const size_t end = rest.find(delimiter);
    if (end == rest.npos) {
      return {};
    }
    rest = rest.substr(end + 1);
  }
  return rest.substr(0, rest.find(delimiter));
}

std::string Sender(std::string_view field, char component) {
  const std::string_view name = field.substr(0, std::min(field.find(component), field.find('^')));
  if (name.size() > kSenderMax || std::ranges::any_of(name, [](char c) { return c < ' ' || c > '~'; })) {
    return "?";
  }
  return std::string(name);
}

// Calls `visit(segment, its offset)` until it returns false.
template <typename Visit>
void EachSegment(std::string_view raw, Visit visit) {
  for (size_t at = 0; at < raw.size();) {
    size_t end = raw.find_first_of(kLineEnds, at);
    end = end == raw.npos ? raw.size() : end;
    if (end > at && !visit(raw.substr(at, end - at))) {
      return;
    }
    at = end + 1;
  }
}

bool Routes(size_t field) {  // of MSH: no person's data, and what a reader of dead letters needs
  return (field >= 1 && field <= 6) || field == 9 || field == 11 || field == 12 || (field >= 15 && field <= 18);
}

}  // namespace

MessageFacts FactsOf(std::string_view raw) {
  MessageFacts facts;
  bool header = true;
  EachSegment(raw, [&](std::string_view segment) {
    if (header) {
      if (!StartsWith(segment, "MSH") || segment.size() < 8) {
        return false;
      }
      header = false;
      const char component = segment[4];
      facts.sender = Sender(Field(segment, kFacility), component);
      if (facts.sender.empty()) {
        facts.sender = Sender(Field(segment, kApplication), component);
      }
      facts.control_id = Field(segment, kControlId);
      return true;
    }
    if (StartsWith(segment, "PID")) {
      facts.patient = Field(segment, 3);
      return false;
    }
    return true;
  });
  return facts;
}

std::string Masked(std::string_view raw) {
  std::string out(raw);
  bool message = false;
  EachSegment(raw, [&](std::string_view segment) {
    const auto offset = static_cast<size_t>(segment.data() - raw.data());
    const bool header = StartsWith(segment, "MSH");
    message = message || header;
    size_t field = header ? 1 : 0;
    for (size_t i = message && segment.size() > 3 ? 3 : 0; i < segment.size(); ++i) {
      if (message && segment.size() > 3 && segment[i] == segment[3]) {
        ++field;
        continue;
      }
      if (header && Routes(field)) {
        continue;
      }
      const unsigned char c = static_cast<unsigned char>(segment[i]);
      char& masked = out[offset + i];
      if (c >= '0' && c <= '9') {
        masked = '9';
      } else if (c >= 'A' && c <= 'Z') {
        masked = 'A';
      } else if ((c >= 'a' && c <= 'z') || c >= 0x80) {
        masked = 'a';
      }
    }
    return true;
  });
  return out;
}

}  // namespace weir::hub
