#include "compiler/conform/written.h"

#include <algorithm>

#include "compiler/conform/node_key.h"

namespace weir::conform {
namespace {

using ir::Node;
using ir::Op;

bool IsNullJson(const Node& node) { return node.op == Op::kJson && node.text == "null"; }

// Kinds whose text is written as it is, so that whatever is there is written.
bool IsText(std::string_view kind) {
  return kind == "string" || kind == "markdown" || kind == "code";
}

Step If(Formula condition) {
  return {.kind = Step::Kind::kIf, .condition = condition, .collection = nullptr, .slot = 0};
}

std::shared_ptr<const Frame> With(const Frame& frame, int64_t slot, Node* stands_for) {
  auto inner = std::make_shared<Frame>(frame);
  inner->bound[slot] = stands_for;
  return inner;
}

// An emission that only ever consults its site (Generator::Refuse).
bool IsRefusal(const Node& node) {
  return node.op == Op::kPrimitive && node.text == "instant" && node.kids[0]->op == Op::kLiteral &&
         node.kids[0]->text == "-";
}

}  // namespace

Node* Written::Renamed(const Node* node, const Frame& frame) {
  if (node->op == Op::kVar) {
    if (auto known = frame.bound.find(node->number); known != frame.bound.end()) {
      return known->second;
    }
  }
  std::vector<Node*> kids;
  int64_t number = node->number;
  if (frame.base != 0 && (node->op == Op::kVar || node->op == Op::kLet || BindsItems(*node))) {
    number += frame.base;
  }
  bool same = number == node->number;
  for (Node* kid : node->kids) {
    kids.push_back(Renamed(kid, frame));
    same = same && kids.back() == kid;
  }
  return same ? const_cast<Node*>(node)
              : f_.New(node->op, node->type, kids, node->text, number);  // shared, never changed
}

// Goes through what only decides whether and how often something is written; `visit` gets what is
// inside.
template <typename Visit>
bool Written::Control(const Node* node, Steps& steps, std::shared_ptr<const Frame>& frame,
                      const Visit& visit) {
  switch (node->op) {
    case Op::kWhen:
      steps.push_back(If(f_.Of(Renamed(node->kids[0], *frame)).yes));
      visit(node->kids[1], std::move(steps), std::move(frame));
      return true;
    case Op::kLet:
    case Op::kEach: {
      Node* value = Renamed(node->kids[0], *frame);
      if (node->op == Op::kEach && value->type.max == ir::Max::kMany) {
        int64_t slot = f_.NewSlots(1);
        steps.push_back(
            {.kind = Step::Kind::kEach, .condition = {}, .collection = value, .slot = slot});
        value = f_.Var(slot, value->type.name);
      } else if (node->op == Op::kEach) {
        steps.push_back(If(f_.Exists(value)));
      }
      visit(node->kids[1], std::move(steps), With(*frame, node->number, value));
      return true;
    }
    case Op::kFirst: {
      Formula earlier = Never();
      for (const Node* kid : node->kids) {
        Steps own = steps;
        own.push_back(If(f_.Not(earlier)));
        visit(kid, std::move(own), frame);
        earlier = f_.Or(earlier, Wrote(kid, *frame));
        if (earlier.always()) {
          break;
        }
      }
      return true;
    }
    case Op::kArray:
    case Op::kSequence:
      for (const Node* kid : node->kids) {
        visit(kid, steps, frame);
      }
      return true;
    case Op::kCount:
      visit(node->kids[0], std::move(steps), std::move(frame));
      return true;
    case Op::kEmitCall: {
      const ir::Function* function = module_.FindFunction(node->text);
      if (function == nullptr || function->body == nullptr) {
        return true;
      }
      auto inner = std::make_shared<Frame>();
      inner->base = f_.NewSlots(function->slot_count);
      for (size_t i = 0; i < function->params.size(); ++i) {
        inner->bound[function->params[i].slot] = Renamed(node->kids[i], *frame);
      }
      visit(function->body, std::move(steps), std::move(inner));
      return true;
    }
    default:
      return false;
  }
}

void Written::Leaves(const Node* node, Steps steps, std::shared_ptr<const Frame> frame,
                     const std::string& type, Pieces* out) {
  bool control =
      Control(node, steps, frame, [&](const Node* inner, Steps s, std::shared_ptr<const Frame> f) {
        Leaves(inner, std::move(s), std::move(f), type, out);
      });
  if (control || IsNullJson(*node)) {
    return;
  }
  if (IsRefusal(*node)) {
    if (!module_.sites[static_cast<size_t>(node->number)].degrade) {
      Reject(f_.Some(steps, Always()));
    }
    return;
  }
  if (node->op == Op::kMember) {  // an open choice wrote its own name; the caller asked by element
    return Leaves(node->kids[0], std::move(steps), std::move(frame), type, out);
  }
  out->push_back({.steps = std::move(steps),
                  .leaf = node,
                  .frame = std::move(frame),
                  .value = nullptr,
                  .type = type,
                  .certain = false});
}

Pieces Written::Of(const Node* emission, const std::string& type) {
  Pieces out;
  Leaves(emission, {}, std::make_shared<Frame>(), type, &out);
  return out;
}

const Written::Member& Written::MemberOf(const std::string& type, const std::string& json) {
  auto [known, fresh] = members_.try_emplace({type, json});
  if (fresh) {
    std::string name = json[0] == '_' ? json.substr(1) : json;
    auto found = types_.FindElement(type, name);
    if (!found && (name == "extension" || name == "id")) {
      known->second = {name, name == "id" ? "string" : "Extension"};
    } else if (found) {
      std::string content = types_.ContentPath(*found.element, *found.owner, found.chosen);
      bool system = content.starts_with("http://hl7.org/fhirpath/");  // Element.id and the like
      known->second = {found.element->name, system ? "string" : content};
    }
  }
  return known->second;
}

// `node` stands among an object's members.
void Written::Members(const Node* node, Steps steps, std::shared_ptr<const Frame> frame,
                      const std::string& owner, const std::string& name, Pieces* out) {
  if (node->op == Op::kMember) {
    const Member& member = MemberOf(owner, node->text);
    if (member.element == name) {
      Leaves(node->kids[0], std::move(steps), std::move(frame), member.type, out);
    }
    return;
  }
  Control(node, steps, frame, [&](const Node* inner, Steps s, std::shared_ptr<const Frame> f) {
    Members(inner, std::move(s), std::move(f), owner, name, out);
  });
}

Pieces Written::Child(const Piece& piece, const std::string& name) {
  Pieces out;
  if (piece.leaf == nullptr) {
    return out;
  }
  if (piece.leaf->op == Op::kReference) {
    if (name == "reference") {
      Node* id = Renamed(piece.leaf->kids[0], *piece.frame);
      Steps steps = piece.steps;
      steps.push_back(If(f_.Exists(id)));
      Node* text =
          f_.New(Op::kBinary, {.name = "System.String", .required = true, .max = ir::Max::kOne},
                 {f_.Text(piece.leaf->text + "/"), id}, "&");
      out.push_back({.steps = std::move(steps),
                     .leaf = nullptr,
                     .frame = piece.frame,
                     .value = text,
                     .type = "string",
                     .certain = true});
    }
    return out;
  }
  if (piece.leaf->op == Op::kObject) {
    for (const Node* kid : piece.leaf->kids) {
      if (kid->op != Op::kMember || MemberOf(piece.type, kid->text).element == name) {
        Members(kid, piece.steps, piece.frame, piece.type, name, &out);
      }
    }
  }
  return out;
}

Formula Written::Wrote(const Node* node, const Frame& frame) {
  switch (node->op) {
    case Op::kJson:
      return IsNullJson(*node) ? Never() : Always();
    case Op::kPrimitive: {
      const Node* value = node->kids[0];
      if (IsRefusal(*node)) {
        return Never();
      }
      Node* renamed = Renamed(value, frame);
      auto site = static_cast<size_t>(node->number);
      bool degrade = site < module_.sites.size() && module_.sites[site].degrade;
      if (IsText(node->text) || !degrade || value->op == Op::kLiteral) {
        return f_.Exists(renamed);  // where it does not fit, the record is refused
      }
      return f_.Fits(renamed, node->text);
    }
    case Op::kReference:
      return f_.Exists(Renamed(node->kids[0], frame));
    case Op::kMember:
    case Op::kCount:
      return Wrote(node->kids[0], frame);
    case Op::kObject:
    case Op::kArray:
    case Op::kSequence:
    case Op::kFirst: {
      Formula any = Never();
      for (const Node* kid :
           node->kids) {  // constants first: an object with one needs no conditions
        any = f_.Or(any, kid->op == Op::kMember && kid->kids[0]->op == Op::kJson ? Wrote(kid, frame)
                                                                                 : Never());
      }
      for (size_t i = 0; i < node->kids.size() && !any.always(); ++i) {
        any = f_.Or(any, Wrote(node->kids[i], frame));
      }
      return any;
    }
    case Op::kWhen: {
      Formula inner = Wrote(node->kids[1], frame);
      return inner.never() ? inner : f_.And(f_.Of(Renamed(node->kids[0], frame)).yes, inner);
    }
    case Op::kLet:
    case Op::kEach:
    case Op::kEmitCall: {
      Steps steps;
      auto own = std::make_shared<const Frame>(frame);
      Formula result = Never();
      Control(node, steps, own,
              [&](const Node* inner, const Steps& s, const std::shared_ptr<const Frame>& f) {
                result = f_.Some(s, Wrote(inner, *f));
              });
      return result;
    }
    default:
      return Never();
  }
}

Formula Written::There(const Piece& piece) {
  return piece.certain           ? Always()
         : piece.leaf != nullptr ? Wrote(piece.leaf, *piece.frame)
                                 : f_.Exists(piece.value);
}

Formula Written::Exists(const Piece& piece) { return Some(piece, Always()); }

Formula Written::Some(const Piece& piece, Formula inner) {
  if (inner.never()) {
    return inner;
  }
  return f_.Some(piece.steps, f_.And(There(piece), inner));
}

Formula Written::Every(const Piece& piece, Formula inner) {
  if (inner.always()) {
    return inner;
  }
  return f_.Every(piece.steps, f_.Or(f_.Not(There(piece)), inner));
}

Node* Written::Value(const Piece& piece) {
  if (piece.leaf == nullptr) {
    return piece.value;
  }
  if (piece.leaf->op == Op::kPrimitive) {
    return Renamed(piece.leaf->kids[0], *piece.frame);
  }
  if (piece.leaf->op != Op::kJson || piece.leaf->text.empty()) {
    return nullptr;
  }
  const std::string& json = piece.leaf->text;
  auto literal = [&](const char* type, std::string text) {
    return f_.New(Op::kLiteral, {.name = type, .required = true, .max = ir::Max::kOne}, {},
                  std::move(text));
  };
  if (json == "true" || json == "false") {
    return literal("System.Boolean", json);
  }
  if (json[0] == '"') {
    return json.find('\\') == std::string::npos
               ? literal("System.String", json.substr(1, json.size() - 2))
               : nullptr;
  }
  return json[0] == '-' || (json[0] >= '0' && json[0] <= '9')
             ? literal(json.find('.') == std::string::npos ? "System.Integer" : "System.Decimal",
                       json)
             : nullptr;
}

}  // namespace weir::conform
