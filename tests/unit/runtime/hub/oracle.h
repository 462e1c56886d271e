// What a hub should hold, computed anew from the whole set of messages by the words of docs/hub.md: no increments, no
// stored edges, no SQL. Slow and short; it shares with the hub only the fold of one sorted chain (tested in fold_test).
#pragma once

#include <string>
#include <vector>

#include "tests/unit/runtime/hub/fake_feed.h"

namespace weir::hub::testing {

// As Hub::Export. Of messages without identity claims, future or late ones.
std::string OracleExport(const std::vector<FakeMessage>& messages);

}  // namespace weir::hub::testing
