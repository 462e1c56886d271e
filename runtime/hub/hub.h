// The hub: one SQLCipher file whose state is a pure function of the set of accepted messages
// (docs/hub.md). `Apply` is the one way in, one transaction per batch; everything else reads. One
// writer per file, any number of readers.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/abi/weir_kernel.h"
#include "runtime/base/result.h"
#include "runtime/hub/acts.h"
#include "runtime/hub/manifest.h"

namespace weir::hub {

struct HubOptions {
  std::string path;
  std::string key_file{};  // encryption key: 64 hex digits (raw) or a passphrase; empty: env
                           // WEIR_HUB_KEY_FILE; neither: plain
  bool read_only = false;  // readers take no lock and cannot Apply
  bool visit = false;      // a writer for one batch at a time, beside a node that lends (turn.h)
  int64_t cache_kib = 65536;
  std::string vfs{};  // SQLite VFS to open it by, of a disk that is simulated within the process: such a
                      // file has no lock. Empty: the system's
};

inline constexpr std::string_view kUnroutedFeed = "_unrouted";

// One record as ingest leaves it. All views must live until Apply returns.
struct Record {
  std::string_view source;  // file or connection
  uint64_t position = 0;    // index of the record in its source
  std::string_view raw;
  weir_status status = WEIR_OK;  // WEIR_OK, REJECTED, SUPPRESSED, UNROUTED or LIMIT
  uint32_t feed = UINT32_MAX;    // ordinal in the manifest
  bool probed =
      false;  // false: refused before the kernel; key, content and order are those of the raw bytes
  std::string_view key{}, order{}, event{};
  std::array<uint8_t, 16> content{};
  int64_t event_time_us = INT64_MIN;
  SiteInfo rejection{};  // class, code and path unless status is OK or SUPPRESSED
  std::string_view detail{};  // of a terminology rejection: the text that no row translates, where the kernel says it
  std::span<const weir_contribution> items{};
  std::span<const weir_key> keys{};  // a set: what the items' ids and references are within
  std::string_view bytes{};          // what items' offsets point into
  std::array<uint32_t, WEIR_COUNTERS> counters{};
};

// design section 6; `received` is the sum of the first group.
struct Counts {
  int64_t received = 0, applied = 0, duplicate = 0, suppressed = 0;
  int64_t schema = 0, terminology = 0, policy = 0, transform = 0;
  int64_t in_flight = 0;
  int64_t late = 0, key_reused = 0, degraded = 0, omitted = 0;

  bool Balanced() const {
    return received ==
           applied + duplicate + suppressed + schema + terminology + policy + transform + in_flight;
  }
  friend bool operator==(const Counts&, const Counts&) = default;
};
using Ledger = std::map<std::string, Counts>;  // by feed name
std::string LedgerJson(const Ledger& ledger);

struct DeadLetter {
  int64_t id = 0;  // `weir hub dlq show ID`
  std::string feed, error_class, code, path, event, source, semantic_digest;
  uint64_t position = 0;
  std::string sender{};       // MSH-4, else MSH-3
  std::string detail{};       // terminology: the code that no row translates; a payload
  int64_t received_us = 0;
};

// One fix mends them all.
struct LetterGroup {
  std::string feed, error_class, code, path, sender, detail;
  int64_t count = 0, patients = 0, first_id = 0, last_id = 0, first_received_us = 0, last_received_us = 0;
  // A code that messages of so many patients carry is vocabulary, not somebody's data, and may be shown without asking for payloads.
  static constexpr int64_t kVocabularyPatients = 3;
  static constexpr size_t kVocabularyMax = 20;  // bytes, no blanks
  bool IsVocabulary() const { return patients >= kVocabularyPatients && detail.size() <= kVocabularyMax && detail.find(' ') == detail.npos; }
};

struct LetterFilter {
  std::string error_class{}, code{}, path{}, sender{};  // empty: any
  std::optional<int64_t> since_us{};                    // received then or later
  std::vector<int64_t> ids{};                           // empty: all
};

struct FoundMessage {
  int64_t msg = 0;
  std::string source, feed, event;
  uint64_t position = 0;
  std::string_view outcome;
};

struct RecordOutcome {  // latest, as the ledger counts it
  std::string source, feed, event;
  uint64_t position = 0;
  std::string_view outcome;  // applied, duplicate, suppressed, schema, terminology, policy, transform
  std::string code, path;    // of its dead letter, where there is one
  int64_t contributions = 0;
};

// Which stored messages to judge again. The groups are alternatives, `since` and event time narrow them.
struct Selection {
  bool all = false;
  bool rejected = false;            // dead letters: of `error_class` and `code` where given
  std::string error_class{}, code{};
  bool degraded = false;            // `degraded`, applied or refused for its identity
  bool held = false;                // not judged: set aside by a restore
  std::vector<int64_t> ids{};       // these messages
  std::optional<int64_t> since_us{};                // received then or later
  std::optional<int64_t> event_from_us{}, event_to_us{};  // [from, to)
};

struct StoredMessage {
  int64_t msg = 0;
  std::string source;
  uint64_t position = 0;
  std::optional<std::string> raw;  // absent: dropped, or never kept
  bool junk = false;               // between messages: no kernel sees it
  bool damaged = false;            // the bytes are not those that were received
};

// What a re-run did.
struct RerunCounts {
  int64_t unchanged = 0, changed = 0;
};

struct Rerunning {
  int64_t msg = 0;
  Record record;
};

// What became of a record of the last batch, and the dead letter, if any, of the message that counts: its own, or that of the one it
// repeats.
struct Taken {
  std::string_view outcome;  // as in RecordOutcome
  std::string feed;
  SiteInfo letter{};
};

struct VerifyReport {
  std::vector<std::string> faults;  // empty: sound
  int64_t messages = 0, resources = 0, contributions = 0, audit_events = 0;
};

class Hub {
 public:
  static Result<std::unique_ptr<Hub>> Open(const HubOptions& options);
  ~Hub();
  Hub(const Hub&) = delete;
  Hub& operator=(const Hub&) = delete;

