// From a map's lines to the pairs (source, target) they write, at the level the guide's sheets speak of.
#include <regex>
#include <set>

#include "compiler/driver/coverage.h"

namespace weir::driver {
namespace {

using Sources = std::set<std::string>;

class Walker {
 public:
  explicit Walker(const Declarations& all) : all_(all) {}

  std::vector<WrittenElement> Map(const ast::MapDecl& map, const SourceFile& file) {
    Add(map, file);
    return std::move(out_);
  }

  std::vector<WrittenElement> Function(const ast::FunctionDecl& function, const SourceFile& file) {
    Sources sources;
    for (const auto& param : function.params) {
      Body(file.Text(function.span), param.text, "", sources);
    }
    return {{.target = {}, .sources = {sources.begin(), sources.end()}, .deep = true}};
  }

 private:
  void Add(const ast::MapDecl& map, const SourceFile& file) {
    constexpr int kMaxBases = 16;  // a cycle is the checker's to report
    if (++depth_ > kMaxBases) {
      return;
    }
    Lines(map.lines, file, {}, {}, "");
    for (const auto& base : map.extends) {
      auto found = all_.find(base.text);
      const auto* other = found == all_.end() ? nullptr : ast::As<ast::MapDecl>(*found->second.first);
      if (other != nullptr) {
        Add(*other, *found->second.second);
      }
    }
  }

  // `x.2.1` in a function's body, x standing for `context`.
  static void Body(std::string_view body, const std::string& param, const std::string& context, Sources& out) {
    static const std::regex kStep(R"((\w+)((?:\.\d+)+))");
    std::string text(body);
    for (std::sregex_iterator at(text.begin(), text.end(), kStep), end; at != end; ++at) {
      if ((*at)[1] == param) {
        out.insert(context + (*at)[2].str());
      }
    }
  }

  // The paths of the message that `text` reads. `context`: what a relative path starts from, "NK1" in `each NK1 { … }`.
  Sources Read(std::string_view view, const std::string& context) const {
    static const std::regex kField(R"(\b([A-Z][A-Z0-9]{2}-\d+)(?:\[[^\]]*\])?(?:\.first\(\))?((?:\.\d+)*))");
    static const std::regex kRelative(R"((^|[^\w\])'.\d])((?:\$this)?)((?:\.\d+)+))");
    static const std::regex kThis(R"(\$this\b(?!\.\d))");
    static const std::regex kCall(R"((\w+)\((\$this|(?:\.\d+)+)\))");
    Sources out;
    std::string text(view);
    using Iterator = std::sregex_iterator;
    for (Iterator at(text.begin(), text.end(), kField), end; at != end; ++at) {
      out.insert((*at)[1].str() + (*at)[2].str());
    }
    for (Iterator at(text.begin(), text.end(), kRelative), end; at != end; ++at) {
      out.insert(Relative(context, (*at)[3].str()));
    }
    for (Iterator at(text.begin(), text.end(), kThis), end; at != end; ++at) {
      out.insert(context.empty() ? "$this" : context);
    }
    for (Iterator at(text.begin(), text.end(), kCall), end; at != end; ++at) {
      auto found = all_.find((*at)[1].str());
      const auto* function = found == all_.end() ? nullptr : ast::As<ast::FunctionDecl>(*found->second.first);
      if (function != nullptr && !function->params.empty()) {
        std::string argument = (*at)[2].str();
        Body(found->second.second->Text(function->span), function->params[0].text, argument == "$this" ? "" : argument, out);
      }
    }
    return out;
  }

  static std::string Relative(const std::string& context, const std::string& steps) {
    bool segment = context.size() == 3;  // its first step is a field
    return segment ? context + "-" + steps.substr(1) : context + steps;
  }

  void Emit(std::vector<std::string> target, const Sources& sources, bool deep, bool by_table) {
    out_.push_back({.target = std::move(target), .sources = {sources.begin(), sources.end()}, .deep = deep, .by_table = by_table});
  }

  // `outer`: what the blocks around read; a constant of a block is written when the block is, so it has all its sources.
  Sources Lines(const std::vector<ast::Line>& lines, const SourceFile& file, const std::vector<std::string>& prefix, const Sources& outer,
                const std::string& context) {
    Sources all = outer;
    std::vector<size_t> constants;
    for (const auto& line : lines) {
      std::vector<std::string> target = prefix;
      for (const auto& step : line.target.steps) {
        target.push_back(step.name.text);
      }
      Sources own = outer;
      if (line.condition != nullptr) {
        own.merge(Read(file.Text(line.condition->span), context));
      }
      switch (line.kind) {
        case ast::LineKind::kObject: {
          Sources inner = Lines(line.lines, file, target, own, context);
          Emit(target, inner, false, false);
          all.insert(inner.begin(), inner.end());
          continue;
        }
        case ast::LineKind::kEach: {
          std::string walked(file.Text(line.source->span));
          own.merge(Read(walked, context));
          Sources inner = Lines(line.lines, file, target, own, walked);
          Emit(target, inner, false, false);
          all.insert(inner.begin(), inner.end());
          continue;
        }
        case ast::LineKind::kAssign:
        case ast::LineKind::kLifecycle: {
          bool table = false;
          for (const auto& item : line.items) {
            own.merge(Read(file.Text(item.span), context));
            for (const auto& alternative : item.alternatives) {
              table |= !alternative.via_table.empty();
              Using(alternative, target, Read(file.Text(alternative.span), context));
            }
          }
          if (own == outer) {
            constants.push_back(out_.size());
          }
          Emit(target, own, own != outer, table);
          break;
        }
        case ast::LineKind::kReference:
          if (line.source != nullptr) {
            own.merge(Read(file.Text(line.source->span), context));
          }
          Emit(target, own, false, false);  // what lies beyond a reference is another map's
          break;
        default:
          continue;
      }
      all.insert(own.begin(), own.end());
    }
    for (size_t index : constants) {
      out_[index].sources = {all.begin(), all.end()};
      out_[index].always = prefix.empty() || all.empty();
    }
    return all;
  }

  // `PV1-19 using visit_number` writes below its target what visit_number writes.
  void Using(const ast::Alternative& alternative, const std::vector<std::string>& target, const Sources& sources) {
    auto found = all_.find(alternative.using_map.text);
    const auto* map = found == all_.end() ? nullptr : ast::As<ast::MapDecl>(*found->second.first);
    if (map == nullptr) {
      return;
    }
    Walker below(all_);
    below.depth_ = depth_ + 1;
    for (const auto& inner : below.Map(*map, *found->second.second)) {
      std::vector<std::string> whole = target;
      whole.insert(whole.end(), inner.target.begin(), inner.target.end());
      Emit(std::move(whole), sources, inner.deep, inner.by_table);
    }
  }

  const Declarations& all_;
  std::vector<WrittenElement> out_;
  int depth_ = 0;
};

}  // namespace

std::vector<WrittenElement> WrittenBy(const ast::Decl& decl, const SourceFile& file, const Declarations& all) {
  if (const auto* map = ast::As<ast::MapDecl>(decl)) {
    return Walker(all).Map(*map, file);
  }
  if (const auto* function = ast::As<ast::FunctionDecl>(decl)) {
    return Walker(all).Function(*function, file);
  }
  return {};
}

std::string NameInLibrary(const ast::Decl& decl) {
  const auto* map = ast::As<ast::MapDecl>(decl);
  bool of_data_type = map != nullptr && map->from.empty() && std::isupper(static_cast<unsigned char>(map->name.text[0])) != 0;
  return of_data_type ? map->name.text + "_" + map->to.text : decl.name.text;
}

}  // namespace weir::driver
