// AstBuilder for feeds.
#include <algorithm>

#include "compiler/syntax/ast_builder.h"

namespace weir::syntax {

using ast::Clause;
using ast::ClauseKind;
using P = generated::WeirParser;

namespace {

bool StandsOnce(ClauseKind kind) {
  switch (kind) {
    case ClauseKind::kOwner:
    case ClauseKind::kAgreement:
    case ClauseKind::kFrom:
    case ClauseKind::kVersions:
    case ClauseKind::kTimezone:
    case ClauseKind::kDuplicate:
    case ClauseKind::kOrder:
    case ClauseKind::kLate:
    case ClauseKind::kFuture:
    case ClauseKind::kInvalid:
    case ClauseKind::kAcknowledge:
      return true;
    case ClauseKind::kAccept:
    case ClauseKind::kSegment:
    case ClauseKind::kRequire:
    case ClauseKind::kOn:
    case ClauseKind::kIgnore:
    case ClauseKind::kSuppress:
    case ClauseKind::kSlo:
    case ClauseKind::kMergeKey:
      return false;
  }
  return false;
}

}  // namespace

ast::DeclPtr AstBuilder::BuildFeed(P::FeedDeclContext* context) {
  auto decl = std::make_unique<ast::FeedDecl>();
  if (P::FeedHeaderContext* header = context->feedHeader()) {
    decl->header = SpanOf(header);
    decl->name = NameOf(header->ident());
    decl->version = NameOf(header->version());
    decl->extends = NameOf(header->qname());
  }
  decl->clauses = BuildClauses(context->feedBlock());
  return decl;
}

std::vector<Clause> AstBuilder::BuildClauses(P::FeedBlockContext* context) {
  std::vector<Clause> clauses;
  if (context == nullptr) {
    return clauses;
  }
  for (P::FeedLineContext* line : context->feedLine()) {
    if (line->feedClause() == nullptr) {
      continue;
    }
    Clause clause;
    clause.span = SpanOf(line->feedClause());
    if (!BuildClause(line->feedClause(), clause)) {
      continue;
    }
    auto first = std::find_if(clauses.begin(), clauses.end(), [&](const Clause& other) {
      return other.kind == clause.kind && StandsOnce(clause.kind);
    });
    if (first != clauses.end()) {
      ReportTwice(clause.span, first->span);
    } else {
      clauses.push_back(std::move(clause));
    }
  }
  return clauses;
}

// False: too broken to keep.
bool AstBuilder::BuildClause(P::FeedClauseContext* context, Clause& clause) {
  auto kind = [&](ClauseKind made) {
    clause.kind = made;
    return true;
  };
  if (auto* owner = To<P::OwnerClauseContext>(context)) {
    clause.text = NameOf(owner->text());
    return kind(ClauseKind::kOwner);
  }
  if (auto* agreement = To<P::AgreementClauseContext>(context)) {
    clause.text = NameOf(agreement->text());
    if (agreement->duration() != nullptr) {
      clause.duration = DurationOf(agreement->duration());
    }
    return kind(ClauseKind::kAgreement);
  }
  if (auto* from = To<P::FromClauseContext>(context)) {
    clause.exprs.push_back(BuildExpr(from->expr()));
    return kind(ClauseKind::kFrom);
  }
  if (auto* accept = To<P::AcceptClauseContext>(context)) {
    clause.events = EventsOf(accept->eventList());
    clause.names = NamesOf(accept->ident());
    return kind(ClauseKind::kAccept);
  }
  if (auto* timezone = To<P::TimezoneClauseContext>(context)) {
    clause.text = NameOf(timezone->text());
    return kind(ClauseKind::kTimezone);
  }
  if (auto* require = To<P::RequireClauseContext>(context)) {
    clause.exprs = Exprs(require->expr());
    return kind(ClauseKind::kRequire);
  }
  if (auto* on = To<P::OnClauseContext>(context)) {
    clause.events = on->onHeader() != nullptr ? EventsOf(on->onHeader()->eventList())
                                              : std::vector<ast::EventRange>{};
    clause.clauses = BuildClauses(on->feedBlock());
    return kind(ClauseKind::kOn);
  }
  if (auto* ignore = To<P::IgnoreClauseContext>(context)) {
    clause.exprs = Exprs(ignore->path());
    clause.text = NameOf(ignore->text());
    return kind(ClauseKind::kIgnore);
  }
  if (auto* order = To<P::OrderClauseContext>(context)) {
    clause.item = BuildItem(order->item());
    return kind(ClauseKind::kOrder);
  }
  if (auto* late = To<P::LateClauseContext>(context)) {
    clause.duration = DurationOf(late->duration());
    return kind(ClauseKind::kLate);
  }
  if (auto* future = To<P::FutureClauseContext>(context)) {
    clause.duration = DurationOf(future->duration());
    return kind(ClauseKind::kFuture);
  }
  if (auto* invalid = To<P::InvalidClauseContext>(context)) {
    clause.name = NameOf(invalid->ident());
    return kind(ClauseKind::kInvalid);
  }
  if (auto* suppress = To<P::SuppressClauseContext>(context)) {
    clause.exprs.push_back(BuildExpr(suppress->expr()));
    clause.text = NameOf(suppress->text());
    return kind(ClauseKind::kSuppress);
  }
  if (auto* acknowledge = To<P::AcknowledgeClauseContext>(context)) {
    clause.name = NameOf(acknowledge->ident());
    return kind(ClauseKind::kAcknowledge);
  }
  return BuildLongClause(context, clause);
}

bool AstBuilder::BuildLongClause(P::FeedClauseContext* context, Clause& clause) {
  if (auto* versions = To<P::VersionsClauseContext>(context)) {
    clause.kind = ClauseKind::kVersions;
    for (P::VersionRangeContext* range : versions->versionRange()) {
      clause.versions.push_back(
          {SpanOf(range), NameOf(range->version(0)), NameOf(range->version(1))});
    }
    clause.name = NameOf(versions->version());
    return true;
  }
  if (auto* segment = To<P::SegmentClauseContext>(context)) {
    clause.kind = ClauseKind::kSegment;
    if (P::SegmentHeaderContext* header = segment->segmentHeader()) {
      clause.name = NameOf(header->ident(0));
      clause.anchor = NameOf(header->ident(1));
      clause.optional = !header->OPTIONAL().empty();
      clause.repeating = !header->REPEATING().empty();
    }
    if (segment->segmentBlock() == nullptr) {
      return !clause.name.empty();
    }
    for (P::SegmentLineContext* line : segment->segmentBlock()->segmentLine()) {
      P::SegmentFieldContext* field = line->segmentField();
      if (field != nullptr && field->NUMBER() != nullptr && field->ident().size() == 2) {
        ast::Name position = Raw(field->NUMBER()->getSymbol());
        clause.fields.push_back({SpanOf(field), NumberOf(position.text, position.span),
                                 NameOf(field->ident(0)), NameOf(field->ident(1)),
                                 field->REPEATING() != nullptr});
      }
    }
    return !clause.name.empty();
  }
  if (auto* duplicate = To<P::DuplicateClauseContext>(context)) {
    clause.kind = ClauseKind::kDuplicate;
    clause.exprs = Exprs(duplicate->path());
    if (P::SameContentContext* content = duplicate->sameContent()) {
      clause.same_content = true;
      clause.except = Exprs(content->path());
    }
    return true;
  }
  if (auto* slo = To<P::SloClauseContext>(context)) {
    clause.kind = ClauseKind::kSlo;
    clause.name = NameOf(slo->ident(0));
    clause.stat = NameOf(slo->ident(1));
    clause.number = slo->NUMBER() != nullptr ? Raw(slo->NUMBER()->getSymbol()) : ast::Name{};
    clause.unit = slo->UNIT() != nullptr      ? Raw(slo->UNIT()->getSymbol())
                  : slo->PERCENT() != nullptr ? Raw(slo->PERCENT()->getSymbol())
                                              : ast::Name{};
    if (slo->cmp != nullptr) {
      size_t cmp = slo->cmp->getType();
      clause.op = cmp == P::LE   ? ast::Operator::kLessEq
                  : cmp == P::LT ? ast::Operator::kLess
                  : cmp == P::GE ? ast::Operator::kGreaterEq
                                 : ast::Operator::kGreater;
    }
    if (slo->CLOCK().size() == 2) {
      clause.during_from = Raw(slo->CLOCK(0)->getSymbol());
      clause.during_to = Raw(slo->CLOCK(1)->getSymbol());
    }
    return true;
  }
  if (auto* merge = To<P::MergeClauseContext>(context)) {
    clause.kind = ClauseKind::kMergeKey;
    clause.name = NameOf(merge->ident());
    clause.for_each = BuildForEach(merge->forEach());
    clause.item = BuildItem(merge->item(0));
    clause.survivor = BuildItem(merge->item(1));
    if (merge->expr() != nullptr) {
      clause.condition = BuildExpr(merge->expr());
    }
    return true;
  }
  return false;
}

}  // namespace weir::syntax
