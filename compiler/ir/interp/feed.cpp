// The interpreter behind the kernel ABI: routing and identity (probe), contributions (transform).
#include <algorithm>
#include <cstring>
#include <limits>

#include "compiler/ir/interp/emit.h"
#include "compiler/ir/interp/siphash.h"
#include "compiler/ir/interp/text.h"
#include "compiler/ir/manifest.h"

namespace weir::ir {
namespace {

void AppendSize(uint32_t size, std::string* out) {
  for (int shift = 0; shift < 32; shift += 8) {
    out->push_back(static_cast<char>((size >> shift) & 255));
  }
}

void AppendSized(std::string_view text, std::string* out) {
  AppendSize(static_cast<uint32_t>(text.size()), out);
  *out += text;
}

bool In(const std::vector<std::string>& list, std::string_view text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

// docs/ir.md, Identity: sized segment ids and fields, excluded fields as empty ones, trailing empty
// fields left out.
std::string ContentDigest(const V2Message& message, const std::vector<std::string>& except) {
  std::string bytes;
  for (uint32_t i = 0; i < message.segments().size(); ++i) {
    std::string id = AsciiUpper(message.segments()[i].id);
    AppendSized(id, &bytes);
    size_t kept = bytes.size();
    std::vector<V2Item> fields = message.Fields(i);
    for (size_t n = 1; n <= fields.size(); ++n) {
      std::string_view slice = message.Slice(fields[n - 1]);
      if (In(except, id + "-" + std::to_string(n))) {
        slice = {};
      } else if (id != "MSH" || n > 2) {
        slice = message.TrimTrailing(slice);
      }
      AppendSized(slice, &bytes);
      kept = slice.empty() ? kept : bytes.size();
    }
    bytes.resize(kept);
    AppendSize(0xFFFFFFFF, &bytes);
  }
  return SipHash128(std::string(16, '\0'), bytes);
}

// Microseconds since 1970 UTC of an HL7 time stamp; parts that were not sent are at their least.
std::optional<int64_t> EventTime(const std::string& text, const Zone* zone) {
  auto t = Temporal::ParseHl7(text);
  if (!t) {
    return std::nullopt;
  }
  int64_t seconds = t->LocalSeconds();
  if (t->offset_minutes) {
    seconds -= int64_t{*t->offset_minutes} * 60;
  } else if (zone != nullptr) {
    seconds -= OffsetAt(*zone, seconds);
  }
  return seconds * 1'000'000 + t->nanos / 1000;
}

bool HasRetract(const Node& node) {
  return node.op == Op::kRetract || std::any_of(node.kids.begin(), node.kids.end(),
                                                [](const Node* kid) { return HasRetract(*kid); });
}

// Whether the transform would retract something: walks effects alone, so that nothing is emitted
// for the rank.
bool Undoes(Evaluator& eval, const Node& effect) {
  if (eval.failed() || !HasRetract(effect)) {
    return false;
  }
  switch (effect.op) {
    case Op::kRetract:
      return true;
    case Op::kSequence:
      return std::any_of(effect.kids.begin(), effect.kids.end(),
                         [&](const Node* kid) { return Undoes(eval, *kid); });
    case Op::kWhen:
      return eval.Truth(*effect.kids[0]) && Undoes(eval, *effect.kids[1]);
    case Op::kLet:
      eval.SetSlot(effect.number, eval.Eval(*effect.kids[0]));
      return Undoes(eval, *effect.kids[1]);
    case Op::kEach:
      for (const Item& item : eval.Eval(*effect.kids[0])) {
        eval.SetSlot(effect.number, One(item));
        if (Undoes(eval, *effect.kids[1])) {
          return true;
        }
      }
      return false;
    default:
      return false;
  }
}

// Bounded appends to the caller's buffer.
class OutputWriter {
 public:
  explicit OutputWriter(weir_output* output) : output_(output) {
    output_->used = 0;
    output_->item_count = 0;
    output_->key_count = 0;
    output_->site = 0;
    std::memset(output_->counters, 0, sizeof(output_->counters));
  }
  void Append(std::string_view text, uint32_t* offset, uint32_t* size) {
    *offset = output_->used;
    *size = static_cast<uint32_t>(text.size());
    if (output_->capacity - output_->used < text.size()) {
      full_ = true;
      return;
    }
    std::memcpy(output_->bytes + output_->used, text.data(), text.size());
    output_->used += static_cast<uint32_t>(text.size());
  }
  weir_key* AddKey() {
    if (output_->key_count >= output_->key_capacity) {
      full_ = true;
      return nullptr;
    }
    weir_key* key = &output_->keys[output_->key_count++];
    *key = {};
    return key;
  }
  weir_contribution* AddItem() {
    if (output_->item_count >= output_->item_capacity) {
      full_ = true;
      return nullptr;
    }
    weir_contribution* item = &output_->items[output_->item_count++];
    *item = {};
    return item;
  }
  bool full() const { return full_; }

 private:
  weir_output* output_;
  bool full_ = false;
};

}  // namespace

struct InterpretedKernel::State {
  const Module& module;
  EvalOptions options;
  std::string manifest;
  std::vector<std::string> types;
  std::string last_error;

