// The state of generating one module: every construct's file adds its part as members of this class.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "compiler/check/check.h"
#include "compiler/check/expr.h"
#include "compiler/conform/holds.h"
#include "compiler/conform/rules.h"
#include "compiler/fhir/guide.h"

namespace weir::check {

// Where lines write: the children of `content`, or what a slice of an extension allows.
struct Place {
  std::string content;                      // "Patient", "Patient.contact", "HumanName", "Extension"
  std::string shown;                        // as the author says it
  const fhir::TypeDef* profile = nullptr;   // of an extension
  size_t begin = 0, end = 0;                // its elements, for a slice of a complex extension
  bool resource = false;
};

struct Resolved {
  const fhir::Element* element = nullptr;
  std::string json, type, shown;
  Place child;
  bool many = false, primitive = false;
  std::string url;                          // of an extension slice
  std::vector<fhir::TypeRef> options;       // types of an open choice
};

struct BoundLine {
  const ast::Line* line = nullptr;
  Scope* scope = nullptr;
  size_t step = 0;
};

// An emission and when it writes; `present` null: always.
struct Value {
  ir::Node* node = nullptr;
  ir::Node* present = nullptr;
  bool always = false;
  bool filtered = false;  // an `each` that took the line's `when` upon itself
  bool assured = false;   // where this writes nothing, something else does: a lifecycle's `else`
};

// Where an element is written; no span: its lines are at fault and reported.
struct WrittenAt {
  Span span;
  bool assured = false;
};

struct FlatLine {
  const ast::Line* line;
  const ast::MapDecl* map;  // that wrote it
};

class Generator {
 public:
  Generator(Compilation& compilation, const CheckOptions& options, DiagnosticSink& sink);
  void Run();

 private:
  struct FeedState {
    const ast::FeedDecl* decl = nullptr;
    std::vector<const ast::Clause*> clauses;  // own, then inherited
    std::vector<std::string> events;          // "A01"
    std::vector<std::string> versions;        // newest first
    MessageShape shape;
    std::string type = "ADT";
    bool degrade = false;
    ir::Feed feed;
  };
  struct Assumption {
    std::set<std::string> events;  // empty: all
    ir::Node* node;
  };

  // feed.cpp
  void GenerateFeed(const ast::FeedDecl& feed);
  void ReadClauses(FeedState& state);
  void ReadAccept(FeedState& state, const ast::Clause& clause);
  void ReadVersions(FeedState& state, const ast::Clause& clause);
  MessageShape ShapeOf(const FeedState& state, const std::set<std::string>& events) const;
  void Requires(FeedState& state, std::vector<ir::Node*>& effects);
  void Require(const ast::Expr& expr, const std::set<std::string>& events, Scope& scope, std::vector<ir::Node*>& effects);
  void MergeKey(const ast::Clause& clause, Scope& scope, std::vector<ir::Node*>& effects);
  std::set<std::string> Events(const std::vector<ast::EventRange>& ranges);
  ir::Node* EventIs(const std::set<std::string>& events);
  void Overlaps();
  void GroupGrammars(const FeedState& state);
  int32_t Zone(const std::string& name, Span span);

  // map.cpp
  void GenerateMap(const ast::MapDecl& map, std::vector<ir::Node*>& effects);
  std::vector<FlatLine> Flatten(const ast::MapDecl& map, int depth = 0);
  ir::Node* KeyOf(const ast::MapDecl& map, const std::vector<FlatLine>& lines, Scope& scope);
  void Bind(const ast::Name& binding, const ir::Node* collection, int64_t slot, Scope& scope);
  const std::string& EnsureFunction(const ast::MapDecl& map);
  static std::string SourceType(const ast::MapDecl& map);

  // conformance.cpp
  struct Judgement {
    enum class State : uint8_t { kProved, kRunTime, kNever, kUnknown };
    State state = State::kProved;
    ir::Node* condition = nullptr;  // kRunTime
    std::string asks;               // kUnknown: for what
    bool touched = false;           // the rule speaks of something that is written
  };
  static conform::Piece WholeOf(const ir::Node* object, const std::string& type);
  Judgement Decide(conform::Formula formula, conform::Formula rejected, const std::vector<const ir::Node*>& given, conform::Formula about);
  Judgement Writes(const ir::Node* object, const std::string& type, const std::vector<std::string>& names);
  Judgement Judge(const conform::Rule& rule, const conform::Piece& context, const conform::Piece& resource,
                  const std::vector<const ir::Node*>& given, bool strengthen = false);
  ir::Node* Enforce(const conform::Rule& rule, const Judgement& judgement, Span span, const std::string& at_run_time);
  std::string InvalidValueWords() const;
  uint32_t InvariantSite(const conform::Rule& rule, Span span);
  ir::Node* GuardElements(ir::Node* emission, const std::string& type, const conform::Rule& rule, Span span, ir::Node** condition);
  ir::Node* GuardObject(ir::Node* object, const Place& place, ir::Node* required, ir::Node** present, Span span);
  ir::Node* OrRefuse(ir::Node* emission, ir::Node* condition, uint32_t site, Span span);
  void CheckResource(const ast::MapDecl& map, const ir::Node* body, std::vector<ir::Node*>* checks);
  void Tie(const std::string& type, const conform::Rule& rule);
  const std::set<std::string>& WrittenOf(const std::string& type);
  ir::Node* Profile(const ast::MapDecl& map, const ir::Node* body);
  void MustSupport(const ast::MapDecl& map, const fhir::TypeDef& profile, const conform::Piece& whole);
  std::string UnusedSource(const std::string& type, const std::string& path);

