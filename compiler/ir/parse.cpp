// Reads what print.cpp writes. Input may come from a fuzzer: nesting is bounded, every failure is a
// message.
#include <charconv>

#include "compiler/ir/text_form.h"

namespace weir::ir {
namespace {

constexpr int kMaxNesting = 1000;  // of nodes: bounds the parser's stack

class Parser {
 public:
  Parser(std::string_view text, Module* module) : text_(text), module_(module) {}

  std::optional<std::string> Run() {
    while (error_.empty() && !Done()) {
      Declaration();
    }
    if (error_.empty()) {
      return std::nullopt;
    }
    return error_ + " at byte " + std::to_string(at_);
  }

 private:
  void Fail(std::string why) {
    if (error_.empty()) {
      error_ = std::move(why);
    }
  }
  void Blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) {
      ++at_;
    }
  }
  bool Done() {
    Blanks();
    return at_ == text_.size();
  }
  bool Peek(char c) {
    Blanks();
    return error_.empty() && at_ < text_.size() && text_[at_] == c;
  }
  bool Take(char c) {
    if (Peek(c)) {
      ++at_;
      return true;
    }
    return false;
  }
  void Expect(char c) {
    if (!Take(c)) {
      Fail(std::string("`") + c + "` expected");
    }
  }
  std::string_view Word() {
    Blanks();
    size_t begin = at_;
    while (at_ < text_.size() &&
           std::string_view(" \n()\":#").find(text_[at_]) == std::string_view::npos) {
      ++at_;
    }
    if (begin == at_) {
      Fail("word expected");
    }
    return text_.substr(begin, at_ - begin);
  }
  void ExpectWord(std::string_view word) {
    if (Word() != word) {
      Fail("`" + std::string(word) + "` expected");
    }
  }
  std::string Text() {
    std::string out;
    Expect('"');
    while (error_.empty()) {
      if (at_ == text_.size()) {
        Fail("string without end");
        break;
      }
      char c = text_[at_++];
      if (c == '"') {
        break;
      }
      if (c != '\\') {
        out.push_back(c);
        continue;
      }
      char kind = at_ < text_.size() ? text_[at_++] : '\0';
      if (kind == 'x' && at_ + 2 <= text_.size()) {
        unsigned byte = 0;
        auto [end, ec] = std::from_chars(text_.data() + at_, text_.data() + at_ + 2, byte, 16);
        if (ec != std::errc() || end != text_.data() + at_ + 2) {
          Fail("bad escape");
        }
        at_ += 2;
        out.push_back(static_cast<char>(byte));
      } else if (kind == 'n') {
        out.push_back('\n');
      } else if (kind == '"' || kind == '\\') {
        out.push_back(kind);
      } else {
        Fail("bad escape");
      }
    }
    return out;
  }
  std::vector<std::string> Texts() {
    std::vector<std::string> out;
    while (Peek('"')) {
      out.push_back(Text());
    }
    return out;
  }
  int64_t Number() {
    Expect('#');
    int64_t value = 0;
    auto [end, ec] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), value);
    if (!error_.empty() || ec != std::errc()) {
      Fail("number expected");
      return 0;
    }
    at_ = static_cast<size_t>(end - text_.data());
    return value;
  }
  Type ReadType() {
    Type type;
    Expect(':');
    type.name = Word();
    Blanks();
    char mark = at_ < text_.size() ? text_[at_++] : '\0';
    switch (mark) {
      case '0':
        type.max = Max::kZero;
        break;
      case '1':
        type.max = Max::kOne;
        type.required = true;
        break;
      case '?':
        type.max = Max::kOne;
        break;
      case '+':
        type.max = Max::kMany;
        type.required = true;
        break;
      case '*':
        type.max = Max::kMany;
        break;
      default:
        Fail("cardinality expected");
    }
    return type;
  }
  Node* ReadNode(int depth) {
    if (depth > kMaxNesting) {
      Fail("nested too deeply");
      return nullptr;
    }
    Expect('(');
    std::string_view word = Word();
    size_t op = 0;
    while (op < std::size(kOpShapes) && kOpShapes[op].name != word) {
      ++op;
    }
    if (op == std::size(kOpShapes)) {
      Fail("unknown operation");
      return nullptr;
    }
    Type type = ReadType();
    std::string text = kOpShapes[op].text ? Text() : "";
    int64_t number = kOpShapes[op].number ? Number() : 0;
    std::vector<Node*> kids;
    while (Peek('(')) {
      kids.push_back(ReadNode(depth + 1));
    }
    Expect(')');
    return error_.empty() ? module_->New(static_cast<Op>(op), std::move(type), std::move(kids),
                                         std::move(text), number)
                          : nullptr;
  }

  TableRow Row() {
    Expect('(');
    ExpectWord("row");
    TableRow row;
    row.from = Text();
    row.code = Text();
    row.display = Text();
    row.system = Text();
    Expect(')');
    return row;
  }
  void ReadTable() {
    Table table;
    table.name = Text();
    table.source_system = Text();
    table.target_system = Text();
    std::string otherwise = Text();
    size_t kind = 0;
    while (kind < std::size(kElseNames) && kElseNames[kind] != otherwise) {
      ++kind;
    }
    if (kind == std::size(kElseNames)) {
      Fail("unknown else");
      return;
    }
    table.otherwise = static_cast<Table::Else>(kind);
    table.site = static_cast<uint32_t>(Number());
    table.otherwise_row = Row();
    while (Peek('(')) {
      table.rows.push_back(Row());
    }
    module_->tables.push_back(std::move(table));
  }
  void ReadZone() {
    Zone zone;
    zone.name = Text();
    while (Peek('#')) {
      int64_t from = Number();
      zone.transitions.emplace_back(from, static_cast<int32_t>(Number()));
    }
    module_->zones.push_back(std::move(zone));
  }
  void ReadSite() {
    Site site;
    site.error_class = Text();
    site.code = Text();
    site.path = Text();
    site.degrade = Number() != 0;
    module_->sites.push_back(std::move(site));
  }
  void ReadFunction() {
    Function function;
    function.name = Text();
    function.slot_count = Number();
    while (Take('(')) {
      std::string_view word = Word();
      if (word == "result") {
        function.result = ReadType();
      } else if (word == "param") {
        Param param;
        param.type = ReadType();
        param.name = Text();
        param.slot = Number();
        function.params.push_back(std::move(param));
      } else if (word == "body") {
        function.body = ReadNode(0);
      } else {
        Fail("unknown part of a function");
      }
      Expect(')');
    }
    module_->functions.push_back(std::move(function));
  }
  void ReadMap() {
    MapInfo map;
    map.name = Text();
    map.resource_type = Text();
    map.merge = Text();
    map.precedence = static_cast<uint32_t>(Number());
    map.snapshot = Number() != 0;
    module_->maps.push_back(std::move(map));
  }
  StructureItem ReadItem(int depth) {
    StructureItem item;
    if (depth > kMaxNesting) {
      Fail("nested too deeply");
      return item;
    }
    Expect('(');
    std::string_view word = Word();
    item.group = word == "group";
    if (!item.group && word != "segment") {
      Fail("unknown part of a structure");
    }
    item.name = Text();
    item.repeats = Number() != 0;
    while (Peek('(') && item.group) {
      item.items.push_back(ReadItem(depth + 1));
    }
    Expect(')');
    return item;
  }
  void ReadStructure() {
    Structure structure;
    structure.name = Text();
    structure.messages = Texts();
    while (Peek('(')) {
      structure.items.push_back(ReadItem(0));
    }
    module_->structures.push_back(std::move(structure));
  }
  void ReadFeed() {
    Feed feed;
    feed.name = Text();
    feed.version = Text();
    feed.version_else = Text();
    feed.zone = static_cast<int32_t>(Number());
    feed.late_seconds = Number();
    feed.future_seconds = Number();
    feed.slot_count = Number();
    while (Take('(')) {
      std::string_view word = Word();
      if (word == "accept") {
        feed.accept = Texts();
      } else if (word == "processing") {
        feed.processing = Texts();
      } else if (word == "versions") {
        feed.versions = Texts();
      } else if (word == "except") {
        feed.content_except = Texts();
      } else if (word == "acknowledge") {
        feed.acknowledge_errors = Texts() == std::vector<std::string>{"errors"};
      } else if (word == "segment") {
        std::string segment = Text();
        feed.declared_segments.emplace_back(std::move(segment), Text());
      } else if (word == "route") {
        feed.route = ReadNode(0);
      } else if (word == "key") {
        feed.duplicate_key.push_back(ReadNode(0));
      } else if (word == "order") {
        feed.order_by.push_back(ReadNode(0));
      } else if (word == "suppress") {
        feed.suppress = ReadNode(0);
      } else if (word == "transform") {
        feed.transform = ReadNode(0);
      } else {
        Fail("unknown part of a feed");
      }
      Expect(')');
    }
    module_->feeds.push_back(std::move(feed));
  }

  void Declaration() {
    Expect('(');
    std::string_view word = Word();
    if (word == "module") {
      module_->package = Text();
      module_->edition = Text();
      module_->semantic_digest = Text();
    } else if (word == "table") {
      ReadTable();
    } else if (word == "authority") {
      Authority authority;
      authority.name = Text();
      authority.uri = Text();
      authority.namespaces = Texts();
      module_->authorities.push_back(std::move(authority));
    } else if (word == "zone") {
      ReadZone();
    } else if (word == "site") {
      ReadSite();
    } else if (word == "function") {
      ReadFunction();
    } else if (word == "map") {
      ReadMap();
    } else if (word == "structure") {
      ReadStructure();
    } else if (word == "feed") {
      ReadFeed();
    } else if (word == "order") {
      std::string type = Text();
      module_->element_orders.emplace_back(std::move(type), Texts());
    } else if (word == "together") {
      std::string type = Text();
      module_->element_groups[type].push_back(Texts());
    } else {
      Fail("unknown declaration");
    }
    Expect(')');
  }

  std::string_view text_;
  Module* module_;
  size_t at_ = 0;
  std::string error_;
};

}  // namespace

std::optional<std::string> Parse(std::string_view text, Module* module) {
  return Parser(text, module).Run();
}

}  // namespace weir::ir
