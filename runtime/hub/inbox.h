// Takes records in. The order in which they arrive decides nothing but which of several equal copies is called the duplicate.
#pragma once

#include "runtime/hub/impl.h"
#include "runtime/hub/outcomes.h"

namespace weir::hub {

class Inbox {
 public:
  explicit Inbox(Hub::Impl& hub);

  // `archive` false: the hub holds this kernel already.
  Result<void> Bind(const Manifest& manifest, std::string_view artifact, bool archive = true);
  void Take(const Record& record, int64_t now_us);
  bool IsDuplicate(const Record& record);
  void Save();  // source positions and counters, at the end of a batch
  const Manifest* manifest() const { return manifest_; }
  int64_t kernel() const { return kernel_; }  // the bound one's number
  int64_t next_msg() const { return next_msg_; }

  // What the bound kernel made of a record: no message yet, no rows, nothing that depends on others.
  Attempt Judge(const Record& record, int64_t now_us) const;
  // Adds the record's contributions and claims as those of the attempt's message.
  void Contribute(const Record& record, const Attempt& attempt);
  // Are the attempt's stored rows what the kernel says now?
  bool SameRows(const Record& record, const Attempt& attempt);

 private:
  struct Source {
    int64_t number = 0, position = 0;
    std::optional<int64_t> watermark{};
    bool changed = false;
  };

  std::string_view FeedName(const Record& record) const;
  Identity Identify(const Record& record) const;
  Source& SourceOf(std::string_view name);
  int64_t MapNumber(uint32_t ordinal) const { return ordinal < maps_.size() ? maps_[ordinal] : -1; }
  // False: the kernel wrote outside its manifest or its buffer.
  bool ToNode(const Record& record, const weir_contribution& item, Node* node) const;

  SiteInfo Refusal(const Record& record, int64_t now_us) const;  // empty class: none
  void Insert(const Record& record, const Attempt& attempt, const Source& source, int64_t now_us, bool keep_raw);
  void AddKin(const Record& record, int64_t msg);
  void AddClaims(const Record& record, const Attempt& attempt);

  Hub::Impl& hub_;
  Database& db_;
  const Manifest* manifest_ = nullptr;
  std::vector<int64_t> feeds_, types_, maps_;  // the hub's numbers for the manifest's ordinals
  int64_t unrouted_ = 0, kernel_ = 0;
  int64_t next_msg_ = 1;
  std::map<std::string, Source, std::less<>> sources_;
  std::string last_source_;
  Source* last_ = nullptr;
  Statement insert_, position_, archive_;
};

}  // namespace weir::hub
