#include "runtime/package/refusal.h"

namespace weir::package {

Error Refuse(Refusal refusal, std::string_view detail) {
  struct Row {
    std::string_view code, title;
  };
  static constexpr Row kRows[] = {
#define WEIR_REFUSAL(name, code, title, explanation) {code, title},
#include "runtime/package/refusals.def"
#undef WEIR_REFUSAL
  };
  const Row& row = kRows[static_cast<size_t>(refusal)];
  std::string message = "package/" + std::string(row.code) + ": " + std::string(row.title);
  return {detail.empty() ? message : message + " (" + std::string(detail) + ")"};
}

}  // namespace weir::package
