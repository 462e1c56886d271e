#include "compiler/syntax/token_filter.h"

#include <algorithm>
#include <array>

#include "compiler/syntax/generated/WeirParser.h"

namespace weir::syntax {
namespace {

using antlr4::Token;
using antlr4::WritableToken;
using L = generated::WeirParser;  // knows the lexer's types and those only the filter makes

// A list of token types with a constant-time test.
class TypeSet {
 public:
  constexpr TypeSet(std::initializer_list<size_t> types) {
    for (size_t type : types) {
      bits_[type / 64] |= uint64_t{1} << (type % 64);
    }
  }
  constexpr bool contains(size_t type) const {
    return type < 256 && ((bits_[type / 64] >> (type % 64)) & 1) != 0;
  }

 private:
  uint64_t bits_[4] = {};
};

// A statement goes on after a line that ends with one of these …
constexpr TypeSet kTrailing = {L::COMMA, L::COLON,     L::DOT,   L::PIPE,    L::AMP,  L::PLUS,
                               L::MINUS, L::STAR,      L::SLASH, L::EQ,      L::NE,   L::LT,
                               L::TILDE, L::NOT_TILDE, L::LE,    L::GT,      L::GE,   L::AND,
                               L::OR,    L::XOR,       L::ARROW, L::IMPLIES, L::RANGE};
// … or before one that begins with one of these …
constexpr TypeSet kLeading = {L::DOT,    L::STEP,    L::COMMA,   L::PIPE,   L::AMP,      L::PLUS,
                              L::EQ,     L::AND,     L::OR,      L::XOR,    L::VIA,      L::IMPLIES,
                              L::ELSE,   L::WHEN,    L::USING,   L::ARROW,  L::NAMED,    L::WHERE,
                              L::WITHIN, L::EXTENDS, L::BECAUSE, L::UNLESS, L::CONFORMS, L::UNDOES};
// … and before these in the header of a declaration; in a block they may begin a line.
constexpr TypeSet kLeadingInHeader = {L::ON, L::TO, L::FOR, L::FROM, L::VERSION, L::UNTIL, L::BY};
// Words that begin something of their own, so the grammar keeps them out of `firstIdent`.
constexpr TypeSet kLineWords = {L::KEY,       L::MERGE,     L::SNAPSHOT, L::ON_FAIL,
                                L::SKIP_WORD, L::LIFECYCLE, L::ABSENT,   L::EACH};
constexpr TypeSet kDeclarations = {L::AUTHORITY, L::KEYSPACE, L::EVENTS, L::FN,
                                   L::LIFECYCLE, L::TABLE,    L::FEED,   L::MAP,
                                   L::POLICY,    L::CONSUMER, L::TEST,   L::MIGRATE};
// What makes the tree one deeper.
constexpr TypeSet kLinks = {L::DOT,  L::STEP,  L::REPEAT, L::LBRACK,    L::PLUS, L::MINUS,
                            L::STAR, L::SLASH, L::DIV,    L::MOD,       L::AMP,  L::PIPE,
                            L::IS,   L::AS,    L::LT,     L::LE,        L::GT,   L::GE,
                            L::EQ,   L::NE,    L::TILDE,  L::NOT_TILDE, L::IN,   L::CONTAINS,
                            L::AND,  L::OR,    L::XOR,    L::IMPLIES};

bool IsCalendarUnit(std::string_view word) {
  static constexpr std::array<std::string_view, 16> kUnits = {
      "year", "years", "month",  "months",  "week",   "weeks",   "day",         "days",
      "hour", "hours", "minute", "minutes", "second", "seconds", "millisecond", "milliseconds"};
  return std::find(kUnits.begin(), kUnits.end(), word) != kUnits.end();
}

class Filter {
 public:
  Filter(TokenList all, const LexedSource& source, bool free_form, const ParseOptions& options,
         DiagnosticSink& sink)
      : all_(std::move(all)),
        source_(source),
        free_form_(free_form),
        options_(options),
        sink_(sink) {
    blocks_.emplace_back();
  }

  FilteredTokens Run() {
    CountBraces();
    for (next_ = 0; next_ < all_.size() && !stopped_; ++next_) {
      if (IsHidden(*all_[next_])) {
        KeepDoc(*all_[next_]);
      } else {
        Take(std::move(all_[next_]));
      }
    }
    Finish();
    out_.line_of.push_back(line_);
    out_.tokens.push_back(MadeAt(antlr4::Token::EOF));
    return std::move(out_);
  }

