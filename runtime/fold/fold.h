// Contributions of one resource -> its canonical JSON bytes (docs/ir.md, Fold). The one
// implementation: kernels have none (docs/decisions/2026-11-28-fold-outside-kernels.md). No
// allocation, no DOM; the caller owns every buffer. `ElementOrder` alone is built with the standard
// library, once per resource type.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/abi/weir_kernel.h"

namespace weir::fold {

// The top-level JSON names of a resource type in StructureDefinition order. Names of one `group`
// are taken from one body: the variants of a choice, a primitive with its `_name` sibling, and
// elements that an invariant ties together.
struct Element {
  const char* name;
  uint16_t size;
  uint16_t group;
};

inline constexpr uint32_t kMaxElements =
    320;  // R4's widest resource has some 90 expanded names and their siblings
inline constexpr uint32_t kMaxUnknown =
    32;  // names the order does not know: kept, after the others

struct ElementTable {
  const Element* elements = nullptr;
  uint32_t count = 0;
};

class ElementOrder {
 public:
  ElementOrder() = default;
  // `names` as the manifest lists them (choices expanded, `_name` siblings optional). Neighbours
  // that differ only in a FHIR type name at their end (deceasedBoolean, deceasedDateTime) are one
  // choice.
  // `together`: elements that are one group although they are several, for a rule of FHIR joins
  // them (by name; of a choice its stem will do).
  explicit ElementOrder(const std::vector<std::string>& names,
                        const std::vector<std::vector<std::string>>& together = {});
  ElementTable table() const { return {elements_.data(), static_cast<uint32_t>(elements_.size())}; }

 private:
  std::shared_ptr<const std::vector<std::string>> names_;  // of all copies: elements_ point into it
  std::vector<Element> elements_;
};

enum class FoldStatus : uint8_t {
  kOk,
  kFull,       // grow the output and call again
  kMalformed,  // a body is not canonical JSON of an object
  kTooWide,    // more unknown names than kMaxUnknown
};

struct Item {        // in order-key order
  uint32_t op, map;  // weir_op; the caller's number of the map
  const uint8_t *tag, *body;
  uint32_t tag_size, body_size;
};

struct FoldResult {
  FoldStatus status = FoldStatus::kOk;
  uint32_t size = 0;  // 0 with kOk: the resource is gone
};

// `items` in order-key order. `marks` has `count` bytes of scratch. `id` (may be empty): written
// instead of the bodies' own ids, which differ after a merge.
FoldResult Fold(ElementTable order, const Item* items, uint32_t count, std::string_view id,
                uint8_t* marks, uint8_t* out, uint32_t capacity) noexcept;

// marks[i] = 1: a later retract of the same map undoes item i (docs/ir.md, Fold).
void MarkRetracted(const Item* items, uint32_t count, uint8_t* marks) noexcept;

// True when the fold of this body alone is the body itself: no top-level member is null, something
// besides resourceType, id and meta is there.
bool IsPlain(const uint8_t* body, uint32_t size) noexcept;

// The value (JSON text) of a top-level member, empty when absent.
std::string_view TopLevelMember(std::string_view body, std::string_view name) noexcept;

}  // namespace weir::fold
