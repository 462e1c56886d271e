// A JSON document as the interpreter reads FHIR: member order and the text of numbers are kept. And
// the writer of canonical JSON text.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.h"

namespace weir::ir {

struct JsonMember;

struct Json {
  enum class Kind : uint8_t { kNull, kBoolean, kNumber, kString, kArray, kObject };
  Kind kind = Kind::kNull;
  bool boolean = false;
  std::string text;                 // string (decoded) or number (as written)
  std::vector<Json> items;          // array
  std::vector<JsonMember> members;  // object, in order

  const Json* Find(std::string_view name) const;
};

struct JsonMember {
  std::string name;
  Json value;
};

struct JsonLimits {
  uint32_t max_depth = 200;      // bounds the parser's stack
  size_t max_bytes = 64u << 20;  // of a document
};
Result<Json> ParseJson(std::string_view text, JsonLimits limits = {});

// Appends `text` as a JSON string with minimal escapes (docs/ir.md, Emission).
void WriteJsonString(std::string_view text, std::string* out);
void WriteJson(const Json& value, std::string* out);

}  // namespace weir::ir
