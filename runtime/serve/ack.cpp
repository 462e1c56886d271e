#include "runtime/serve/ack.h"

#include <algorithm>
#include <ctime>

namespace weir::serve {
namespace {

struct ErrorText {
  int code;
  std::string_view text;
};
constexpr ErrorText kErrors[] = {  // HL7 table 0357
    {100, "Segment sequence error"}, {200, "Unsupported message type"}, {201, "Unsupported event code"},
    {202, "Unsupported processing id"}, {207, "Application internal error"}};

std::string_view TextOf(int code) {
  const auto* found = std::ranges::find(kErrors, code, &ErrorText::code);
  return found == std::end(kErrors) ? std::string_view() : found->text;
}

std::string_view Trim(std::string_view text) {
  const size_t first = text.find_first_not_of(' ');
  return first == std::string_view::npos ? std::string_view() : text.substr(first, text.find_last_not_of(' ') - first + 1);
}

// Whether MSH-12 is before `version`; an unreadable one is taken as current.
bool Before(std::string_view have, std::string_view version) {
  return have.size() >= 3 && have.starts_with("2.") && have < version;
}

// The condition of MSH-15 and MSH-16 (HL7 table 0155).
bool Asked(std::string_view condition, bool success) {
  return condition == "AL" || (condition == "ER" && !success) || (condition == "SU" && success);
}

class Writer {
 public:
  explicit Writer(const Header& header) : header_(header) {}
  // The first field of a segment is its name.
  Writer& Segment(std::string_view name) {
    if (!out_.empty()) {
      out_ += '\r';
    }
    out_ += name;
    return *this;
  }
  Writer& Field(std::string_view text) {
    out_ += header_.field;
    out_ += text;
    return *this;
  }
  Writer& Skip(int count) {
    out_.append(static_cast<size_t>(count), header_.field);
    return *this;
  }
  std::string Finish() {
    while (out_.ends_with(header_.field)) {
      out_.pop_back();
    }
    return std::move(out_) + '\r';
  }