  // Before the first Apply: checks the namespace and its key against the hub's, archives manifest
  // and artifact. The manifest must outlive the hub.
  Result<void> Bind(const Manifest& manifest, std::span<const uint8_t, 16> namespace_key,
                    std::string_view namespace_name, std::string_view artifact = {});

  // One transaction. On an error nothing of the batch is stored and the hub takes no more: open it
  // again. `now_us`: the commit's clock.
  Result<void> Apply(std::span<const Record> batch, int64_t now_us);
  Result<std::vector<Taken>> LastBatch();  // one per record of the last Apply, in its order
  // Where a source that comes back goes on counting: the position after its last record, 0 for a new one.
  Result<uint64_t> NextPosition(std::string_view source);
  // Would the transform of this (probed) record be thrown away? Lets ingest skip it; Apply decides
  // again.
  bool IsDuplicate(const Record& record);

  // --- running stored messages again (docs/hub.md); the kernel that judges them is the bound one
  // Ascending; leaves out copies and what the bound kernel has judged already.
  Result<std::vector<int64_t>> Select(const Selection& selection);
  // Nothing when there is nothing to judge: a copy, or judged by the bound kernel meanwhile.
  Result<std::optional<StoredMessage>> LoadStored(int64_t msg);
  // The copies that must be judged together with a message, because it is no longer in their group.
  Result<std::vector<int64_t>> CopiesLeft(const Rerunning& rerunning);
  Result<StoredMessage> LoadCopy(int64_t msg);
  // One transaction, as Apply.
  Result<RerunCounts> Rerun(std::span<const Rerunning> batch, int64_t now_us);
  std::string RootOf(std::string_view type, std::string_view hex_id);  // whom an id was merged into, in the end
  // Between batches: lends the file to who queues, or, of a visitor, gives the others their turn. True: somebody
  // else had the file meanwhile.
  Result<bool> Yield();

  void BeginRun();           // the records of the following Applies are RunLedger's
  Ledger RunLedger() const;  // by their latest outcome
  Result<Ledger> ReadLedger();
  Result<std::string> Digest();  // 64 hex
  Result<VerifyReport> Verify();
  // NDJSON of the current resources in id order; `type` empty: all types, in name order.
  Result<int64_t> Export(std::ostream& out, std::string_view type = {});
  // By resource id, identifier (the patient's number, the visit's) or control id: `message` is told the messages, `out` gets the
  // resources, what they are about first, then what refers to it, as NDJSON. Returns how many resources; the act is audited before
  // anything is told.
  Result<int64_t> Find(std::ostream& out, std::string_view needle, const std::function<void(const FoundMessage&)>& message);
  // Goes on with the search index, which Find completes: some rows at a time. True: nothing is left.
  Result<bool> CatchUpIndex(int64_t rows);

  Result<std::vector<DeadLetter>> DeadLetters(const LetterFilter& filter = {});
  Result<std::vector<LetterGroup>> LetterGroups(const LetterFilter& filter = {});  // most first
  // The message as received; damaged or dropped: an error that says so. Audited by the caller's act.
  Result<std::optional<std::string>> DeadLetterRaw(int64_t id);

  // An administrative act or an access: one short transaction of its own, also of readers.
  Result<void> RecordAct(std::string_view what, std::string_view facts_json);
  Result<void> EachAct(const std::function<void(const Act&)>& visit);
  // What became of every record, in the order of arrival.
  Result<void> EachRecord(const std::function<void(const RecordOutcome&)>& visit);

  struct Impl;  // runtime/hub/impl.h

 private:
  explicit Hub(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace weir::hub
