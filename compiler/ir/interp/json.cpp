#include "compiler/ir/interp/json.h"

#include "compiler/ir/interp/text.h"

namespace weir::ir {
namespace {

class Parser {
 public:
  Parser(std::string_view text, JsonLimits limits) : text_(text), limits_(limits) {}

  Result<Json> Run() {
    if (text_.size() > limits_.max_bytes) {
      return Error{"JSON document too large"};
    }
    Json root;
    if (!Value(&root, 0)) {
      return Error{"JSON: " + error_ + " at byte " + std::to_string(at_)};
    }
    Blanks();
    if (at_ != text_.size()) {
      return Error{"JSON: text after the document at byte " + std::to_string(at_)};
    }
    return root;
  }

 private:
  bool Fail(const char* why) {
    if (error_.empty()) {
      error_ = why;
    }
    return false;
  }
  void Blanks() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\r' || text_[at_] == '\t')) {
      ++at_;
    }
  }
  bool Take(char c) {
    Blanks();
    if (at_ < text_.size() && text_[at_] == c) {
      ++at_;
      return true;
    }
    return false;
  }
  bool Word(std::string_view word) {
    if (text_.substr(at_, word.size()) != word) {
      return Fail("unknown word");
    }
    at_ += word.size();
    return true;
  }

  bool Value(Json* out, uint32_t depth) {
    if (depth > limits_.max_depth) {
      return Fail("nested too deeply");
    }
    Blanks();
    if (at_ == text_.size()) {
      return Fail("unexpected end");
    }
    switch (text_[at_]) {
      case '{':
        return Object(out, depth);
      case '[':
        return Array(out, depth);
      case '"':
        out->kind = Json::Kind::kString;
        return String(&out->text);
      case 't':
        out->kind = Json::Kind::kBoolean;
        out->boolean = true;
        return Word("true");
      case 'f':
        out->kind = Json::Kind::kBoolean;
        return Word("false");
      case 'n':
        return Word("null");
      default:
        return Number(out);
    }
  }
  bool Object(Json* out, uint32_t depth) {
    out->kind = Json::Kind::kObject;
    ++at_;
    if (Take('}')) {
      return true;
    }
    do {
      Blanks();
      std::string name;
      if (at_ == text_.size() || text_[at_] != '"' || !String(&name)) {
        return Fail("member name expected");
      }
      if (!Take(':')) {
        return Fail("`:` expected");
      }
      if (out->Find(name) != nullptr) {
        return Fail("member written twice");
      }
      out->members.push_back(JsonMember{std::move(name), {}});
      if (!Value(&out->members.back().value, depth + 1)) {
        return false;
      }
    } while (Take(','));
    return Take('}') || Fail("`}` expected");
  }
  bool Array(Json* out, uint32_t depth) {
    out->kind = Json::Kind::kArray;
    ++at_;
    if (Take(']')) {
      return true;
    }
    do {
      out->items.emplace_back();
      if (!Value(&out->items.back(), depth + 1)) {
        return false;
      }
    } while (Take(','));
    return Take(']') || Fail("`]` expected");
  }
  bool Digits() {
    size_t begin = at_;
    while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9') {
      ++at_;
    }
    return at_ != begin;
  }
  bool Number(Json* out) {
    size_t begin = at_;
    if (text_[at_] == '-') {
      ++at_;
    }
    size_t digits = at_;
    if (!Digits() || (text_[digits] == '0' && at_ > digits + 1)) {
      return Fail("value expected");
    }
    if (at_ < text_.size() && text_[at_] == '.') {
      ++at_;
      if (!Digits()) {
        return Fail("digits expected");
      }
    }
    if (at_ < text_.size() && (text_[at_] == 'e' || text_[at_] == 'E')) {
      ++at_;
      if (at_ < text_.size() && (text_[at_] == '+' || text_[at_] == '-')) {
        ++at_;
      }
      if (!Digits()) {
        return Fail("digits expected");
      }
    }
    out->kind = Json::Kind::kNumber;
    out->text = text_.substr(begin, at_ - begin);
    return true;
  }
  bool Hex4(uint32_t* out) {
    *out = 0;
    for (int i = 0; i < 4; ++i, ++at_) {
      int digit = at_ < text_.size() ? HexDigit(text_[at_]) : -1;
      if (digit < 0) {
        return Fail("bad \\u escape");
      }
      *out = *out * 16 + static_cast<uint32_t>(digit);
    }
    return true;
  }
  bool String(std::string* out) {
    for (++at_; at_ < text_.size();) {
      char c = text_[at_++];
      if (c == '"') {
        return IsUtf8(*out) || Fail("not UTF-8");
      }
      if (static_cast<unsigned char>(c) < 0x20) {
        return Fail("control character in a string");
      }
      if (c != '\\') {
        out->push_back(c);
        continue;
      }
      if (at_ == text_.size()) {
        break;
      }
      c = text_[at_++];
      static constexpr std::string_view kFrom = "\"\\/bfnrt", kTo = "\"\\/\b\f\n\r\t";
      if (size_t known = kFrom.find(c); known != std::string_view::npos) {
        out->push_back(kTo[known]);
        continue;
      }
      uint32_t code = 0;
      if (c != 'u' || !Hex4(&code)) {
        return Fail("bad escape");
      }
      if (code >= 0xD800 && code < 0xDC00) {
        uint32_t low = 0;
        if (text_.substr(at_, 2) != "\\u") {
          return Fail("lone surrogate");
        }
        at_ += 2;
        if (!Hex4(&low) || low < 0xDC00 || low > 0xDFFF) {
          return Fail("lone surrogate");
        }
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
      } else if (code >= 0xDC00 && code < 0xE000) {
        return Fail("lone surrogate");
      }
      AppendUtf8(code, out);
    }
    return Fail("unexpected end");
  }

  std::string_view text_;
  JsonLimits limits_;
  size_t at_ = 0;
  std::string error_;
};

}  // namespace

