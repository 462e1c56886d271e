// One framed record -> what the hub takes: charset, index, probe, transform. Whatever fails before
// the kernel is a dead letter of class `schema`. Buffers belong to the batch and are reused.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "runtime/frame/framer.h"
#include "runtime/hub/hub.h"
#include "runtime/ingest/ingest.h"
#include "runtime/v2/reader.h"

namespace weir::ingest {

class Pipeline {
 public:
  Pipeline(Engine& engine, const IngestOptions& options);

  // Envelopes are not records; call for messages and junk. `hub`, if given, is asked whether the
  // transform can be skipped.
  void Take(const frame::Frame& frame, std::string_view source, uint64_t position, hub::Hub* hub);
  const std::vector<hub::Record>& Records();  // valid until Clear
  const hub::Record& Last();                  // of them; valid until the next Take
  void Clear();

  size_t size() const { return used_; }
  uint64_t raw_bytes() const { return raw_bytes_; }

 private:
  struct Slot {
    hub::Record record;
    std::string source, raw, decoded, key, order, event;
    size_t bytes_at = 0, bytes_size = 0, items_at = 0, items_size = 0, keys_at = 0,
           keys_size = 0;  // in the batch's buffers
  };
  Slot& NextSlot();
  const hub::Record& Finished(Slot& slot);
  static std::string_view Padded(std::string* text);  // 64 readable bytes behind it
  bool Index(Slot& slot, weir_v2_index* index);
  void Reject(Slot& slot, std::string_view code, std::string_view path);
  void RunKernel(Slot& slot, const weir_v2_index& index, hub::Hub* hub);
  // Calls until it neither lacks output nor scratch.
  template <typename Call>
  weir_status Grow(weir_output* output, Call call);
  void Sited(Slot& slot, weir_status status, uint32_t site);

  Engine& engine_;
  const IngestOptions& options_;
  weir_snapshot snapshot_;
  std::deque<Slot> slots_;
  size_t used_ = 0;
  uint64_t raw_bytes_ = 0;
  std::vector<hub::Record> records_;
  v2::IndexBuffers index_buffers_;
  std::vector<uint8_t> bytes_, probe_bytes_, scratch_;
  std::vector<weir_contribution> items_;
  std::vector<weir_key> keys_;
  size_t bytes_used_ = 0, items_used_ = 0, keys_used_ = 0;
};

}  // namespace weir::ingest