 private:
  const Header& header_;
  std::string out_;
};

std::string TimeText(int64_t wall_us) {
  const time_t seconds = wall_us / 1'000'000;
  tm utc{};
  gmtime_r(&seconds, &utc);
  char text[32];
  const size_t size = strftime(text, sizeof text, "%Y%m%d%H%M%S+0000", &utc);
  return {text, size};
}

std::string Joined(std::initializer_list<std::string_view> parts, char delimiter) {
  std::string text;
  for (const std::string_view part : parts) {
    if (!text.empty()) {
      text += delimiter;
    }
    text += part;
  }
  return text;
}

void AddError(Writer& writer, const Header& header, const Verdict& verdict) {
  const char component = header.encoding[0];
  const std::string_view text = TextOf(verdict.error), number = verdict.location.empty() ? "" : verdict.location.substr(4);
  const std::string code = std::to_string(verdict.error);
  if (!Before(header.Component(12, 1), "2.5")) {
    writer.Segment("ERR").Skip(1).Field(verdict.location.empty() ? "" : Joined({"MSH", "1", number}, component));
    writer.Field(Joined({code, text, "HL70357"}, component)).Field("E").Field(verdict.code);
    return;
  }
  // Before 2.5, ERR-1 is segment ^ sequence ^ field ^ code & text & system.
  const char sub = header.encoding.size() > 3 ? header.encoding[3] : '&';
  const bool located = !verdict.location.empty();
  writer.Segment("ERR").Field(std::string(located ? "MSH" : "") + component + (located ? "1" : "") + component + std::string(number) +
                              component + Joined({code, text, "HL70357"}, sub));
}

std::string Message(const Header& header, const Verdict& verdict, std::string_view code, const Stamp& stamp, char suffix) {
  Writer writer(header);
  const char component = header.encoding[0];
  const std::string_view version = header.Component(12, 1);
  std::string type = "ACK";
  if (!Before(version, "2.3.1") && !header.Component(9, 2).empty()) {
    type = Joined({"ACK", header.Component(9, 2), "ACK"}, component);
  }
  // MSH-1 is the separator itself.
  writer.Segment("MSH").Field(header.encoding);
  for (const int from : {5, 6, 3, 4}) {
    writer.Field(header.fields[static_cast<size_t>(from)]);
  }
  writer.Field(TimeText(stamp.wall_us)).Field("").Field(type).Field(stamp.control_id + suffix);
  writer.Field(header.fields[11].empty() ? "P" : header.fields[11]).Field(version.empty() ? "2.5.1" : header.fields[12]);
  // What is echoed is in the sender's encoding; enhanced answers want no answer themselves.
  writer.Skip(2).Field(header.Enhanced() ? "NE" : "").Field(header.Enhanced() ? "NE" : "").Field("").Field(header.fields[18]);
  std::string head = writer.Finish();
  Writer rest(header);
  rest.Segment("MSA").Field(code).Field(header.fields[10]);
  std::string text = rest.Finish();
  if (verdict.error != 0 && code != "CA" && code != "AA") {
    Writer error(header);
    AddError(error, header, verdict);
    text += error.Finish();
  }
  return head + text;
}

// Whether any feed's `accept` names the type, and the type with the event. Kernels without the lists accept what they route.
struct Acceptance {
  bool type = false, event = false, processing = false;
};
Acceptance Accepted(const Header& header, const hub::Manifest& manifest) {
  Acceptance accepted;
  const std::string type(header.Component(9, 1)), event(header.Component(9, 2)), processing(header.Component(11, 1));
  for (const hub::FeedInfo& feed : manifest.feeds) {
    bool mine = feed.accept.empty();
    accepted.type |= mine;
    for (const std::string& entry : feed.accept) {
      accepted.type |= entry.starts_with(type + "^");
      // A missing event is read from EVN or the structure by the kernel; here it is not held against the sender.
      mine |= entry == type + "^" + event || entry == type + "^*" || (event.empty() && entry.starts_with(type + "^"));
    }
    accepted.event |= mine;
    accepted.processing |= mine && (feed.processing.empty() || std::ranges::find(feed.processing, processing) != feed.processing.end());
  }
  return accepted;
}

}  // namespace

std::string_view Header::Component(int field_number, int number) const {
  std::string_view text = fields[static_cast<size_t>(field_number)];
  text = text.substr(0, encoding.size() > 1 ? text.find(encoding[1]) : std::string_view::npos);
  for (; number > 1; --number) {
    const size_t at = text.find(encoding[0]);
    if (at == std::string_view::npos) {
      return {};
    }
    text.remove_prefix(at + 1);
  }
  return Trim(text.substr(0, text.find(encoding[0])));
}

bool Header::IsAcknowledgement() const {
  const std::string_view type = Component(9, 1);
  return type == "ACK" || type == "MCF";
}

Header ReadHeader(std::string_view message) {
  Header header;
  const size_t first = message.find_first_not_of(" \t\r\n");
  message.remove_prefix(first == std::string_view::npos ? message.size() : first);
  std::string_view segment = message.substr(0, message.find_first_of("\r\n"));
  constexpr std::string_view kName = "MSH";
  const auto same = [](char a, char b) { return a == b || a - 'a' + 'A' == b; };
  if (segment.size() < 6 || !std::equal(kName.begin(), kName.end(), segment.begin(), [&](char n, char s) { return same(s, n); })) {
    return header;
  }
  const auto separates = [](char c) { return c > ' ' && c < 0x7F && !(c >= '0' && c <= '9') && !((c | 32) >= 'a' && (c | 32) <= 'z'); };
  const char field = segment[3];
  segment.remove_prefix(4);
  const std::string_view encoding = segment.substr(0, segment.find(field));
  if (!separates(field) || encoding.empty() || !std::ranges::all_of(encoding, separates)) {
    return header;
  }
  header.usable = true;
  header.field = field;
  header.encoding = encoding;
  size_t number = 2;
  for (size_t at = segment.find(field); at != std::string_view::npos && number + 1 < header.fields.size(); at = segment.find(field)) {
    segment.remove_prefix(at + 1);
    header.fields[++number] = Trim(segment.substr(0, segment.find(field)));
  }
  for (const size_t null_is_empty : {15, 16}) {
    if (header.fields[null_is_empty] == "\"\"") {
      header.fields[null_is_empty].clear();
    }
  }
  return header;
}

Verdict Judge(const hub::Record& record, const Header& header, const hub::Manifest& manifest, const hub::SiteInfo& letter) {
  if (record.status == WEIR_OK || record.status == WEIR_SUPPRESSED || record.status == WEIR_LIMIT) {
    // fall through to the feed's own rule
  } else if (!header.usable || (record.rejection.error_class == "schema" && record.rejection.code == "header")) {
    return {Fate::kRejected, 100, {}, "schema/header"};
  } else if (record.status == WEIR_UNROUTED) {
    const Acceptance accepted = Accepted(header, manifest);
    if (!accepted.type) {
      return {Fate::kRejected, 200, "MSH-9", "schema/unrouted"};
    }
    if (!accepted.event) {
      return {Fate::kRejected, 201, "MSH-9", "schema/unrouted"};
    }
    if (!accepted.processing) {
      return {Fate::kRejected, 202, "MSH-11", "schema/unrouted"};
    }
  }
  const bool tells = record.feed < manifest.feeds.size() && manifest.feeds[record.feed].acknowledge_errors;
  if (tells && !letter.error_class.empty()) {
    return {Fate::kError, 207, {}, letter.error_class + "/" + letter.code};
  }
  return {};
}

Acknowledgements Acknowledge(const Header& header, const Verdict& verdict, const Stamp& stamp) {
  Acknowledgements answer;
  if (header.IsAcknowledgement()) {
    return answer;
  }
  if (!header.Enhanced()) {
    constexpr std::string_view kCodes[] = {"AA", "AE", "AR"};
    if (verdict.fate != Fate::kNotStored) {
      answer.application = Message(header, verdict, kCodes[static_cast<size_t>(verdict.fate)], stamp, '0');
    }
    return answer;
  }
  const bool taken = verdict.fate == Fate::kStored || verdict.fate == Fate::kError;
  if (Asked(header.fields[15], taken)) {
    answer.accept = Message(header, verdict, taken ? "CA" : verdict.fate == Fate::kNotStored ? "CE" : "CR", stamp, '0');
  }
  // What was not taken over has no application answer, unless the sender asked for no other.
  const bool alone = header.fields[15].empty() || header.fields[15] == "NE";
  if (Asked(header.fields[16], verdict.fate == Fate::kStored) && (taken || (alone && verdict.fate == Fate::kRejected))) {
    answer.application = Message(header, verdict, taken ? (verdict.fate == Fate::kStored ? "AA" : "AE") : "AR", stamp, '1');
  }
  return answer;
}

std::string_view CodeOf(std::string_view acknowledgement) {
  const size_t at = acknowledgement.find("\rMSA");
  return at == std::string_view::npos ? std::string_view() : acknowledgement.substr(at + 5, 2);
}

std::string Batch(const Header& first, const std::string& acknowledgements, size_t count) {
  return std::string("BHS") + first.field + first.encoding + "\r" + acknowledgements + "BTS" + first.field + std::to_string(count) + "\r";
}

}  // namespace weir::serve
