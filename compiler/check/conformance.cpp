// Rules of types and profiles (conform/) over what the lines write: proved now, compiled into the
// kernel, or an error.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "compiler/check/generator.h"

namespace weir::check {

using ast::Expr;
using ast::ExprKind;
using conform::Formula;
using conform::Piece;
using conform::Rule;
using ir::Node;
using ir::Op;

namespace {

std::string RuleName(const Rule& rule) { return rule.element + " " + rule.key; }

// What the expression reads of the element it is about, at the first level; not what conditions on
// items read below.
void FirstNames(const Expr& e, std::set<std::string>* names) {
  if (e.kind == ExprKind::kName) {
    names->insert(e.text);
  }
  if (e.kind == ExprKind::kMember && e.kids[0]->kind == ExprKind::kEnv) {
    names->insert(e.text);
  }
  bool items = e.kind == ExprKind::kCall && e.has_receiver &&
               (e.text == "where" || e.text == "all" || e.text == "select" || e.text == "exists" ||
                e.text == "repeat");
  for (size_t i = 0; i < e.kids.size(); ++i) {
    if (i == 0 || !items) {
      FirstNames(*e.kids[i], names);
    }
  }
}

bool IsCountSum(const Expr& e) {
  if (e.kind == ExprKind::kBinary && e.op == ast::Operator::kPlus) {
    return IsCountSum(*e.kids[0]) && IsCountSum(*e.kids[1]);
  }
  return e.kind == ExprKind::kCall && e.text == "count" && e.kids.size() == 1 &&
         e.kids[0]->kind == ExprKind::kName;
}

// Holds of a union of bodies when it holds of the last: it asks only that things are there.
bool OnlyAsksForPresence(const Expr& e) {
  if (e.kind == ExprKind::kBinary && (e.op == ast::Operator::kOr || e.op == ast::Operator::kAnd)) {
    return OnlyAsksForPresence(*e.kids[0]) && OnlyAsksForPresence(*e.kids[1]);
  }
  if (e.kind == ExprKind::kBinary && e.op == ast::Operator::kGreater) {
    return IsCountSum(*e.kids[0]) && e.kids[1]->kind == ExprKind::kInteger &&
           e.kids[1]->text == "0";
  }
  return e.kind == ExprKind::kName || (e.kind == ExprKind::kCall && e.text == "exists" &&
                                       e.kids.size() == 1 && e.kids[0]->kind == ExprKind::kName);
}

}  // namespace

Piece Generator::WholeOf(const Node* object, const std::string& type) {
  return {.steps = {},
          .leaf = object,
          .frame = std::make_shared<conform::Frame>(),
          .value = nullptr,
          .type = type,
          .certain = true};
}

// The end of a question that `written_` began. `rejected`: where it holds no record is written, so
// nothing has to be asked. `about`: where it holds there is something the formula is about; a rule
// that fails of all that is written is none for run time.
Generator::Judgement Generator::Decide(Formula formula, Formula rejected,
                                       const std::vector<const Node*>& given, Formula about) {
  conform::Formulas& f = written_.formulas();
  std::vector<Formula> known = {f.Not(rejected)};
  std::vector<const Node*> all = given;
  all.insert(all.end(), assumptions_.begin(), assumptions_.end());
  for (const Node* one : all) {
    known.push_back(f.Of(one).yes);
  }
  Judgement out;
  std::vector<Formula> written = known;
  written.push_back(about);
  if (f.Proved(formula, known)) {
    f.Drop();
  } else if (f.Proved(f.Not(formula), written)) {
    f.Drop();
    out.state = Judgement::State::kNever;
  } else if (Node* condition = f.full() ? nullptr : f.Condition(formula, known)) {
    out.state = Judgement::State::kRunTime;
    out.condition = condition;
  } else {
    f.Drop();
    out.state = Judgement::State::kUnknown;
    out.asks = "more cases than can be told apart";
  }
  return out;
}

// `strengthen`: see conform::Holds.
Generator::Judgement Generator::Judge(const Rule& rule, const Piece& context, const Piece& resource,
                                      const std::vector<const Node*>& given, bool strengthen) {
  if (rule.condition == nullptr) {
    return {.state = Judgement::State::kUnknown,
            .condition = nullptr,
            .asks = "a discriminator that looks elsewhere",
            .touched = true};
  }
  auto value_set = [this](const std::string& url, bool with_system) {
    return ValueSetTable(url, with_system);
  };
  written_.formulas().Begin();
  conform::Answer answer =
      conform::Holds(written_, value_set, *rule.condition, context, resource, strengthen);
  Judgement out;
  if (answer.holds) {
    // What is not written breaks nothing, and a rule that fails of all that is written is no rule
    // for run time.
    Formula there = context.certain ? conform::Always() : written_.There(context);
    out = Decide(written_.Every(context, *answer.holds), answer.rejected, given, there);
  } else {
    written_.formulas().Drop();
    out.state = Judgement::State::kUnknown;
    out.asks = answer.asks;
  }
  out.touched = answer.touched;
  return out;
}

// Whether an object has one of these elements.
Generator::Judgement Generator::Writes(const Node* object, const std::string& type,
                                       const std::vector<std::string>& names) {
  written_.formulas().Begin();
  written_.TakeRejected();
  Formula there = conform::Never();
  for (const std::string& name : names) {
    for (const Piece& piece : written_.Child(WholeOf(object, type), name)) {
      there = written_.formulas().Or(there, written_.Exists(piece));
    }
  }
  return Decide(there, written_.TakeRejected(), {}, conform::Always());
}

// Says what became of the rule; null: nothing is left to do at run time.
Node* Generator::Enforce(const Rule& rule, const Judgement& judgement, Span span,
                         const std::string& at_run_time) {
  using State = ConformanceEntry::State;
  switch (judgement.state) {
    case Judgement::State::kProved:
      if (rule.invariant || judgement.touched) {
        Explain(State::kProved, rule.element, rule.key,
                rule.invariant && !judgement.touched ? "what it speaks of is not written"
                                                     : "follows from the lines");
      }
      return nullptr;
    case Judgement::State::kRunTime:
      Explain(State::kRunTime, rule.element, rule.key, at_run_time);
      return judgement.condition;
    case Judgement::State::kNever:
      Error(DiagnosticKind::kNeverConforms, span,
            rule.required
                ? fmt::format("`{}` is required, and these lines never write it", rule.element)
                : fmt::format("{} `{}` of `{}` never holds of what these lines write",
                              rule.invariant ? "invariant" : "demand", rule.key, rule.element),
            rule.says);
      Explain(State::kError, rule.element, rule.key, "never holds");
      return nullptr;
    case Judgement::State::kUnknown:
      Error(DiagnosticKind::kCannotBeChecked, span,
            fmt::format("{} `{}` of `{}` cannot be checked here: it asks for {}",
                        rule.invariant ? "invariant" : "demand", rule.key, rule.element,
                        judgement.asks),
            "leave out the elements it speaks of");
      Explain(State::kError, rule.element, rule.key, "cannot be checked: " + judgement.asks);
      return nullptr;
  }
  return nullptr;
}

// Below a resource what breaks a rule is an invalid value: refused, or left out and counted.
std::string Generator::InvalidValueWords() const {
  return feed_->degrade ? "left out and counted `degraded` when false"
                        : "dead letter transform/invariant when false";
}

uint32_t Generator::InvariantSite(const Rule& rule, Span span) {
  return Site("transform", "invariant", RuleName(rule), feed_->degrade, span);
}

// Every element that `emission` writes keeps the rule, or is not written.
Node* Generator::GuardElements(Node* emission, const std::string& type, const Rule& rule, Span span,
                               Node** condition) {
  switch (emission->op) {
    case Op::kWhen:
    case Op::kLet:
    case Op::kEach: {
      Node* inner = nullptr;
      emission->kids[1] = GuardElements(emission->kids[1], type, rule, span, &inner);
      return emission;
    }
    case Op::kFirst:
    case Op::kArray:
    case Op::kSequence:
      for (Node*& kid : emission->kids) {
        Node* inner = nullptr;
        kid = GuardElements(kid, type, rule, span, &inner);
      }
      return emission;
    case Op::kMember:
    case Op::kCount:
      emission->kids[0] = GuardElements(emission->kids[0], type, rule, span, condition);
      return emission;
    default:
      break;
  }
  written_.formulas().Begin();
  Formula all, any = conform::Never();
  bool touched = false;
  for (const Piece& piece : written_.Of(emission, type)) {
    Piece here = piece;
    here.steps.clear();
    here.certain = true;
    auto value_set = [this](const std::string& url, bool with_system) {
      return ValueSetTable(url, with_system);
    };
    conform::Answer answer = conform::Holds(written_, value_set, *rule.condition, here, {});
    if (!answer.holds) {
      Enforce(rule,
              {.state = Judgement::State::kUnknown,
               .condition = nullptr,
               .asks = answer.asks,
               .touched = true},
              span, "");
      return emission;
    }
    touched = touched || answer.touched;
    all = written_.formulas().And(all, written_.Every(piece, *answer.holds));
    any = written_.formulas().Or(any, written_.Exists(piece));
  }
  Judgement judgement = Decide(all, conform::Never(), {}, any);
  judgement.touched = touched;
  *condition = Enforce(rule, judgement, span, InvalidValueWords());
  return *condition == nullptr
             ? emission
             : OrRefuse(emission, Clone(*condition), InvariantSite(rule, span), span);
}

// The emission where the condition holds; where it does not, the site decides.
Node* Generator::OrRefuse(Node* emission, Node* condition, uint32_t site, Span span) {
  Node* broken = New(
      Op::kCall, BooleanType(),
      {New(Op::kLiteral, BooleanType(), {}, "true"), Clone(condition),
       New(Op::kLiteral, BooleanType(), {}, "false"), New(Op::kLiteral, BooleanType(), {}, "true")},
      "iif", *slots_);  // empty is false
  *slots_ += 3;
  Node* refused = Emit(Op::kWhen, {broken, Refuse(site)});
  return Emit(Op::kFirst, {Emit(Op::kWhen, {Clone(condition), emission}), refused}, "", 0, span);
}

// R4's per-1, kept by leaving out the less: an end that is not provably at or after its start is an
// invalid value.
Node* Generator::EndOfPeriod(const std::string& shown, const Node* start, Node* end) {
  if (end->op == Op::kWhen || end->op == Op::kLet) {
    end->kids[1] = EndOfPeriod(shown, start, end->kids[1]);
    return end;
  }
  if (end->op == Op::kFirst) {
    for (Node*& kid : end->kids) {
      kid = EndOfPeriod(shown, start, kid);
    }
    return end;
  }
  if (end->op != Op::kPrimitive || end->kids[0]->op == Op::kLiteral) {
    return end;  // a constant, or a refusal: the rule itself judges them
  }
  conform::Formulas& f = written_.formulas();
  f.Begin();
  Formula fine;
  for (const Piece& piece : written_.Of(start, "dateTime")) {
    if (Node* value = written_.Value(piece)) {
      Formula ordered =
          f.Atom(f.New(Op::kOrdered, BooleanType(), {value, end->kids[0]}, "dateTime"),
                 {value, end->kids[0]});
      fine = f.And(fine, written_.Every(piece, ordered));
    }
  }
  Judgement judgement = Decide(fine, written_.TakeRejected(), {}, conform::Always());
  if (judgement.condition == nullptr) {
    return end;
  }
  uint32_t site = Site("schema", "period", PathOf(end->kids[0], end->span, *scopes_.rbegin()),
                       feed_->degrade, end->span);
  Explain(ConformanceEntry::State::kRunTime, shown, "per-1",
          feed_->degrade ? "the end is left out and counted `degraded` when false"
                         : "dead letter schema/period when false");
  Node* present = Exists(end->kids[0]);
  return Emit(Op::kWhen, {present, OrRefuse(end, judgement.condition, site, end->span)});
}

// The rules of an object that is not a resource; `required`: the conditions it is written under
// anyway.
Node* Generator::GuardObject(Node* object, const Place& place, Node* required, Node** present,
                             Span span) {
  std::vector<Rule> rules = rules_.OfContent(place.content);
  if (place.profile != nullptr && place.begin == 0) {
    const auto& more = rules_.OfProfile(*place.profile);
    rules.insert(rules.end(), more.begin(), more.end());
  }
  std::vector<const Node*> given;
  if (required != nullptr) {
    given.push_back(required);
  }
  Piece whole = WholeOf(object, place.content);
  whole.certain = false;  // what is not written breaks nothing
  Node* emission = object;
  for (Rule& rule : rules) {
    rule.element =
        place.shown + rule.element.substr(std::min(rule.element.size(), place.content.size()));
    Judgement judgement = Judge(rule, whole, {}, given);
    if (Node* condition = Enforce(rule, judgement, span, InvalidValueWords())) {
      emission = OrRefuse(emission, condition, InvariantSite(rule, span), span);
      *present = And(*present, Clone(condition));
    }
  }
  return required == nullptr ? emission : Emit(Op::kWhen, {required, emission});
}

// A resource's own rules: what breaks one is no resource, so the message is refused.
void Generator::CheckResource(const ast::MapDecl& map, const Node* body,
                              std::vector<Node*>* checks) {
  Piece whole = WholeOf(body, map.to.text);
  Explain(ConformanceEntry::State::kProved, map.to.text + ".**", "ele-1",
          "what holds nothing is not written");
  for (const Rule& rule : rules_.OfContent(map.to.text)) {
    Judgement judgement = Judge(rule, whole, whole, {});
    Node* condition =
        Enforce(rule, judgement, map.to.span, "dead letter transform/invariant when false");
    if (condition != nullptr) {
      uint32_t site = Site("transform", "invariant", RuleName(rule), false, map.to.span);
      checks->push_back(Emit(Op::kRequire, {condition}, "", site, map.to.span));
    }
    Tie(map.to.text, rule);
  }
}

// Elements that a rule ties together are folded as one: the body that says one of them says all of
// them.
void Generator::Tie(const std::string& type, const Rule& rule) {
  if (rule.condition == nullptr || OnlyAsksForPresence(*rule.condition)) {
    return;
  }
  std::set<std::string> names, written = WrittenOf(type), tied;
  FirstNames(*rule.condition, &names);
  std::set_intersection(names.begin(), names.end(), written.begin(), written.end(),
                        std::inserter(tied, tied.end()));
  if (tied.size() < 2) {
    return;
  }
  auto& groups = c_.module.element_groups[type];
  for (auto group = groups.begin(); group != groups.end();) {  // groups that overlap are one
    bool overlaps = std::any_of(group->begin(), group->end(),
                                [&](const std::string& name) { return tied.contains(name); });
    if (overlaps) {
      tied.insert(group->begin(), group->end());
    }
    group = overlaps ? groups.erase(group) : std::next(group);
  }
  groups.emplace_back(tied.begin(), tied.end());
  std::sort(groups.begin(), groups.end());
  Explain(ConformanceEntry::State::kProved, rule.element, rule.key,
          fmt::format("in the hub too: `{}` are replaced together", fmt::join(tied, "`, `")));
}

// Top-level elements that some map of the program writes in resources of this type.
const std::set<std::string>& Generator::WrittenOf(const std::string& type) {
  auto [known, fresh] = written_elements_.try_emplace(type);
  if (fresh) {
    for (const auto& entry : c_.declarations.all()) {
      const auto* map = ast::As<ast::MapDecl>(*entry.decl);
      if (map == nullptr || !c_.declarations.IsOwn(*map) || map->to.text != type) {
        continue;
      }
      for (const FlatLine& flat : Flatten(*map)) {
        auto found = flat.line->target.steps.empty()
                         ? fhir::TypeTable::Found{}
                         : c_.types->FindElement(type, flat.line->target.steps[0].name.text);
        if (found) {
          known->second.insert(found.element->name);
        }
      }
    }
  }
  return known->second;
}

// `meta.profile`: claimed when everything the profile demands beyond the base type is there, proved
// or asked at run time.
Node* Generator::Profile(const ast::MapDecl& map, const Node* body) {
  const fhir::TypeDef* profile = c_.types->FindType(map.profile.text);
  if (profile == nullptr || profile->type != map.to.text) {
    Error(DiagnosticKind::kUnknownType, map.profile.span,
          profile == nullptr ? fmt::format("no profile `{}` in the packages used", map.profile.text)
                             : fmt::format("profile `{}` is of `{}`, the map makes `{}`",
                                           map.profile.text, profile->type, map.to.text),
          "`use us_core 6.1.0` brings US Core's profiles");
    return nullptr;
  }
  Piece whole = WholeOf(body, map.to.text);
  Node* claimed = nullptr;
  bool never = false;
  for (const Rule& rule : rules_.OfProfile(*profile)) {
    Judgement judgement = Judge(rule, whole, whole, {});
    if (judgement.state == Judgement::State::kRunTime) {
      Judgement shorter = Judge(rule, whole, whole, {}, /*strengthen=*/true);
      judgement = shorter.state == Judgement::State::kRunTime ? shorter : judgement;
    }
    using State = Judgement::State;
    bool impossible = judgement.state == State::kNever || judgement.state == State::kUnknown;
    if (!impossible) {
      Node* condition = Enforce(
          rule, judgement, map.profile.span,
          map.else_base ? "claim dropped when false" : "dead letter schema/profile when false");
      claimed = condition == nullptr ? claimed : And(claimed, condition);
      Tie(map.to.text, rule);
      continue;
    }
    never = true;
    std::string why = judgement.state == State::kUnknown
                          ? "cannot be checked: it asks for " + judgement.asks
                      : judgement.touched ? "never holds of what the lines write"
                                          : "no line writes it";
    Explain(ConformanceEntry::State::kError, rule.element, rule.key, why);
    std::string message =
        rule.required && !judgement.touched
            ? fmt::format("`{}` demands `{}`, which no line writes", map.profile.text,
                          rule.element.substr(rule.element.find('.') + 1))
            : fmt::format("`{}` demands `{}` of `{}`, which {}", map.profile.text, rule.key,
                          rule.element, why);
    if (map.else_base) {
      Error(DiagnosticKind::kClaimNever, map.profile.span, message + ": the claim is never made",
            "map what it asks for, or drop `conforms`");
    } else {
      Error(DiagnosticKind::kMissingRequired, map.profile.span, message,
            fmt::format("map `{}`, or add `else base` so that the claim is dropped and counted",
                        rule.element.substr(rule.element.find('.') + 1)));
    }
  }
  MustSupport(map, *profile, whole);
  if (never) {
    return nullptr;
  }
  Node* claim = Emit(
      Op::kMember,
      {Emit(Op::kObject,
            {Emit(Op::kMember, {Emit(Op::kArray, {Emit(Op::kJson, {}, JsonText(profile->url))})},
                  "profile")})},
      "meta");
  if (claimed == nullptr) {
    return claim;
  }
  Node* guarded = Emit(Op::kWhen, {claimed, claim});
  if (map.else_base) {
    return guarded;
  }
  uint32_t site = Site("schema", "profile", map.name.text, false, map.profile.span);
  return Emit(Op::kFirst, {guarded, Emit(Op::kMember, {Refuse(site)}, "meta")});
}

std::string Generator::UnusedSource(const std::string& type, const std::string& path) {
  if (guide_ == nullptr) {
    std::ifstream in(options_.registry_dir + "/v2-to-fhir.rows", std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    guide_ = std::make_unique<fhir::GuideSources>(text.str());
  }
  std::vector<std::string> sources = guide_->Of(type, path);
  return sources.empty() ? "no line writes it; HL7's guide has no source for it"
                         : fmt::format("no line writes it; HL7's guide takes it from {}",
                                       fmt::join(sources, ", "));
}

void Generator::MustSupport(const ast::MapDecl& map, const fhir::TypeDef& profile,
                            const Piece& whole) {
  std::vector<std::string> unmapped;
  written_.formulas().Begin();
  for (const fhir::Element& element : profile.elements) {
    if (!element.must_support || !element.slice.empty() ||
        element.path.find('.') == std::string::npos) {
      continue;
    }
    conform::Pieces at = {whole};
    std::string path = element.path.substr(element.path.find('.') + 1);
    bool around = true;
    for (size_t begin = 0; begin <= path.size() && around;) {
      size_t dot = std::min(path.find('.', begin), path.size());
      std::string step = path.substr(begin, dot - begin);
      step = step.substr(0, step.find('['));
      conform::Pieces below;
      for (const Piece& piece : at) {
        for (Piece& child : written_.Child(piece, step)) {
          below.push_back(std::move(child));
        }
      }
      begin = dot + 1;
      around = !below.empty() ||
               begin > path.size();  // of an element that is not written at all, only that is said
      at = std::move(below);
    }
    if (around && at.empty() && element.min == 0) {
      Explain(ConformanceEntry::State::kMustSupportWithoutSource, element.path, "must-support",
              UnusedSource(map.to.text, path));
      unmapped.push_back(path);
    }
  }
  written_.formulas().Drop();
  if (!unmapped.empty() && !sink_.has_errors()) {
    Error(DiagnosticKind::kMustSupportUnmapped, map.profile.span,
          fmt::format("`{}` marks `{}` as must-support, and no line writes {}", map.profile.text,
                      fmt::join(unmapped, "`, `"), unmapped.size() == 1 ? "it" : "them"),
          "map what the source has; what it never sends may stay out");
  }
}

}  // namespace weir::check
