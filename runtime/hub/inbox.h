// Takes records in: duplicates, outcomes, dead letters, audit. The order in which records arrive
// decides nothing but which of several equal copies is called the duplicate.
#pragma once

#include "runtime/hub/impl.h"

namespace weir::hub {

class Inbox {
 public:
  explicit Inbox(Hub::Impl& hub);

  Result<void> Bind(const Manifest& manifest, std::string_view artifact);
  void BeginRun() { run_first_msg_ = next_msg_; }
  void Take(const Record& record, int64_t now_us);
  bool IsDuplicate(const Record& record);
  void Save();  // source positions and counters, at the end of a batch
  const Manifest* manifest() const { return manifest_; }
  int64_t next_msg() const { return next_msg_; }

 private:
  struct Identity {  // what makes two records the same, and which copy counts
    Digest16 raw{}, key{}, content{};
    std::string ord{};
  };
  struct Stored {
    int64_t msg = 0, feed = 0, flags = 0, first_row = 0, rows = 0, event_time = 0;
    Outcome outcome = Outcome::kApplied;
    Digest16 raw{}, key{}, content{};
    std::string ord{};
  };
  struct Source {
    int64_t number = 0, position = 0;
    std::optional<int64_t> watermark{};
    bool changed = false;
  };
  struct Group {           // the dedupe rows of one key
    int64_t winner = 0;    // of the same content; 0: none
    int64_t same_key = 0;  // applied messages with the key and other content
  };

  std::string_view FeedName(const Record& record) const;
  Identity Identify(const Record& record) const;
  Group Look(const Identity& identity);
  Stored LoadMessage(int64_t msg);
  Source& SourceOf(std::string_view name);
  int64_t MapNumber(uint32_t ordinal) const { return ordinal < maps_.size() ? maps_[ordinal] : -1; }

  SiteInfo Refusal(const Record& record, int64_t now_us) const;  // empty class: none
  void TakeDuplicate(const Record& record, const Identity& identity, const Stored& winner,
                     int64_t feed, Source& source, int64_t now_us);
  void Insert(const Record& record, const Identity& identity, Outcome outcome, int64_t flags,
              int64_t feed, const Source& source, int64_t now_us, int64_t rows, bool keep_raw);
  void AddContributions(const Record& record, const Identity& identity);
  void AddClaims(const Record& record, const Identity& identity);
  void Retire(const Stored& old, Outcome outcome, AuditEvent event);
  void Flip(int64_t msg, bool accepted);
  void TouchAliases(const std::vector<Node>& rows, int64_t cause);
  void ReleaseKey(const Stored& message);
  void AddDeadLetter(int64_t msg, int64_t feed, const SiteInfo& site, const Digest16& content);
  void Audit(AuditEvent event, int64_t msg, Outcome outcome, std::string_view facts);

  Hub::Impl& hub_;
  Database& db_;
  const Manifest* manifest_ = nullptr;
  std::vector<int64_t> feeds_, types_, maps_;  // the hub's numbers for the manifest's ordinals
  int64_t unrouted_ = 0, kernel_ = 0;
  int64_t next_msg_ = 1, run_first_msg_ = 1, next_audit_ = 1;
  Digest32 chain_{};
  std::map<std::string, Source, std::less<>> sources_;
  std::string last_source_;
  Source* last_ = nullptr;
  Statement group_, key_applied_, dedupe_, insert_, message_, status_, flags_, letter_,
      drop_letter_, audit_, position_, archive_;
};

}  // namespace weir::hub