 private:
  struct Bracket {
    size_t type;
    Span span;
    uint32_t chain;
  };
  struct Block {
    Span brace;                     // of its `{`; the file's has none
    size_t column = 0;              // of the statement that opened it
    size_t statement_column = 0;    // of the statement being read in it
    std::vector<Bracket> brackets;  // open ones of that statement
    uint32_t chain = 0;
  };

  Block& block() { return blocks_.back(); }

  // Indentation may mend missing braces, but only when some are: odd layouts of balanced files stay
  // valid.
  void CountBraces() {
    int depth = 0;
    for (const auto& token : all_) {
      depth += (token->getType() == L::LBRACE) - (token->getType() == L::RBRACE);
      unbalanced_ |= depth < 0;
    }
    unbalanced_ |= depth != 0;
  }

  void KeepDoc(const Token& token) {
    if (token.getType() != L::DOC_COMMENT) {
      return;
    }
    std::string_view text = source_.TextOf(token).substr(3);
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    doc_ +=
        (doc_.empty() ? "" : "\n") + std::string(text.substr(0, text.find_last_not_of(" \t") + 1));
    // A comment behind the last word of a line documents nothing.
    if (!out_.tokens.empty() && token.getLine() == previous_line_) {
      doc_.clear();
    }
  }

  void Take(std::unique_ptr<Token> token) {
    if (!CheckLexical(*token)) {
      return;
    }
    if (!free_form_) {
      if (!out_.tokens.empty() && token->getLine() > previous_line_) {
        EndLine(*token);
      }
      if (token->getType() == L::SEMI) {
        EndStatement();
        return;
      }
      if (stopped_) {
        return;
      }
    }
    Classify(*token);
    if (!free_form_ && AtStatementStart()) {
      block().statement_column = token->getCharPositionInLine();
      block().chain = 0;
      if (!doc_.empty()) {
        out_.docs.emplace(out_.tokens.size(), std::move(doc_));
      }
    }
    doc_.clear();
    if (Nest(*token)) {
      Emit(std::move(token));
    }
  }

  // Open strings are closed and unknown characters dropped, each with its report.
  bool CheckLexical(Token& token) {
    Span span = source_.SpanOf(token);
    switch (token.getType()) {
      case L::OPEN_STRING:
      case L::OPEN_TEXT:
      case L::OPEN_DELIMITED: {
        std::string quote(source_.text().substr(span.begin, 1));
        Report(DiagnosticKind::kOpenString, span,
               "this string has no closing " + (quote == "`" ? "backtick" : "`" + quote + "`"), "");
        SetType(token, token.getType() == L::OPEN_STRING ? L::STRING
                       : token.getType() == L::OPEN_TEXT ? L::TEXT
                                                         : L::DELIMITED);
        return true;
      }
      case L::OPEN_COMMENT:
        Report(DiagnosticKind::kOpenComment, span, "this comment has no closing `*/`", "");
        stopped_ = true;
        return false;
      case L::UNKNOWN: {
        std::string text(source_.TextOf(span));
        Report(DiagnosticKind::kUnknownCharacter, span, "`" + text + "` means nothing here",
               HelpFor(text));
        return false;
      }
      default:
        return true;
    }
  }

  static std::string HelpFor(const std::string& text) {
    if (text == "\u2018" || text == "\u2019" || text == "\u201C" || text == "\u201D") {
      return "strings take straight quotes: 'code' in expressions, \"text\" elsewhere";
    }
    if (text == "\u2013" || text == "\u2014" || text == "\u2212") {
      return "write a plain `-`";
    }
    if (text == "!") {
      return "`!=` is unequal; to negate a condition write `(…).not()`";
    }
    return text == "^" ? "an event is written `ADT^A01`; components of a field are `PID-3.1`" : "";
  }

  // A newline was crossed before `token`: does the statement go on?
  void EndLine(const Token& token) {
    bool deeper = token.getCharPositionInLine() > block().statement_column;
    bool in_brackets = !block().brackets.empty();
    if (!AtStatementStart() &&
        !(deeper &&
          (in_brackets || GoesOn(LastType(), token.getType(), NextType(), blocks_.size() == 1)))) {
      EndStatement();
    }
    if (unbalanced_ && blocks_.size() > 1) {
      CloseByLayout(token);
    }
  }

