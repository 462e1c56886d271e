#include <algorithm>

#include "compiler/syntax/generated/WeirLexer.h"
#include "compiler/syntax/token_filter.h"

namespace weir::syntax {

using generated::WeirLexer;

LexedSource::LexedSource(const SourceFile& file, FileId id, bool free_form)
    : id_(id), text_(file.text()) {
  std::string text(text_);
  if (free_form) {
    std::replace(text.begin(), text.end(), '\n', '\v');
    std::replace(text.begin(), text.end(), '\r', '\f');
  }
  bool ascii = std::all_of(text.begin(), text.end(),
                           [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  if (!ascii) {
    for (uint32_t i = 0; i < text.size(); ++i) {
      if ((text[i] & 0xC0) != 0x80) {
        offsets_.push_back(i);
      }
    }
    offsets_.push_back(static_cast<uint32_t>(text.size()));
    if (text.starts_with("\xEF\xBB\xBF")) {
      offsets_.erase(offsets_.begin());  // ANTLR drops a byte order mark itself
    }
  }
  input_ = std::make_unique<antlr4::ANTLRInputStream>(text);
  lexer_ = std::make_unique<WeirLexer>(input_.get());
  lexer_
      ->removeErrorListeners();  // UNKNOWN catches every character, so the lexer itself never fails
}

LexedSource::~LexedSource() = default;

TokenList LexedSource::TakeTokens() { return lexer_->getAllTokens(); }

uint32_t LexedSource::Offset(size_t code_point) const {
  if (offsets_.empty()) {
    return static_cast<uint32_t>(std::min(code_point, text_.size()));
  }
  return offsets_[std::min(code_point, offsets_.size() - 1)];
}

Span LexedSource::SpanOf(const antlr4::Token& token) const { return SpanOf(token, token); }

Span LexedSource::SpanOf(const antlr4::Token& first, const antlr4::Token& last) const {
  uint32_t begin = Offset(first.getStartIndex());
  uint32_t end = Offset(last.getStopIndex() + 1);  // made-up tokens are empty: stop = start - 1
  return {id_, begin, std::max(begin, end)};
}

}  // namespace weir::syntax
