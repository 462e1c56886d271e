// AstBuilder for FHIRPath and v2 paths.
#include "compiler/syntax/ast_builder.h"

namespace weir::syntax {

using ast::Expr;
using ast::ExprKind;
using ast::ExprPtr;
using ast::Operator;
using P = generated::WeirParser;

namespace {

Operator OperatorOf(size_t type) {
  switch (type) {
    case P::STAR:
      return Operator::kMul;
    case P::SLASH:
      return Operator::kDivide;
    case P::DIV:
      return Operator::kDiv;
    case P::MOD:
      return Operator::kMod;
    case P::PLUS:
      return Operator::kPlus;
    case P::MINUS:
      return Operator::kMinus;
    case P::AMP:
      return Operator::kConcat;
    case P::IS:
      return Operator::kIs;
    case P::AS:
      return Operator::kAs;
    case P::PIPE:
      return Operator::kUnion;
    case P::LE:
      return Operator::kLessEq;
    case P::LT:
      return Operator::kLess;
    case P::GT:
      return Operator::kGreater;
    case P::GE:
      return Operator::kGreaterEq;
    case P::EQ:
      return Operator::kEqual;
    case P::TILDE:
      return Operator::kEquivalent;
    case P::NE:
      return Operator::kNotEqual;
    case P::NOT_TILDE:
      return Operator::kNotEquivalent;
    case P::IN:
      return Operator::kIn;
    case P::CONTAINS:
      return Operator::kContains;
    case P::AND:
      return Operator::kAnd;
    case P::OR:
      return Operator::kOr;
    case P::XOR:
      return Operator::kXor;
    case P::IMPLIES:
      return Operator::kImplies;
    default:
      return Operator::kNone;
  }
}

// Certainly a condition, so `[…]` around it is no index.
bool IsCondition(const Expr& expr) {
  return (expr.kind == ExprKind::kBinary && expr.op >= Operator::kLessEq) ||
         (expr.kind == ExprKind::kTypeOp && expr.op == Operator::kIs);
}

}  // namespace

ExprPtr AstBuilder::MakeExpr(ExprKind kind, Span span) const {
  auto expr = std::make_unique<Expr>();
  expr->kind = kind;
  expr->span = expr->name_span = span;
  return expr;
}

// `base` and what follows it up to the end of `name_span`.
ExprPtr AstBuilder::Chain(ExprKind kind, ExprPtr base, Span name_span) const {
  ExprPtr expr = MakeExpr(kind, {name_span.file, base->span.begin, name_span.end});
  expr->name_span = name_span;
  expr->kids.push_back(std::move(base));
  return expr;
}

ExprPtr AstBuilder::BuildExpr(P::ExprContext* context) {
  if (auto* path = To<P::PathExprContext>(context)) {
    return BuildPath(path->path());
  }
  if (auto* binary = To<P::BinaryExprContext>(context)) {
    return BuildBinary(binary);
  }
  if (auto* unary = To<P::UnaryExprContext>(context); unary != nullptr && unary->op != nullptr) {
    ExprPtr expr = MakeExpr(ExprKind::kUnary, SpanOf(unary));
    expr->op = OperatorOf(unary->op->getType());
    expr->name_span = SpanOf(unary->op);
    expr->kids.push_back(BuildExpr(unary->expr()));
    return expr;
  }
  if (auto* type = To<P::TypeExprContext>(context); type != nullptr && type->op != nullptr) {
    ExprPtr expr = MakeExpr(ExprKind::kTypeOp, SpanOf(type));
    expr->op = OperatorOf(type->op->getType());
    expr->kids.push_back(BuildExpr(type->expr()));
    if (P::TypeNameContext* name = type->typeName()) {
      expr->name_span = SpanOf(name);
      for (P::IdentContext* part : name->ident()) {
        expr->text += (expr->text.empty() ? "" : ".") + NameOf(part).text;
      }
    }
    return expr;
  }
  return MakeExpr(ExprKind::kError, SpanOf(context));
}

ExprPtr AstBuilder::BuildBinary(P::BinaryExprContext* context) {
  std::vector<P::ExprContext*> sides = context->expr();
  if (context->op == nullptr || sides.empty()) {
    return MakeExpr(ExprKind::kError, SpanOf(context));
  }
  ExprPtr expr = MakeExpr(ExprKind::kBinary, SpanOf(context));
  expr->op = OperatorOf(context->op->getType());
  expr->name_span = SpanOf(context->op);
  expr->kids.push_back(BuildExpr(sides[0]));
  expr->kids.push_back(sides.size() > 1 ? BuildExpr(sides[1])
                                        : MakeExpr(ExprKind::kError, expr->name_span));
  CheckLogic(*expr);
  return expr;
}

// `a and b or c` is refused in our own sources.
void AstBuilder::CheckLogic(const Expr& expr) {
  auto logic = [](const Expr& e) {
    return e.kind == ExprKind::kBinary && e.op >= Operator::kAnd && e.op <= Operator::kXor;
  };
  if (free_form_ || !logic(expr)) {
    return;
  }
  for (const ExprPtr& kid : expr.kids) {
    if (logic(*kid) && kid->op != expr.op && !kid->parenthesized) {
      std::string inner(ast::Spelling(kid->op));
      std::string outer(ast::Spelling(expr.op));
      std::string grouped = "(" + std::string(source_.TextOf(kid->span)) + ")";
      bool left = kid == expr.kids[0];
      Report(DiagnosticKind::kMixedLogic, kid->span,
             "`" + inner + "` beside `" + outer + "` needs parentheses",
             "it is read as `" +
                 (left ? grouped + " " + outer + " …`" : "… " + outer + " " + grouped + "`"));
    }
  }
}

ExprPtr AstBuilder::BuildPath(P::PathContext* context) {
  if (context == nullptr) {
    return MakeExpr(ExprKind::kError, {});
  }
  ExprPtr expr = BuildPrimary(context->primary());
  for (P::SuffixContext* suffix : context->suffix()) {
    expr = BuildSuffix(suffix, std::move(expr));
  }
  return expr;
}

ExprPtr AstBuilder::BuildPrimary(P::PrimaryContext* context) {
  if (auto* name = To<P::NamePrimaryContext>(context);
      name != nullptr && name->operandIdent() != nullptr) {
    ast::Name ident = Raw(name->operandIdent());
    if (ident.text.starts_with('`')) {
      ident.text = Decode(ident.span);
    }
    ExprPtr expr =
        MakeExpr(name->arguments() != nullptr ? ExprKind::kCall : ExprKind::kName, SpanOf(name));
    expr->name_span = ident.span;
    expr->text = std::move(ident.text);
    BuildArguments(name->arguments(), *expr);
    return expr;
  }
  if (auto* token = To<P::TokenPrimaryContext>(context);
      token != nullptr && token->token != nullptr) {
    return BuildToken(token->token, nullptr);
  }
  if (auto* paren = To<P::ParenPrimaryContext>(context)) {
    ExprPtr expr = BuildExpr(paren->expr());
    expr->parenthesized = true;
    expr->span = SpanOf(paren);
    return expr;
  }
  if (auto* number = To<P::NumberPrimaryContext>(context);
      number != nullptr && number->NUMBER() != nullptr) {
    ExprPtr expr = MakeExpr(ExprKind::kInteger, SpanOf(number));
    expr->text = Raw(number->NUMBER()->getSymbol()).text;
    expr->kind =
        expr->text.find('.') == std::string::npos ? ExprKind::kInteger : ExprKind::kDecimal;
    if (number->UNIT() != nullptr) {
      expr->kind = ExprKind::kQuantity;
      expr->unit_is_word = true;
      expr->value = Raw(number->UNIT()->getSymbol()).text;
    } else if (number->STRING() != nullptr) {
      expr->kind = ExprKind::kQuantity;
      expr->value = Decode(SpanOf(number->STRING()->getSymbol()));
    }
    return expr;
  }
  return MakeExpr(ExprKind::kError, SpanOf(context));
}

// A token that is an operand by itself, or with `receiver` what follows a dot.
ExprPtr AstBuilder::BuildToken(antlr4::Token* token, ExprPtr receiver) {
  ast::Name raw = Raw(token);
  ExprPtr expr = MakeExpr(ExprKind::kError, raw.span);
  auto set = [&](ExprKind kind, std::string text) {
    expr->kind = kind;
    expr->text = std::move(text);
  };
  switch (token->getType()) {
    case P::EMPTY:
      set(ExprKind::kEmpty, "");
      break;
    case P::TRUE:
    case P::FALSE:
      set(ExprKind::kBoolean, raw.text);
      break;
    case P::STRING:
      set(ExprKind::kString, Decode(raw.span));
      break;
    case P::TEXT:
      Report(DiagnosticKind::kTextInExpression, raw.span,
             "a string in an expression takes single quotes", "write '…'");
      set(ExprKind::kString, Decode(raw.span));
      break;
    case P::DATE:
      set(ExprKind::kDate, raw.text.substr(1));
      break;
    case P::DATETIME:
      set(ExprKind::kDateTime, raw.text.substr(1));
      break;
    case P::TIME:
      set(ExprKind::kTime, raw.text.substr(2));
      break;
    case P::THIS:
      set(ExprKind::kThis, "");
      break;
    case P::INDEX:
      set(ExprKind::kIndexVar, "");
      break;
    case P::TOTAL:
      set(ExprKind::kTotal, "");
      break;
    case P::ENV: {
      bool quoted = raw.text.size() > 1 &&
                    std::string_view("'`\"").find(raw.text[1]) != std::string_view::npos;
      set(ExprKind::kEnv,
          quoted ? Decode({raw.span.file, raw.span.begin + 1, raw.span.end}) : raw.text.substr(1));
      break;
    }
    case P::V2FIELD:
      set(ExprKind::kV2Field, raw.text.substr(0, 3));
      expr->number = NumberOf(std::string_view(raw.text).substr(4), raw.span);
      break;
    case P::STEP: {
      ExprPtr self = MakeExpr(ExprKind::kThis, {raw.span.file, raw.span.begin, raw.span.begin});
      self->implicit = true;
      set(ExprKind::kStep, "");
      expr->number = NumberOf(std::string_view(raw.text).substr(1), raw.span);
      expr->kids.push_back(std::move(self));
      break;
    }
    default:
      break;
  }
  if (receiver != nullptr) {
    expr->span.begin = receiver->span.begin;
    expr->kids.push_back(std::move(receiver));
  }
  return expr;
}

ExprPtr AstBuilder::BuildSuffix(P::SuffixContext* context, ExprPtr base) {
  if (auto* member = To<P::MemberSuffixContext>(context);
      member != nullptr && member->ident() != nullptr) {
    ast::Name name = NameOf(member->ident());
    bool call = member->arguments() != nullptr;
    ExprPtr expr = Chain(call ? ExprKind::kCall : ExprKind::kMember, std::move(base), name.span);
    expr->text = std::move(name.text);
    if (call) {
      expr->has_receiver = true;
      expr->span.end = SpanOf(member).end;
      BuildArguments(member->arguments(), *expr);
    }
    return expr;
  }
  if (auto* token = To<P::TokenSuffixContext>(context);
      token != nullptr && token->token != nullptr) {
    return BuildToken(token->token, std::move(base));
  }
  if (auto* step = To<P::StepSuffixContext>(context)) {
    ast::Name raw = Raw(step);
    ExprPtr expr = Chain(ExprKind::kStep, std::move(base), raw.span);
    expr->number = NumberOf(std::string_view(raw.text).substr(1), raw.span);
    return expr;
  }
  if (auto* repeat = To<P::RepeatSuffixContext>(context)) {
    ast::Name raw = Raw(repeat);
    ExprPtr expr = Chain(ExprKind::kRepeat, std::move(base), raw.span);
    expr->number = NumberOf(std::string_view(raw.text).substr(1), raw.span);
    return expr;
  }
  if (auto* bracket = To<P::BracketSuffixContext>(context)) {
    return BuildBracket(bracket, std::move(base));
  }
  return base;
}

ExprPtr AstBuilder::BuildBracket(P::BracketSuffixContext* context, ExprPtr base) {
  ExprPtr expr = Chain(ExprKind::kFilter, std::move(base), SpanOf(context));
  for (P::CriterionContext* criterion : context->criterion()) {
    if (criterion->word == nullptr) {
      expr->kids.push_back(BuildExpr(criterion->expr()));
      continue;
    }
    ExprPtr kid = MakeExpr(ExprKind::kCriterion, SpanOf(criterion));
    kid->text = Raw(criterion->word).text;
    ast::Name value =
        criterion->code() != nullptr ? NameOf(criterion->code()) : NameOf(criterion->text());
    kid->value = std::move(value.text);
    kid->name_span = value.span;
    expr->kids.push_back(std::move(kid));
  }
  if (expr->kids.size() == 2 && expr->kids[1]->kind != ExprKind::kCriterion &&
      !IsCondition(*expr->kids[1])) {
    expr->kind = ExprKind::kIndex;
  }
  return expr;
}

void AstBuilder::BuildArguments(P::ArgumentsContext* context, Expr& call) {
  if (context != nullptr) {
    for (P::ExprContext* argument : context->expr()) {
      call.kids.push_back(BuildExpr(argument));
    }
  }
}

}  // namespace weir::syntax
