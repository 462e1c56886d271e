#include "runtime/fhir/reader.h"

#include <simdjson.h>

#include <algorithm>
#include <unordered_map>
#include <vector>

namespace weir::tape {
namespace {

namespace od = simdjson::ondemand;

weir_fhir_name NameOf(std::string_view text) { return {reinterpret_cast<const uint8_t*>(text.data()), static_cast<uint32_t>(text.size())}; }
std::string_view TextOf(const weir_fhir_name& name) { return {reinterpret_cast<const char*>(name.p), name.n}; }

bool OneOf(std::string_view text, std::initializer_list<std::string_view> list) { return std::find(list.begin(), list.end(), text) != list.end(); }

weir_fhir_class ClassOf(std::string_view type) {
  if (OneOf(type, {"integer", "positiveInt", "unsignedInt"})) {
    return WEIR_FHIR_INTEGER;
  }
  if (OneOf(type, {"dateTime", "instant"})) {
    return WEIR_FHIR_DATETIME;
  }
  if (OneOf(type, {"Quantity", "SimpleQuantity", "Age", "Distance", "Duration", "Count", "MoneyQuantity"})) {
    return WEIR_FHIR_QUANTITY;
  }
  if (OneOf(type, {"string", "code", "id", "uri", "url", "canonical", "uuid", "oid", "markdown", "xhtml", "base64Binary", "boolean", "decimal"})) {
    return WEIR_FHIR_PRIMITIVE;
  }
  return type == "date" ? WEIR_FHIR_DATE : type == "time" ? WEIR_FHIR_TIME : WEIR_FHIR_COMPLEX;
}

}  // namespace

struct Document::State {
  simdjson::padded_string json;
  od::parser parser;  // owns the decoded strings
  std::vector<weir_fhir_node> nodes;
  std::vector<weir_fhir_name> names;
  std::vector<weir_fhir_type> types;
  std::unordered_map<std::string, uint32_t> name_ids, type_ids;  // their keys are the names' bytes
  weir_fhir_tape tape{};
};

Document::Document(std::unique_ptr<State> state) : state_(std::move(state)) {}
Document::Document(Document&&) noexcept = default;
Document& Document::operator=(Document&&) noexcept = default;
Document::~Document() = default;
const weir_fhir_tape* Document::tape() const { return &state_->tape; }

namespace {

class Builder {
 public:
  Builder(Document::State& state, const TypeSource& types, const ReadLimits& limits) : s_(state), types_(types), limits_(limits) {
    Name("");
    Type("");
  }

  simdjson::error_code Parse() {
    od::document document;
    SIMDJSON_TRY(s_.parser.iterate(s_.json).get(document));
    od::value root;
    SIMDJSON_TRY(document.get_value().get(root));  // FHIR's root is an object: a bare scalar is refused here
    SIMDJSON_TRY(Add(root, 0, 0));
    const char* rest = nullptr;  // out of bounds is what the end is called
    return document.current_location().get(rest) == simdjson::OUT_OF_BOUNDS ? simdjson::SUCCESS : simdjson::TAPE_ERROR;
  }

  void Resolve() { Assign(0, ""); }

 private:
  uint32_t Name(const std::string& name) {
    auto [at, fresh] = s_.name_ids.try_emplace(name, static_cast<uint32_t>(s_.names.size()));
    if (fresh) {
      s_.names.push_back(NameOf(at->first));
    }
    return at->second;
  }
  uint32_t Type(const std::string& name) {
    auto [at, fresh] = s_.type_ids.try_emplace(name, static_cast<uint32_t>(s_.types.size()));
    if (!fresh) {
      return at->second;
    }
    uint32_t id = at->second;
    s_.types.push_back({NameOf(at->first), WEIR_FHIR_NONE, ClassOf(name)});
    if (std::string base = name.empty() ? "" : types_.BaseOf(name); !base.empty()) {
      uint32_t base_id = Type(base);
      s_.types[id].base = base_id;
    }
    return id;
  }