  State(const Module& m, EvalOptions o)
      : module(m), options(std::move(o)), manifest(Manifest(m)), types(ResourceTypes(m)) {}

  uint32_t TypeOrdinal(std::string_view type) const {
    return static_cast<uint32_t>(std::find(types.begin(), types.end(), type) - types.begin());
  }

  const Zone* ZoneOf(const Feed& feed) const {
    auto zone = static_cast<size_t>(feed.zone);
    return feed.zone >= 0 && zone < module.zones.size() ? &module.zones[zone] : nullptr;
  }

  void Prepare(Evaluator& eval, const V2Message& message, const weir_snapshot& snapshot,
               const Feed& feed) const {
    eval.SetMessage(&message);
    eval.SetZone(ZoneOf(feed));
    eval.SetKey(snapshot.namespace_key,
                {reinterpret_cast<const char*>(snapshot.namespace_name), snapshot.namespace_size});
    eval.EnterFrame(feed.slot_count);
  }

  weir_status StatusOf(const Failure& failure, weir_output* output) {
    last_error = failure.message;
    switch (failure.kind) {
      case Failure::Kind::kNone:
        return WEIR_OK;
      case Failure::Kind::kError:
        output->site = EvaluationSite(module);
        return WEIR_REJECTED;
      case Failure::Kind::kRejected:
        output->site = failure.site;
        return WEIR_REJECTED;
      case Failure::Kind::kLimit:
        output->site = LimitSite(module);
        return WEIR_LIMIT;
    }
    return WEIR_BAD_INPUT;
  }

