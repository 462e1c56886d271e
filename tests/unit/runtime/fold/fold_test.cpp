#include "runtime/fold/fold.h"

#include <gtest/gtest.h>

#include <random>

namespace weir::fold {
namespace {

struct Item {
  weir_op op;
  uint32_t map;
  std::string tag, body;
};

const ElementOrder& PatientOrder() {
  static const ElementOrder order({"resourceType", "id", "meta", "identifier", "active", "name",
                                   "gender", "birthDate", "deceasedBoolean", "deceasedDateTime",
                                   "address", "reasonCode", "reasonReference"});
  return order;
}

FoldResult FoldInto(const std::vector<Item>& items, std::string_view id, std::string* out,
                    uint32_t capacity) {
  std::vector<fold::Item> raw;
  for (const Item& item : items) {
    raw.push_back({static_cast<uint32_t>(item.op), item.map,
                   reinterpret_cast<const uint8_t*>(item.tag.data()),
                   reinterpret_cast<const uint8_t*>(item.body.data()),
                   static_cast<uint32_t>(item.tag.size()),
                   static_cast<uint32_t>(item.body.size())});
  }
  std::vector<uint8_t> marks(items.size()), bytes(capacity);
  const FoldResult result =
      Fold(PatientOrder().table(), raw.data(), static_cast<uint32_t>(raw.size()), id, marks.data(),
           bytes.data(), capacity);
  out->assign(reinterpret_cast<const char*>(bytes.data()), result.size);
  return result;
}

std::string Body(std::string_view members) {
  return R"({"resourceType":"Patient","id":"a1")" +
         (members.empty() ? "" : "," + std::string(members)) + "}";
}

struct Case {
  const char* name;
  std::vector<Item> items;
  std::string want;  // members after the id; "gone": no resource
};

TEST(Fold, FollowsTheRules) {
  const auto patch = [](std::string members, std::string tag = "A01") {
    return Item{WEIR_OP_PATCH, 0, tag, Body(members)};
  };
  const auto put = [](std::string members) { return Item{WEIR_OP_PUT, 1, "A08", Body(members)}; };
  const auto fill = [](std::string members) { return Item{WEIR_OP_FILL, 2, "R01", Body(members)}; };
  const auto retract = [](std::string tags, uint32_t map = 0) {
    return Item{WEIR_OP_RETRACT, map, tags, ""};
  };
  const std::vector<Case> cases = {
      {"one patch is itself", {patch(R"("gender":"male")")}, R"("gender":"male")"},
      {"the greatest order key wins per element",
       {patch(R"("gender":"male","birthDate":"1970")"), patch(R"("gender":"other")")},
       R"("gender":"other","birthDate":"1970")"},
      {"a claim that all bodies make stays",
       {patch(R"("meta":{"profile":["p"]},"gender":"male")"), patch(R"("meta":{"profile":["p"]},"birthDate":"1970")")},
       R"("meta":{"profile":["p"]},"gender":"male","birthDate":"1970")"},
      {"a claim that one body does not make is dropped",
       {patch(R"("gender":"male")"), patch(R"("meta":{"profile":["p"]},"birthDate":"1970")")},
       R"("gender":"male","birthDate":"1970")"},
      {"a replacement's claim is its own",
       {patch(R"("gender":"male")"), put(R"("meta":{"profile":["p"]},"birthDate":"1970")")},
       R"("meta":{"profile":["p"]},"birthDate":"1970")"},
      {"result is in element order",
       {patch(R"("address":[1])"), patch(R"("identifier":[{"value":"x"}])")},
       R"("identifier":[{"value":"x"}],"address":[1])"},
      {"null deletes",
       {patch(R"("gender":"male","birthDate":"1970")"), patch(R"("gender":null)")},
       R"("birthDate":"1970")"},
      {"a later value revives what null deleted",
       {patch(R"("gender":null)"), patch(R"("gender":"male")")},
       R"("gender":"male")"},
      {"only nulls: gone", {patch(R"("gender":"male")"), patch(R"("gender":null)")}, "gone"},
      {"nothing but meta: gone", {patch(R"("meta":{"profile":["p"]})")}, "gone"},
      {"choice variants are one element",
       {patch(R"("deceasedBoolean":true)"), patch(R"("deceasedDateTime":"2020")")},
       R"("deceasedDateTime":"2020")"},
      {"reasonCode and reasonReference are two",
       {patch(R"("reasonCode":[1])"), patch(R"("reasonReference":[2])")},
       R"("reasonCode":[1],"reasonReference":[2])"},
      {"a sibling belongs to its primitive",
       {patch(R"("birthDate":"1970","_birthDate":{"id":"x"})"), patch(R"("birthDate":"1971")")},
       R"("birthDate":"1971")"},
      {"null on one variant deletes the group",
       {patch(R"("deceasedDateTime":"2020")"), patch(R"("deceasedBoolean":null)")},
       "gone"},
      {"replace resets everything before it",
       {patch(R"("gender":"male")"), put(R"("birthDate":"1970")")},
       R"("birthDate":"1970")"},
      {"patch on top of replace",
       {put(R"("birthDate":"1970")"), patch(R"("gender":"male")")},
       R"("gender":"male","birthDate":"1970")"},
      {"fill takes only what nobody mentions",
       {patch(R"("gender":"male")"), fill(R"("gender":"female","birthDate":"1970")")},
       R"("gender":"male","birthDate":"1970")"},
      {"fill before a patch gives way too",
       {fill(R"("gender":"female","birthDate":"1970")"), patch(R"("gender":"male")")},
       R"("gender":"male","birthDate":"1970")"},
      {"fill does not undo a delete",
       {patch(R"("gender":null,"birthDate":"1970")"), fill(R"("gender":"male")")},
       R"("birthDate":"1970")"},
      {"among fills the greatest wins",
       {fill(R"("gender":"male")"), fill(R"("gender":"female")")},
       R"("gender":"female")"},
      {"retract removes the latest with the tag",
       {patch(R"("gender":"male")"), patch(R"("gender":"female")"), retract("A01")},
       R"("gender":"male")"},
      {"two retracts remove two",
       {patch(R"("gender":"male")"), patch(R"("gender":"female")"), retract("A01"), retract("A01")},
       "gone"},
      {"retract of one of several tags",
       {patch(R"("gender":"male")", "A04"), patch(R"("gender":"female")", "A08"),
        retract("A01,A04")},
       R"("gender":"female")"},
      {"retract before has no effect",
       {retract("A01"), patch(R"("gender":"male")")},
       R"("gender":"male")"},
      {"retract of another map has no effect",
       {patch(R"("gender":"male")"), retract("A01", 7)},
       R"("gender":"male")"},
      {"a tag is compared whole",
       {patch(R"("gender":"male")", "A0"), retract("A01")},
       R"("gender":"male")"},
      {"a retracted replace resets nothing",
       {patch(R"("gender":"male")"), put(R"("birthDate":"1970")"), retract("A08", 1)},
       R"("gender":"male")"},
      {"alias adds nothing",
       {patch(R"("gender":"male")"), {WEIR_OP_ALIAS, 9, "A40", ""}},
       R"("gender":"male")"},
      {"unknown names are kept at the end",
       {patch(R"("zz":1,"gender":"male")"), patch(R"("zz":2)")},
       R"("gender":"male","zz":2)"},
      {"nested braces, quotes and escapes",
       {patch(R"("name":[{"text":"a\"}],{\\"}])"), patch(R"("gender":"male")")},
       R"("name":[{"text":"a\"}],{\\"}],"gender":"male")"},
      {"no items", {}, "gone"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    std::string got;
    ASSERT_EQ(FoldInto(c.items, "", &got, 4096).status, FoldStatus::kOk);
    EXPECT_EQ(got, c.want == "gone" ? "" : Body(c.want));
  }
}