  simdjson::error_code Add(od::value value, uint32_t member, uint32_t depth) {
    if (depth > limits_.max_depth) {
      return simdjson::DEPTH_ERROR;
    }
    auto at = static_cast<uint32_t>(s_.nodes.size());
    s_.nodes.push_back({});
    s_.nodes[at].member = member;
    od::json_type type{};
    SIMDJSON_TRY(value.type().get(type));
    auto text = [&](std::string_view bytes) {
      s_.nodes[at].text = reinterpret_cast<const uint8_t*>(bytes.data());
      s_.nodes[at].text_size = static_cast<uint32_t>(bytes.size());
    };
    uint32_t last = 0;
    auto link = [&](uint32_t child) {
      (last == 0 ? s_.nodes[at].first : s_.nodes[last].next) = child;
      last = child;
    };
    switch (type) {
      case od::json_type::object: {
        s_.nodes[at].kind = WEIR_FHIR_OBJECT;
        od::object object;
        SIMDJSON_TRY(value.get_object().get(object));
        for (auto field : object) {
          std::string_view key;
          SIMDJSON_TRY(field.unescaped_key().get(key));
          uint32_t name = Name(std::string(key));
          for (uint32_t k = s_.nodes[at].first; k != 0; k = s_.nodes[k].next) {
            if (s_.nodes[k].member == name) {
              return simdjson::INCORRECT_TYPE;  // FHIR: names in an object are unique
            }
          }
          od::value kid;
          SIMDJSON_TRY(field.value().get(kid));
          link(static_cast<uint32_t>(s_.nodes.size()));
          SIMDJSON_TRY(Add(kid, name, depth + 1));
        }
        return simdjson::SUCCESS;
      }
      case od::json_type::array: {
        s_.nodes[at].kind = WEIR_FHIR_ARRAY;
        od::array array;
        SIMDJSON_TRY(value.get_array().get(array));
        for (auto element : array) {
          od::value kid;
          SIMDJSON_TRY(element.get(kid));
          link(static_cast<uint32_t>(s_.nodes.size()));
          SIMDJSON_TRY(Add(kid, 0, depth + 1));
        }
        return simdjson::SUCCESS;
      }
      case od::json_type::string: {
        s_.nodes[at].kind = WEIR_FHIR_STRING;
        std::string_view bytes;
        SIMDJSON_TRY(value.get_string().get(bytes));
        text(bytes);
        return simdjson::SUCCESS;
      }
      case od::json_type::number: {
        s_.nodes[at].kind = WEIR_FHIR_NUMBER;
        std::string_view raw = value.raw_json_token();  // digits as written: 1.50 is not 1.5
        double checked = 0;
        SIMDJSON_TRY(value.get_double().get(checked));
        text(raw.substr(0, raw.find_last_not_of(" \t\r\n") + 1));
        return simdjson::SUCCESS;
      }
      case od::json_type::boolean: {
        s_.nodes[at].kind = WEIR_FHIR_BOOLEAN;
        bool truth = false;
        SIMDJSON_TRY(value.get_bool().get(truth));
        text(truth ? "true" : "false");
        return simdjson::SUCCESS;
      }
      case od::json_type::null:
        s_.nodes[at].kind = WEIR_FHIR_NULL;
        return value.is_null() ? simdjson::SUCCESS : simdjson::N_ATOM_ERROR;
    }
    return simdjson::TAPE_ERROR;
  }

  uint32_t Member(uint32_t object, std::string_view name) const {
    for (uint32_t k = s_.nodes[object].first; k != 0; k = s_.nodes[k].next) {
      if (TextOf(s_.names[s_.nodes[k].member]) == name) {
        return k;
      }
    }
    return 0;
  }

  std::string TypeOf(uint32_t node, const std::string& declared) const {
    const weir_fhir_node& n = s_.nodes[node];
    if (n.kind == WEIR_FHIR_OBJECT) {
      uint32_t own = Member(node, "resourceType");
      if (own != 0) {
        return std::string(reinterpret_cast<const char*>(s_.nodes[own].text), s_.nodes[own].text_size);
      }
    }
    if (!declared.empty()) {
      return declared;
    }
    return n.kind == WEIR_FHIR_BOOLEAN ? "boolean" : n.kind == WEIR_FHIR_NUMBER ? "decimal" : n.kind == WEIR_FHIR_STRING ? "string" : "";
  }

  // Gives a value, or each value of an array, its type and resolves what lies below.
  void Assign(uint32_t node, const std::string& declared) {
    if (s_.nodes[node].kind == WEIR_FHIR_ARRAY) {
      s_.nodes[node].type = Type(declared);
      for (uint32_t k = s_.nodes[node].first; k != 0; k = s_.nodes[k].next) {
        Assign(k, declared);
      }
      return;
    }
    std::string type = TypeOf(node, declared);
    s_.nodes[node].type = Type(type);
    ResolveMembers(node, type);
  }
  // The same for `_name`: the primitive's type, but the members of an Element.
  void AssignPartner(uint32_t node, const std::string& type) {
    s_.nodes[node].type = Type(type);
    if (s_.nodes[node].kind == WEIR_FHIR_ARRAY) {
      for (uint32_t k = s_.nodes[node].first; k != 0; k = s_.nodes[k].next) {
        AssignPartner(k, type);
      }
    } else {
      ResolveMembers(node, "Element");
    }
  }

  void ResolveMembers(uint32_t object, const std::string& type) {
    if (s_.nodes[object].kind != WEIR_FHIR_OBJECT) {
      return;
    }
    for (uint32_t k = s_.nodes[object].first; k != 0; k = s_.nodes[k].next) {
      std::string name(TextOf(s_.names[s_.nodes[k].member]));
      if (name == "resourceType") {
        continue;
      }
      bool underscored = name.starts_with("_");
      if (underscored) {
        name.erase(0, 1);
        if (Member(object, name) != 0) {
          continue;  // reached through its partner
        }
      }
      TypeSource::Member member = types_.MemberOf(type, name);
      s_.nodes[k].element = Name(member.element);
      if (underscored) {
        s_.nodes[k].alone = 1;
        AssignPartner(k, member.type);
        continue;
      }
      Assign(k, member.type);
      if (uint32_t partner = Member(object, "_" + name); partner != 0) {
        s_.nodes[k].partner = partner;
        AssignPartner(partner, member.type);
      }
    }
  }

  Document::State& s_;
  const TypeSource& types_;
  const ReadLimits& limits_;
};

}  // namespace

Result<Document> Read(std::string_view json, const TypeSource& types, const ReadLimits& limits) {
  if (json.size() > limits.max_bytes) {
    return Error{"the document is too large"};
  }
  auto state = std::make_unique<Document::State>();
  state->json = simdjson::padded_string(json);
  Builder builder(*state, types, limits);
  if (simdjson::error_code error = builder.Parse(); error != simdjson::SUCCESS) {
    return Error{std::string("not FHIR JSON: ") + simdjson::error_message(error)};
  }
  builder.Resolve();
  state->tape = {sizeof(weir_fhir_tape), static_cast<uint32_t>(state->nodes.size()), state->nodes.data(), state->names.data(),
                 state->types.data()};
  return Document(std::move(state));
}

}  // namespace weir::tape
