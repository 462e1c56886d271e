// Strings. Positions and lengths count code points; upper and lower are ASCII (no locale,
// docs/ir.md).
#include <re2/re2.h>

#include <limits>

#include "compiler/ir/interp/eval.h"
#include "compiler/ir/interp/text.h"

namespace weir::ir {
namespace {

using StringPredicate = bool (*)(std::string_view, std::string_view);

Items Test(Evaluator& eval, const Node& call, const Items& input, StringPredicate test) {
  auto text = eval.SingleString(input);
  auto argument = eval.StringArgument(call, 0);
  return text && argument ? OneBoolean(test(*text, *argument)) : Items{};
}

Items Map(Evaluator& eval, const Items& input, std::string (*map)(std::string_view)) {
  auto text = eval.SingleString(input);
  return text ? OneString(map(*text)) : Items{};
}

Items Find(Evaluator& eval, const Node& call, const Items& input, bool last) {
  auto text = eval.SingleString(input);
  auto argument = eval.StringArgument(call, 0);
  if (!text || !argument) {
    return {};
  }
  size_t at = last ? text->rfind(*argument) : text->find(*argument);
  return OneInteger(at == std::string::npos
                        ? -1
                        : static_cast<int64_t>(CodePoints(std::string_view(*text).substr(0, at))));
}

// Linear-time by RE2; `.` matches line ends, as FHIRPath asks.
std::optional<RE2::Options> RegexOptions(Evaluator& eval, const Node& call, size_t argument) {
  RE2::Options options;
  options.set_dot_nl(true);
  options.set_log_errors(false);
  options.set_max_mem(8 << 20);
  if (call.kids.size() > argument + 1) {
    auto flags = eval.StringArgument(call, argument);
    for (char flag : flags.value_or("")) {
      if (flag == 'i') {
        options.set_case_sensitive(false);
      } else if (flag != 'm') {
        eval.Fail("unknown regular expression flag");
        return std::nullopt;
      }
    }
  }
  return options;
}

Items Matches(Evaluator& eval, const Node& call, const Items& input, bool full) {
  auto text = eval.SingleString(input);
  auto pattern = eval.StringArgument(call, 0);
  auto options = RegexOptions(eval, call, 1);
  if (!text || !pattern || !options) {
    return {};
  }
  RE2 regex(*pattern, *options);
  if (!regex.ok()) {
    eval.Fail("malformed regular expression");
    return {};
  }
  return OneBoolean(full ? RE2::FullMatch(*text, regex) : RE2::PartialMatch(*text, regex));
}

// `$1` of FHIRPath becomes `\1` of RE2; `\` is doubled.
std::string Rewrite(std::string_view substitution) {
  std::string out;
  for (size_t i = 0; i < substitution.size(); ++i) {
    char c = substitution[i];
    if (c == '$' && i + 1 < substitution.size() && substitution[i + 1] >= '0' &&
        substitution[i + 1] <= '9') {
      out.push_back('\\');
    } else if (c == '\\') {
      out += "\\\\";
    } else {
      out.push_back(c);
    }
  }
  return out;
}

void ReplaceEach(std::string* text, std::string_view from, std::string_view to) {
  for (size_t at = 0; (at = text->find(from, at)) != std::string::npos; at += to.size()) {
    text->replace(at, from.size(), to);
  }
}

// A quote that was not escaped is taken as it is; a malformed escape answers empty.
Items UnescapeJson(std::string_view text) {
  std::string quoted = "\"";
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) {
      quoted += text.substr(i++, 2);
    } else if (text[i] == '"' || static_cast<unsigned char>(text[i]) < 0x20) {
      std::string escaped;
      WriteJsonString(text.substr(i, 1), &escaped);
      quoted += escaped.substr(1, escaped.size() - 2);
    } else {
      quoted.push_back(text[i]);
    }
  }
  auto json = ParseJson(quoted + "\"");
  return json.ok() ? OneString(json->text) : Items{};
}

