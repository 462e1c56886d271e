#include <algorithm>
#include <functional>

#include "compiler/profile/profile.h"
#include "runtime/v2/charset.h"

namespace weir::profile {
namespace {

bool IsAlnum(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
         static_cast<uint8_t>(c) >= 0x80;
}

// Letters and digits only, upper case: `O'Neil` and `ONEIL`, `555-1234` and `5551234` are one.
std::string Folded(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (IsAlnum(c)) {
      out += c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
    }
  }
  return out;
}

template <typename Visit>
void Words(std::string_view text, Visit visit) {
  size_t begin = 0;
  for (size_t i = 0; i <= text.size(); ++i) {
    if (i == text.size() || !IsAlnum(text[i])) {
      if (i > begin) {
        visit(text.substr(begin, i - begin));
      }
      begin = i + 1;
    }
  }
}

constexpr size_t kShortest =
    3;  // a name, number or address of one or two characters tells nobody apart

template <typename Visit>
void Split(std::string_view text, uint8_t delimiter, const weir_v2_delims& delims, Visit visit) {
  if (delimiter == delims.field) {
    return visit(text, 1u);
  }
  uint32_t number = 1;
  for (size_t at; (at = text.find(static_cast<char>(delimiter))) != std::string_view::npos;
       text.remove_prefix(at + 1)) {
    visit(text.substr(0, at), number++);
  }
  visit(text, number);
}

constexpr uint32_t Bits(std::initializer_list<uint32_t> components) {
  uint32_t bits = 0;
  for (uint32_t k : components) {
    bits |= 1u << (k - 1);
  }
  return bits;
}

constexpr size_t kLongestLocalCode = 20;

bool IsPersonSegment(std::string_view segment) {
  static const std::set<std::string, std::less<>> kPersons = {"PID", "NK1", "MRG", "GT1", "IN1",
                                                              "IN2", "IN3", "PD1", "STF", "PRA"};
  return kPersons.contains(segment);
}

constexpr uint32_t kAllComponents = ~uint32_t{0};

// The components of a type that may identify a person; codes of use, type and scheme, and assigning
// authorities, are none.
uint32_t PersonComponents(const std::string& type, std::string_view segment) {
  static const std::map<std::string, uint32_t> kTypes = {
      {"XPN", Bits({1, 2, 3, 4, 5, 6})},
      {"PN", kAllComponents},
      {"XAD", Bits({1, 2, 3, 5, 8, 9, 10})},
      {"AD", kAllComponents},
      {"XTN", Bits({1, 4, 5, 6, 7, 8, 9, 12})},
      {"TN", kAllComponents},
      {"CX", kAllComponents & ~Bits({4, 5, 6, 9, 10})},
      {"CK", kAllComponents & ~Bits({4})},
      {"DLN", Bits({1})},
      {"XCN", Bits({1, 2, 3, 4, 5, 6, 7})},
      {"CN", Bits({1, 2, 3, 4, 5, 6, 7})},
      {"PPN", Bits({1, 2, 3, 4, 5, 6, 7})},
      {"ST", kAllComponents},
      {"TX", kAllComponents},
      {"FT", kAllComponents},
      {"CM", kAllComponents},
      {"SAD", kAllComponents},
      {"NDL", kAllComponents},
      {"CNN", kAllComponents},
      {"varies", kAllComponents},
      {"Varies", kAllComponents}};
  static const std::set<std::string> kDates = {"DT", "TS", "DTM"};
  if (auto known = kTypes.find(type); known != kTypes.end()) {
    return known->second;
  }
  return IsPersonSegment(segment) && kDates.contains(type) ? kAllComponents : 0;
}

bool AllDigits(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

enum class TimeForm { kOffset, kPlain, kInvalid };

// YYYY[MM[DD[HH[MM[SS[.S…]]]]]][+-ZZZZ], offset returned by reference.
TimeForm ReadTime(std::string_view text, std::string_view* offset) {
  size_t sign = text.find_first_of("+-");
  if (sign != std::string_view::npos) {
    *offset = text.substr(sign);
    text = text.substr(0, sign);
    if (offset->size() != 5 || !AllDigits(offset->substr(1))) {
      return TimeForm::kInvalid;
    }
  }
  size_t point = text.find('.');
  std::string_view whole = text.substr(0, point);
  bool sized = whole.size() == 4 || whole.size() == 6 || whole.size() == 8 || whole.size() == 10 ||
               whole.size() == 12 || whole.size() == 14;
  if (!sized || !AllDigits(whole) ||
      (point != std::string_view::npos &&
       (whole.size() != 14 || !AllDigits(text.substr(point + 1))))) {
    return TimeForm::kInvalid;
  }
  return sign == std::string_view::npos ? TimeForm::kPlain : TimeForm::kOffset;
}

}  // namespace

uint64_t Counter::total() const {
  uint64_t sum = beyond;
  for (const auto& [value, count] : values) {
    sum += count;
  }
  return sum;
}

void PersonValues::Add(std::string_view value) {
  std::string key = Folded(value);
  if (key.size() < kShortest) {
    return;
  }
  uint64_t hash = std::hash<std::string>()(key);
  for (int i = 0; i < 4; ++i, hash = hash * 0x9E3779B97F4A7C15u + 1) {
    bits_[(hash >> 20) % kWords] |= uint64_t{1} << (hash >> 58);
  }
}

bool PersonValues::MayHold(std::string_view value) const {
  auto holds = [this](std::string_view text) {
    std::string key = Folded(text);
    if (key.size() < kShortest) {
      return false;
    }
    uint64_t hash = std::hash<std::string>()(key);
    for (int i = 0; i < 4; ++i, hash = hash * 0x9E3779B97F4A7C15u + 1) {
      if ((bits_[(hash >> 20) % kWords] >> (hash >> 58) & 1) == 0) {
        return false;
      }
    }
    return true;
  };
  bool found = holds(value);
  Words(value, [&](std::string_view word) { found = found || holds(word); });
  return found;
}

Profiler::Profiler(const fhir::V2Table& tables, Limits limits) : tables_(tables), limits_(limits) {}

void Profiler::BeginFile() {
  framer_ = std::make_unique<frame::Framer>(frame::FramerOptions{},
                                            [this](const frame::Frame& frame) { OnFrame(frame); });
  file_start_ = true;
  ++profile_.files;
}

void Profiler::Push(std::string_view chunk) {
  if (file_start_ && chunk.starts_with("\xEF\xBB\xBF")) {
    ++profile_.framing["byte order mark"];
  }
  file_start_ = false;
  profile_.bytes += chunk.size();
  if (uint64_t count = static_cast<uint64_t>(std::count(chunk.begin(), chunk.end(), '\x0B'));
      count > 0) {
    profile_.framing["MLLP framing bytes in a file"] += count;
  }
  framer_->Push(chunk);
}

void Profiler::EndFile() {
  framer_->Finish();
  framer_.reset();
}

void Profiler::OnFrame(const frame::Frame& frame) {
  if (frame.kind == frame::FrameKind::kMessage) {
    Message(frame.bytes);
  } else {
    ++profile_.framing[frame.kind == frame::FrameKind::kEnvelope ? "batch envelope segment"
                                                                 : "junk between messages"];
  }
}

void Profiler::Oddities(const weir_v2_index& index) {
  auto note = [this](bool odd, const char* name) {
    if (odd) {
      ++profile_.framing[name];
    }
  };
  note((index.flags & WEIR_V2_MIXED_ENDS) != 0, "line ends other than CR");
  note((index.flags & WEIR_V2_CONTINUED_LINE) != 0,
       "a line without a segment id, joined to the one before");
  note((index.flags & WEIR_V2_BAD_SEGMENT_ID) != 0, "a segment id that is not three characters");
  note((index.flags & WEIR_V2_LOWER_CASE_ID) != 0, "a segment id in lower case");
  const weir_v2_delims& d = index.delims;
  note(d.field != '|' || d.component != '^' || d.repetition != '~' || d.escape != '\\' ||
           d.subcomponent != '&',
       "delimiters other than |^~\\&");
  std::string_view charset = v2::SegmentView(index, 0).Field(18);
  note((index.flags & WEIR_V2_ASCII) == 0 && v2::Trim(charset).empty(),
       "bytes beyond ASCII and no MSH-18");
  note((index.flags & WEIR_V2_UTF8) == 0, "text that is not UTF-8");
}

void Profiler::Message(std::string_view bytes) {
  ++profile_.messages;
  padded_.assign(bytes);
  padded_.append(64, '\0');
  weir_v2_index index;
  auto status = v2::BuildIndex(reinterpret_cast<const uint8_t*>(padded_.data()),
                               static_cast<uint32_t>(bytes.size()), {}, buffers_, &index);
  if (status != v2::IndexStatus::kOk) {
    ++profile_.framing["unreadable: " + std::string(v2::Code(status))];
    return;
  }
  Oddities(index);
  const weir_v2_delims& delims = index.delims;
  v2::SegmentView header(index, 0);
  auto text = [&](uint32_t field, uint32_t component = 1) {
    std::string_view first = v2::Part(header.Field(field), 1, delims.repetition, delims);
    std::string_view part = v2::Part(v2::Part(first, component, delims.component, delims), 1,
                                     delims.subcomponent, delims);
    part = v2::Trim(part);
    return part == "\"\"" ? std::string_view() : part;
  };
  if ((index.flags & WEIR_V2_UTF8) == 0) {
    std::string decoded;
    auto charset = v2::CharsetOf(header.Field(18), static_cast<char>(delims.repetition));
    if (v2::DecodeRecord(bytes, charset, &decoded) == v2::DecodeStatus::kRefused) {
      ++profile_.framing["unreadable: charset"];
      return;
    }
  }
  std::string_view type = text(9, 1), event = text(9, 2), version = text(12);
  if (type.empty()) {
    ++profile_.framing["no message type in MSH-9"];
    return;
  }
  ++profile_.well_formed;
  auto party = [&](uint32_t field) {
    bool universal = text(field, 1).empty() && !text(field, 2).empty();
    return Party{std::string(text(field, universal ? 2 : 1)), universal};
  };
  Sender& sender = SenderOf(party(3), party(4));
  ++sender.messages;
  Count(sender.versions, version);
  Count(sender.processing, text(11));
  Count(sender.charsets, text(18));
  std::string_view body = bytes.substr(std::min<size_t>(bytes.size(), index.segments[0].end));
  ControlId(sender, text(10), body);
  TypeStats* stats = TypeOf(sender, type);
  if (stats != nullptr) {
    ++stats->messages;
    Count(stats->events, event);
    if (stats->structures.size() < limits_.values_per_field) {
      stats->structures.emplace(event, text(9, 3));
    }
  }
  std::string_view read_as =
      fhir::V2Table::VersionIndex(version) < 0 ? std::string_view("2.5.1") : version;
  std::array<bool, kRequirable.size()> seen{};
  std::string_view before;
  for (uint32_t i = 0; i < index.segment_count; ++i) {
    v2::SegmentView view(index, i);
    if (view.id() == 0) {
      continue;
    }
    char id[3];
    for (int k = 0; k < 3; ++k) {
      id[k] = static_cast<char>(view.id() >> (8 * k));  // upper case as the reader took it
    }
    std::string_view name(id, 3);
    if (!tables_.IsSegment(name) &&
        !(name[0] == 'Z' && std::all_of(name.begin(), name.end(), IsAlnum))) {
      ++profile_
            .framing["a segment that no version of the standard has"];  // its name may be a word of
                                                                        // somebody's text
      AddPersons(view.text());
    } else {
      auto found = sender.segments.find(std::string(name));
      if (found == sender.segments.end() && sender.segments.size() < 256) {
        found = sender.segments.emplace(name, SegmentStats()).first;
        found->second.after = before;
      }
      if (found == sender.segments.end()) {
        ++profile_.fields_beyond;
        continue;
      }
      SegmentStats& segment = found->second;
      ++segment.count;
      if (segment.last_message != profile_.messages) {
        segment.last_message = profile_.messages;
        segment.in_message = 0;
        ++segment.messages;
        if (stats != nullptr && stats->segments.size() < 256) {
          stats->segments.emplace(name);
        }
      }
      segment.max_in_message = std::max(segment.max_in_message, ++segment.in_message);
      Segment(sender, segment, view, PlanOf(read_as, name), delims);
      for (size_t k = 0; k < kRequirable.size(); ++k) {
        seen[k] = seen[k] ||
                  (name == kRequirable[k].first && v2::PresenceOf(view.Field(kRequirable[k].second),
                                                                  delims) == v2::Presence::kValue);
      }
      before = found->first;
    }
  }
  for (size_t k = 0; stats != nullptr && k < kRequirable.size(); ++k) {
    stats->has[k] += seen[k] ? 1 : 0;
  }
}

Sender& Profiler::SenderOf(Party application, Party facility) {
  auto key = std::make_pair(std::move(application), std::move(facility));
  if (auto known = by_name_.find(key); known != by_name_.end()) {
    return *known->second;
  }
  bool nameless =
      key.first.name.size() > limits_.value_bytes || key.second.name.size() > limits_.value_bytes;
  if (nameless || by_name_.size() >= limits_.senders) {
    if (rest_ == nullptr) {
      rest_ = profile_.senders.emplace_back(std::make_unique<Sender>()).get();
      rest_->rest = true;
    }
    return *rest_;
  }
  Sender& sender = *profile_.senders.emplace_back(std::make_unique<Sender>());
  sender.application = key.first;
  sender.facility = key.second;
  by_name_.emplace(std::move(key), &sender);
  return sender;
}

TypeStats* Profiler::TypeOf(Sender& sender, std::string_view type) {
  std::string name(type.substr(0, limits_.value_bytes));
  auto known = sender.types.find(name);
  if (known == sender.types.end()) {
    if (sender.types.size() >= limits_.types_per_sender) {
      ++sender.types_beyond;
      return nullptr;
    }
    known = sender.types.emplace(name, TypeStats()).first;
  }
  return &known->second;
}

const Profiler::SegmentPlan& Profiler::PlanOf(std::string_view version, std::string_view segment) {
  std::string key = std::string(version) + ' ' + std::string(segment);
  if (auto known = plans_.find(key); known != plans_.end()) {
    return known->second;
  }
  SegmentPlan plan;
  if (plans_.size() >=
      20'000) {  // names of segments are the senders': nothing known of more than these
    static const SegmentPlan kNothing;
    return kNothing;
  }
  static const std::set<std::string> kComposite = {"CE", "CWE", "CNE", "CF"};
  static const std::set<std::string> kTimes = {"TS", "DTM"};
  if (const auto* fields = tables_.Segment(version, segment)) {
    for (const fhir::V2Field& field : *fields) {
      plan.resize(std::max<size_t>(plan.size(), field.position));
      FieldPlan& one = plan[field.position - 1];
      one.composite_code = kComposite.contains(field.type) && !field.table.empty();
      one.coded = one.composite_code ||
                  ((field.type == "ID" || field.type == "IS") && !field.table.empty());
      one.time = kTimes.contains(field.type);
      one.identifier = field.type == "CX";
      one.person_components = segment == "MSH" ? 0 : PersonComponents(field.type, segment);
      one.words = field.type != "ST" && field.type != "TX" && field.type != "FT";
      // OBX-5 and the like are of the type the message says.
      one.person_components =
          segment == "OBX" && field.position == 5 ? kAllComponents : one.person_components;
    }
  }
  return plans_.emplace(std::move(key), std::move(plan)).first->second;
}

void Profiler::Segment(Sender& sender, SegmentStats& stats, const v2::SegmentView& view,
                       const SegmentPlan& plan, const weir_v2_delims& delims) {
  static const FieldPlan kUndeclared = {
      .words = true,
      .person_components = kAllComponents};  // a Z field, or one beyond the standard's: anything
  for (uint32_t number = view.is_header() ? 3 : 1; number <= view.field_count(); ++number) {
    std::string_view text = view.Field(number);
    if (text.empty()) {
      continue;
    }
    v2::Presence presence = v2::PresenceOf(text, delims);
    if (presence == v2::Presence::kAbsent) {
      continue;
    }
    auto field = stats.fields.find(number);
    if (field == stats.fields.end()) {
      if (field_count_ >= limits_.fields) {
        ++profile_.fields_beyond;
      } else {
        ++field_count_;
        field = stats.fields.emplace(number, FieldStats()).first;
      }
    }
    FieldStats unused;  // beyond the cap the values still have to be known as a person's
    FieldStats& counted = field == stats.fields.end() ? unused : field->second;
    if (presence == v2::Presence::kNull) {
      ++counted.nulls;
      continue;
    }
    Field(sender, counted, text, number <= plan.size() ? plan[number - 1] : kUndeclared,
          view.name(), number, delims);
  }
}

void Profiler::Field(Sender& sender, FieldStats& stats, std::string_view text,
                     const FieldPlan& plan, std::string_view segment, uint32_t number,
                     const weir_v2_delims& delims) {
  ++stats.populated;
  uint32_t repeats = 0;
  stats.composite +=
      delims.component != delims.field &&
              text.find(static_cast<char>(delims.component)) != std::string_view::npos
          ? 1
          : 0;
  Split(text, delims.repetition, delims, [&](std::string_view repetition, uint32_t) {
    if (!v2::Trim(repetition).empty()) {
      ++repeats;
      Repetition(sender, stats, repetition, plan, segment, number, delims);
    }
  });
  stats.max_repeats = std::max(stats.max_repeats, repeats);
}

void Profiler::Repetition(Sender& sender, FieldStats& stats, std::string_view text,
                          const FieldPlan& plan, std::string_view segment, uint32_t number,
                          const weir_v2_delims& delims) {
  if (plan.coded) {
    std::string_view code =
        plan.composite_code ? v2::Part(text, 1, delims.component, delims) : text;
    if (code = v2::Trim(code); !code.empty()) {
      Count(stats.codes, code);
    }
  }
  if (plan.time) {
    std::string_view offset;
    std::string_view time = v2::Trim(v2::Part(text, 1, delims.component, delims));
    if (!time.empty()) {
      switch (ReadTime(time, &offset)) {
        case TimeForm::kOffset:
          ++stats.times_with_offset;
          Count(sender.offsets, offset);
          break;
        case TimeForm::kPlain:
          ++stats.times_without;
          break;
        case TimeForm::kInvalid:
          ++stats.times_invalid;
          break;
      }
    }
  }
  if (plan.identifier && !v2::Trim(v2::Part(text, 1, delims.component, delims)).empty()) {
    auto part = [&](uint32_t k) {
      std::string_view component = v2::Part(text, k, delims.component, delims);
      return v2::Trim(v2::Part(component, 1, delims.subcomponent, delims));
    };
    std::string_view universal =
        v2::Part(v2::Part(text, 4, delims.component, delims), 2, delims.subcomponent, delims);
    std::string key = std::string(segment) + '-' + std::to_string(number) + '\t';
    key += part(4).empty() ? universal : part(4);
    Count(sender.authorities, (key += '\t') += part(5));
  }
  if (plan.person_components != 0) {
    Split(text, delims.component, delims, [&](std::string_view component, uint32_t k) {
      if (k <= 32 && (plan.person_components >> (k - 1) & 1) == 0) {
        return;
      }
      Split(component, delims.subcomponent, delims, [&](std::string_view leaf, uint32_t) {
        if (leaf.size() <= 4 * limits_.value_bytes) {  // nothing longer is ever shown
          profile_.persons.Add(leaf);
        }
        if (plan.words) {
          Words(leaf, [this](std::string_view word) { profile_.persons.Add(word); });
        }
      });
    });
  }
}

void Profiler::AddPersons(std::string_view text) {
  Words(text, [this](std::string_view word) { profile_.persons.Add(word); });
}

void Profiler::Count(Counter& counter, std::string_view value) {
  auto known =
      value.size() > limits_.value_bytes ? counter.values.end() : counter.values.find(value);
  if (known != counter.values.end()) {
    ++known->second;
  } else if (value.size() > limits_.value_bytes ||
             counter.values.size() >= limits_.values_per_field || value_count_ >= limits_.values) {
    ++counter.beyond;
    ++profile_.values_beyond;
  } else {
    ++value_count_;
    counter.values.emplace(value, 1);
  }
}

void Profiler::ControlId(Sender& sender, std::string_view id, std::string_view body) {
  if (id.empty()) {
    ++sender.control_ids_missing;
    return;
  }
  std::hash<std::string_view> hash;
  uint64_t key = hash(sender.application.name) * 31 + hash(sender.facility.name) * 17 + hash(id);
  uint64_t content = hash(body);
  auto known = control_ids_.find(key);
  if (known != control_ids_.end()) {
    ++(known->second == content ? sender.control_ids_resent : sender.control_ids_reused);
  } else if (control_ids_.size() >= limits_.control_ids) {
    ++profile_.control_ids_beyond;
  } else {
    control_ids_.emplace(key, content);
  }
}

bool ShownName(const Profile& profile, const std::string& value) {
  return !profile.persons.MayHold(value);
}

bool ShownCode(const Profile& profile, const std::vector<std::string>& standard,
               std::string_view segment, const std::string& value) {
  if (std::find(standard.begin(), standard.end(), value) != standard.end()) {
    return true;
  }
  bool short_enough =
      value.size() <= (IsPersonSegment(segment) ? kShortest - 1 : kLongestLocalCode);
  return short_enough && value.find(' ') == std::string::npos && !profile.persons.MayHold(value);
}

std::string Printable(std::string_view text) {
  std::string out;
  for (char c : text.substr(0, 64)) {
    out += c >= 0x20 && c < 0x7F ? c : '?';
  }
  return out;
}

}  // namespace weir::profile
