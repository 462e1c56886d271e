// From a FHIR node to its children: JSON members with the FHIR type each has.
#include <algorithm>

#include "compiler/ir/interp/eval.h"

namespace weir::ir {
namespace {

std::string ResourceType(const Json& json) {
  const Json* type = json.kind == Json::Kind::kObject ? json.Find("resourceType") : nullptr;
  return type != nullptr ? type->text : "";
}

std::string GuessType(const Json& json) {
  switch (json.kind) {
    case Json::Kind::kBoolean:
      return "boolean";
    case Json::Kind::kNumber:
      return "decimal";
    case Json::Kind::kString:
      return "string";
    default:
      return ResourceType(json);
  }
}

// The items of one JSON member: arrays are spread, each primitive keeps the sibling that belongs to
// it.
void Spread(const Json* value, const Json* sibling, const std::string& type, Items* out) {
  auto add = [&](const Json* v, const Json* s) {
    if (v != nullptr && v->kind == Json::Kind::kNull) {
      v = nullptr;
    }
    if (s != nullptr && s->kind == Json::Kind::kNull) {
      s = nullptr;
    }
    if (v == nullptr && s == nullptr) {
      return;
    }
    std::string own = v != nullptr ? ResourceType(*v) : "";
    out->push_back(Item{FhirNode{v, s,
                                 !own.empty()                    ? own
                                 : !type.empty() || v == nullptr ? type
                                                                 : GuessType(*v)}});
  };
  bool array = (value != nullptr && value->kind == Json::Kind::kArray) ||
               (value == nullptr && sibling != nullptr && sibling->kind == Json::Kind::kArray);
  if (!array) {
    add(value, sibling);
    return;
  }
  size_t values = value != nullptr ? value->items.size() : 0;
  size_t siblings = sibling != nullptr ? sibling->items.size() : 0;
  for (size_t i = 0; i < std::max(values, siblings); ++i) {
    add(i < values ? &value->items[i] : nullptr, i < siblings ? &sibling->items[i] : nullptr);
  }
}

}  // namespace

Item Evaluator::RootItem() const {
  if (message_ != nullptr) {
    return Item{message_->Root()};
  }
  return Item{FhirNode{root_, nullptr, root_ != nullptr ? ResourceType(*root_) : ""}};
}

Items Evaluator::Child(const Item& item, std::string_view name) {
  Items out;
  if (const TypeInfo* info = item.As<TypeInfo>()) {
    return name == "namespace" ? OneString(info->name_space)
           : name == "name"    ? OneString(info->name)
                               : out;
  }
  const FhirNode* node = item.As<FhirNode>();
  if (node == nullptr) {
    return out;
  }
  const TypeModel* types = options_.types;
  const Json* holder = node->value;
  if (holder == nullptr || holder->kind != Json::Kind::kObject) {
    holder = node->sibling;  // `id` and `extension` of a primitive
  }
  if (holder == nullptr || holder->kind != Json::Kind::kObject || name == "resourceType") {
    return out;
  }
  auto take = [&](std::string_view member, const std::string& type) {
    const Json* value = holder->Find(member);
    const Json* sibling = holder->Find("_" + std::string(member));
    if (value != nullptr || sibling != nullptr) {
      Spread(value, sibling, type, &out);
      return true;
    }
    return false;
  };
  std::string holder_type = holder == node->sibling ? "Element" : node->type;
  TypeModel::Child direct = types != nullptr ? types->ChildOf(holder_type, name)
                                             : TypeModel::Child{std::string(name), ""};
  if (direct.name == name && take(name, direct.type)) {
    return out;
  }
  if (types == nullptr) {
    return out;
  }
  for (const auto& [member, value] : holder->members) {
    std::string_view plain = member;
    bool sibling_only = plain.starts_with("_") && holder->Find(plain.substr(1)) == nullptr;
    if (plain.starts_with("_")) {
      plain.remove_prefix(1);
    }
    if ((member[0] == '_' && !sibling_only) || !plain.starts_with(name) || plain == name) {
      continue;
    }
    TypeModel::Child child = types->ChildOf(holder_type, plain);
    if (child.name == name) {
      take(plain, child.type);
      break;
    }
  }
  return out;
}

Items Evaluator::Children(const Item& item) {
  Items out;
  const FhirNode* node = item.As<FhirNode>();
  if (node == nullptr) {
    return out;
  }
  const Json* holder = node->value != nullptr && node->value->kind == Json::Kind::kObject
                           ? node->value
                           : node->sibling;
  if (holder == nullptr || holder->kind != Json::Kind::kObject) {
    return out;
  }
  std::string holder_type = holder == node->sibling ? "Element" : node->type;
  for (const auto& [member, value] : holder->members) {
    std::string_view plain = member;
    if (plain == "resourceType" || plain == "fhir_comments") {
      continue;
    }
    if (plain.starts_with("_")) {
      plain.remove_prefix(1);
      if (holder->Find(plain) != nullptr) {
        continue;
      }
    }
    std::string type =
        options_.types != nullptr ? options_.types->ChildOf(holder_type, plain).type : "";
    Spread(holder->Find(plain), holder->Find("_" + std::string(plain)), type, &out);
  }
  return out;
}

bool Evaluator::IsType(const Item& item, std::string_view type, bool exact_primitive) {
  std::string name = TypeName(item);
  if (name == type) {
    return true;
  }
  bool qualified = type.starts_with("System.") || type.starts_with("FHIR.");
  if (const FhirNode* node = item.As<FhirNode>()) {
    if (type.starts_with("System.")) {
      return false;
    }
    std::string_view bare = qualified ? type.substr(5) : type;
    if (node->type == bare) {
      return true;
    }
    if (exact_primitive && IsFhirPrimitive(node->type)) {
      return false;
    }
    return options_.types != nullptr && options_.types->IsSubtype(node->type, bare);
  }
  return !qualified && name == "System." + std::string(type);
}

}  // namespace weir::ir
