// The IR: a typed tree of operations over collections (FHIRPath's model) and over canonical JSON output. One IR serves
// maps, contract clauses, policies and invariants. It is a tree, not a graph of blocks, so that printing, parsing,
// verifying, rewriting and interpreting stay short and every node keeps the span of the source line it defends;
// lower/ chooses scalar or collection code for each node from its static type and cardinality.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/base/source_file.h"

namespace weir::ir {

enum class Op : uint8_t {
#define WEIR_IR_OP(name, ...) name,
#include "compiler/ir/ops.def"
#undef WEIR_IR_OP
};

// Cardinality of a value: max 0 (empty), 1 or many; min 0 or 1 (provably present).
enum class Max : uint8_t { kZero, kOne, kMany };

// `name` is one of: "System.String|Boolean|Integer|Decimal|Date|DateTime|Time|Quantity", "FHIR.<type>" (also backbone paths such
// as "FHIR.Patient.contact"), "v2.message", "v2.group.<NAME>", "v2.segment.<ID>", "v2.<DATATYPE>" (CX, ST, …),
// several of these joined by '|' (sorted) for a choice, "any", or "emit" for emission and effect nodes.
struct Type {
  std::string name = "any";
  bool required = false;
  Max max = Max::kMany;

  bool single() const { return max != Max::kMany; }
  bool is_v2() const { return name.starts_with("v2."); }
  bool is_emit() const { return name == "emit"; }
  friend bool operator==(const Type&, const Type&) = default;
};

// Owned by its Module's arena; children are never shared between two parents.
struct Node {
  Op op = Op::kEmpty;
  Type type;
  std::string text;
  int64_t number = 0;
  std::vector<Node*> kids;
  Span span;
};

// Where a record can be rejected or a value refused: enough to write the dead letter without the source.
struct Site {
  std::string error_class;  // schema | terminology | policy | transform
  std::string code;         // stable, e.g. "required", "value", "code", "key", "cardinality"
  std::string path;         // the source path as authors and senders say it, e.g. "PV1-2"; never data
  bool degrade = false;     // true: leave the value out and count `degraded` instead of rejecting
  Span span;
};

struct TableRow {
  std::string from, code, display, system;
};
struct Table {
  enum class Else : uint8_t { kDeadLetter, kOriginal, kText, kValue };
  std::string name;
  std::string source_system;
  std::string target_system;
  std::vector<TableRow> rows;  // sorted by `from`, unique
  Else otherwise = Else::kDeadLetter;
  TableRow otherwise_row;      // kValue
  uint32_t site = 0;           // kDeadLetter
};

struct Authority {
  std::string name;  // "unknown" for the prefix rule
  std::string uri;
  std::vector<std::string> namespaces;
};

struct Param {
  std::string name;
  int64_t slot = 0;
  Type type;
};

// A value function (keyspaces, fn not inlined, predicates) or an emission function (data type maps).
struct Function {
  std::string name;
  std::vector<Param> params;
  Type result;
  Node* body = nullptr;
  int64_t slot_count = 0;
};

struct MapInfo {  // what the hub must know of a map, by ordinal
  std::string name;
  std::string resource_type;
  std::string merge = "patch";  // patch | replace | fill
  uint32_t precedence = 1;      // fill: 0
  bool snapshot = false;
};

struct Zone {  // compiled-in zone data: UTC instants (seconds since 1970) from which `offset_seconds` holds
  std::string name;
  std::vector<std::pair<int64_t, int32_t>> transitions;
};

// A message structure's grammar, for `groups`: what a feed's maps name, by the messages that have it.
struct StructureItem {
  std::string name;  // segment id or group name
  bool group = false;
  bool repeats = false;
  std::vector<StructureItem> items;  // of a group, in order
};
struct Structure {
  std::string name;                   // "ADT_A01"
  std::vector<std::string> messages;  // "ADT^A01", "ADT^A04"
  std::vector<StructureItem> items;
};

// What probe needs besides expressions. All expressions are over the message.
struct Feed {
  std::string name, version;
  Node* route = nullptr;                // Boolean; null: always
  std::vector<std::string> accept;      // "ADT^A01" or "ADT^*"
  std::vector<std::string> processing;  // empty: any
  std::vector<std::string> versions;    // accepted, empty: any
  std::string version_else;             // how an unlisted one is read; empty: rejected
  std::vector<Node*> duplicate_key;     // text values
  std::vector<std::string> content_except;  // "MSH-7", "MSH-13"
  std::vector<Node*> order_by;          // alternatives, first non-empty; v2 time stamps
  int32_t zone = -1;                    // index into Module::zones
  int64_t late_seconds = -1, future_seconds = -1;
  bool acknowledge_errors = false;
  std::vector<std::pair<std::string, std::string>> declared_segments;  // "ZPV" after "PV1"
  Node* transform = nullptr;            // effects
  int64_t slot_count = 0;
  Node* suppress = nullptr;             // Boolean
};

class Module {
 public:
  std::string package;
  std::string edition;
  std::string semantic_digest;  // hex; source, std, registry, tables, zone data, edition
  std::vector<Table> tables;
  std::vector<Authority> authorities;
  std::vector<Zone> zones;
  std::vector<Site> sites;
  std::vector<Function> functions;
  std::vector<MapInfo> maps;
  std::vector<Structure> structures;  // only those whose groups are named
  std::vector<Feed> feeds;
  // StructureDefinition order of each resource type's top-level JSON names, choice names expanded, for fold.
  std::vector<std::pair<std::string, std::vector<std::string>>> element_orders;
  // By resource type: elements that an invariant ties together, which fold takes from one body.
  std::map<std::string, std::vector<std::vector<std::string>>> element_groups;

  Node* New(Op op, Type type, std::vector<Node*> kids = {}, std::string text = {},
            int64_t number = 0, Span span = {});
  const Function* FindFunction(std::string_view name) const;
  const Table* FindTable(std::string_view name) const;

 private:
  std::deque<Node> nodes_;
};

std::string_view OpName(Op op);

// Text form: `(op:Type "text" #number kid …)`; Print and Parse are inverse (spans excepted).
std::string Print(const Node& node);
std::string Print(const Module& module);
std::optional<std::string> Parse(std::string_view text, Module* module);  // the error, if any
// The first broken rule of docs/ir.md, if any.
std::optional<std::string> Verify(const Module& module);

}  // namespace weir::ir
