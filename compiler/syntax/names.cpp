// AstBuilder's leaves: names, codes, texts, numbers, events.
#include <charconv>

#include "compiler/syntax/ast_builder.h"

namespace weir::syntax {
namespace {

void AppendUtf8(std::string& out, uint32_t c) {
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += {static_cast<char>(0xC0 | c >> 6), static_cast<char>(0x80 | (c & 0x3F))};
  } else if (c < 0x10000) {
    out += {static_cast<char>(0xE0 | c >> 12), static_cast<char>(0x80 | (c >> 6 & 0x3F)),
            static_cast<char>(0x80 | (c & 0x3F))};
  } else {
    out += {static_cast<char>(0xF0 | c >> 18), static_cast<char>(0x80 | (c >> 12 & 0x3F)),
            static_cast<char>(0x80 | (c >> 6 & 0x3F)), static_cast<char>(0x80 | (c & 0x3F))};
  }
}

// Four hexadecimal digits at `at`, or nothing.
bool Hex4(std::string_view text, size_t at, uint32_t& value) {
  if (at + 4 > text.size()) {
    return false;
  }
  auto [end, error] = std::from_chars(text.data() + at, text.data() + at + 4, value, 16);
  return error == std::errc() && end == text.data() + at + 4;
}

}  // namespace

void AstBuilder::Report(DiagnosticKind kind, Span span, std::string message, std::string help) {
  sink_.Report(kind, span, std::move(message), std::move(help));
}

void AstBuilder::ReportTwice(Span span, Span first) {
  std::string text(source_.TextOf(span));
  text = text.substr(0, text.find_first_of(" \t\n"));
  sink_.Report({.kind = DiagnosticKind::kDuplicateClause,
                .span = {span.file, span.begin, span.begin + static_cast<uint32_t>(text.size())},
                .message = "`" + text + "` is written twice",
                .help = "",
                .notes = {{first, "the first one"}},
                .label = ""});
}

Span AstBuilder::SpanOf(antlr4::Token* token) const {
  return token == nullptr ? Span{} : source_.SpanOf(*token);
}

Span AstBuilder::SpanOf(antlr4::ParserRuleContext* context) const {
  if (context == nullptr || context->getStart() == nullptr) {
    return {};
  }
  antlr4::Token* stop = context->getStop();
  bool empty = stop == nullptr || stop->getTokenIndex() < context->getStart()->getTokenIndex();
  return source_.SpanOf(*context->getStart(), empty ? *context->getStart() : *stop);
}

std::string AstBuilder::DocOf(antlr4::ParserRuleContext* context) const {
  auto doc = tokens_.docs.find(context->getStart()->getTokenIndex());
  return doc == tokens_.docs.end() ? "" : doc->second;
}

ast::Name AstBuilder::Raw(antlr4::ParserRuleContext* context) const {
  Span span = SpanOf(context);
  return span.valid() ? ast::Name{std::string(source_.TextOf(span)), span} : ast::Name{};
}

ast::Name AstBuilder::Raw(antlr4::Token* token) const {
  return token == nullptr ? ast::Name{}
                          : ast::Name{std::string(source_.TextOf(*token)), SpanOf(token)};
}

ast::Name AstBuilder::NameOf(P::IdentContext* context) {
  ast::Name name = Raw(context);
  if (name.text.starts_with('`')) {
    name.text = Decode(name.span);
  }
  return name;
}

// `org.hl7`; blanks around the dots are dropped.
ast::Name AstBuilder::NameOf(P::QnameContext* context) {
  if (context == nullptr) {
    return {};
  }
  ast::Name name{"", SpanOf(context)};
  for (P::IdentContext* part : context->ident()) {
    name.text += (name.text.empty() ? "" : ".") + NameOf(part).text;
  }
  return name;
}

ast::Name AstBuilder::NameOf(P::TextContext* context) {
  if (context == nullptr) {
    return {};
  }
  Span span = SpanOf(context);
  return {Decode(span), span};
}

ast::Name AstBuilder::NameOf(P::CodeContext* context) {
  ast::Name name = Raw(context);
  if (name.text.starts_with('`')) {
    name.text = Decode(name.span);
  } else if (name.text.find_first_of(" \t\n") != std::string::npos) {
    Report(DiagnosticKind::kExpected, name.span,
           "expected a code without blanks, found `" + name.text + "`", "quote a code with blanks");
  }
  return name;
}