const Json* Json::Find(std::string_view name) const {
  for (const auto& [key, value] : members) {
    if (key == name) {
      return &value;
    }
  }
  return nullptr;
}

Result<Json> ParseJson(std::string_view text, JsonLimits limits) {
  return Parser(text, limits).Run();
}

void WriteJsonString(std::string_view text, std::string* out) {
  static constexpr char kHex[] = "0123456789abcdef";
  out->push_back('"');
  for (char c : text) {
    switch (c) {
      case '"':
        *out += "\\\"";
        break;
      case '\\':
        *out += "\\\\";
        break;
      case '\b':
        *out += "\\b";
        break;
      case '\f':
        *out += "\\f";
        break;
      case '\n':
        *out += "\\n";
        break;
      case '\r':
        *out += "\\r";
        break;
      case '\t':
        *out += "\\t";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          *out += "\\u00";
          out->push_back(kHex[static_cast<unsigned char>(c) >> 4]);
          out->push_back(kHex[static_cast<unsigned char>(c) & 15]);
        } else {
          out->push_back(c);
        }
    }
  }
  out->push_back('"');
}

void WriteJson(const Json& value, std::string* out) {
  switch (value.kind) {
    case Json::Kind::kNull:
      *out += "null";
      break;
    case Json::Kind::kBoolean:
      *out += value.boolean ? "true" : "false";
      break;
    case Json::Kind::kNumber:
      *out += value.text;
      break;
    case Json::Kind::kString:
      WriteJsonString(value.text, out);
      break;
    case Json::Kind::kArray:
      out->push_back('[');
      for (size_t i = 0; i < value.items.size(); ++i) {
        *out += i == 0 ? "" : ",";
        WriteJson(value.items[i], out);
      }
      out->push_back(']');
      break;
    case Json::Kind::kObject:
      out->push_back('{');
      for (size_t i = 0; i < value.members.size(); ++i) {
        *out += i == 0 ? "" : ",";
        WriteJsonString(value.members[i].name, out);
        out->push_back(':');
        WriteJson(value.members[i].value, out);
      }
      out->push_back('}');
      break;
  }
}

}  // namespace weir::ir