  bool Accepts(const Feed& feed, const V2Message& message, const weir_snapshot& snapshot) const {
    std::string code = message.FieldText("MSH", 9, 1), event = message.Event();
    if (!In(feed.accept, code + "^" + event) && !In(feed.accept, code + "^*")) {
      return false;
    }
    if (!feed.processing.empty() && !In(feed.processing, message.FieldText("MSH", 11, 1))) {
      return false;
    }
    if (!feed.versions.empty() && feed.version_else.empty() &&
        !In(feed.versions, message.FieldText("MSH", 12, 1))) {
      return false;
    }
    if (feed.route == nullptr) {
      return true;
    }
    Evaluator eval(module, options);
    Prepare(eval, message, snapshot, feed);
    return eval.Truth(*feed.route) && !eval.failed();
  }
};

InterpretedKernel::InterpretedKernel(const Module& module, EvalOptions options)
    : state_(std::make_unique<State>(module, std::move(options))) {}
InterpretedKernel::~InterpretedKernel() = default;

const std::string& InterpretedKernel::manifest() const { return state_->manifest; }
const std::string& InterpretedKernel::last_error() const { return state_->last_error; }

weir_status InterpretedKernel::Probe(const weir_input& input, const weir_snapshot& snapshot,
                                     weir_output* output, weir_probe* probe) {
  if (input.kind != 0 || input.bytes == nullptr || output == nullptr || probe == nullptr) {
    return WEIR_BAD_INPUT;
  }
  OutputWriter writer(output);
  V2Message message({reinterpret_cast<const char*>(input.bytes), input.size}, input.index);
  message.AssignGroups(state_->module.structures);
  *probe = weir_probe{};
  probe->struct_size = sizeof(weir_probe);
  probe->feed = UINT32_MAX;
  probe->event_time_us = std::numeric_limits<int64_t>::min();
  if (!message.valid()) {
    return WEIR_UNROUTED;
  }
  const Feed* feed = nullptr;
  for (size_t i = 0; i < state_->module.feeds.size() && feed == nullptr; ++i) {
    if (state_->Accepts(state_->module.feeds[i], message, snapshot)) {
      feed = &state_->module.feeds[i];
      probe->feed = static_cast<uint32_t>(i);
    }
  }
  static const Feed kNoFeed = [] {  // what an unrouted record's digest leaves out
    Feed none;
    none.content_except = {"MSH-7", "MSH-13"};
    return none;
  }();
  const Feed& rules = feed != nullptr ? *feed : kNoFeed;

  std::string digest = ContentDigest(message, rules.content_except);
  std::memcpy(probe->content_digest, digest.data(), sizeof(probe->content_digest));
  writer.Append(message.FieldText("MSH", 9, 1) + "^" + message.Event(), &probe->event_offset,
                &probe->event_size);

  Evaluator eval(state_->module, state_->options);
  state_->Prepare(eval, message, snapshot, rules);
  std::string key;
  bool readable = false;
  for (const Node* part : rules.duplicate_key) {
    std::string text = eval.SingleString(eval.Eval(*part)).value_or("");
    readable |= !text.empty();
    AppendSized(text, &key);
  }
  writer.Append(readable && !eval.failed() ? key : "", &probe->key_offset, &probe->key_size);

  for (const Node* alternative : rules.order_by) {
    auto time =
        EventTime(eval.SingleString(eval.Eval(*alternative)).value_or(""), state_->ZoneOf(rules));
    if (time) {
      probe->event_time_us = *time;
      break;
    }
  }
  bool undoes = rules.transform != nullptr && Undoes(eval, *rules.transform);
  std::string order;
  uint64_t biased = static_cast<uint64_t>(probe->event_time_us) ^ (uint64_t{1} << 63);
  for (int shift = 56; shift >= 0; shift -= 8) {
    order.push_back(static_cast<char>((biased >> shift) & 255));
  }
  order.push_back(undoes ? 1 : 0);
  order += message.FieldText("MSH", 10, 0);
  order.push_back('\0');
  order += digest;
  writer.Append(order, &probe->order_offset, &probe->order_size);

  bool suppressed = rules.suppress != nullptr && eval.Truth(*rules.suppress);
  if (writer.full()) {
    return WEIR_OUTPUT_FULL;
  }
  if (feed == nullptr) {
    return WEIR_UNROUTED;
  }
  if (eval.failed()) {
    return state_->StatusOf(eval.failure(), output);
  }
  return suppressed ? WEIR_SUPPRESSED : WEIR_OK;
}

weir_status InterpretedKernel::Transform(uint32_t feed_ordinal, const weir_input& input,
                                         const weir_snapshot& snapshot, weir_output* output,
                                         TraceObserver* observer) {
  if (input.kind != 0 || input.bytes == nullptr || output == nullptr ||
      feed_ordinal >= state_->module.feeds.size()) {
    return WEIR_BAD_INPUT;
  }
  OutputWriter writer(output);
  const Feed& feed = state_->module.feeds[feed_ordinal];
  V2Message message({reinterpret_cast<const char*>(input.bytes), input.size}, input.index);
  if (!message.valid()) {
    return WEIR_BAD_INPUT;
  }
  message.AssignGroups(state_->module.structures);
  Evaluator eval(state_->module, state_->options);
  state_->Prepare(eval, message, snapshot, feed);
  Emitter emitter(eval, observer);
  if (feed.transform != nullptr) {
    emitter.Run(*feed.transform);
  }
  if (eval.failed()) {
    return state_->StatusOf(eval.failure(), output);
  }
  for (const Contribution& c : emitter.contributions()) {
    weir_contribution* item = writer.AddItem();
    if (item == nullptr) {
      return WEIR_OUTPUT_FULL;
    }
    item->op = c.op;
    item->map = c.map;
    item->type = state_->TypeOrdinal(c.type);
    std::copy(c.id.begin(), c.id.end(), item->id);
    std::copy(c.other_id.begin(), c.other_id.end(), item->other_id);
    writer.Append(c.tag, &item->tag_offset, &item->tag_size);
    writer.Append(c.body, &item->body_offset, &item->body_size);
  }
  for (const auto& [id, known] : eval.NamedKeys()) {
    weir_key* key = writer.AddKey();
    if (key == nullptr) {
      return WEIR_OUTPUT_FULL;
    }
    key->type = state_->TypeOrdinal(known->type);
    key->parent_type = state_->TypeOrdinal(known->parent_type);
    std::copy(id.begin(), id.end(), key->id);
    std::copy(known->parent.begin(), known->parent.end(), key->parent);
    std::copy(known->own.begin(), known->own.end(), key->own);
  }
  std::copy(eval.counters(), eval.counters() + WEIR_COUNTERS, output->counters);
  return writer.full() ? WEIR_OUTPUT_FULL : WEIR_OK;
}

}  // namespace weir::ir
