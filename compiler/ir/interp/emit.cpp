#include "compiler/ir/interp/emit.h"

#include <utility>

namespace weir::ir {
namespace {

std::optional<size_t> CounterOf(std::string_view name) {
  static constexpr std::pair<std::string_view, size_t> kCounters[] = {
      {"degraded", WEIR_COUNT_DEGRADED},
      {"omitted", WEIR_COUNT_OMITTED},
      {"unknown_authority", WEIR_COUNT_UNKNOWN_AUTHORITY},
      {"profile_dropped", WEIR_COUNT_PROFILE_DROPPED},
  };
  for (const auto& [known, counter] : kCounters) {
    if (known == name) {
      return counter;
    }
  }
  return std::nullopt;
}

}  // namespace

void Emitter::Observe(const Node& node, bool wrote, std::string text) {
  if (observer_ != nullptr) {
    observer_->OnNode(TraceEntry{&node, wrote, std::move(text), depth_});
  }
}

void Emitter::Separate() {
  if (in_array_ && !out_.empty() && out_.back() != '[') {
    out_.push_back(',');
  }
}

bool Emitter::Write(std::string_view text) {
  Separate();
  out_ += text;
  if (out_.size() > eval_.options().max_output) {
    eval_.Limit("output too large");
  }
  return !eval_.failed();
}

// INVARIANT: a node that answers false leaves out_ as it was.
bool Emitter::Emit(const Node& node) {
  if (eval_.failed()) {
    return false;
  }
  if (depth_ >= eval_.options().max_depth) {
    eval_.Limit("emission nested too deeply");
    return false;
  }
  size_t mark = out_.size();
  ++depth_;
  bool wrote = false;
  switch (node.op) {
    case Op::kObject:
      wrote = EmitContainer(node, '{', '}');
      break;
    case Op::kArray:
      wrote = EmitContainer(node, '[', ']');
      break;
    case Op::kMember:
      wrote = EmitMember(node);
      break;
    case Op::kEach:
      wrote = EmitEach(node);
      break;
    case Op::kWhen:
      wrote = eval_.Truth(*node.kids[0]) && Emit(*node.kids[1]);
      break;
    case Op::kFirst:
      for (const Node* kid : node.kids) {
        if (!wrote) {
          wrote = Emit(*kid);
        }
      }
      break;
    case Op::kSequence:
      for (const Node* kid : node.kids) {
        wrote = Emit(*kid) || wrote;
      }
      break;
    case Op::kLet:
      eval_.SetSlot(node.number, eval_.Eval(*node.kids[0]));
      wrote = Emit(*node.kids[1]);
      break;
    case Op::kPrimitive:
      wrote = EmitPrimitive(node);
      break;
    case Op::kJson:
      wrote = Write(node.text);
      break;
    case Op::kReference:
      if (auto id = eval_.SingleString(eval_.Eval(*node.kids[0])); id && !id->empty()) {
        std::string text = "{\"reference\":";
        WriteJsonString(node.text + "/" + *id, &text);
        eval_.NameKey(*id);
        wrote = Write(text + "}");
      }
      break;
    case Op::kEmitCall:
      wrote = EmitCall(node);
      break;
    case Op::kCount:
      wrote = Emit(*node.kids[0]);
      if (auto counter = CounterOf(node.text); wrote && counter) {
        ++eval_.counters()[*counter];
      } else if (!counter) {
        eval_.Fail("unknown counter");
      }
      break;
    default:
      eval_.Fail(std::string(OpName(node.op)) + " is not an emission");
      break;
  }
  --depth_;
  if (!wrote || eval_.failed()) {
    out_.resize(mark);
    return false;
  }
  return true;
}

bool Emitter::EmitContainer(const Node& node, char open, char close) {
  Separate();
  bool outer = std::exchange(in_array_, open == '[');
  out_.push_back(open);
  bool wrote = false;
  for (const Node* kid : node.kids) {
    wrote = Emit(*kid) || wrote;
  }
  out_.push_back(close);
  in_array_ = outer;
  return wrote;
}

bool Emitter::EmitMember(const Node& node) {
  size_t mark = out_.size();
  if (!out_.empty() && out_.back() != '{') {
    out_.push_back(',');
  }
  WriteJsonString(node.text, &out_);
  out_.push_back(':');
  bool outer = std::exchange(in_array_, false);
  size_t value = out_.size();
  bool wrote = Emit(*node.kids[0]);
  in_array_ = outer;
  Observe(node, wrote, wrote ? out_.substr(value) : "");
  if (!wrote) {
    out_.resize(mark);
  }
  return wrote;
}

bool Emitter::EmitEach(const Node& node) {
  bool wrote = false;
  for (const Item& item : eval_.Eval(*node.kids[0])) {
    eval_.SetSlot(node.number, One(item));
    wrote = Emit(*node.kids[1]) || wrote;
  }
  return wrote;
}

std::optional<Item> PrimitiveInput(Evaluator& eval, const Node& value) {
  Items items = eval.Eval(value);
  const Item* single = eval.Single(items);
  if (single == nullptr) {
    return std::nullopt;
  }
  auto item = ToSystem(*single);
  if (const V2Item* v2 = single->As<V2Item>()) {
    item = Item{eval.message()->Text(*v2, true)};
  }
  if (item && item->As<std::string>() != nullptr && item->As<std::string>()->empty()) {
    return std::nullopt;
  }
  return item;
}

bool Fits(Evaluator& eval, const Node& value, std::string_view kind) {
  bool degraded = false;
  auto item = PrimitiveInput(eval, value);
  return item && PrimitiveJson(kind, *item, eval.zone(), &degraded).has_value();
}

namespace {

// Of the text of two JSON numbers without exponent, however many digits they have.
int CompareNumbers(std::string_view a, std::string_view b) {
  auto trimmed = [](std::string_view& text) {
    bool minus = text.starts_with('-');
    text.remove_prefix(minus ? 1 : 0);
    if (text.find('.') != std::string_view::npos) {
      text = text.substr(0, text.find_last_not_of('0') + 1);
      text = text.ends_with('.') ? text.substr(0, text.size() - 1) : text;
    }
    return minus && text != "0";
  };
  bool a_minus = trimmed(a), b_minus = trimmed(b);
  if (a_minus != b_minus) {
    return a_minus ? -1 : 1;
  }
  size_t a_whole = std::min(a.find('.'), a.size()), b_whole = std::min(b.find('.'), b.size());
  int order = a_whole != b_whole ? (a_whole < b_whole ? -1 : 1) : a.compare(b);
  return a_minus ? -order : order;
}

}  // namespace

bool Ordered(Evaluator& eval, const Node& first, const Node& second, std::string_view kind) {
  if (kind == "decimal") {
    auto number = [&](const Node& node) {
      bool degraded = false;
      auto item = PrimitiveInput(eval, node);
      return item ? PrimitiveJson("decimal", *item, nullptr, &degraded) : std::nullopt;
    };
    auto a = number(first), b = number(second);
    return a && b && CompareNumbers(*a, *b) <= 0;
  }
  auto instant = [&](const Node& node) -> std::optional<Temporal> {
    bool degraded = false;
    auto item = PrimitiveInput(eval, node);
    auto json = item ? PrimitiveJson("dateTime", *item, eval.zone(), &degraded) : std::nullopt;
    return json ? Temporal::ParseDateTime(std::string_view(*json).substr(1, json->size() - 2)) : std::nullopt;
  };
  auto a = instant(first), b = instant(second);
  return a && b && Compare(*a, *b).value_or(1) <= 0;
}

bool Emitter::EmitPrimitive(const Node& node) {
  auto item = PrimitiveInput(eval_, *node.kids[0]);
  if (!item) {
    return false;
  }
  bool degraded = false;
  auto json = PrimitiveJson(node.text, *item, eval_.zone(), &degraded);
  auto site = static_cast<size_t>(node.number);
  if (!json) {
    if (site < eval_.module().sites.size() && eval_.module().sites[site].degrade) {
      ++eval_.counters()[WEIR_COUNT_DEGRADED];
    } else {
      eval_.Reject(static_cast<uint32_t>(site));
    }
    return false;
  }
  eval_.counters()[WEIR_COUNT_DEGRADED] += degraded ? 1 : 0;
  return Write(*json);
}

bool Emitter::EmitCall(const Node& node) {
  const Function* function = eval_.module().FindFunction(node.text);
  if (function == nullptr || function->body == nullptr) {
    eval_.Fail("unknown emission function");
    return false;
  }
  std::vector<Items> arguments;
  for (const Node* kid : node.kids) {
    arguments.push_back(eval_.Eval(*kid));
  }
  bool wrote = false;
  eval_.InFrame(*function, std::move(arguments), [&] { wrote = Emit(*function->body); });
  return wrote;
}

void Emitter::Run(const Node& effect) {
  if (eval_.failed()) {
    return;
  }
  switch (effect.op) {
    case Op::kSequence:
      for (const Node* kid : effect.kids) {
        Run(*kid);
      }
      break;
    case Op::kWhen:
      if (eval_.Truth(*effect.kids[0])) {
        Run(*effect.kids[1]);
      }
      break;
    case Op::kEach:
      for (const Item& item : eval_.Eval(*effect.kids[0])) {
        eval_.SetSlot(effect.number, One(item));
        Run(*effect.kids[1]);
      }
      break;
    case Op::kLet:
      eval_.SetSlot(effect.number, eval_.Eval(*effect.kids[0]));
      Run(*effect.kids[1]);
      break;
    case Op::kRequire: {
      bool holds = eval_.Truth(*effect.kids[0]);
      Observe(effect, holds, "");
      if (!holds) {
        eval_.Reject(static_cast<uint32_t>(effect.number));
      }
      break;
    }
    case Op::kReject:
      eval_.Reject(static_cast<uint32_t>(effect.number));
      break;
    case Op::kContribute:
      Contribute(effect);
      break;
    case Op::kRetract:
      Retract(effect);
      break;
    case Op::kAlias:
      Alias(effect);
      break;
    default:
      eval_.Fail(std::string(OpName(effect.op)) + " is not an effect");
      break;
  }
}

std::optional<std::string> Emitter::Id(const Node& node) {
  auto id = eval_.SingleString(eval_.Eval(node));
  if (id && !id->empty() && id->size() != 32) {
    eval_.Fail("a resource id has 32 characters");
  }
  if (!id || id->empty() || eval_.failed()) {
    return std::nullopt;
  }
  eval_.NameKey(*id);
  return id;
}

void Emitter::Contribute(const Node& node) {
  auto id = Id(*node.kids[0]);
  if (!id) {
    Observe(node, false, "");
    return;
  }
  size_t blank = node.text.find(' ');
  std::string_view op = std::string_view(node.text).substr(0, blank);
  Contribution c;
  c.op = op == "put" ? WEIR_OP_PUT : op == "fill" ? WEIR_OP_FILL : WEIR_OP_PATCH;
  c.map = static_cast<uint32_t>(node.number);
  c.type = blank == std::string::npos ? "" : node.text.substr(blank + 1);
  c.id = *id;
  c.tag = eval_.SingleString(eval_.Eval(*node.kids[1])).value_or("");
  out_.clear();
  in_array_ = false;
  bool wrote = Emit(*node.kids[2]);
  c.body = std::exchange(out_, {});
  Observe(node, wrote, c.body);
  if (wrote && !eval_.failed()) {
    contributions_.push_back(std::move(c));
  }
}

void Emitter::Retract(const Node& node) {
  auto id = Id(*node.kids[0]);
  if (!id) {
    return;
  }
  Contribution c;
  c.op = WEIR_OP_RETRACT;
  c.map = static_cast<uint32_t>(node.number);
  c.type = node.text;
  c.id = *id;
  for (const Item& tag : eval_.Eval(*node.kids[1])) {
    c.tag += (c.tag.empty() ? "" : ",") + eval_.SingleString(One(tag)).value_or("");
  }
  Observe(node, true, c.tag);
  contributions_.push_back(std::move(c));
}

void Emitter::Alias(const Node& node) {
  auto loser = Id(*node.kids[0]), survivor = Id(*node.kids[1]);
  bool alias = loser && survivor && *loser != *survivor;
  Observe(node, alias, "");
  if (!alias) {
    return;
  }
  Contribution c;
  c.op = WEIR_OP_ALIAS;
  c.type = node.text;
  c.id = *loser;
  c.other_id = *survivor;
  contributions_.push_back(std::move(c));
}

}  // namespace weir::ir