constexpr std::pair<std::string_view, std::string_view> kHtml[] = {
    {"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}, {"\"", "&quot;"}, {"'", "&#39;"}};

}  // namespace

Items Fn_indexOf(Evaluator& eval, const Node& call, Items input) {
  return Find(eval, call, input, false);
}
Items Fn_lastIndexOf(Evaluator& eval, const Node& call, Items input) {
  return Find(eval, call, input, true);
}

Items Fn_substring(Evaluator& eval, const Node& call, Items input) {
  auto text = eval.SingleString(input);
  auto start = eval.SingleInteger(eval.EvalKid(call, 1));
  std::optional<int64_t> length = std::numeric_limits<int32_t>::max();
  if (call.kids.size() > 2) {
    length = eval.SingleInteger(eval.EvalKid(call, 2));
  }
  if (!text || !start || *start < 0 || *start >= static_cast<int64_t>(CodePoints(*text))) {
    return {};
  }
  if (!length) {  // an empty length reads to the end
    length = std::numeric_limits<int32_t>::max();
  }
  if (*length <= 0) {
    return OneString("");
  }
  size_t begin = ByteOffset(*text, static_cast<size_t>(*start));
  std::string_view rest = std::string_view(*text).substr(begin);
  return OneString(std::string(rest.substr(0, ByteOffset(rest, static_cast<size_t>(*length)))));
}

Items Fn_startsWith(Evaluator& eval, const Node& call, Items input) {
  return Test(eval, call, input,
              [](std::string_view text, std::string_view part) { return text.starts_with(part); });
}
Items Fn_endsWith(Evaluator& eval, const Node& call, Items input) {
  return Test(eval, call, input,
              [](std::string_view text, std::string_view part) { return text.ends_with(part); });
}
Items Fn_contains(Evaluator& eval, const Node& call, Items input) {
  return Test(eval, call, input, [](std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
  });
}

Items Fn_upper(Evaluator& eval, const Node&, Items input) { return Map(eval, input, AsciiUpper); }
Items Fn_lower(Evaluator& eval, const Node&, Items input) { return Map(eval, input, AsciiLower); }
Items Fn_uriEscape(Evaluator& eval, const Node&, Items input) {
  return Map(eval, input, PercentEncode);
}
Items Fn_trim(Evaluator& eval, const Node&, Items input) {
  return Map(eval, input, [](std::string_view text) { return std::string(TrimSpace(text)); });
}

Items Fn_replace(Evaluator& eval, const Node& call, Items input) {
  auto text = eval.SingleString(input);
  auto pattern = eval.StringArgument(call, 0), substitution = eval.StringArgument(call, 1);
  if (!text || !pattern || !substitution) {
    return {};
  }
  if (!pattern->empty()) {
    ReplaceEach(&*text, *pattern, *substitution);
    return OneString(*text);
  }
  std::string out = *substitution;  // the empty pattern surrounds every character
  for (size_t i = 0; i < text->size();) {
    size_t next = i + ByteOffset(std::string_view(*text).substr(i), 1);
    out += text->substr(i, next - i) + *substitution;
    i = next;
  }
  return OneString(out);
}

Items Fn_matches(Evaluator& eval, const Node& call, Items input) {
  return Matches(eval, call, input, false);
}
Items Fn_matchesFull(Evaluator& eval, const Node& call, Items input) {
  return Matches(eval, call, input, true);
}

Items Fn_replaceMatches(Evaluator& eval, const Node& call, Items input) {
  auto text = eval.SingleString(input);
  auto pattern = eval.StringArgument(call, 0), substitution = eval.StringArgument(call, 1);
  auto options = RegexOptions(eval, call, 2);
  if (!text || !pattern || !substitution || !options) {
    return {};
  }
  if (pattern->empty()) {
    return OneString(*text);
  }
  RE2 regex(*pattern, *options);
  std::string error;
  std::string rewrite = Rewrite(*substitution);
  if (!regex.ok() || !regex.CheckRewriteString(rewrite, &error)) {
    eval.Fail("malformed regular expression");
    return {};
  }
  RE2::GlobalReplace(&*text, regex, rewrite);
  return OneString(*text);
}

