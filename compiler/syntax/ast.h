// The syntax tree of one file: what the author wrote, in his order, names unresolved. Plain
// structs, owned from the file downwards by unique_ptr and vector; every node has the span of its
// text. The parser always returns a tree: a part it could not read is left out or is
// ExprKind::kError, and was reported.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/base/source_file.h"

namespace weir::ast {

enum class ExprKind : uint8_t {
#define WEIR_EXPR_KIND(name) name,
#include "compiler/syntax/expr_kinds.def"
#undef WEIR_EXPR_KIND
};

enum class Operator : uint8_t {
#define WEIR_OPERATOR(name, spelling) name,
#include "compiler/syntax/operators.def"
#undef WEIR_OPERATOR
};

std::string_view Spelling(Operator op);
std::string_view KindName(ExprKind kind);

// A name with its place; `text` empty: not written.
struct Name {
  std::string text;
  Span span;

  bool empty() const { return text.empty(); }
};

struct Expr;
using ExprPtr = std::unique_ptr<Expr>;

struct Expr {
  ExprKind kind = ExprKind::kError;
  Operator op = Operator::kNone;
  bool implicit = false;       // kThis that was not written
  bool has_receiver = false;   // kCall: kids[0] is the receiver
  bool parenthesized = false;  // `and` beside `or` needs parentheses, so the checker must see them
  bool unit_is_word = false;   // kQuantity: `days`, not 'd'
  int32_t number = 0;          // kV2Field, kStep, kRepeat
  Span span;
  Span name_span;  // the operator, the member's, function's or type's name, the step: what a caret
                   // should point at
  std::string text;
  std::string value;  // kCriterion: what follows the word; kQuantity: the unit
  std::vector<ExprPtr> kids;
};

// One alternative of a value: `[each] E [using MAP] [via TABLE]`, or `absent REASON`.
struct Alternative {
  Span span;
  bool each = false;
  ExprPtr expr;  // null for `absent`
  Name using_map;
  Name via_table;
  Name absent;  // data-absent-reason code
};

// `alternative else alternative …`: the first that is not empty.
struct Item {
  Span span;
  std::vector<Alternative> alternatives;  // at least one, unless the line was broken
};

// `name(slice).name`: one step of a target.
struct TargetStep {
  Name name;
  Name slice;  // slice or extension name, or a quoted extension URL
};

struct Target {
  Span span;
  std::vector<TargetStep> steps;
};

// `for each A, B named x [when E]`
struct ForEach {
  Span span;
  std::vector<ExprPtr> sources;  // empty: no `for each`
  Name binding;
  ExprPtr condition;
};

enum class LineKind : uint8_t {
  kAssign,     // target: items [when]
  kObject,     // target: { lines } [when]
  kEach,       // target: each source { lines } [when]
  kReference,  // target -> name [(argument)] [when]
  kLifecycle,  // target: lifecycle name [else items[0]]
  kKey,        // key items [within name]; `key visit` is one item, a kName
  kMerge,      // merge name (patch, replace, fill)
  kSnapshot,   // snapshot set of name, each sources…
  kOnFail,     // on_fail name (omit)
  kSkip,       // skip target
};

// One line of a map.
struct Line {
  LineKind kind = LineKind::kAssign;
  Span span;
  std::string doc;
  Target target;
  std::vector<Item> items;       // kAssign, kKey, kLifecycle (at most one)
  ExprPtr source;                // kEach: what is walked; kReference: the argument
  std::vector<ExprPtr> sources;  // kSnapshot
  Name name;    // kReference: map; kLifecycle; kMerge: mode; kSnapshot: map or keyspace; kOnFail:
                // action
  Name within;  // kKey
  ExprPtr condition;        // when
  std::vector<Line> lines;  // kObject, kEach
};

// An event, a range of them (`A01..A08`) or the name of a declared set; message is "ADT" in
// `ADT^A01`, else empty.
struct EventRange {
  Span span;
  Name message;
  Name first;      // "A01", "*" for any trigger, or the name of an `events` declaration
  Name last;       // empty: a single one
  Name structure;  // `as ADT_A01`
};

struct VersionRange {
  Span span;
  Name first, last;  // "any" alone: every version
};

struct Duration {
  Span span;
  int64_t amount = 0;
  std::string unit;  // singular: "minute"
};

enum class DeclKind : uint8_t {
  kAuthority,
  kKeyspace,
  kEvents,
  kFunction,
  kLifecycle,
  kTable,
  kFeed,
  kMap,
  kPolicy,
  kConsumer,
  kTest,
  kMigrate,
  kAcceptChange,
};

struct Decl {
  explicit Decl(DeclKind k) : kind(k) {}
  virtual ~Decl() = default;
  Decl(const Decl&) = delete;
  Decl& operator=(const Decl&) = delete;

