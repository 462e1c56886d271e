// AstBuilder for maps and their lines.
#include <algorithm>

#include "compiler/syntax/ast_builder.h"

namespace weir::syntax {

using ast::Line;
using ast::LineKind;
using P = generated::WeirParser;

ast::DeclPtr AstBuilder::BuildMap(P::MapDeclContext* context) {
  auto decl = std::make_unique<ast::MapDecl>();
  if (P::MapHeaderContext* header = context->mapHeader()) {
    decl->header = SpanOf(header);
    // NAME [from FEED] to TYPE [extends A, B]: told apart by the word before each.
    size_t word = P::MAP;
    for (antlr4::tree::ParseTree* child : header->children) {
      if (auto* terminal = dynamic_cast<antlr4::tree::TerminalNode*>(child)) {
        size_t type = terminal->getSymbol()->getType();
        word = type == P::COMMA ? word : type;
      } else if (auto* name = To<P::QnameContext>(child)) {
        switch (word) {
          case P::MAP:
            decl->name = NameOf(name);
            break;
          case P::FROM:
            decl->from = NameOf(name);
            break;
          case P::TO:
            decl->to = NameOf(name);
            break;
          case P::EXTENDS:
            decl->extends.push_back(NameOf(name));
            break;
          default:
            break;
        }
      }
    }
    decl->on = EventsOf(header->eventList());
    decl->for_each = BuildForEach(header->forEach());
    decl->profile = NameOf(header->system());
    decl->else_base = header->BASE() != nullptr;
  }
  decl->lines = BuildLines(context->mapBlock());
  return decl;
}

ast::ForEach AstBuilder::BuildForEach(P::ForEachContext* context) {
  ast::ForEach each;
  if (context == nullptr) {
    return each;
  }
  each.span = SpanOf(context);
  std::vector<P::ExprContext*> exprs = context->expr();
  if (context->WHEN() != nullptr && exprs.size() > 1) {
    each.condition = BuildExpr(exprs.back());
    exprs.pop_back();
  }
  each.sources = Exprs(exprs);
  each.binding = NameOf(context->ident());
  return each;
}

std::vector<Line> AstBuilder::BuildLines(P::MapBlockContext* context) {
  std::vector<Line> lines;
  if (context == nullptr) {
    return lines;
  }
  for (P::MapLineContext* child : context->mapLine()) {
    if (child->mapStatement() == nullptr) {
      continue;
    }
    Line line;
    line.span = SpanOf(child->mapStatement());
    line.doc = DocOf(child);
    if (!BuildLine(child->mapStatement(), line)) {
      continue;
    }
    bool once = line.kind == LineKind::kKey || line.kind == LineKind::kMerge ||
                line.kind == LineKind::kOnFail;
    auto first = std::find_if(lines.begin(), lines.end(),
                              [&](const Line& other) { return once && other.kind == line.kind; });
    if (first != lines.end()) {
      ReportTwice(line.span, first->span);
    } else {
      lines.push_back(std::move(line));
    }
  }
  return lines;
}

// False: too broken to keep.
bool AstBuilder::BuildLine(P::MapStatementContext* context, Line& line) {
  if (auto* target = To<P::TargetLineContext>(context)) {
    BuildTargetLine(target, line);
    return !line.target.steps.empty();
  }
  if (auto* key = To<P::KeyLineContext>(context)) {
    line.kind = LineKind::kKey;
    for (P::ItemContext* item : key->item()) {
      line.items.push_back(BuildItem(item));
    }
    line.within = NameOf(key->ident());
    return !line.items.empty();
  }
  if (auto* merge = To<P::MergeLineContext>(context)) {
    line.kind = LineKind::kMerge;
    line.name = NameOf(merge->ident());
    return !line.name.empty();
  }
  if (auto* snapshot = To<P::SnapshotLineContext>(context)) {
    line.kind = LineKind::kSnapshot;
    line.name = NameOf(snapshot->qname());
    line.sources = Exprs(snapshot->expr());
    return !line.name.empty();
  }
  if (auto* on_fail = To<P::OnFailLineContext>(context)) {
    line.kind = LineKind::kOnFail;
    line.name = NameOf(on_fail->ident());
    return !line.name.empty();
  }
  if (auto* skip = To<P::SkipLineContext>(context)) {
    line.kind = LineKind::kSkip;
    line.target = BuildTarget(skip->target());
    return !line.target.steps.empty();
  }
  return false;
}

void AstBuilder::BuildTargetLine(P::TargetLineContext* context, Line& line) {
  line.target = BuildTarget(context->target());
  std::vector<P::ExprContext*> exprs = context->expr();
  if (context->WHEN() != nullptr && !exprs.empty()) {
    line.condition = BuildExpr(exprs.back());
    exprs.pop_back();
  }
  if (context->ARROW() != nullptr) {
    line.kind = LineKind::kReference;
    line.name = NameOf(context->qname());
    if (context->LPAREN() != nullptr && !exprs.empty()) {
      line.source = BuildExpr(exprs.front());
    }
  } else {
    BuildValue(context->value(), line);
  }
}

void AstBuilder::BuildValue(P::ValueContext* context, Line& line) {
  if (context == nullptr) {
    return;  // kAssign without items: reported
  }
  if (context->LIFECYCLE() != nullptr) {
    line.kind = LineKind::kLifecycle;
    line.name = NameOf(context->qname());
    if (context->ELSE() != nullptr) {
      line.items.push_back(BuildItem(context->item(0)));
    }
    return;
  }
  for (P::ItemContext* item : context->item()) {
    line.items.push_back(BuildItem(item));
  }
  if (context->mapBlock() == nullptr) {
    return;
  }
  line.lines = BuildLines(context->mapBlock());
  if (line.items.empty()) {
    line.kind = LineKind::kObject;
    return;
  }
  // The grammar lets any items stand before the block, so that this can be said instead of
  // "unexpected `{`".
  line.kind = LineKind::kEach;
  ast::Alternative* only = line.items.size() == 1 && line.items[0].alternatives.size() == 1
                               ? &line.items[0].alternatives[0]
                               : nullptr;
  if (only == nullptr || !only->each || !only->using_map.empty() || !only->via_table.empty()) {
    Report(DiagnosticKind::kExpected, line.items[0].span,
           "only `each SOURCE` may stand before a block", "write `target: each SOURCE { … }`");
  }
  line.source = line.items[0].alternatives.empty() ? MakeExpr(ast::ExprKind::kError, line.span)
                                                   : std::move(line.items[0].alternatives[0].expr);
  line.items.clear();
}

ast::Target AstBuilder::BuildTarget(P::TargetContext* context) {
  ast::Target target;
  if (context == nullptr || context->firstStep() == nullptr) {
    return target;
  }
  target.span = SpanOf(context);
  auto slice_of = [&](P::SliceContext* slice) {
    return slice == nullptr ? ast::Name{} : NameOf(slice->system());
  };
  P::FirstStepContext* first = context->firstStep();
  ast::Name name = Raw(first->firstIdent());
  if (name.text.starts_with('`')) {
    name.text = Decode(name.span);
  }
  target.steps.push_back({std::move(name), slice_of(first->slice())});
  for (P::TargetStepContext* step : context->targetStep()) {
    target.steps.push_back({NameOf(step->ident()), slice_of(step->slice())});
  }
  return target;
}

ast::Item AstBuilder::BuildItem(P::ItemContext* context) {
  ast::Item item;
  if (context == nullptr) {
    return item;
  }
  item.span = SpanOf(context);
  for (P::AlternativeContext* child : context->alternative()) {
    ast::Alternative made;
    made.span = SpanOf(child);
    if (child->ABSENT() != nullptr) {
      made.absent = NameOf(child->code());
    } else {
      made.each = child->EACH() != nullptr;
      made.expr = BuildExpr(child->expr());
      size_t next = 0;
      if (child->USING() != nullptr) {
        made.using_map = NameOf(child->qname(next++));
      }
      if (child->VIA() != nullptr) {
        made.via_table = NameOf(child->qname(next));
      }
    }
    item.alternatives.push_back(std::move(made));
  }
  return item;
}

}  // namespace weir::syntax
