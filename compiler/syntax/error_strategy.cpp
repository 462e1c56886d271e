#include "compiler/syntax/error_strategy.h"

#include <algorithm>

#include "compiler/syntax/generated/WeirParser.h"

namespace weir::syntax {
namespace {

using antlr4::misc::IntervalSet;
using P = generated::WeirParser;

// Every block is a rule that loops over lines, a line is its statement and an END. `word` is what
// the first word of a line should have been.
struct LineRules {
  size_t block, line, statement;
  std::string_view word;
};
constexpr LineRules kLineRules[] = {
    {P::RuleFile, P::RuleTopLine, P::RuleTopStatement, "a declaration"},
    {P::RuleMapBlock, P::RuleMapLine, P::RuleMapStatement, "a line of a map"},
    {P::RuleFeedBlock, P::RuleFeedLine, P::RuleFeedClause, "a clause of a feed"},
    {P::RuleTableBlock, P::RuleTableLine, P::RuleTableRow, "a row of a table"},
    {P::RuleLifecycleBlock, P::RuleLifecycleLine, P::RuleLifecycleRow, "a row of a life cycle"},
    {P::RuleSegmentBlock, P::RuleSegmentLine, P::RuleSegmentField, "a field: `1 name: TYPE`"},
    {P::RulePolicyBlock, P::RulePolicyLine, P::RulePolicyRule, "a rule of a policy"},
    {P::RuleConsumerBlock, P::RuleConsumerLine, P::RuleConsumerClause, "a clause of a consumer"},
    {P::RuleTestBlock, P::RuleTestLine, P::RuleTestClause, "`given` or `expect`"},
    {P::RuleMigrateBlock, P::RuleMigrateLine, P::RuleMigrateStep, "`backfill`"},
};

bool IsBlockRule(size_t rule) {
  return std::any_of(std::begin(kLineRules), std::end(kLineRules),
                     [=](const LineRules& rules) { return rules.block == rule; });
}

bool IsLineRule(size_t rule) {
  return std::any_of(std::begin(kLineRules), std::end(kLineRules),
                     [=](const LineRules& rules) { return rules.line == rule; });
}

std::string LineWord(size_t rule) {
  rule = rule == P::RuleDeclaration ? size_t{P::RuleTopStatement} : rule;
  for (const LineRules& rules : kLineRules) {
    if (rule == rules.block || rule == rules.line || rule == rules.statement) {
      return std::string(rules.word);
    }
  }
  return "";
}

std::string Quoted(std::string_view text) { return "`" + std::string(text) + "`"; }

std::string TokenWord(size_t type, const antlr4::dfa::Vocabulary& vocabulary) {
  switch (type) {
    case P::END:
      return "end of line";
    case antlr4::Token::EOF:
      return "end of file";
    case P::IDENT:
    case P::DELIMITED:
      return "a name";
    case P::NUMBER:
      return "a number";
    case P::VERSION_NUMBER:
      return "a version";
    case P::STRING:
      return "a string";
    case P::TEXT:
      return "a text";
    case P::V2FIELD:
      return "a field";
    case P::EVENT:
      return "an event";
    case P::UNIT:
      return "a unit of time";
    case P::CLOCK:
      return "a time of day";
    case P::EMPTY:
      return "`{}`";
    default:
      break;
  }
  std::string name = vocabulary.getDisplayName(type);
  return name.size() > 2 && name.front() == '\''
             ? Quoted(std::string_view(name).substr(1, name.size() - 2))
             : name;
}

bool Has(const IntervalSet& set, size_t type) { return set.contains(type); }

std::vector<std::string> Words(const IntervalSet& expected,
                               const antlr4::dfa::Vocabulary& vocabulary) {
  std::vector<std::string> words;
  for (ssize_t type : expected.toList()) {
    if (type > 0 && IsWord(static_cast<size_t>(type))) {
      std::string word = TokenWord(static_cast<size_t>(type), vocabulary);
      words.push_back(word.substr(1, word.size() - 2));
    }
  }
  return words;
}

std::string Join(const std::vector<std::string>& parts) {
  std::string out;
  for (size_t i = 0; i < parts.size(); ++i) {
    out += i == 0 ? "" : i + 1 == parts.size() ? " or " : ", ";
    out += parts[i];
  }
  return out;
}

}  // namespace

std::string DescribeExpected(const IntervalSet& expected,
                             const antlr4::dfa::Vocabulary& vocabulary) {
  std::vector<std::string> parts;
  bool value = Has(expected, P::STRING) && Has(expected, P::STEP) && Has(expected, P::LPAREN);
  bool name = Has(expected, P::IDENT);
  bool op = Has(expected, P::PLUS) && Has(expected, P::EQ) && !value;
  if (value) {
    parts.push_back("a value");
  } else if (name) {
    parts.push_back(Has(expected, P::V2FIELD)          ? "a code"
                    : Has(expected, P::VERSION_NUMBER) ? "a version"
                                                       : "a name");
  }
  if (op) {
    parts.push_back("an operator");
  }
  for (ssize_t element : expected.toList()) {
    size_t type = element < 0 ? antlr4::Token::EOF : static_cast<size_t>(element);
    bool in_name = name && (IsWord(type) || type == P::IDENT || type == P::DELIMITED ||
                            type == P::V2FIELD || type == P::VERSION_NUMBER ||
                            (type == P::NUMBER && Has(expected, P::VERSION_NUMBER)));
    bool in_value = value && (type >= P::THIS && type <= P::STEP);
    in_value |=
        value && ((type >= P::NUMBER && type <= P::EMPTY) || type == P::LPAREN || type == P::PLUS ||
                  type == P::MINUS || type == P::TRUE || type == P::FALSE);
    bool path_sign = type == P::DOT || type == P::STEP || type == P::REPEAT || type == P::LBRACK;
    bool in_op = op && (path_sign || (type >= P::PLUS && type <= P::NOT_TILDE) ||
                        (type >= P::AND && type <= P::MOD) || type == P::LPAREN);
    bool unit = op && (type == P::UNIT || type == P::STRING);
    bool empty_block = type == P::EMPTY && Has(expected, P::LBRACE);
    if (in_name || in_value || in_op || unit || empty_block) {
      continue;
    }
    // Words that may follow an expression are many; the most useful ones are those of the line
    // itself.
    if (std::string word = TokenWord(type, vocabulary);
        std::find(parts.begin(), parts.end(), word) == parts.end()) {
      parts.push_back(std::move(word));
    }
  }
  auto end = std::find(parts.begin(), parts.end(), "end of line");
  if (end != parts.end()) {
    std::rotate(end, end + 1, parts.end());
  }
  constexpr size_t kMax = 5;
  if (parts.size() > kMax) {
    bool keeps_end = parts.back() == "end of line";
    parts.erase(parts.begin() + kMax - 1, parts.end() - (keeps_end ? 1 : 0));
  }
  return Join(parts);
}

namespace {

// The fix, where the two tokens show what was meant.
std::string HelpFor(antlr4::Token* found, const std::string& text, const IntervalSet& expected,
                    size_t last) {
  switch (found->getType()) {
    case P::EQ:
      if (last == P::EQ) {
        return "equality is one `=`; `~` compares without regard to case and order";
      }
      return Has(expected, P::COLON) ? "a line of a map is `target: value`" : "";
    case P::AMP:
      return last == P::AMP ? "write `and`; `&` joins texts" : "";
    case P::PIPE:
      return last == P::PIPE ? "write `or`; `|` is the union of two collections" : "";
    case P::GT:
      return last == P::LT ? "unequal is `!=`" : "";
    case P::TEXT:
      return Has(expected, P::STRING) && !Has(expected, P::TEXT)
                 ? "write it in single quotes: '" + text.substr(1, text.size() - 2) + "'"
                 : "";
    case P::LBRACE:
      return Has(expected, P::COLON) ? "a nested element is `target: { … }`" : "";
    default:
      return "";
  }
}

// Does what was read of `context` end in a path, so that an operator could follow?
bool EndsInPath(antlr4::ParserRuleContext* context) {
  antlr4::tree::ParseTree* node = context;
  while (node != nullptr && !node->children.empty()) {
    node = node->children.back();
    if (dynamic_cast<P::PathContext*>(node) != nullptr) {
      return true;
    }
  }
  return false;
}

// Words that could stand here although the parser, having passed their place, no longer expects
// them.
std::vector<std::string> PassedWords(size_t rule, bool after_path) {
  switch (rule) {
    case P::RuleMapHeader:
    case P::RuleMapBlock:
      return {"from", "on", "for", "conforms", "else", "extends"};
    case P::RuleFeedHeader:
    case P::RuleFeedBlock:
      return {"version", "extends"};
    case P::RuleSegmentHeader:
    case P::RuleSegmentBlock:
      return {"after", "optional", "repeating"};
    default:
      break;
  }
  return after_path ? std::vector<std::string>{"when",   "via",     "using", "else",
                                               "within", "because", "and",   "or"}
                    : std::vector<std::string>{};
}

}  // namespace

void LineErrorStrategy::reportError(antlr4::Parser* parser,
                                    const antlr4::RecognitionException& error) {
  auto* none = dynamic_cast<const antlr4::NoViableAltException*>(&error);
  antlr4::Token* found = error.getOffendingToken();
  bool exact = none == nullptr || none->getStartToken() == found;
  ReportAt(parser, found, parser->getExpectedTokens(), exact);
}

void LineErrorStrategy::ReportAt(antlr4::Parser* parser, antlr4::Token* found,
                                 const IntervalSet& expected, bool exact) {
  size_t index = found->getTokenIndex();
  uint32_t line = index < tokens_.line_of.size() ? tokens_.line_of[index] : tokens_.line_of.back();
  if (!tokens_.reported.insert(line).second) {
    return;
  }
  if (sink_.error_count() >= options_.max_errors) {
    sink_.Report(
        DiagnosticKind::kTooManyErrors, source_.SpanOf(*found),
        "more than " + std::to_string(options_.max_errors) + " errors, reading stops here");
    throw antlr4::ParseCancellationException();
  }
  size_t type = found->getType();
  Span span = source_.SpanOf(*found);
  if (type == antlr4::Token::EOF) {
    uint32_t size = static_cast<uint32_t>(source_.text().size());
    span = {source_.id(), size, size};
  }
  std::string text(source_.TextOf(span));
  if (text.size() > 40) {
    text = text.substr(0, 37) + "…";
  }
  std::string what = type == P::END               ? "end of line"
                     : type == antlr4::Token::EOF ? "end of file"
                                                  : Quoted(text.empty() ? "}" : text);
  antlr4::Token* before = parser->getTokenStream()->LT(-1);
  size_t last = before == nullptr ? P::END : before->getType();
  size_t rule = parser->getRuleContext()->getRuleIndex();
  bool line_start = last == P::END || last == P::LBRACE || before == nullptr;
  bool after_path = expected.size() == 1 && EndsInPath(parser->getRuleContext());
  std::string wanted = line_start && !LineWord(rule).empty()
                           ? LineWord(rule)
                           : DescribeExpected(expected, parser->getVocabulary());
  std::string message = exact ? "expected " + std::string(after_path ? "an operator or " : "") +
                                    wanted + ", found " + what
                              : what + " does not fit here";
  std::string help = HelpFor(found, text, expected, last);
  if (help.empty() && (type == P::IDENT || IsWord(type))) {
    std::vector<std::string> words = Words(expected, parser->getVocabulary());
    std::vector<std::string> passed = PassedWords(rule, after_path);
    words.insert(words.end(), passed.begin(), passed.end());
    std::string near = Nearest(text, words);
    help = near.empty() ? "" : "did you mean `" + near + "`?";
  }
  if (help.empty() && (rule == P::RuleTableBlock || rule == P::RuleTableRow) &&
      (type == P::NUMBER || type == P::SLASH || type == P::DOT)) {
    help = "a code that is not a letter followed by letters, digits and hyphens is quoted";
  }
  sink_.Report(DiagnosticKind::kExpected, span, std::move(message), std::move(help));
}

void LineErrorStrategy::recover(antlr4::Parser* parser, std::exception_ptr) {
  SkipToEnd(parser, IsLineRule(parser->getRuleContext()->getRuleIndex()));
}

antlr4::Token* LineErrorStrategy::recoverInline(antlr4::Parser* parser) {
  throw antlr4::InputMismatchException(parser);
}

// Inside a line: up to its END or a brace, so that a header's block is still read. As a line: over
// whole blocks, with the END.
void LineErrorStrategy::SkipToEnd(antlr4::Parser* parser, bool consume_end) {
  antlr4::TokenStream* input = parser->getTokenStream();
  size_t depth = 0;
  for (size_t type = input->LA(1); type != antlr4::Token::EOF; type = input->LA(1)) {
    if (depth == 0 &&
        (type == P::RBRACE || type == P::END || (type == P::LBRACE && !consume_end))) {
      if (type == P::END && consume_end) {
        parser->consume();
      }
      return;
    }
    depth += type == P::LBRACE ? 1 : 0;
    depth -= type == P::RBRACE ? 1 : 0;
    parser->consume();
  }
}

// Called where a block begins and before each of its lines.
void LineErrorStrategy::sync(antlr4::Parser* parser) {
  if (!IsBlockRule(parser->getRuleContext()->getRuleIndex())) {
    return;
  }
  antlr4::atn::ATNState* state =
      parser->getInterpreter<antlr4::atn::ParserATNSimulator>()->atn.states[parser->getState()];
  bool loop = state->getStateType() == antlr4::atn::ATNState::STAR_LOOP_ENTRY ||
              state->getStateType() == antlr4::atn::ATNState::STAR_LOOP_BACK;
  antlr4::TokenStream* input = parser->getTokenStream();
  IntervalSet expected = parser->getExpectedTokens();
  auto fits = [&] {
    size_t type = input->LA(1);
    return type == antlr4::Token::EOF || (loop && type == P::RBRACE) || expected.contains(type);
  };
  if (!loop && !fits()) {
    ReportAt(parser, input->LT(1), expected, true);
    SkipToEnd(parser, false);  // the header is broken, its block need not be
  }
  while (loop && !fits()) {
    ReportAt(parser, input->LT(1), expected, true);
    SkipToEnd(parser, true);
  }
}

}  // namespace weir::syntax
