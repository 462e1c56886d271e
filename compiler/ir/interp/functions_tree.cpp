// Trees and what FHIR adds: children, descendants, type, extension, getValue, conformsTo, resolve.
#include "compiler/ir/interp/eval.h"

namespace weir::ir {
namespace {

constexpr std::string_view kBase = "http://hl7.org/fhir/StructureDefinition/";

void AddDescendants(Evaluator& eval, const Item& item, uint32_t depth, Items* out) {
  if (depth > eval.options().max_depth || out->size() > eval.options().max_items) {
    eval.Limit("document too deep or too large");
    return;
  }
  for (const Item& child : eval.Children(item)) {
    out->push_back(child);
    AddDescendants(eval, child, depth + 1, out);
  }
}

}  // namespace

Items Fn_children(Evaluator& eval, const Node&, Items input) {
  Items result;
  for (const Item& item : input) {
    Items more = eval.Children(item);
    result.insert(result.end(), more.begin(), more.end());
  }
  return result;
}

Items Fn_descendants(Evaluator& eval, const Node&, Items input) {
  Items result;
  for (const Item& item : input) {
    AddDescendants(eval, item, 0, &result);
  }
  return result;
}

Items Fn_type(Evaluator&, const Node&, Items input) {
  Items result;
  for (const Item& item : input) {
    std::string name = TypeName(item);
    size_t dot = name.find('.');
    result.push_back(Item{TypeInfo{name.substr(0, dot), name.substr(dot + 1)}});
  }
  return result;
}

Items Fn_extension(Evaluator& eval, const Node& call, Items input) {
  auto url = eval.StringArgument(call, 0);
  Items result;
  for (const Item& item : input) {
    for (const Item& extension : eval.Child(item, "extension")) {
      const FhirNode* node = extension.As<FhirNode>();
      const Json* own =
          node != nullptr && node->value != nullptr ? node->value->Find("url") : nullptr;
      if (url && own != nullptr && own->text == *url) {
        result.push_back(extension);
      }
    }
  }
  return result;
}

Items Fn_getValue(Evaluator& eval, const Node&, Items input) {
  auto item = eval.SingleSystem(input);
  return item && item->As<FhirNode>() == nullptr ? One(*item) : Items{};
}

// Conformance to a base type is its type; profiles need the validator, which a later pass calls.
Items Fn_conformsTo(Evaluator& eval, const Node& call, Items input) {
  auto url = eval.StringArgument(call, 0);
  const Item* item = eval.Single(input);
  if (!url || item == nullptr) {
    return {};
  }
  std::string_view name = *url;
  if (!name.starts_with(kBase) || eval.options().types == nullptr ||
      !eval.options().types->Exists(name.substr(kBase.size()))) {
    eval.Fail("conformsTo() of an unknown profile");
    return {};
  }
  return OneBoolean(eval.IsType(*item, "FHIR." + std::string(name.substr(kBase.size())), false));
}

Items Fn_htmlChecks(Evaluator&, const Node&, Items input) { return OneBoolean(!input.empty()); }

// Only what lies in the same resource: `#id` of a contained one. Nothing is ever fetched.
Items Fn_resolve(Evaluator& eval, const Node&, Items input) {
  Items result;
  for (const Item& item : input) {
    Items reference = eval.Child(item, "reference");
    auto text = reference.empty() ? (ToSystem(item) ? ToSystem(item) : std::nullopt)
                                  : ToSystem(reference[0]);
    const std::string* target = text ? text->As<std::string>() : nullptr;
    if (target == nullptr || !target->starts_with("#")) {
      continue;
    }
    for (const Item& contained : eval.Child(eval.RootItem(), "contained")) {
      const Json* id = contained.As<FhirNode>()->value->Find("id");
      if (id != nullptr && id->text == target->substr(1)) {
        result.push_back(contained);
      }
    }
  }
  return result;
}

}  // namespace weir::ir
