// The text form. Everything is a list in parentheses; strings are quoted with \" \\ \n and \xHH for
// other bytes below 0x20, so that one line holds one declaration and any byte string survives.
//
//   node   = (op:TYPE CARD "text" #number kid…)   CARD: 1 exactly one, ? at most one, + at least
//   one, * any, 0 none module = (module "package" "edition" "digest") then (table …) (authority …)
//   (zone …) (site …) (function …) (map …)
//            (structure …) (feed …) (order …), in this order, one per line
#include "compiler/ir/text_form.h"

namespace weir::ir {
namespace {

void Quote(std::string_view text, std::string* out) {
  static constexpr char kHex[] = "0123456789abcdef";
  out->push_back('"');
  for (char c : text) {
    if (c == '"' || c == '\\') {
      *out += {'\\', c};
    } else if (c == '\n') {
      *out += "\\n";
    } else if (static_cast<unsigned char>(c) < 0x20) {
      *out += {'\\', 'x', kHex[static_cast<unsigned char>(c) >> 4],
               kHex[static_cast<unsigned char>(c) & 15]};
    } else {
      out->push_back(c);
    }
  }
  out->push_back('"');
}

char CardinalityMark(const Type& type) {
  switch (type.max) {
    case Max::kZero:
      return '0';
    case Max::kOne:
      return type.required ? '1' : '?';
    case Max::kMany:
      return type.required ? '+' : '*';
  }
  return '*';
}

class Printer {
 public:
  std::string Take() { return std::move(out_); }

  void PrintNode(const Node& node) {
    const OpShape& shape = ShapeOf(node.op);
    out_ += "(";
    out_ += shape.name;
    PrintType(node.type);
    if (shape.text) {
      Text(node.text);
    }
    if (shape.number) {
      out_ += " #" + std::to_string(node.number);
    }
    for (const Node* kid : node.kids) {
      out_ += " ";
      PrintNode(*kid);
    }
    out_ += ")";
  }

  void PrintModule(const Module& m) {
    Open("module", {m.package, m.edition, m.semantic_digest});
    Close();
    for (const Table& table : m.tables) {
      Open("table", {table.name, table.source_system, table.target_system,
                     std::string(kElseNames[static_cast<size_t>(table.otherwise)])});
      Number(table.site);
      Row(table.otherwise_row);
      for (const TableRow& row : table.rows) {
        Row(row);
      }
      Close();
    }
    for (const Authority& authority : m.authorities) {
      Open("authority", {authority.name, authority.uri});
      Texts(authority.namespaces);
      Close();
    }
    for (const Zone& zone : m.zones) {
      Open("zone", {zone.name});
      for (const auto& [from, offset] : zone.transitions) {
        Number(from);
        Number(offset);
      }
      Close();
    }
    for (const Site& site : m.sites) {
      Open("site", {site.error_class, site.code, site.path});
      Number(site.degrade ? 1 : 0);
      Close();
    }
    for (const Function& function : m.functions) {
      Open("function", {function.name});
      Number(function.slot_count);
      out_ += " (result";
      PrintType(function.result);
      out_ += ")";
      for (const Param& param : function.params) {
        out_ += " (param";
        PrintType(param.type);
        Text(param.name);
        Number(param.slot);
        out_ += ")";
      }
      Tree("body", function.body);
      Close();
    }
    for (const MapInfo& map : m.maps) {
      Open("map", {map.name, map.resource_type, map.merge});
      Number(map.precedence);
      Number(map.snapshot ? 1 : 0);
      Close();
    }
    for (const Structure& structure : m.structures) {
      Open("structure", {structure.name});
      Texts(structure.messages);
      for (const StructureItem& item : structure.items) {
        PrintItem(item);
      }
      Close();
    }
    for (const Feed& feed : m.feeds) {
      PrintFeed(feed);
    }
    for (const auto& [type, names] : m.element_orders) {
      Open("order", {type});
      Texts(names);
      Close();
    }
    for (const auto& [type, groups] : m.element_groups) {
      for (const auto& names : groups) {
        Open("together", {type});
        Texts(names);
        Close();
      }
    }
  }

 private:
  void PrintType(const Type& type) {
    out_ += ":" + type.name + " ";
    out_.push_back(CardinalityMark(type));
  }
  void Text(std::string_view text) {
    out_ += " ";
    Quote(text, &out_);
  }
  void Texts(const std::vector<std::string>& texts) {
    for (const std::string& text : texts) {
      Text(text);
    }
  }
  void Number(int64_t number) { out_ += " #" + std::to_string(number); }
  void Open(std::string_view word, const std::vector<std::string>& texts) {
    out_ += "(";
    out_ += word;
    Texts(texts);
  }
  void Close() { out_ += ")\n"; }
  void Row(const TableRow& row) {
    out_ += " (row";
    Texts({row.from, row.code, row.display, row.system});
    out_ += ")";
  }
  void Tree(std::string_view word, const Node* node) {
    if (node != nullptr) {
      out_ += "\n  (";
      out_ += word;
      out_ += " ";
      PrintNode(*node);
      out_ += ")";
    }
  }
  void List(std::string_view word, const std::vector<std::string>& texts) {
    out_ += "\n  (";
    out_ += word;
    Texts(texts);
    out_ += ")";
  }
  void PrintItem(const StructureItem& item) {
    out_ += item.group ? " (group" : " (segment";
    Text(item.name);
    Number(item.repeats ? 1 : 0);
    for (const StructureItem& kid : item.items) {
      PrintItem(kid);
    }
    out_ += ")";
  }
  void PrintFeed(const Feed& feed) {
    Open("feed", {feed.name, feed.version, feed.version_else});
    Number(feed.zone);
    Number(feed.late_seconds);
    Number(feed.future_seconds);
    Number(feed.slot_count);
    List("accept", feed.accept);
    List("processing", feed.processing);
    List("versions", feed.versions);
    List("except", feed.content_except);
    if (feed.acknowledge_errors) {
      List("acknowledge", {"errors"});
    }
    for (const auto& [segment, after] : feed.declared_segments) {
      List("segment", {segment, after});
    }
    Tree("route", feed.route);
    for (const Node* part : feed.duplicate_key) {
      Tree("key", part);
    }
    for (const Node* part : feed.order_by) {
      Tree("order", part);
    }
    Tree("suppress", feed.suppress);
    Tree("transform", feed.transform);
    Close();
  }

  std::string out_;
};

}  // namespace

std::string Print(const Node& node) {
  Printer printer;
  printer.PrintNode(node);
  return printer.Take();
}

std::string Print(const Module& module) {
  Printer printer;
  printer.PrintModule(module);
  return printer.Take();
}

}  // namespace weir::ir
