#include "runtime/operate/ledger_text.h"

#include <fmt/format.h>

namespace weir::operate {

std::string FormatLedger(const hub::Ledger& ledger) {
  std::string out = fmt::format("{:<16} {:>9} {:>9} {:>9} {:>10} {:>8} {:>12} {:>7} {:>10}\n", "feed", "received", "applied",
                                "duplicate", "suppressed", "schema", "terminology", "policy", "transform");
  bool balanced = true;
  hub::Counts sum;
  for (const auto& [feed, c] : ledger) {
    out += fmt::format("{:<16} {:>9} {:>9} {:>9} {:>10} {:>8} {:>12} {:>7} {:>10}\n", feed, c.received, c.applied, c.duplicate,
                       c.suppressed, c.schema, c.terminology, c.policy, c.transform);
    balanced = balanced && c.Balanced();
    sum.late += c.late;
    sum.key_reused += c.key_reused;
    sum.degraded += c.degraded;
    sum.omitted += c.omitted;
  }
  out += fmt::format("among the applied: {} late, {} with a reused key, {} degraded, {} with omitted instances\n", sum.late,
                     sum.key_reused, sum.degraded, sum.omitted);
  out += balanced ? "the ledger balances: received = applied + duplicate + suppressed + rejected\n"
                  : "THE LEDGER DOES NOT BALANCE\n";
  return out;
}

}  // namespace weir::operate
