// What IR expressions are to conditions: the name by which two are one value, what they need,
// whether they are there.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "compiler/ir/ir.h"

namespace weir::conform {

bool Uses(const ir::Node& node, int64_t slot);
// A call whose arguments see each item in three slots of their own.
bool BindsItems(const ir::Node& node);
// Its text is the item; a composite's is its first component, which may be absent.
bool IsWholeText(const ir::Node& node);
bool TakesOne(const ir::Node& node);    // first(), single(), last()
bool Propagates(const ir::Node& node);  // empty of an empty input: what it yields is there only
                                        // where the input is
// What a node says, whatever it was checked against: without static types, `let` written out, and
// slots that are bound inside counted from their binder.
std::string KeyOf(const ir::Node& node);
// Without what takes one of several, or makes text of it: it is there exactly when the node is.
const ir::Node* StripOne(const ir::Node* node);
// Keys of everything that must be there for `node` to be, its own first.
void Needs(const ir::Node* node, std::vector<std::string>* keys);
// The two sides of an `else` (FirstNonEmpty of check/); null: it is none.
std::pair<ir::Node*, ir::Node*> Alternatives(const ir::Node& node);
// Every text a value can have, when there are few: literals, and what tables lead to.
std::optional<std::vector<std::string>> PossibleTexts(const ir::Module& module,
                                                      const ir::Node& value);

}  // namespace weir::conform
