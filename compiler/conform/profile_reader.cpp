#include "compiler/conform/profile_reader.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "compiler/conform/fhirpath.h"

namespace weir::conform {
namespace {

using ast::ExprPtr;
using ast::Operator;
using fhirpath::All;
using fhirpath::And;
using fhirpath::Binary;
using fhirpath::Call;
using fhirpath::Name;
using fhirpath::Or;
using fhirpath::String;
using fhirpath::This;
using nlohmann::json;

ExprPtr Literal(const json& value) {
  if (value.is_string()) {
    return String(value.get<std::string>());
  }
  if (value.is_boolean()) {
    return fhirpath::Boolean(value.get<bool>());
  }
  return fhirpath::Make(
      value.is_number_integer() ? ast::ExprKind::kInteger : ast::ExprKind::kDecimal, value.dump());
}

// That $this has what `value` has. `exact`: and, of this type, nothing else.
ExprPtr Match(const json& value, const fhir::TypeTable& types, const std::string& exact) {
  if (!value.is_object()) {
    return Binary(Operator::kEqual, This(), Literal(value));
  }
  ExprPtr all;
  for (const auto& [name, member] : value.items()) {
    auto found = exact.empty() ? fhir::TypeTable::Found{} : types.FindElement(exact, name);
    std::string inner = found ? types.ContentPath(*found.element, *found.owner, found.chosen) : "";
    if (!member.is_array()) {
      all = And(std::move(all), Call(Name(name), "exists", Match(member, types, inner)));
      continue;
    }
    for (const json& item : member) {
      all = And(std::move(all), Call(Name(name), "exists", Match(item, types, inner)));
    }
    if (!exact.empty()) {
      all = And(std::move(all), Binary(Operator::kEqual, Call(Name(name), "count"),
                                       fhirpath::Integer(static_cast<uint32_t>(member.size()))));
    }
  }
  if (!exact.empty()) {
    for (const fhir::Element* child : types.Children(exact)) {
      if (!value.contains(child->name)) {
        all = And(std::move(all), Call(Name(child->name), "empty"));
      }
    }
  }
  return all == nullptr ? fhirpath::Boolean(true) : std::move(all);
}

ExprPtr ValueOf(const fhir::Element& element, const fhir::TypeTable& types) {
  if (!element.fixed.empty()) {
    return Match(json::parse(element.fixed), types,
                 element.types.size() == 1 ? element.types[0].code : "");
  }
  if (!element.pattern.empty()) {
    return Match(json::parse(element.pattern), types, "");
  }
  return nullptr;
}

}  // namespace

ProfileReader::Node ProfileReader::Build(const std::vector<fhir::Element>& elements, size_t* at) {
  Node node{.element = &elements[(*at)++], .children = {}, .slices = {}};
  while (*at < elements.size() && elements[*at].path.starts_with(node.element->path + ".")) {
    Node child = Build(elements, at);
    auto sliced =
        std::find_if(node.children.rbegin(), node.children.rend(),
                     [&](const Node& other) { return other.element->path == child.element->path; });
    if (!child.element->slice.empty() && sliced != node.children.rend()) {
      sliced->slices.push_back(std::move(child));
    } else {
      node.children.push_back(std::move(child));
    }
  }
  return node;
}

std::vector<Rule> ProfileReader::Read(const fhir::TypeDef& profile) {
  size_t at = 0;
  Node root = Build(profile.elements, &at);
  const fhir::TypeDef* base = types_.FindType(profile.type);
  if (base == nullptr) {
    return {};
  }
  std::vector<std::string> added;
  for (const std::string& key : root.element->constraints) {
    const auto& known = base->root().constraints;
    if (std::find(known.begin(), known.end(), key) == known.end()) {
      added.push_back(key);
    }
  }
  book_.AddInvariants(added, profile.type, &rules_);
  Walk(root, profile.type, profile.type, [](ExprPtr condition) { return condition; });
  return std::move(rules_);
}

void ProfileReader::Add(const std::string& key, const std::string& shown, const std::string& says,
                        ExprPtr condition, bool invariant, bool required) {
  rules_.push_back({.key = key,
                    .element = shown,
                    .says = says,
                    .condition = condition == nullptr ? nullptr : book_.Keep(std::move(condition)),
                    .invariant = invariant,
                    .required = required});
}

void ProfileReader::Walk(const Node& node, const std::string& content, const std::string& shown,
                         const Around& around) {
  for (const Node& child : node.children) {
    auto found = types_.FindElement(content, child.element->name);
    if (!found) {
      continue;
    }
    const std::string& name = child.element->name;
    std::string inner = types_.ContentPath(*found.element, *found.owner);
    if (child.element->types.size() == 1 && found.element->choice) {
      inner = child.element->types[0].code;
    }
    std::string path = shown + "." + name + (found.element->choice ? "[x]" : "");
    Constrain(
        child, *found.element, /*slice=*/false, inner, path, [&] { return Name(name); }, around);
    Slices(child, *found.element, inner, path, around);
  }
}

void ProfileReader::Constrain(const Node& node, const fhir::Element& base, bool slice,
                              const std::string& content, const std::string& shown,
                              const Collection& collection, const Around& around) {
  const fhir::Element& element = *node.element;
  uint32_t least = slice ? 0 : base.min, most = slice ? fhir::kUnbounded : base.max;
  if (element.min > least) {
    ExprPtr there = Call(collection(), "exists");
    if (element.min > 1) {
      there =
          Binary(Operator::kGreaterEq, Call(collection(), "count"), fhirpath::Integer(element.min));
    }
    Add(element.min > 1 ? "at least " + std::to_string(element.min) : "required", shown, "",
        around(std::move(there)), false, true);
  }
  if (element.max == 0 && most > 0) {
    Add("not allowed", shown, "leave it out", around(Call(collection(), "empty")));
    return;
  }
  if (element.max < most) {
    Add("at most " + std::to_string(element.max), shown, "",
        around(Binary(Operator::kLessEq, Call(collection(), "count"),
                      fhirpath::Integer(element.max))));
  }
  auto each = [&](ExprPtr condition) { return around(All(collection(), std::move(condition))); };
  if ((!element.fixed.empty() && element.fixed != base.fixed) ||
      (!element.pattern.empty() && element.pattern != base.pattern)) {
    Add(element.fixed.empty() ? "pattern" : "fixed value", shown,
        "it has to be `" + (element.fixed.empty() ? element.pattern : element.fixed) + "`",
        each(ValueOf(element, types_)));
  }
  bool bound = element.binding.required &&
               !(base.binding.required && base.binding.value_set == element.binding.value_set);
  if (bound && types_.FindValueSet(element.binding.value_set) != nullptr) {
    Add("value set", shown, "the value set is " + element.binding.value_set,
        each(Call(This(), "memberOf", String(element.binding.value_set))));
  }
  if (!slice) {
    Types(element, base, shown, collection, around);
  }
  const fhir::TypeDef* type = types_.FindType(content);
  for (const std::string& key : element.constraints) {
    auto in = [&](const std::vector<std::string>& keys) {
      return std::find(keys.begin(), keys.end(), key) != keys.end();
    };
    bool added = !RuleBook::ByConstruction(key) && !in(base.constraints) &&
                 (type == nullptr || !in(type->root().constraints));
    if (const ast::Expr* invariant = added ? book_.Invariant(key) : nullptr) {
      Add(key.substr(0, key.find('@')), shown, book_.SaysOf(key), each(fhirpath::Copy(*invariant)),
          true);
    }
  }
  // The copies live as long as the walk below, which calls them.
  Collection kept = collection;
  Around outer = around;
  Walk(node, content, shown,
       [kept, outer](ExprPtr condition) { return outer(All(kept(), std::move(condition))); });
}

void ProfileReader::Types(const fhir::Element& element, const fhir::Element& base,
                          const std::string& shown, const Collection& collection,
                          const Around& around) {
  if (base.choice && element.types.size() < base.types.size()) {
    ExprPtr any;
    for (const fhir::TypeRef& type : element.types) {
      any = Or(std::move(any), fhirpath::Is(This(), type.code));
    }
    if (any != nullptr) {
      Add("types", shown, "", around(All(collection(), std::move(any))));
    }
  }
  std::set<std::string> allowed, before;
  auto collect = [&](const fhir::Element& of, std::set<std::string>* out) {
    for (const fhir::TypeRef& type : of.types) {
      for (const std::string& id :
           type.code == "Reference" ? type.target_profiles : std::vector<std::string>{}) {
        const fhir::TypeDef* target = types_.FindType(id);
        out->insert(target == nullptr ? id : target->type);
      }
    }
  };
  collect(element, &allowed);
  collect(base, &before);
  if (allowed.empty() || allowed.contains("Resource") ||
      std::includes(allowed.begin(), allowed.end(), before.begin(), before.end())) {
    return;
  }
  ExprPtr any = Call(Name("reference"), "empty");
  for (const std::string& type : allowed) {
    any = Or(std::move(any), Call(Name("reference"), "startsWith", String(type + "/")));
  }
  Add("refers to", shown, "", around(All(collection(), std::move(any))));
}

void ProfileReader::Slices(const Node& node, const fhir::Element& base, const std::string& content,
                           const std::string& shown, const Around& around) {
  const std::string& name = node.element->name;
  ExprPtr any;
  bool all_known = true;
  for (const Node& slice : node.slices) {
    std::string path = shown + ":" + slice.element->slice;
    ExprPtr belongs = Belongs(node, slice);
    if (belongs == nullptr) {
      Add("slice", path, "", nullptr);
      all_known = false;
      continue;
    }
    const ast::Expr* condition = book_.Keep(std::move(belongs));
    std::string inner =
        slice.element->types.size() == 1 && base.choice ? slice.element->types[0].code : content;
    Constrain(
        slice, base, /*slice=*/true, inner, path,
        [&name, condition] { return Call(Name(name), "where", fhirpath::Copy(*condition)); },
        around);
    any = Or(std::move(any), fhirpath::Copy(*condition));
  }
  bool closed = !node.element->slicing.empty() &&
                json::parse(node.element->slicing).value("rules", "open") == "closed";
  if (closed && all_known && any != nullptr) {
    Add("no other slice", shown, "", around(Call(Name(name), "all", std::move(any))));
  }
}

ExprPtr ProfileReader::Belongs(const Node& sliced, const Node& slice) {
  if (sliced.element->slicing.empty()) {
    return nullptr;
  }
  ExprPtr all;
  json slicing = json::parse(sliced.element->slicing);
  for (const auto& by : slicing.value("by", json::array())) {
    ExprPtr one = Discriminates(by.value("type", ""), by.value("path", ""), slice);
    if (one == nullptr) {
      return nullptr;
    }
    all = And(std::move(all), std::move(one));
  }
  return all;
}

ExprPtr ProfileReader::Discriminates(const std::string& type, const std::string& path,
                                     const Node& slice) {
  if (type == "type" && path == "$this") {
    ExprPtr any;
    for (const fhir::TypeRef& option : slice.element->types) {
      any = Or(std::move(any), fhirpath::Is(This(), option.code));
    }
    return any;
  }
  if (path.find('(') != std::string::npos) {
    return nullptr;  // resolve() and the like look at other resources
  }
  const Node* at = &slice;
  ExprPtr expr = nullptr;
  for (size_t begin = 0; path != "$this" && begin <= path.size();) {
    size_t dot = std::min(path.find('.', begin), path.size());
    std::string step = path.substr(begin, dot - begin);
    expr = expr == nullptr ? Name(step) : fhirpath::Member(std::move(expr), step);
    if (at != nullptr) {
      auto child = std::find_if(at->children.begin(), at->children.end(),
                                [&](const Node& c) { return c.element->name == step; });
      at = child == at->children.end() ? nullptr : &*child;
    }
    begin = dot + 1;
  }
  if (type == "exists") {
    return at == nullptr || expr == nullptr
               ? nullptr
               : Call(std::move(expr), at->element->max == 0 ? "empty" : "exists");
  }
  if (type != "value" && type != "pattern") {
    return nullptr;
  }
  ExprPtr match = at == nullptr ? nullptr : ValueOf(*at->element, types_);
  if (match == nullptr && at != nullptr && at->element->binding.required &&
      types_.FindValueSet(at->element->binding.value_set) != nullptr) {
    match = Call(This(), "memberOf", String(at->element->binding.value_set));
  }
  if (match == nullptr && path == "url" && slice.element->types.size() == 1 &&
      slice.element->types[0].profiles.size() == 1) {
    match = Binary(Operator::kEqual, This(), String(slice.element->types[0].profiles[0]));
  }
  if (match == nullptr) {
    return nullptr;
  }
  return expr == nullptr ? std::move(match) : Call(std::move(expr), "exists", std::move(match));
}

}  // namespace weir::conform
