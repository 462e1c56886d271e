// What sample messages say about their senders, counted in one pass with bounded memory, and a
// draft contract made from it. No value of a patient leaves this folder: docs/profile.md says which
// values are shown and why that holds.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "compiler/fhir/v2_table.h"
#include "runtime/frame/framer.h"
#include "runtime/v2/reader.h"
#include "runtime/v2/view.h"

namespace weir::profile {

// Past a cap things are counted together and the report says so.
struct Limits {
  size_t senders = 256;
  size_t types_per_sender = 64;
  size_t fields = 100'000;  // of all senders
  size_t values_per_field = 64;
  size_t values = 200'000;  // distinct ones of all counters
  size_t value_bytes = 64;  // longer ones are no codes
  size_t control_ids = 500'000;
};

// Frequencies of distinct values up to a cap.
struct Counter {
  std::map<std::string, uint64_t, std::less<>> values;
  uint64_t beyond = 0;  // occurrences of values that found no place

  uint64_t total() const;
};

// Every value that may identify a person, as a Bloom filter: it never forgets one, so what it does
// not know is safe to show.
class PersonValues {
 public:
  PersonValues() : bits_(kWords) {}
  void Add(std::string_view value);
  bool MayHold(std::string_view value) const;  // the value or one of its words

 private:
  static constexpr size_t kWords = size_t{1} << 20;  // 8 MiB
  std::vector<uint64_t> bits_;
};

struct FieldStats {
  uint64_t populated = 0;  // segments with a value
  uint64_t nulls = 0;      // segments with HL7's ""
  uint32_t max_repeats = 0;
  uint64_t composite = 0;  // with more than one component
  Counter codes;
  uint64_t times_with_offset = 0, times_without = 0, times_invalid = 0;
};

struct SegmentStats {
  uint64_t count = 0, messages = 0;
  uint32_t max_in_message = 0;
  std::string after;  // the segment before its first occurrence
  std::map<uint32_t, FieldStats> fields;
  uint64_t last_message = 0;
  uint32_t in_message = 0;
};

// Fields that a contract would require if every message had them.
inline constexpr std::array<std::pair<const char*, uint32_t>, 4> kRequirable = {
    {{"MSH", 10}, {"EVN", 2}, {"PID", 3}, {"PV1", 2}}};

struct TypeStats {
  uint64_t messages = 0;
  Counter events;                                 // "" where MSH-9 names none
  std::map<std::string, std::string> structures;  // event -> MSH-9.3 as first sent
  std::set<std::string> segments;
  std::array<uint64_t, kRequirable.size()> has{};
};

// MSH-3 or MSH-4: the namespace, else the universal id (`universal`), else nothing.
struct Party {
  std::string name;
  bool universal = false;
  auto operator<=>(const Party&) const = default;
};

struct Sender {
  Party application, facility;
  bool rest = false;  // those beyond Limits::senders, together
  uint64_t messages = 0;
  std::map<std::string, TypeStats> types;
  uint64_t types_beyond = 0;
  Counter versions, processing, charsets, offsets;
  Counter authorities;  // "PID-3 EAST MR"
  std::map<std::string, SegmentStats> segments;
  uint64_t control_ids_resent = 0, control_ids_reused = 0, control_ids_missing = 0;
};

struct Profile {
  uint64_t files = 0, bytes = 0, messages = 0, well_formed = 0;
  std::map<std::string, uint64_t> framing;  // oddity -> how often
  std::vector<std::unique_ptr<Sender>> senders;
  uint64_t fields_beyond = 0, values_beyond = 0, control_ids_beyond = 0;
  PersonValues persons;
};

class Profiler {
 public:
  Profiler(const fhir::V2Table& tables, Limits limits);
  void BeginFile();
  void Push(std::string_view chunk);
  void EndFile();
  Profile& profile() { return profile_; }

 private:
  struct FieldPlan {
    bool coded = false, time = false, identifier = false, composite_code = false;
    bool words =
        false;  // each word of it alone is a person's too: names, addresses, what nobody declared
    uint32_t person_components = 0;  // bit k - 1: component k may identify a person
  };
  using SegmentPlan = std::vector<FieldPlan>;

  void OnFrame(const frame::Frame& frame);
  void Message(std::string_view bytes);
  void Oddities(const weir_v2_index& index);
  Sender& SenderOf(Party application, Party facility);
  TypeStats* TypeOf(Sender& sender, std::string_view type);
  const SegmentPlan& PlanOf(std::string_view version, std::string_view segment);
  void Segment(Sender& sender, SegmentStats& stats, const v2::SegmentView& view,
               const SegmentPlan& plan, const weir_v2_delims& delims);
  void Field(Sender& sender, FieldStats& stats, std::string_view text, const FieldPlan& plan,
             std::string_view segment, uint32_t number, const weir_v2_delims& delims);
  void Repetition(Sender& sender, FieldStats& stats, std::string_view text, const FieldPlan& plan,
                  std::string_view segment, uint32_t number, const weir_v2_delims& delims);
  void AddPersons(std::string_view text);
  void Count(Counter& counter, std::string_view value);
  void ControlId(Sender& sender, std::string_view id, std::string_view body);

  const fhir::V2Table& tables_;
  Limits limits_;
  Profile profile_;
  std::unique_ptr<frame::Framer> framer_;
  v2::IndexBuffers buffers_;
  std::string padded_;
  std::map<std::pair<Party, Party>, Sender*> by_name_;
  Sender* rest_ = nullptr;
  std::map<std::string, SegmentPlan, std::less<>> plans_;
  std::unordered_map<uint64_t, uint64_t> control_ids_;  // hash of sender and id -> of the content
  size_t field_count_ = 0, value_count_ = 0;
  bool file_start_ = false;
};

// Whether an identifier's authority or type may be printed: no person's value is like it.
bool ShownName(const Profile& profile, const std::string& value);

// Whether a code may be printed: the standard lists it for this field; or it looks like a code, no
// person's value is like it, and the segment is not one about persons, where a shifted field would
// be a name.
bool ShownCode(const Profile& profile, const std::vector<std::string>& standard,
               std::string_view segment, const std::string& value);

// Printable ASCII only, at most 64 bytes.
std::string Printable(std::string_view text);

std::string TextReport(const Profile& profile, const fhir::V2Table& tables);
std::string JsonReport(const Profile& profile, const fhir::V2Table& tables);  // one line

// The table of a coded field in the newest version this sender uses; empty when the standard gives
// it none.
std::string TableOf(const Sender& sender, const fhir::V2Table& tables, std::string_view segment,
                    uint32_t field);

struct Draft {
  std::string source;
  uint64_t messages = 0;  // of the samples that its feeds take
};
Draft DraftContract(const Profile& profile, const fhir::V2Table& tables,
                    const std::string& package);

}  // namespace weir::profile
