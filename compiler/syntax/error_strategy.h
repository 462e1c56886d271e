// How the parser goes on after an error, and what it says. ANTLR's own strategy inserts and deletes
// single tokens and lists some seventy expected ones; ours skips to the end of the logical line,
// never past a block's braces, says one thing per logical line and folds what was expected into the
// author's words.
#pragma once

#include <string>
#include <vector>

#include "antlr4-runtime.h"
#include "compiler/diag/diagnostic.h"
#include "compiler/syntax/token_filter.h"

namespace weir::syntax {

class LineErrorStrategy : public antlr4::DefaultErrorStrategy {
 public:
  LineErrorStrategy(FilteredTokens& tokens, const LexedSource& source, const ParseOptions& options,
                    DiagnosticSink& sink)
      : tokens_(tokens), source_(source), options_(options), sink_(sink) {}

  void reportError(antlr4::Parser* parser, const antlr4::RecognitionException& error) override;
  void recover(antlr4::Parser* parser, std::exception_ptr error) override;
  antlr4::Token* recoverInline(antlr4::Parser* parser) override;
  void sync(antlr4::Parser* parser) override;

 private:
  void ReportAt(antlr4::Parser* parser, antlr4::Token* found,
                const antlr4::misc::IntervalSet& expected, bool exact);
  void SkipToEnd(antlr4::Parser* parser, bool consume_end);

  FilteredTokens& tokens_;
  const LexedSource& source_;
  const ParseOptions& options_;
  DiagnosticSink& sink_;
};

// "a value, `each` or end of line"
std::string DescribeExpected(const antlr4::misc::IntervalSet& expected,
                             const antlr4::dfa::Vocabulary& vocabulary);

}  // namespace weir::syntax