  // Missing `}`: a declaration in the first column ends all blocks, and a `}` under an outer
  // block's first word the inner ones.
  void CloseByLayout(const Token& token) {
    size_t column = token.getCharPositionInLine();
    size_t keep = blocks_.size();
    if (column == 0 && kDeclarations.contains(token.getType()) && statements_were_indented_) {
      keep = 1;
    } else if (token.getType() == L::RBRACE) {
      while (keep > 1 && blocks_[keep - 1].column > column) {
        --keep;
      }
      if (keep <= 1 || blocks_[keep - 1].column != column) {
        return;
      }
    }
    while (blocks_.size() > keep) {
      ReportOpenBrace();
      CloseBlock();
    }
  }

  void ReportOpenBrace() {
    Report(DiagnosticKind::kOpenBrace, block().brace, "this `{` has no closing `}`", "");
  }

  void EndStatement() {
    if (!AtStatementStart()) {
      CloseBrackets();
      EmitMade(L::END);
    }
    block().chain = 0;
  }

  void CloseBrackets() {
    if (!block().brackets.empty()) {
      const Bracket& open = block().brackets.back();
      bool paren = open.type == L::LPAREN;
      Report(
          DiagnosticKind::kOpenBracket, open.span,
          paren ? "this `(` is not closed before its statement ends"
                : "this `[` is not closed before its statement ends",
          "a statement goes on over lines only while they are indented deeper than its first word");
      block().brackets.clear();
    }
  }

  // Tells names from words where position decides (see the head of Weir.g4).
  void Classify(Token& token) {
    size_t type = token.getType();
    if (type == L::IDENT) {
      if (LastType() == L::NUMBER && NextType() != L::COLON &&
          IsCalendarUnit(source_.TextOf(token))) {
        SetType(token, L::UNIT);
      }
      return;
    }
    if (!IsWord(type)) {
      return;
    }
    if (LastType() == L::DOT || (type == L::LIFECYCLE && !NameFollows())) {
      SetType(token, L::IDENT);
    } else if (!free_form_ && kLineWords.contains(type) && AtStatementStart()) {
      size_t next = NextType();
      bool adjacent_paren =
          next == L::LPAREN && all_[NextIndex()]->getStartIndex() == token.getStopIndex() + 1;
      if (next == L::COLON || next == L::ARROW || next == L::DOT || adjacent_paren) {
        SetType(token, L::IDENT);
      }
    } else if (free_form_ && kLineWords.contains(type)) {
      SetType(token, L::IDENT);
    }
  }

  // `lifecycle visit` is the form, `lifecycle = …` and `lifecycle when …` the element of that name.
  bool NameFollows() const {
    size_t next = NextType();
    return next == L::IDENT || next == L::DELIMITED ||
           (IsWord(next) && !kLeading.contains(next) && !kLinks.contains(next));
  }

  // Keeps the stacks of braces and brackets; false: the token is dropped.
  bool Nest(Token& token) {
    size_t type = token.getType();
    Span span = source_.SpanOf(token);
    signs_ = type == L::PLUS || type == L::MINUS ? signs_ + 1 : 0;
    if (!CountChain(type, span)) {
      return false;
    }
    switch (type) {
      case L::LBRACE:
        if (free_form_) {
          return true;
        }
        CloseBrackets();
        if (!CheckDepth(span, 1)) {
          return false;
        }
        blocks_.push_back({.brace = span,
                           .column = block().statement_column,
                           .statement_column = 0,
                           .brackets = {},
                           .chain = 0});
        opening_line_ = token.getLine();
        return true;
      case L::RBRACE:
        if (free_form_) {
          return true;
        }
        if (blocks_.size() == 1) {
          Report(DiagnosticKind::kStrayClose, span, "this `}` closes nothing", "");
          return false;
        }
        EndStatement();
        blocks_.pop_back();
        return true;
      case L::LPAREN:
      case L::LBRACK:
        if (!CheckDepth(span, 1)) {
          return false;
        }
        block().brackets.push_back({.type = type, .span = span, .chain = 0});
        return true;
      case L::RPAREN:
      case L::RBRACK: {
        size_t opener = type == L::RPAREN ? L::LPAREN : L::LBRACK;
        if (block().brackets.empty() || block().brackets.back().type != opener) {
          Report(DiagnosticKind::kStrayClose, span,
                 "this `" + std::string(source_.TextOf(span)) + "` closes nothing", "");
          return false;
        }
        block().brackets.pop_back();
        return true;
      }
      default:
        return signs_ == 0 || CheckDepth(span, signs_);
    }
  }

  bool CountChain(size_t type, Span span) {
    uint32_t& chain = block().brackets.empty() ? block().chain : block().brackets.back().chain;
    if (type == L::COMMA || type == L::COLON || type == L::ELSE) {
      chain = 0;
    } else if (kLinks.contains(type) && ++chain > options_.max_chain) {
      return TooDeep(span,
                     "more than " + std::to_string(options_.max_chain) + " operators in a row");
    }
    return true;
  }

