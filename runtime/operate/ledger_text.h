// The ledger for people: one row per feed, the balance said in words.
#pragma once

#include <string>

#include "runtime/hub/hub.h"

namespace weir::operate {

std::string FormatLedger(const hub::Ledger& ledger);

}  // namespace weir::operate
