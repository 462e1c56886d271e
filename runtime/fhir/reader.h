// FHIR JSON -> tape. What a member means is asked from a TypeSource, so that the reader carries no definitions.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "runtime/base/result.h"
#include "runtime/fhir/tape.h"

namespace weir::tape {

class TypeSource {
 public:
  struct Member {
    std::string element;  // `value` for `valueQuantity`; the member itself when it is unknown
    std::string type;     // "" unknown
  };
  virtual ~TypeSource() = default;
  virtual Member MemberOf(const std::string& type, const std::string& member) const = 0;
  // What the type derives from; "" when nothing is known of it. A backbone path derives from BackboneElement.
  virtual std::string BaseOf(const std::string& type) const = 0;
};

struct ReadLimits {
  uint32_t max_depth = 200;      // bounds the stack of reader and kernels
  size_t max_bytes = 64u << 20;  // of a document
};

// Owns what its tape points to.
class Document {
 public:
  struct State;
  explicit Document(std::unique_ptr<State> state);
  Document(Document&&) noexcept;
  Document& operator=(Document&&) noexcept;
  ~Document();
  const weir_fhir_tape* tape() const;

 private:
  std::unique_ptr<State> state_;
};

Result<Document> Read(std::string_view json, const TypeSource& types, const ReadLimits& limits = {});

}  // namespace weir::tape
