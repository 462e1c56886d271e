#include "compiler/check/declarations.h"

namespace weir::check {

std::string Declarations::NameOf(const ast::MapDecl& map) {
  // `map CX to Identifier` is the data type map of its pair; an upper-case name without `from` is a data type.
  if (map.from.empty() && !map.name.empty() && map.name.text[0] >= 'A' && map.name.text[0] <= 'Z') {
    return map.name.text + "_" + map.to.text;
  }
  return map.name.text;
}

template <typename T>
void Declarations::Insert(Names<T>& names, const std::string& name, const T& decl) {
  auto [slot, fresh] = names.try_emplace(name, &decl);
  if (!fresh && files_[slot->second]->package.text == files_[&decl]->package.text) {
    duplicates_.emplace_back(slot->second, &decl);
  }
}

void Declarations::Add(const ast::File& file) {
  bool own = all_.empty() || all_.front().file->package.text == file.package.text;
  for (const auto& decl : file.declarations) {
    files_[decl.get()] = &file;
    all_.push_back({&file, decl.get()});
    if (own) {
      own_.insert(decl.get());
    }
    if (const auto* function = ast::As<ast::FunctionDecl>(*decl)) {
      Insert(functions_, decl->name.text, *function);
    } else if (const auto* keyspace = ast::As<ast::KeyspaceDecl>(*decl)) {
      Insert(keyspaces_, decl->name.text, *keyspace);
    } else if (const auto* table = ast::As<ast::TableDecl>(*decl)) {
      Insert(tables_, decl->name.text, *table);
    } else if (const auto* map = ast::As<ast::MapDecl>(*decl)) {
      std::string name = NameOf(*map);
      Insert(maps_, name, *map);
      if (name != map->name.text) {
        pairs_.try_emplace(map->name.text + ">" + map->to.text, map);
      }
    } else if (const auto* lifecycle = ast::As<ast::LifecycleDecl>(*decl)) {
      Insert(lifecycles_, decl->name.text, *lifecycle);
    } else if (const auto* events = ast::As<ast::EventsDecl>(*decl)) {
      Insert(events_, decl->name.text, *events);
    } else if (const auto* authority = ast::As<ast::AuthorityDecl>(*decl)) {
      Insert(authorities_, decl->name.text, *authority);
    } else if (const auto* feed = ast::As<ast::FeedDecl>(*decl)) {
      Insert(feeds_, decl->name.text, *feed);
    }
  }
}

const ast::MapDecl* Declarations::PairMap(std::string_view source, std::string_view target) const {
  auto found = pairs_.find(std::string(source) + ">" + std::string(target));
  return found == pairs_.end() ? nullptr : found->second;
}

std::vector<std::string> Declarations::NamesOf(ast::DeclKind kind) const {
  std::vector<std::string> names;
  for (const auto& entry : all_) {
    if (entry.decl->kind == kind && !entry.decl->name.empty()) {
      names.push_back(entry.decl->name.text);
    }
  }
  return names;
}

}  // namespace weir::check