  // target.cpp
  ir::Node* EndOfPeriod(const std::string& shown, const ir::Node* start, ir::Node* end);
  ir::Node* EmitObject(const Place& place, const std::vector<BoundLine>& lines, std::vector<ir::Node*> members,
                       ir::Node** present, Span span = {});
  bool Resolve(const Place& place, const ast::TargetStep& step, Resolved* out);
  bool ResolveExtension(const Place& place, const ast::TargetStep& step, Resolved* out);
  std::vector<Value> LineValues(const BoundLine& bound, const Resolved& target);
  ir::Node* NullOf(const BoundLine& bound);
  bool Inline(const BoundLine& bound, const Resolved& target, std::vector<BoundLine>* lines,
              std::vector<std::pair<int64_t, ir::Node*>>* lets);
  void CheckRequired(const Place& place, const ir::Node* object, const std::map<std::string, WrittenAt>& written, ir::Node** present, Span span);
  Value ReferenceValue(const ast::Line& line, const Resolved& target, Scope& scope);

  // value.cpp
  // `when` filters what an `each` walks, with the item as $this.
  Value ItemValue(const ast::Item& item, const Resolved& target, Scope& scope, const ast::Expr* when = nullptr);
  Value AlternativeValue(const ast::Alternative& alternative, const Resolved& target, Scope& scope, const ast::Expr* when);
  ir::Node* Filter(ir::Node* collection, const ast::Expr* when, const Scope& scope);
  Value MapCall(const ast::MapDecl& map, ir::Node* node, Span span);
  Value Convert(ir::Node* node, Span span, const Resolved& target, Scope& scope);
  Value PrimitiveValue(ir::Node* node, Span span, const Resolved& target, Scope& scope);
  Value ViaTable(const ast::Alternative& alternative, ir::Node* node, const Resolved& target, Scope& scope);
  Value Absent(const ast::Name& reason, const Resolved& target);
  Value LiteralValue(const ir::Node& node, Span span, const Resolved& target);
  bool ChooseType(const ir::Node& node, const Resolved& target, Resolved* out);
  const std::string& ValueSetTable(const std::string& url, bool with_system = false);
  void CheckTableBinding(const ast::TableDecl& table, const Resolved& target, Span span);
  bool EnsureTable(const ast::Name& name);
  void TablesOf(const ir::Node& node);

  // guard.cpp
  bool Disjoint(const ir::Node* a, const ir::Node* b);
  bool Proved(const ir::Node* goal);
  bool KeyProved(const ir::Node* key);

  // small helpers (generator.cpp)
  ExprContext Context();
  Scope NewScope(const MessageShape* shape);
  Scope* Keep(Scope scope);
  ir::Node* New(ir::Op op, ir::Type type, std::vector<ir::Node*> kids, std::string text = {}, int64_t number = 0, Span span = {});
  ir::Node* Emit(ir::Op op, std::vector<ir::Node*> kids, std::string text = {}, int64_t number = 0, Span span = {});
  ir::Node* Clone(const ir::Node* node);
  static bool Speaks(const ir::Node* node);
  ir::Node* Exists(const ir::Node* node);
  ir::Node* And(ir::Node* a, ir::Node* b);
  ir::Node* Or(ir::Node* a, ir::Node* b);
  ir::Node* Text(const std::string& text);
  ir::Node* Var(int64_t slot, ir::Type type);
  ir::Node* Refuse(uint32_t site);  // an emission that always consults its site
  uint32_t Site(const std::string& error_class, const std::string& code, const std::string& path, bool degrade, Span span);
  std::string PathOf(const ir::Node* node, Span span, const Scope& scope) const;
  void Error(DiagnosticKind kind, Span span, std::string message, std::string help = {});
  void Explain(ConformanceEntry::State state, const std::string& element, const std::string& rule, const std::string& how);

  Compilation& c_;
  const CheckOptions& options_;
  DiagnosticSink& sink_;
  FeedState* feed_ = nullptr;
  const ast::MapDecl* map_ = nullptr;
  std::vector<Assumption> requires_;
  std::vector<ir::Node*> assumptions_;      // of the map being generated
  std::map<const ast::MapDecl*, std::string> functions_;
  std::set<const ast::MapDecl*> in_progress_;
  std::set<std::string> tables_;
  std::deque<Scope> scopes_;
  int64_t* slots_ = nullptr;
  std::deque<MessageShape> shapes_;
  std::string explained_;                                            // the map that `Explain` speaks of
  conform::RuleBook rules_;
  conform::Written written_;
  std::map<std::string, std::set<std::string>> written_elements_;    // by resource type
  std::unique_ptr<fhir::GuideSources> guide_;                        // read when asked for
};

ir::Type EmitType();
ir::Type TextType(bool required = false);
ir::Type BooleanType();
std::string JsonText(std::string_view text);
bool V2Primitive(std::string_view type);

}  // namespace weir::check
