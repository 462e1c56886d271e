// AstBuilder for policies, consumers, tests and migrations: kept for the machinery that comes
// later.
#include "compiler/syntax/ast_builder.h"

namespace weir::syntax {

using ast::RuleVerb;
using P = generated::WeirParser;

ast::DeclPtr AstBuilder::BuildPolicy(P::PolicyDeclContext* context) {
  auto decl = std::make_unique<ast::PolicyDecl>();
  if (P::PolicyHeaderContext* header = context->policyHeader()) {
    decl->header = SpanOf(header);
    decl->name = NameOf(header->ident(0));
    decl->dialect = NameOf(header->ident(1));
  }
  if (context->policyBlock() == nullptr) {
    return decl;
  }
  for (P::PolicyLineContext* line : context->policyBlock()->policyLine()) {
    ast::PolicyRule rule;
    if (line->policyRule() != nullptr && BuildRule(line->policyRule(), rule)) {
      decl->rules.push_back(std::move(rule));
    }
  }
  return decl;
}

bool AstBuilder::BuildRule(P::PolicyRuleContext* context, ast::PolicyRule& rule) {
  if (context->verb == nullptr) {
    return false;
  }
  rule.span = SpanOf(context);
  rule.subject = context->qname() != nullptr ? NameOf(context->qname()) : NameOf(context->ident());
  switch (context->verb->getType()) {
    case P::LABEL:
      rule.verb = RuleVerb::kLabel;
      break;
    case P::PERMIT:
      rule.verb = RuleVerb::kPermit;
      break;
    case P::DENY:
      rule.verb = RuleVerb::kDeny;
      break;
    case P::REDACT:
      rule.verb = RuleVerb::kRedact;
      break;
    case P::MASK:
      rule.verb = RuleVerb::kMask;
      break;
    case P::NEVER:
      rule.verb = context->STORE() != nullptr ? RuleVerb::kNeverStore : RuleVerb::kNeverTo;
      break;
    default:
      rule.verb = RuleVerb::kBreakGlass;
      break;
  }
  if (rule.verb == RuleVerb::kPermit || rule.verb == RuleVerb::kDeny) {
    rule.action = std::move(rule.subject);
    rule.subject = {};
  }
  for (P::PolicyClauseContext* clause : context->policyClause()) {
    if (auto* of = To<P::OfClauseContext>(clause)) {
      rule.subject = NameOf(of->ident());
    } else if (auto* to = To<P::ToClauseContext>(clause)) {
      rule.to = NamesOf(to->ident());
    } else if (auto* purposes = To<P::ForClauseContext>(clause)) {
      rule.purposes = NamesOf(purposes->ident());
    } else if (auto* scopes = To<P::ScopeClauseContext>(clause)) {
      for (P::ScopeContext* scope : scopes->scope()) {
        rule.on.push_back({SpanOf(scope), NameOf(scope->ident()), NamesOf(scope->qname())});
      }
    } else if (auto* where = To<P::WhereClauseContext>(clause)) {
      rule.where = BuildExpr(where->expr());
    } else if (auto* spreading = To<P::SpreadingClauseContext>(clause)) {
      rule.spreading = NamesOf(spreading->ident());
    } else if (auto* unless = To<P::UnlessClauseContext>(clause)) {
      rule.unless_word = NameOf(unless->ident(0));
      rule.unless_value = NameOf(unless->ident(1));
    } else if (auto* obliges = To<P::ObligesClauseContext>(clause)) {
      rule.obliges = NamesOf(obliges->ident());
    }
  }
  return true;
}

ast::DeclPtr AstBuilder::BuildConsumer(P::ConsumerDeclContext* context) {
  auto decl = std::make_unique<ast::ConsumerDecl>();
  if (context->consumerHeader() != nullptr) {
    decl->header = SpanOf(context->consumerHeader());
    decl->name = NameOf(context->consumerHeader()->ident());
  }
  if (context->consumerBlock() == nullptr) {
    return decl;
  }
  for (P::ConsumerLineContext* line : context->consumerBlock()->consumerLine()) {
    P::ConsumerClauseContext* clause = line->consumerClause();
    if (clause == nullptr || clause->word == nullptr) {
      continue;
    }
    switch (clause->word->getType()) {
      case P::IDENTITY:
        decl->identity = NameOf(clause->text());
        break;
      case P::ORGANIZATION:
        decl->organization = NameOf(clause->text());
        break;
      case P::ROLE:
        decl->roles = NamesOf(clause->ident());
        break;
      case P::PURPOSE:
        decl->purposes = NamesOf(clause->ident());
        break;
      default:
        decl->resources = NamesOf(clause->ident());
        break;
    }
  }
  return decl;
}

ast::DeclPtr AstBuilder::BuildTest(P::TestDeclContext* context) {
  auto decl = std::make_unique<ast::TestDecl>();
  if (context->testHeader() != nullptr) {
    decl->header = SpanOf(context->testHeader());
    decl->name = NameOf(context->testHeader()->text());
  }
  if (context->testBlock() == nullptr) {
    return decl;
  }
  for (P::TestLineContext* line : context->testBlock()->testLine()) {
    P::TestClauseContext* clause = line->testClause();
    if (clause != nullptr && clause->text() != nullptr) {
      decl->given.push_back({NameOf(clause->text()), clause->FILE() != nullptr});
    } else if (clause != nullptr && clause->expr() != nullptr) {
      decl->expect.push_back(BuildExpr(clause->expr()));
    }
  }
  return decl;
}

ast::DeclPtr AstBuilder::BuildMigrate(P::MigrateDeclContext* context) {
  auto decl = std::make_unique<ast::MigrateDecl>();
  if (context->migrateHeader() != nullptr) {
    decl->header = SpanOf(context->migrateHeader());
    decl->name = NameOf(context->migrateHeader()->version(0));
    decl->to = NameOf(context->migrateHeader()->version(1));
  }
  if (context->migrateBlock() == nullptr) {
    return decl;
  }
  for (P::MigrateLineContext* line : context->migrateBlock()->migrateLine()) {
    P::MigrateStepContext* step = line->migrateStep();
    if (step != nullptr && step->ident() != nullptr) {
      ast::MigrateDecl::Step made{SpanOf(step), Raw(step->BACKFILL()->getSymbol()),
                                  NameOf(step->ident()), std::nullopt};
      if (step->duration() != nullptr) {
        made.since = DurationOf(step->duration());
      }
      decl->steps.push_back(std::move(made));
    }
  }
  return decl;
}

}  // namespace weir::syntax