TEST(Fold, WritesTheSurvivorsId) {
  std::string got;
  FoldInto({{WEIR_OP_PATCH, 0, "A01", Body(R"("gender":"male")")}}, "b2", &got, 4096);
  EXPECT_EQ(got, R"({"resourceType":"Patient","id":"b2","gender":"male"})");
}

TEST(Fold, SaysFullOneByteBelowAndFitsExactly) {
  const std::vector<Item> items = {{WEIR_OP_PATCH, 0, "A01", Body(R"("gender":"male")")}};
  const auto want = static_cast<uint32_t>(items[0].body.size());
  std::string got;
  EXPECT_EQ(FoldInto(items, "", &got, want - 1).status, FoldStatus::kFull);
  EXPECT_EQ(FoldInto(items, "", &got, want).status, FoldStatus::kOk);
  EXPECT_EQ(got, items[0].body);
}

TEST(Fold, EveryTruncationIsMalformedNotACrash) {
  const std::string whole = Body(R"("name":[{"text":"a\"b"}],"gender":"male")");
  std::string got;
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_EQ(FoldInto({{WEIR_OP_PATCH, 0, "", whole.substr(0, size)}}, "", &got, 4096).status,
              FoldStatus::kMalformed)
        << size;
  }
}

TEST(Fold, BoundsUnknownNames) {
  std::string members, got;
  for (uint32_t i = 0; i < kMaxUnknown; ++i) {
    members += (i ? ",\"u" : "\"u") + std::to_string(i) + "\":1";
  }
  EXPECT_EQ(FoldInto({{WEIR_OP_PATCH, 0, "", Body(members)}}, "", &got, 4096).status,
            FoldStatus::kOk);
  members += R"(,"one_more":1)";
  EXPECT_EQ(FoldInto({{WEIR_OP_PATCH, 0, "", Body(members)}}, "", &got, 4096).status,
            FoldStatus::kTooWide);
}

