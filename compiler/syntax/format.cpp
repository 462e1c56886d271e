#include "compiler/syntax/format.h"

#include <algorithm>

#include "compiler/syntax/generated/WeirParser.h"
#include "compiler/syntax/token_filter.h"

namespace weir::syntax {
namespace {

using antlr4::Token;
using P = generated::WeirParser;

constexpr size_t kIndent = 2;
constexpr size_t kContinuation = 4;

bool EndsOperand(size_t type) {
  return IsWord(type) || type == P::IDENT || type == P::DELIMITED || type == P::NUMBER ||
         type == P::STRING || type == P::TEXT || type == P::RPAREN || type == P::RBRACK ||
         type == P::STEP || type == P::REPEAT || type == P::V2FIELD || type == P::THIS ||
         type == P::INDEX || type == P::TOTAL || type == P::ENV || type == P::EMPTY ||
         type == P::CLOCK || type == P::DATE || type == P::DATETIME || type == P::TIME ||
         type == P::VERSION_NUMBER;
}

class Formatter {
 public:
  Formatter(const SourceFile& file, FileId id)
      : source_(file, id, /*free_form=*/false), all_(source_.TakeTokens()) {}

  std::string Run() {
    for (index_ = 0; index_ < all_.size(); ++index_) {
      Add(*all_[index_]);
    }
    if (!out_.empty()) {
      out_ += '\n';
    }
    return std::move(out_);
  }

 private:
  void Add(const Token& token) {
    std::string_view text = source_.TextOf(token);
    size_t type = token.getType();
    bool comment = IsHidden(token);
    bool new_line = previous_ == nullptr || token.getLine() > previous_end_line_;
    if (type == P::RBRACE && depth_ > 0) {
      --depth_;
      brackets_ = 0;
    }
    if (new_line) {
      BreakLine(token, comment);
    } else if (comment) {
      out_ += type == P::BLOCK_COMMENT ? " " : "  ";
    } else if (NeedsBlank(token)) {
      out_ += ' ';
    }
    Append(text, type);
    if (type == P::LBRACE) {
      ++depth_;
      statement_begins_ = true;
    } else if (type == P::LPAREN || type == P::LBRACK) {
      ++brackets_;
    } else if ((type == P::RPAREN || type == P::RBRACK) && brackets_ > 0) {
      --brackets_;
    }
    if (!comment) {
      statement_begins_ = type == P::LBRACE || type == P::SEMI;
      last_code_ = &token;
    }
    previous_ = &token;
    previous_end_line_ =
        token.getLine() + static_cast<size_t>(std::count(text.begin(), text.end(), '\n'));
  }

  // Comments keep their inner lines, but no blanks at line ends.
  void Append(std::string_view text, size_t type) {
    if (type == P::LINE_COMMENT || type == P::DOC_COMMENT) {
      text = text.substr(0, text.find_last_not_of(" \t") + 1);
    }
    for (char c : text) {
      if (c != '\r') {
        out_ += c;
      }
    }
  }

  void BreakLine(const Token& token, bool comment) {
    bool continues = Continues(token, comment);
    if (previous_ != nullptr) {
      out_ += '\n';
      bool after_open = previous_->getType() == P::LBRACE;
      bool before_close = token.getType() == P::RBRACE;
      if (token.getLine() > previous_end_line_ + 1 && !after_open && !before_close) {
        out_ += '\n';
      }
    }
    out_.append(depth_ * kIndent + (continues ? kContinuation : 0), ' ');
    if (!continues && !comment) {
      column_ = token.getCharPositionInLine();
      brackets_ = 0;
    }
  }

  // As the token filter decides: deeper than the statement's first word, and read on.
  bool Continues(const Token& token, bool comment) const {
    if (comment || statement_begins_ || last_code_ == nullptr || token.getType() == P::RBRACE ||
        last_code_->getType() == P::RBRACE) {
      return false;
    }
    size_t next = P::END;
    for (size_t i = index_ + 1; i < all_.size() && next == P::END; ++i) {
      next = IsHidden(*all_[i]) ? next : all_[i]->getType();
    }
    return token.getCharPositionInLine() > column_ &&
           (brackets_ > 0 || GoesOn(last_code_->getType(), token.getType(), next, depth_ == 0));
  }

  bool Adjacent(const Token& token) const {
    return last_code_->getStopIndex() + 1 == token.getStartIndex();
  }

  // Between `last_code_` and `token`, on one line.
  bool NeedsBlank(const Token& token) {
    if (previous_ != nullptr && IsHidden(*previous_)) {
      return true;
    }
    size_t last = last_code_->getType();
    size_t type = token.getType();
    bool was_sign = sign_;
    sign_ = false;
    switch (type) {
      case P::COMMA:
      case P::SEMI:
      case P::COLON:
      case P::RPAREN:
      case P::RBRACK:
      case P::DOT:
      case P::RANGE:
      case P::REPEAT:
        return false;
      case P::STEP:  // `a.1`, but `key .1` and `x = .1`
        return !Adjacent(token) && last != P::LPAREN && last != P::LBRACK;
      case P::LPAREN:  // a call, or a group after a word or an operator
        return last != P::LPAREN && last != P::LBRACK && last != P::DOT &&
               !(Adjacent(token) && EndsOperand(last)) && !was_sign;
      case P::LBRACK:
        return !EndsOperand(last);
      case P::MINUS:
      case P::PLUS:
        // In a code (`us-core-patient`) or a date no blanks, as a sign none behind; the author's
        // blanks tell.
        sign_ = !EndsOperand(last);
        if (type == P::MINUS && EndsOperand(last) && Adjacent(token)) {
          tight_ = true;
          return false;
        }
        return last != P::LPAREN && last != P::LBRACK && !was_sign;
      default:
        break;
    }
    if (tight_) {
      tight_ = false;
      return !Adjacent(token);
    }
    if (was_sign || last == P::LPAREN || last == P::LBRACK || last == P::DOT || last == P::RANGE) {
      return false;
    }
    // `07:00` is one token; a colon with nothing before its value is a target's.
    return true;
  }

  LexedSource source_;
  TokenList all_;
  std::string out_;
  const Token* previous_ = nullptr;   // comments too
  const Token* last_code_ = nullptr;  // without them
  size_t previous_end_line_ = 0;
  size_t index_ = 0;
  size_t depth_ = 0;
  size_t brackets_ = 0;
  size_t column_ = 0;  // of the statement's first word, in the source
  bool statement_begins_ = true;
  bool sign_ = false;   // the last sign was unary
  bool tight_ = false;  // the last minus stood in a code
};

}  // namespace

std::string Format(const SourceFile& file, FileId id) { return Formatter(file, id).Run(); }

}  // namespace weir::syntax