ast::Name AstBuilder::NameOf(P::SystemContext* context) {
  if (context == nullptr) {
    return {};
  }
  return context->text() != nullptr ? NameOf(context->text()) : NameOf(context->code());
}

ast::Name AstBuilder::NameOf(P::VersionContext* context) { return Raw(context); }

// The inside of '…', "…" or `…` with its escapes resolved.
std::string AstBuilder::Decode(Span span) {
  std::string_view text = source_.TextOf(span);
  char quote = text.empty() ? '\0' : text.front();
  text.remove_prefix(text.empty() ? 0 : 1);
  if (!text.empty() && text.back() == quote) {
    text.remove_suffix(1);  // an open string, reported, has none
  }
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    size_t start = i++;
    uint32_t unit = 0;
    switch (text[i]) {
      case 'n':
        out += '\n';
        continue;
      case 'r':
        out += '\r';
        continue;
      case 't':
        out += '\t';
        continue;
      case 'f':
        out += '\f';
        continue;
      case '\'':
      case '"':
      case '`':
      case '\\':
      case '/':
        out += text[i];
        continue;
      case 'u':
        if (Hex4(text, i + 1, unit)) {
          uint32_t low = 0;
          if (unit >= 0xD800 && unit < 0xDC00 && text.substr(i + 5, 2) == "\\u" &&
              Hex4(text, i + 7, low) && low >= 0xDC00 && low < 0xE000) {
            unit = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
            i += 6;
          }
          if (unit < 0xD800 || unit >= 0xE000) {
            AppendUtf8(out, unit);
            i += 4;
            continue;
          }
        }
        break;
      default:
        break;
    }
    uint32_t at = span.begin + 1 + static_cast<uint32_t>(start);
    Report(DiagnosticKind::kBadEscape, {span.file, at, at + 2},
           "`" + std::string(text.substr(start, 2)) + "` is no escape we know",
           "write a backslash as `\\\\`");
    out += text[i];
  }
  return out;
}

int32_t AstBuilder::NumberOf(std::string_view digits, Span span) {
  int32_t value = 0;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size() || value >= 1000000) {
    Report(DiagnosticKind::kNumberRange, span,
           "`" + std::string(digits) + "` is no number from 0 to 999999");
    return 0;
  }
  return value;
}

ast::Duration AstBuilder::DurationOf(P::DurationContext* context) {
  ast::Duration duration;
  if (context == nullptr || context->NUMBER() == nullptr || context->UNIT() == nullptr) {
    return duration;
  }
  duration.span = SpanOf(context);
  ast::Name number = Raw(context->NUMBER()->getSymbol());
  duration.amount = NumberOf(number.text, number.span);
  duration.unit = Raw(context->UNIT()->getSymbol()).text;
  if (duration.unit.ends_with('s')) {
    duration.unit.pop_back();
  }
  return duration;
}

std::vector<ast::EventRange> AstBuilder::EventsOf(P::EventListContext* context) {
  std::vector<ast::EventRange> events;
  if (context == nullptr) {
    return events;
  }
  for (P::EventRangeContext* range : context->eventRange()) {
    ast::EventRange event;
    event.span = SpanOf(range);
    std::vector<P::IdentContext*> idents = range->ident();
    size_t next = 0;
    if (range->EVENT() != nullptr) {
      ast::Name whole = Raw(range->EVENT()->getSymbol());
      event.message = {whole.text.substr(0, 3),
                       {whole.span.file, whole.span.begin, whole.span.begin + 3}};
      event.first = {whole.text.substr(4), {whole.span.file, whole.span.begin + 4, whole.span.end}};
    } else if (next < idents.size()) {
      event.first = NameOf(idents[next++]);
    }
    if (range->RANGE() != nullptr && next < idents.size()) {
      event.last = NameOf(idents[next++]);
    }
    if (range->AS() != nullptr && next < idents.size()) {
      event.structure = NameOf(idents[next++]);
    }
    if (!event.first.empty()) {
      events.push_back(std::move(event));
    }
  }
  return events;
}

}  // namespace weir::syntax
