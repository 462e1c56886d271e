#include "runtime/ingest/pipeline.h"

#include <algorithm>

#include "runtime/v2/charset.h"
#include "runtime/v2/view.h"

namespace weir::ingest {
namespace {

constexpr size_t kPadding = 64;
constexpr size_t kFirstOutput = 256u << 10, kFirstItems = 256, kFirstKeys = 256,
                 kFirstScratch = 256u << 10;

std::string_view ViewOf(const uint8_t* bytes, uint32_t offset, uint32_t size) {
  return {reinterpret_cast<const char*>(bytes) + offset, size};
}

}  // namespace

Pipeline::Pipeline(Engine& engine, const IngestOptions& options)
    : engine_(engine), options_(options) {
  snapshot_ = {.struct_size = sizeof snapshot_,
               .namespace_key = {},
               .namespace_name = nullptr,
               .namespace_size = 0};
  std::ranges::copy(options.name_space.key, snapshot_.namespace_key);
  const std::string& name =
      options.name_space.name.empty() ? engine.manifest().package : options.name_space.name;
  snapshot_.namespace_name = reinterpret_cast<const uint8_t*>(name.data());
  snapshot_.namespace_size = static_cast<uint32_t>(name.size());
  bytes_.resize(4 * kFirstOutput);
  probe_bytes_.resize(kFirstOutput);
  scratch_.resize(kFirstScratch);
  items_.resize(4 * kFirstItems);
  keys_.resize(4 * kFirstKeys);
}

Pipeline::Slot& Pipeline::NextSlot() {
  if (used_ == slots_.size()) {
    slots_.emplace_back();
  }
  Slot& slot = slots_[used_++];
  slot.record = {};
  slot.bytes_at = bytes_used_;
  slot.items_at = items_used_;
  slot.keys_at = keys_used_;
  slot.bytes_size = slot.items_size = slot.keys_size = 0;
  return slot;
}

std::string_view Pipeline::Padded(std::string* text) {
  const size_t size = text->size();
  text->resize(size + kPadding, '\0');
  return std::string_view(*text).substr(0, size);
}

void Pipeline::Clear() {
  used_ = 0;
  raw_bytes_ = 0;
  bytes_used_ = items_used_ = keys_used_ = 0;
}

const std::vector<hub::Record>& Pipeline::Records() {
  records_.clear();
  for (size_t i = 0; i < used_; ++i) {
    records_.push_back(Finished(slots_[i]));
  }
  return records_;
}

const hub::Record& Pipeline::Last() { return Finished(slots_[used_ - 1]); }

// The batch's buffers may have moved since the record was written.
const hub::Record& Pipeline::Finished(Slot& slot) {
  slot.record.items = {items_.data() + slot.items_at, slot.items_size};
  slot.record.keys = {keys_.data() + slot.keys_at, slot.keys_size};
  slot.record.bytes = {reinterpret_cast<const char*>(bytes_.data()) + slot.bytes_at, slot.bytes_size};
  return slot.record;
}

void Pipeline::Reject(Slot& slot, std::string_view code, std::string_view path) {
  slot.record.status = WEIR_REJECTED;
  slot.record.rejection = {"schema", std::string(code), std::string(path)};
}

void Pipeline::Take(const frame::Frame& frame, std::string_view source, uint64_t position,
                    hub::Hub* hub) {
  Slot& slot = NextSlot();
  slot.source = source;
  slot.raw = frame.bytes;
  raw_bytes_ += frame.bytes.size();
  slot.record.source = slot.source;
  slot.record.position = position;
  slot.record.raw = Padded(&slot.raw);
  if (frame.kind != frame::FrameKind::kMessage) {
    return Reject(slot, "junk", {});
  }
  weir_v2_index index{};
  if (Index(slot, &index)) {
    RunKernel(slot, index, hub);
  }
}

// MSH-18 is read before the bytes are decoded: all charsets we know agree on ASCII, where headers
// live.
bool Pipeline::Index(Slot& slot, weir_v2_index* index) {
  const auto build = [&](std::string_view bytes) {
    const v2::IndexStatus status = v2::BuildIndex(reinterpret_cast<const uint8_t*>(bytes.data()),
                                                  static_cast<uint32_t>(bytes.size()),
                                                  v2::IndexLimits{}, index_buffers_, index);
    if (status != v2::IndexStatus::kOk) {
      Reject(slot, v2::Code(status), "MSH");
    }
    return status == v2::IndexStatus::kOk;
  };
  const std::string_view raw = slot.record.raw;
  if (!build(raw)) {
    return false;
  }
  if (index->flags & WEIR_V2_UTF8) {
    return true;
  }
  const v2::MessageView message(*index);
  const std::string_view declared =
      message.segment_count() > 0 ? v2::Trim(message.segment(0).Field(18)) : std::string_view();
  slot.decoded.clear();
  switch (v2::DecodeRecord(
      raw, v2::CharsetOf(declared, static_cast<char>(index->delims.repetition)), &slot.decoded)) {
    case v2::DecodeStatus::kAsIs:
      return true;
    case v2::DecodeStatus::kRecoded:
      return build(Padded(&slot.decoded));
    case v2::DecodeStatus::kRefused:
      Reject(slot, "charset", "MSH-18");
      return false;
  }
  return false;
}

template <typename Call>
weir_status Pipeline::Grow(weir_output* output, Call call) {
  while (true) {
    output->scratch = scratch_.data();
    output->scratch_capacity = static_cast<uint32_t>(scratch_.size());
    const weir_status status = call();
    if (status != WEIR_SCRATCH_FULL) {
      return status;
    }
    if (2 * scratch_.size() > options_.scratch_bytes_max) {
      return WEIR_LIMIT;
    }
    scratch_.resize(2 * scratch_.size());
  }
}

void Pipeline::Sited(Slot& slot, weir_status status, uint32_t site) {
  slot.record.status = status;
  const auto& sites = engine_.manifest().sites;
  switch (status) {
    case WEIR_OK:
    case WEIR_SUPPRESSED:
      return;
    case WEIR_REJECTED:
      slot.record.rejection =
          site < sites.size() ? sites[site] : hub::SiteInfo{"transform", "site", {}};
      return;
    case WEIR_UNROUTED:
      slot.record.rejection = {"schema", "unrouted", {}};
      return;
    case WEIR_LIMIT:
      slot.record.rejection = {"transform", "limit", {}};
      return;
    case WEIR_OUTPUT_FULL:
    case WEIR_SCRATCH_FULL:
    case WEIR_BAD_INPUT:
      slot.record.status = WEIR_REJECTED;
      slot.record.rejection = {"transform", "abi", {}};
      return;
  }
}

void Pipeline::RunKernel(Slot& slot, const weir_v2_index& index, hub::Hub* hub) {
  const weir_input input{.struct_size = sizeof(weir_input),
                         .kind = 0,
                         .bytes = index.bytes,
                         .size = index.size,
                         .index = &index};
  weir_probe probe{};
  weir_output output{};
  output.struct_size = sizeof output;
  weir_status status = Grow(&output, [&] {
    weir_status now;
    while (true) {
      output.bytes = probe_bytes_.data();
      output.capacity = static_cast<uint32_t>(probe_bytes_.size());
      output.used = 0;
      probe = {};
      probe.struct_size = sizeof probe;
      now = engine_.Probe(input, snapshot_, &output, &probe);
      if (now != WEIR_OUTPUT_FULL || 2 * probe_bytes_.size() > options_.output_bytes_max) {
        return now;
      }
      probe_bytes_.resize(2 * probe_bytes_.size());
    }
  });
  Sited(slot, status, output.site);
  if (status != WEIR_OK && status != WEIR_UNROUTED && status != WEIR_REJECTED &&
      status != WEIR_SUPPRESSED) {
    return;
  }
  hub::Record& record = slot.record;
  slot.key = ViewOf(output.bytes, probe.key_offset, probe.key_size);
  slot.order = ViewOf(output.bytes, probe.order_offset, probe.order_size);
  slot.event = ViewOf(output.bytes, probe.event_offset, probe.event_size);
  record.feed = status == WEIR_UNROUTED ? UINT32_MAX : probe.feed;
  record.probed = true;
  record.key = slot.key;
  record.order = slot.order;
  record.event = slot.event;
  std::ranges::copy(probe.content_digest, record.content.begin());
  record.event_time_us = probe.event_time_us;
  if (status != WEIR_OK || (hub != nullptr && hub->IsDuplicate(record))) {
    return;
  }

  status = Grow(&output, [&] {
    weir_status now;
    while (true) {
      output.bytes = bytes_.data() + bytes_used_;
      output.capacity =
          static_cast<uint32_t>(std::min<size_t>(bytes_.size() - bytes_used_, UINT32_MAX));
      output.used = 0;
      output.items = items_.data() + items_used_;
      output.item_capacity = static_cast<uint32_t>(items_.size() - items_used_);
      output.item_count = 0;
      output.keys = keys_.data() + keys_used_;
      output.key_capacity = static_cast<uint32_t>(keys_.size() - keys_used_);
      output.key_count = 0;
      std::ranges::fill(output.counters, 0u);
      now = engine_.Transform(record.feed, input, snapshot_, &output);
      if (now != WEIR_OUTPUT_FULL) {
        return now;
      }
      if (output.capacity >= options_.output_bytes_max) {
        return WEIR_LIMIT;  // its items and keys fit long before its bytes do
      }
      // All double, so that a batch of any size meets few full buffers: the kernel does not say
      // which of them was short.
      bytes_.resize(2 * bytes_.size());
      items_.resize(2 * items_.size());
      keys_.resize(2 * keys_.size());
    }
  });
  Sited(slot, status, output.site);
  if (status != WEIR_OK) {
    return;
  }
  slot.bytes_at = bytes_used_;
  slot.items_at = items_used_;
  slot.keys_at = keys_used_;
  slot.bytes_size = output.used;
  slot.items_size = output.item_count;
  slot.keys_size = output.key_count;
  bytes_used_ += output.used;
  items_used_ += output.item_count;
  keys_used_ += output.key_count;
  std::ranges::copy(output.counters, record.counters.begin());
}

}  // namespace weir::ingest
