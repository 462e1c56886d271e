// A feed and kernel made up for tests: messages are plain structs, and their "transform" is what
// the struct says.
#pragma once

#include <deque>
#include <random>
#include <string>
#include <vector>

#include "runtime/hub/hub.h"

namespace weir::hub::testing {

// Numbers from the outermost key inwards: {7} is patient 7, {7, 2} visit 2 within it. The id of {7}
// is the number as hex.
using FakeKey = std::vector<uint32_t>;

struct FakeItem {
  FakeItem() = default;
  FakeItem(weir_op o, uint32_t m, uint32_t number, std::string text = {}, uint32_t other = 0)
      : op(o), map(m), key{number}, members(std::move(text)), survivor{other} {}
  FakeItem(weir_op o, uint32_t m, FakeKey k, std::string text = {}, FakeKey other = {0})
      : op(o), map(m), key(std::move(k)), members(std::move(text)), survivor(std::move(other)) {}

  weir_op op = WEIR_OP_PATCH;
  uint32_t map = 0;  // ordinal in FakeManifest
  FakeKey key{};
  std::string members{};              // "\"gender\":\"male\""
  FakeKey survivor{};                 // alias
  std::vector<FakeKey> references{};  // keys that `members` refers to
};

enum FakeMap : uint32_t {
  kPatientMap = 0,
  kEncounterMap = 1,
  kLabPatientMap = 2,
  kMergeMap = 3,
  kVisitMap = 4,
  kStayMap = 5,         // Encounter within Patient
  kObservationMap = 6,  // Observation within Encounter
  kStayMergeMap = 7
};

struct FakeMessage {
  std::string key = "K1";     // MSH-10, say; empty: unreadable
  int64_t time = 0;           // event time, seconds
  int64_t transport = 0;      // MSH-7, say: in the bytes and in the order key, not in the content
  std::string event = "A01";  // tag of its contributions and retracts
  weir_status status = WEIR_OK;
  SiteInfo rejection{};
  std::vector<FakeItem> items{};
  bool degraded = false;
  std::string salt{};  // makes contents differ
  std::string bytes{}; // the raw message, where the hub reads it; else made up of the above
  std::string detail{};  // of a rejection: what no row translates

  std::string Content() const;
  std::string Raw() const;
};

const Manifest& FakeManifest(const std::string& semantic_digest = "d1");
std::string FakeId(uint32_t number);
std::string FakeId(const FakeKey& key);
inline constexpr std::array<uint8_t, 16> kFakeNamespaceKey{1, 2, 3};
// The id within another parent, as the hub should derive it.
std::string FakeWithin(std::string_view parent_id, std::string_view own_id);

// Keeps the bytes that Records look at.
class FakeBatch {
 public:
  void Add(const FakeMessage& message, std::string_view source = "fake", uint64_t position = 0);
  // As a kernel judges it that makes `judged` of the bytes of `sent`.
  void AddJudged(const FakeMessage& sent, const FakeMessage& judged, std::string_view source = "fake", uint64_t position = 0);
  const std::vector<Record>& records() const { return records_; }

 private:
  struct Kept {
    std::string raw, key, order, event, bytes, detail;
    std::vector<weir_contribution> items;
    std::vector<weir_key> keys;
  };
  std::deque<Kept> kept_;
  std::vector<Record> records_;
};

// A hub file in a fresh folder that goes with the object.
class HubFile {
 public:
  HubFile();
  ~HubFile();
  std::string path() const { return folder_ + "/hub.db"; }
  const std::string& folder() const { return folder_; }
  std::unique_ptr<Hub> Open(bool read_only = false, bool bind = true, const std::string& kernel = "d1") const;
  std::unique_ptr<Hub> Visit(const std::string& kernel) const;

 private:
  std::string folder_;
};

void ApplyAll(Hub& hub, const std::vector<FakeMessage>& messages, size_t batch = 7);
std::string ExportText(Hub& hub, std::string_view type = {});

// Patients, stays within them, observations within these; merges of patients and of stays, and
// their undoing.
std::vector<FakeMessage> RandomFamilies(uint32_t seed, size_t count);

// Messages that meet each other in every way the hub must not depend on.
std::vector<FakeMessage> RandomMessages(uint32_t seed, size_t count);

}  // namespace weir::hub::testing
