// Between lexer and parser: decides where statements end, so that the grammar needs no rule about
// newlines and an open bracket cannot eat the rest of the file; tells names from words where
// position alone decides it; reports what only tokens can show (open strings and brackets, unknown
// characters) and bounds nesting before the parser recurses.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "antlr4-runtime.h"
#include "compiler/base/source_file.h"
#include "compiler/diag/diagnostic.h"
#include "compiler/syntax/parse.h"

namespace weir::syntax {

using TokenList = std::vector<std::unique_ptr<antlr4::Token>>;

// The text as ANTLR sees it: code points, counted; tokens point back into bytes through it.
class LexedSource {
 public:
  // `free_form`: pure FHIRPath, newlines mean nothing and strings may span lines.
  LexedSource(const SourceFile& file, FileId id, bool free_form);
  ~LexedSource();

  TokenList TakeTokens();
  FileId id() const { return id_; }
  std::string_view text() const { return text_; }
  Span SpanOf(const antlr4::Token& token) const;
  // From the first token's begin to the last one's end.
  Span SpanOf(const antlr4::Token& first, const antlr4::Token& last) const;
  std::string_view TextOf(Span span) const {
    return text_.substr(span.begin, span.end - span.begin);
  }
  std::string_view TextOf(const antlr4::Token& token) const { return TextOf(SpanOf(token)); }

 private:
  uint32_t Offset(size_t code_point) const;

  FileId id_;
  std::string_view text_;
  std::vector<uint32_t> offsets_;  // of each code point; empty for ASCII, where it is the identity
  std::unique_ptr<antlr4::ANTLRInputStream> input_;
  std::unique_ptr<antlr4::Lexer> lexer_;
};

struct FilteredTokens {
  TokenList tokens;                              // the last one is EOF
  std::vector<uint32_t> line_of;                 // logical line of each token
  std::unordered_set<uint32_t> reported;         // logical lines that already have their error
  std::unordered_map<size_t, std::string> docs;  // `///` text before the token of that index
};

FilteredTokens FilterTokens(TokenList all, const LexedSource& source, bool free_form,
                            const ParseOptions& options, DiagnosticSink& sink);

// Is the token one of the language's words (all are soft)?
bool IsWord(size_t type);
bool IsHidden(const antlr4::Token& token);
// Does a statement go on over a newline between the types `last` and `first`, given that the next
// line is deeper? A word before a colon is a target, so `second` counts.
bool GoesOn(size_t last, size_t first, size_t second, bool in_header);

}  // namespace weir::syntax