TEST(Fold, IsPlainMeansTheFoldIsTheBody) {
  EXPECT_TRUE(
      IsPlain(reinterpret_cast<const uint8_t*>(R"({"resourceType":"P","id":"1","a":[null]})"), 40));
  for (const std::string body :
       {R"({"resourceType":"P","id":"1"})", R"({"resourceType":"P","id":"1","a":null,"b":1})",
        R"({"resourceType":"P","id":"1","a":1)", ""}) {
    EXPECT_FALSE(
        IsPlain(reinterpret_cast<const uint8_t*>(body.data()), static_cast<uint32_t>(body.size())))
        << body;
  }
}

// What lets the hub fold only the newest contribution onto the resource it already has.
TEST(Fold, PatchOntoAFoldedPrefixEqualsTheWholeFold) {
  std::mt19937 random(7);
  const std::vector<std::string> members = {
      R"("gender":"male")",           R"("gender":null)",
      R"("birthDate":"1970")",        R"("deceasedBoolean":true)",
      R"("deceasedDateTime":"2020")", R"("address":[{"city":"x"}])",
      R"("birthDate":null)",          R"("meta":{"profile":["p"]},"gender":"male")",
      R"("meta":{"profile":["p"]},"birthDate":"1971")"};
  int compared = 0;
  for (int round = 0; round < 2000; ++round) {
    std::vector<Item> items;
    for (uint32_t n = 2 + random() % 6; n > 0; --n) {
      const uint32_t kind = random() % 8;
      if (kind == 7) {
        items.push_back({WEIR_OP_RETRACT, 0, "A01", ""});
      } else {
        const weir_op op = kind == 0 ? WEIR_OP_PUT : kind == 1 ? WEIR_OP_FILL : WEIR_OP_PATCH;
        items.push_back(
            {op, 0, random() % 2 ? "A01" : "A08", Body(members[random() % members.size()])});
      }
    }
    const Item last = items.back();
    if (last.op != WEIR_OP_PATCH && last.op != WEIR_OP_PUT) {
      continue;
    }
    std::string whole, prefix, step;
    FoldInto(items, "", &whole, 4096);
    FoldInto({items.begin(), items.end() - 1}, "", &prefix, 4096);
    if (prefix.empty()) {
      continue;  // gone: the hub folds the whole chain then
    }
    FoldInto({{WEIR_OP_PATCH, 0, "", prefix}, last}, "", &step, 4096);
    EXPECT_EQ(step, whole);
    ++compared;
  }
  EXPECT_GT(compared, 500);
}

}  // namespace
}  // namespace weir::fold