Items Fn_length(Evaluator& eval, const Node&, Items input) {
  auto text = eval.SingleString(input);
  return text ? OneInteger(static_cast<int64_t>(CodePoints(*text))) : Items{};
}

Items Fn_toChars(Evaluator& eval, const Node&, Items input) {
  auto text = eval.SingleString(input);
  Items result;
  for (size_t i = 0; text && i < text->size();) {
    size_t next = i + ByteOffset(std::string_view(*text).substr(i), 1);
    result.push_back(Item{text->substr(i, next - i)});
    i = next;
  }
  return result;
}

Items Fn_split(Evaluator& eval, const Node& call, Items input) {
  auto text = eval.SingleString(input);
  auto separator = eval.StringArgument(call, 0);
  Items result;
  if (!text || !separator) {
    return result;
  }
  if (separator->empty()) {
    return Fn_toChars(eval, call, std::move(input));
  }
  size_t begin = 0;
  for (size_t at; (at = text->find(*separator, begin)) != std::string::npos;
       begin = at + separator->size()) {
    result.push_back(Item{text->substr(begin, at - begin)});
  }
  result.push_back(Item{text->substr(begin)});
  return result;
}

Items Fn_join(Evaluator& eval, const Node& call, Items input) {
  std::string separator = call.kids.size() > 1 ? eval.StringArgument(call, 0).value_or("") : "";
  std::string out;
  bool first = true;
  for (const Item& item : input) {
    auto text = eval.SingleString(One(item));
    if (text) {
      out += (first ? "" : separator) + *text;
      first = false;
    }
  }
  return first ? Items{} : OneString(out);
}

Items Fn_encode(Evaluator& eval, const Node& call, Items input) {
  auto text = eval.SingleString(input);
  auto format = eval.StringArgument(call, 0);
  if (!text || !format) {
    return {};
  }
  if (*format == "hex") {
    return OneString(ToHex(*text));
  }
  bool url = *format == "urlbase64";
  return url || *format == "base64" ? OneString(ToBase64(*text, url)) : Items{};
}

Items Fn_decode(Evaluator& eval, const Node& call, Items input) {
  auto text = eval.SingleString(input);
  auto format = eval.StringArgument(call, 0);
  if (!text || !format) {
    return {};
  }
  std::optional<std::string> bytes;
  if (*format == "hex") {
    bytes = FromHex(*text);
  } else if (*format == "base64" || *format == "urlbase64") {
    bytes = FromBase64(*text, *format == "urlbase64");
  }
  return bytes && IsUtf8(*bytes) ? OneString(*bytes) : Items{};
}

Items Fn_escape(Evaluator& eval, const Node& call, Items input) {
  auto text = eval.SingleString(input);
  auto format = eval.StringArgument(call, 0);
  if (!text || !format) {
    return {};
  }
  if (*format == "html") {
    for (const auto& [plain, escaped] : kHtml) {
      ReplaceEach(&*text, plain, escaped);
    }
    return OneString(*text);
  }
  if (*format == "json") {
    std::string out;
    WriteJsonString(*text, &out);
    return OneString(out.substr(1, out.size() - 2));
  }
  return {};
}

Items Fn_unescape(Evaluator& eval, const Node& call, Items input) {
  auto text = eval.SingleString(input);
  auto format = eval.StringArgument(call, 0);
  if (!text || !format) {
    return {};
  }
  if (*format == "html") {
    for (size_t i = std::size(kHtml); i-- > 0;) {
      ReplaceEach(&*text, kHtml[i].second, kHtml[i].first);
    }
    return OneString(*text);
  }
  if (*format == "json") {
    return UnescapeJson(*text);
  }
  return {};
}

}  // namespace weir::ir