  // `more`: what this token adds to what is open.
  bool CheckDepth(Span span, size_t more) {
    size_t depth = blocks_.size() - 1 + more;
    for (const Block& open : blocks_) {
      depth += open.brackets.size();
    }
    return depth <= options_.max_depth ||
           TooDeep(span, "nested more than " + std::to_string(options_.max_depth) + " deep");
  }

  bool TooDeep(Span span, const std::string& message) {
    Report(DiagnosticKind::kTooDeep, span, message, "give parts names with `fn`");
    stopped_ = true;
    return false;
  }

  void Finish() {
    if (free_form_) {
      return;
    }
    EndStatement();
    while (blocks_.size() > 1) {
      if (!stopped_) {
        ReportOpenBrace();
      }
      CloseBlock();
    }
  }

  void CloseBlock() {
    EndStatement();
    EmitMade(L::RBRACE);
    blocks_.pop_back();
    EndStatement();
  }

  void Emit(std::unique_ptr<Token> token) {
    size_t type = token->getType();
    if (blocks_.size() > 1 && type != L::LBRACE && token->getCharPositionInLine() > 0 &&
        token->getLine() > opening_line_) {
      statements_were_indented_ = true;
    }
    previous_line_ = token->getLine();
    out_.tokens.push_back(std::move(token));
    out_.line_of.push_back(line_);
    if (type == L::END || type == L::LBRACE || type == L::RBRACE) {
      ++line_;
    }
  }

  void EmitMade(size_t type) { Emit(MadeAt(type)); }

  // A token without text, right behind the last one.
  std::unique_ptr<Token> MadeAt(size_t type) const {
    auto made = std::make_unique<antlr4::CommonToken>(type);
    size_t start = 0;
    if (!out_.tokens.empty()) {
      const Token& last = *out_.tokens.back();
      start = last.getStopIndex() + 1;
      made->setLine(last.getLine());
      made->setCharPositionInLine(last.getCharPositionInLine() + 1);
    }
    made->setStartIndex(start);
    made->setStopIndex(start - 1);
    return made;
  }

  // The first error of a logical line wins; what the parser would say of it is mostly noise.
  void Report(DiagnosticKind kind, Span span, std::string message, std::string help) {
    if (sink_.error_count() < options_.max_errors) {
      sink_.Report(kind, span, std::move(message), std::move(help));
    }
    out_.reported.insert(line_);
  }

  static void SetType(Token& token, size_t type) {
    static_cast<antlr4::CommonToken&>(token).setType(type);
  }
  size_t LastType() const { return out_.tokens.empty() ? L::END : out_.tokens.back()->getType(); }
  bool AtStatementStart() const {
    size_t last = LastType();
    return last == L::END || last == L::LBRACE;
  }
  size_t NextIndex() const {
    size_t i = next_ + 1;
    while (i < all_.size() && IsHidden(*all_[i])) {
      ++i;
    }
    return i;
  }
  size_t NextType() const {
    size_t i = NextIndex();
    return i < all_.size() ? all_[i]->getType() : antlr4::Token::EOF;
  }

  TokenList all_;
  const LexedSource& source_;
  bool free_form_;
  const ParseOptions& options_;
  DiagnosticSink& sink_;
  FilteredTokens out_;
  std::vector<Block> blocks_;
  std::string doc_;
  size_t next_ = 0;
  size_t previous_line_ = 0;
  size_t opening_line_ = 0;
  uint32_t line_ = 0;   // logical
  uint32_t signs_ = 0;  // in a row
  bool unbalanced_ = false;
  bool statements_were_indented_ = false;
  bool stopped_ = false;
};

}  // namespace

bool IsWord(size_t type) { return type >= L::EDITION && type <= L::FALSE; }

bool GoesOn(size_t last, size_t first, size_t second, bool in_header) {
  bool leads = kLeading.contains(first) || (in_header && kLeadingInHeader.contains(first));
  return kTrailing.contains(last) || (leads && !(IsWord(first) && second == L::COLON));
}

bool IsHidden(const antlr4::Token& token) {
  return token.getChannel() != antlr4::Token::DEFAULT_CHANNEL;
}

FilteredTokens FilterTokens(TokenList all, const LexedSource& source, bool free_form,
                            const ParseOptions& options, DiagnosticSink& sink) {
  return Filter(std::move(all), source, free_form, options, sink).Run();
}

}  // namespace weir::syntax
