#include "runtime/serve/access.h"

#include <gtest/gtest.h>

#include <map>

namespace weir::serve {
namespace {

const std::string kPrint(64, 'a');

Result<Access> Parse(const std::string& json) {
  static const std::map<std::string, std::string> kFiles = {{"/etc/lab.key", "correct horse battery\n"}, {"/etc/short.key", "123"}};
  return Access::Parse(json, "/etc", [](const std::string& path) {
    const auto found = kFiles.find(path);
    return found == kFiles.end() ? Result<std::string>(Error{"no " + path}) : Result<std::string>(found->second);
  });
}

std::string Who(const Access& access, std::string_view listener, const Certificate* certificate, std::string_view bearer, std::string_view address) {
  const auto client = access.Find(listener, certificate, bearer, address);
  return client == nullptr ? "" : client->name;
}

TEST(AccessTest, FindsByTheMostSpecificCredential) {
  const auto access = Parse(R"({"clients":[
    {"name":"engine","certificate":"dns:Engine.East.example","feeds":["adt","orders"]},
    {"name":"old","certificate":"cn:Old Engine","listeners":["mllp"]},
    {"name":"pinned","certificate":"sha256:)" + kPrint + R"("},
    {"name":"lab","bearer_file":"lab.key","listeners":["http"]},
    {"name":"ward","address":"10.1.2.3"}]})");
  ASSERT_TRUE(access.ok()) << access.error().message;
  const Certificate engine{"anything", {"other.example", "engine.east.example"}, ""}, old{"Old Engine", {}, ""}, pinned{"", {}, kPrint}, stranger{"x", {"y"}, "z"};
  struct Case {
    std::string_view listener;
    const Certificate* certificate;
    std::string_view bearer, address, who;
  };
  for (const Case& c : std::initializer_list<Case>{{"mllp", &engine, "", "10.9.9.9", "engine"},
                                                   {"mllp", &old, "", "10.9.9.9", "old"},
                                                   {"http", &old, "", "10.9.9.9", ""},  // not on this listener
                                                   {"http", &pinned, "", "", "pinned"},
                                                   {"http", nullptr, "correct horse battery", "", "lab"},
                                                   {"mllp", nullptr, "correct horse battery", "", ""},
                                                   {"http", nullptr, "correct horse batterz", "10.1.2.3", ""},  // a wrong key is not made good by an address
                                                   {"http", &engine, "correct horse battery", "", "lab"},
                                                   {"mllp", nullptr, "", "10.1.2.3", "ward"},
                                                   {"mllp", &stranger, "", "10.1.2.3", "ward"},
                                                   {"mllp", &stranger, "", "10.1.2.4", ""},
                                                   {"mllp", nullptr, "", "", ""}}) {
    EXPECT_EQ(Who(*access, c.listener, c.certificate, c.bearer, c.address), c.who) << c.bearer << c.address;
  }
  const auto client = access->Find("mllp", &engine, "", "");
  EXPECT_TRUE(client->MayFeed("adt"));
  EXPECT_FALSE(client->MayFeed("lab"));
  EXPECT_TRUE(access->Find("mllp", nullptr, "", "10.1.2.3")->MayFeed("lab"));
}

TEST(AccessTest, RefusesWhatCouldMeanMoreThanItSays) {
  for (const std::string entry : {R"({"name":"a"})", R"({"certificate":"cn:x"})", R"({"name":"a","certificate":"x"})", R"({"name":"a","certificate":"sha256:12"})",
                                  R"({"name":"a","certificate":"dns:"})", R"({"name":"a","address":"1","feed":["x"]})", R"({"name":"a","address":"1","feeds":[]})",
                                  R"({"name":"a","address":"1","feeds":"x"})", R"({"name":"a","bearer_file":"none"})", R"({"name":"a","bearer_file":"short.key"})",
                                  R"({"name":"a","address":1})", R"(7)",
                                  R"({"name":"a","address":"1"},{"name":"a","address":"2"})", R"({"name":"a","address":"1"},{"name":"b","address":"1"})",
                                  R"({"name":"a","bearer_file":"lab.key"},{"name":"b","bearer_file":"lab.key"})"}) {
    EXPECT_FALSE(Parse("{\"clients\":[" + entry + "]}").ok()) << entry;
  }
  for (const std::string text : {"", "[]", "{}", R"({"clients":{}})", R"({"clients":[],"more":1})"}) {
    EXPECT_FALSE(Parse(text).ok()) << text;
  }
  EXPECT_TRUE(Parse(R"({"clients":[]})").ok());  // nobody
}

}  // namespace
}  // namespace weir::serve
