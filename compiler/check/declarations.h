// The names of a program, by kind, over all files read. Order of look-up: the source's own package, then std.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/syntax/ast.h"

namespace weir::check {

class Declarations {
 public:
  void Add(const ast::File& file);

  const ast::FunctionDecl* Function(std::string_view name) const { return Find(functions_, name); }
  const ast::KeyspaceDecl* Keyspace(std::string_view name) const { return Find(keyspaces_, name); }
  const ast::TableDecl* Table(std::string_view name) const { return Find(tables_, name); }
  const ast::MapDecl* Map(std::string_view name) const { return Find(maps_, name); }
  const ast::LifecycleDecl* Lifecycle(std::string_view name) const { return Find(lifecycles_, name); }
  const ast::EventsDecl* Events(std::string_view name) const { return Find(events_, name); }
  const ast::AuthorityDecl* Authority(std::string_view name) const { return Find(authorities_, name); }
  const ast::FeedDecl* Feed(std::string_view name) const { return Find(feeds_, name); }
  // The unnamed map of a pair of types; null when there is none.
  const ast::MapDecl* PairMap(std::string_view source, std::string_view target) const;

  // Every declaration in source order, with its file.
  struct Entry {
    const ast::File* file;
    const ast::Decl* decl;
  };
  const std::vector<Entry>& all() const { return all_; }
  std::vector<std::string> NamesOf(ast::DeclKind kind) const;
  // Declared earlier under the same name and kind in the same package.
  const std::vector<std::pair<const ast::Decl*, const ast::Decl*>>& duplicates() const { return duplicates_; }
  bool IsOwn(const ast::Decl& decl) const { return own_.contains(&decl); }
  // "CX_Identifier" for an unnamed data type map.
  static std::string NameOf(const ast::MapDecl& map);

 private:
  template <typename T>
  using Names = std::map<std::string, const T*, std::less<>>;
  template <typename T>
  static const T* Find(const Names<T>& names, std::string_view name) {
    auto found = names.find(name);
    if (found == names.end() && name.starts_with("std.v2.")) {
      found = names.find(name.substr(7));
    }
    return found == names.end() ? nullptr : found->second;
  }
  template <typename T>
  void Insert(Names<T>& names, const std::string& name, const T& decl);

  Names<ast::FunctionDecl> functions_;
  Names<ast::KeyspaceDecl> keyspaces_;
  Names<ast::TableDecl> tables_;
  Names<ast::MapDecl> maps_, pairs_;
  Names<ast::LifecycleDecl> lifecycles_;
  Names<ast::EventsDecl> events_;
  Names<ast::AuthorityDecl> authorities_;
  Names<ast::FeedDecl> feeds_;
  std::vector<Entry> all_;
  std::vector<std::pair<const ast::Decl*, const ast::Decl*>> duplicates_;
  std::set<const ast::Decl*> own_;
  std::map<const ast::Decl*, const ast::File*> files_;
};

}  // namespace weir::check