  DeclKind kind;
  Span span;
  Span header;      // up to the `{`, or the whole
  Name name;        // kTest: its title; kMigrate: the old version; kAcceptChange: the change code
  std::string doc;  // text of the `///` lines before it
};
using DeclPtr = std::unique_ptr<Decl>;

struct AuthorityDecl : Decl {
  static constexpr DeclKind kKind = DeclKind::kAuthority;
  AuthorityDecl() : Decl(kKind) {}
  Name uri;                      // decoded
  std::vector<Name> namespaces;  // from 'EAST', 'EASTHOSP'
};

struct KeyspaceDecl : Decl {
  static constexpr DeclKind kKind = DeclKind::kKeyspace;
  KeyspaceDecl() : Decl(kKind) {}
  Name type;
  std::vector<Item> parts;  // one, or a composed key
  Name within;
};

struct EventsDecl : Decl {
  static constexpr DeclKind kKind = DeclKind::kEvents;
  EventsDecl() : Decl(kKind) {}
  std::vector<EventRange> events;
};

struct FunctionDecl : Decl {
  static constexpr DeclKind kKind = DeclKind::kFunction;
  FunctionDecl() : Decl(kKind) {}
  std::vector<Name> params;
  Item body;  // alternatives and `via` are allowed, `each` and `absent` are the checker's to refuse
};

struct LifecycleRow {
  Span span;
  std::vector<EventRange> events;
  bool undoes = false;  // `A11 undoes A01, A04`
  Name status;          // -> planned
  std::vector<EventRange> undone;
};

struct LifecycleDecl : Decl {
  static constexpr DeclKind kKind = DeclKind::kLifecycle;
  LifecycleDecl() : Decl(kKind) {}
  Name element;  // "Encounter.status"
  std::vector<LifecycleRow> rows;
};

enum class TableElse : uint8_t { kNone, kDeadLetter, kOriginal, kText, kOmit, kCode };

struct TableRow {
  Span span;
  std::vector<Name> sources;
  Name target;
  Name display;
  Name system;  // `in "http://…"`
};

struct TableDecl : Decl {
  static constexpr DeclKind kKind = DeclKind::kTable;
  TableDecl() : Decl(kKind) {}
  Name from;  // HL70004, v3-ActCode or a quoted URL
  Name to;
  bool from_is_url = false;
  bool to_is_url = false;
  std::vector<TableRow> rows;
  TableElse otherwise = TableElse::kNone;
  TableRow otherwise_row;  // span always; target, display, system for kCode
};

enum class ClauseKind : uint8_t {
  kOwner,        // text
  kAgreement,    // text; duration: notice
  kFrom,         // exprs[0]
  kAccept,       // events; names: processing ids ("any")
  kVersions,     // versions; name: else
  kTimezone,     // text
  kSegment,      // name, anchor: after; optional, repeating; fields
  kRequire,      // exprs
  kOn,           // events, clauses
  kIgnore,       // exprs; text: because
  kDuplicate,    // exprs: same …; same_content; except
  kOrder,        // item
  kLate,         // duration
  kFuture,       // duration
  kInvalid,      // name: dead_letter | degrade
  kSuppress,     // exprs[0]; text: because
  kSlo,          // name: metric; stat: p95; op; number, unit; during_from, during_to
  kAcknowledge,  // name
  kMergeKey,     // name: keyspace; for_each; item: the loser's key; survivor, if written; condition
};

struct SegmentField {
  Span span;
  int32_t position = 0;
  Name name;
  Name type;
  bool repeating = false;
};

// One line of a feed.
struct Clause {
  ClauseKind kind = ClauseKind::kOwner;
  Span span;
  Name text;
  Name name;
  std::vector<Name> names;
  std::vector<ExprPtr> exprs;
  std::vector<ExprPtr> except;
  std::vector<EventRange> events;
  std::vector<VersionRange> versions;
  std::vector<Clause> clauses;
  std::vector<SegmentField> fields;
  std::optional<Duration> duration;
  Item item, survivor;
  ForEach for_each;
  ExprPtr condition;
  Name anchor;  // segment … after PV1
  Name stat, number, unit, during_from, during_to;
  Operator op = Operator::kNone;
  bool same_content = false;
  bool optional = false;
  bool repeating = false;
};

struct FeedDecl : Decl {
  static constexpr DeclKind kKind = DeclKind::kFeed;
  FeedDecl() : Decl(kKind) {}
  Name version;
  Name extends;
  std::vector<Clause> clauses;
};

struct MapDecl : Decl {
  static constexpr DeclKind kKind = DeclKind::kMap;
  MapDecl() : Decl(kKind) {}
  // `map CX to Identifier`: name "CX", no `from`; which names are data types is the checker's
  // knowledge.
  Name from;
  std::vector<EventRange> on;
  ForEach for_each;
  Name to;
  Name profile;  // conforms …: id or quoted URL
  bool else_base = false;
  std::vector<Name> extends;
  std::vector<Line> lines;
};

enum class RuleVerb : uint8_t {
  kLabel,
  kPermit,
  kDeny,
  kRedact,
  kMask,
  kNeverStore,
  kNeverTo,
  kBreakGlass
};

// `Encounter(identifier, class, period)`
struct PolicyScope {
  Span span;
  Name type;
  std::vector<Name> elements;
};

struct PolicyRule {
  RuleVerb verb = RuleVerb::kLabel;
  Span span;
  Name action;                  // read
  Name subject;                 // label defined or named, element path, type of `never store`
  std::vector<Name> to;         // roles, purposes, mask precision
  std::vector<Name> purposes;   // for
  std::vector<PolicyScope> on;  // `source` is a scope of that name
  ExprPtr where;
  std::vector<Name> spreading;
  Name unless_word, unless_value;  // `consent grants`, `role registration`
  std::vector<Name> obliges;
};

struct PolicyDecl : Decl {
  static constexpr DeclKind kKind = DeclKind::kPolicy;
  PolicyDecl() : Decl(kKind) {}
  Name dialect;
  std::vector<PolicyRule> rules;
};

struct ConsumerDecl : Decl {
  static constexpr DeclKind kKind = DeclKind::kConsumer;
  ConsumerDecl() : Decl(kKind) {}
  Name identity, organization;
  std::vector<Name> roles, purposes, resources;
};

struct TestDecl : Decl {
  static constexpr DeclKind kKind = DeclKind::kTest;
  TestDecl() : Decl(kKind) {}
  struct Given {
    Name text;
    bool is_file = false;
  };
  std::vector<Given> given;
  std::vector<ExprPtr> expect;
};

struct MigrateDecl : Decl {
  static constexpr DeclKind kKind = DeclKind::kMigrate;
  MigrateDecl() : Decl(kKind) {}
  Name to;
  struct Step {
    Span span;
    Name verb;  // backfill
    Name feed;
    std::optional<Duration> since;
  };
  std::vector<Step> steps;
};

struct AcceptChangeDecl : Decl {
  static constexpr DeclKind kKind = DeclKind::kAcceptChange;
  AcceptChangeDecl() : Decl(kKind) {}
  Name until;  // 2026-12-01
  Name by, because;
};

struct Use {
  Span span;
  Name package;  // fhir, us_core, std.v2
  Name version;  // r4, 6.1.0; may be empty
};

struct File {
  FileId id = kNoFile;
  Name edition;
  Name package;
  std::vector<Use> uses;
  std::vector<DeclPtr> declarations;
};

// The declaration as the type of its kind, or null.
template <typename T>
const T* As(const Decl& decl) {
  return decl.kind == T::kKind ? static_cast<const T*>(&decl) : nullptr;
}

// `(binary + (name a) (integer 1))`, for tests and dumps; spans are left out.
std::string Print(const Expr& expr);

}  // namespace weir::ast
