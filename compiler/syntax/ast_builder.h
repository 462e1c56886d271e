// Parse tree to ast::File, one source file per construct. After an error the tree has holes: every
// getter may give null, and a part whose essence is missing is left out of the result.
#pragma once

#include <memory>
#include <string>
#include <typeinfo>
#include <vector>

#include "compiler/syntax/ast.h"
#include "compiler/syntax/generated/WeirParser.h"
#include "compiler/syntax/token_filter.h"

namespace weir::syntax {

// The node as a T, which has no subclasses, or null. ANTLR's own dynamic_cast costs a fifth of
// reading a file.
template <typename T>
T* To(antlr4::tree::ParseTree* node) {
  return node != nullptr && typeid(*node) == typeid(T) ? static_cast<T*>(node) : nullptr;
}

class AstBuilder {
 public:
  using P = generated::WeirParser;

  // `free_form`: standard FHIRPath, which our stricter rules do not bind.
  AstBuilder(const LexedSource& source, const FilteredTokens& tokens, bool free_form,
             DiagnosticSink& sink)
      : source_(source), tokens_(tokens), free_form_(free_form), sink_(sink) {}

  std::unique_ptr<ast::File> BuildFile(P::FileContext* context);
  ast::ExprPtr BuildExpr(P::ExprContext* context);

 private:
  // names.cpp
  Span SpanOf(antlr4::ParserRuleContext* context) const;
  Span SpanOf(antlr4::Token* token) const;
  std::string DocOf(antlr4::ParserRuleContext* context) const;
  ast::Name NameOf(P::IdentContext* context);
  ast::Name NameOf(antlr4::ParserRuleContext* context, antlr4::Token* token);
  ast::Name NameOf(P::QnameContext* context);
  ast::Name NameOf(P::TextContext* context);
  ast::Name NameOf(P::CodeContext* context);
  ast::Name NameOf(P::SystemContext* context);
  ast::Name NameOf(P::VersionContext* context);
  ast::Name Raw(antlr4::ParserRuleContext* context) const;
  ast::Name Raw(antlr4::Token* token) const;
  template <typename Context>
  std::vector<ast::Name> NamesOf(const std::vector<Context*>& contexts, size_t from = 0);
  std::string Decode(Span span);
  int32_t NumberOf(std::string_view digits, Span span);
  ast::Duration DurationOf(P::DurationContext* context);
  std::vector<ast::EventRange> EventsOf(P::EventListContext* context);
  void ReportTwice(Span span, Span first);
  void Report(DiagnosticKind kind, Span span, std::string message, std::string help = {});

  // expr_builder.cpp
  ast::ExprPtr MakeExpr(ast::ExprKind kind, Span span) const;
  ast::ExprPtr BuildPath(P::PathContext* context);
  ast::ExprPtr BuildPrimary(P::PrimaryContext* context);
  ast::ExprPtr BuildToken(antlr4::Token* token, ast::ExprPtr receiver);
  ast::ExprPtr BuildSuffix(P::SuffixContext* context, ast::ExprPtr base);
  ast::ExprPtr BuildBracket(P::BracketSuffixContext* context, ast::ExprPtr base);
  ast::ExprPtr BuildBinary(P::BinaryExprContext* context);
  void CheckLogic(const ast::Expr& expr);
  void BuildArguments(P::ArgumentsContext* context, ast::Expr& call);
  ast::ExprPtr Chain(ast::ExprKind kind, ast::ExprPtr base, Span name_span) const;
  template <typename Context>
  std::vector<ast::ExprPtr> Exprs(const std::vector<Context*>& contexts);

  // decl_builder.cpp
  void BuildStatement(P::TopStatementContext* context, ast::File& file);
  ast::DeclPtr BuildDecl(P::DeclarationContext* context);
  ast::DeclPtr BuildLifecycle(P::LifecycleDeclContext* context);
  ast::DeclPtr BuildTable(P::TableDeclContext* context);
  ast::TableRow BuildRow(P::TableCodesContext* context);

  // feed_builder.cpp
  ast::DeclPtr BuildFeed(P::FeedDeclContext* context);
  std::vector<ast::Clause> BuildClauses(P::FeedBlockContext* context);
  bool BuildClause(P::FeedClauseContext* context, ast::Clause& clause);
  bool BuildLongClause(P::FeedClauseContext* context, ast::Clause& clause);

  // map_builder.cpp
  ast::DeclPtr BuildMap(P::MapDeclContext* context);
  ast::ForEach BuildForEach(P::ForEachContext* context);
  std::vector<ast::Line> BuildLines(P::MapBlockContext* context);
  bool BuildLine(P::MapStatementContext* context, ast::Line& line);
  void BuildTargetLine(P::TargetLineContext* context, ast::Line& line);
  void BuildValue(P::ValueContext* context, ast::Line& line);
  ast::Target BuildTarget(P::TargetContext* context);
  ast::Item BuildItem(P::ItemContext* context);

  // policy_builder.cpp
  ast::DeclPtr BuildPolicy(P::PolicyDeclContext* context);
  bool BuildRule(P::PolicyRuleContext* context, ast::PolicyRule& rule);
  ast::DeclPtr BuildConsumer(P::ConsumerDeclContext* context);
  ast::DeclPtr BuildTest(P::TestDeclContext* context);
  ast::DeclPtr BuildMigrate(P::MigrateDeclContext* context);

  const LexedSource& source_;
  const FilteredTokens& tokens_;
  bool free_form_;
  DiagnosticSink& sink_;
};

template <typename Context>
std::vector<ast::Name> AstBuilder::NamesOf(const std::vector<Context*>& contexts, size_t from) {
  std::vector<ast::Name> names;
  for (size_t i = from; i < contexts.size(); ++i) {
    names.push_back(NameOf(contexts[i]));
  }
  return names;
}

template <typename Context>
std::vector<ast::ExprPtr> AstBuilder::Exprs(const std::vector<Context*>& contexts) {
  std::vector<ast::ExprPtr> exprs;
  for (Context* context : contexts) {
    if constexpr (std::is_same_v<Context, P::PathContext>) {
      exprs.push_back(BuildPath(context));
    } else {
      exprs.push_back(BuildExpr(context));
    }
  }
  return exprs;
}

}  // namespace weir::syntax
