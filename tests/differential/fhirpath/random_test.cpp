// Random FHIRPath over two small resources: native code against the interpreter, errors included.
// WEIR_ENGINES_SECONDS: how long (default 8); WEIR_ENGINES_SEED: the first batch (default 1), printed with a failure.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <random>

#include "tests/differential/fhirpath/both.h"

namespace weir::fhirpath_suite {
namespace {

constexpr int kPerBatch = 400;

const char* const kPatient = R"({"resourceType":"Patient","id":"p1","active":true,"_active":{"extension":[{"url":"http://x/a","valueBoolean":false}]},
"contained":[{"resourceType":"Organization","id":"o1","name":"Ward \u00e9 1","_name":{"id":"n1"}},{"resourceType":"Patient","id":"o2"}],
"extension":[{"url":"http://x/race","extension":[{"url":"c","valueCoding":{"system":"urn:s","code":"A"}},{"url":"t","valueString":"a  B"}]},
{"url":"http://x/q","valueQuantity":{"value":1.50,"unit":"mg","code":"mg"}},{"url":"http://x/d","valueDateTime":"2015-02-07T13:28:17.239+02:00"},
{"url":"http://x/n","valueInteger":7},{"url":"http://x/dec","valueDecimal":1.500},{"url":"http://x/t","valueTime":"14:30"}],
"identifier":[{"use":"usual","value":"12345","period":{"start":"2001-05-06"}},{"value":"12345"}],
"name":[{"use":"official","family":"Chalmers","given":["Peter","James"],"_given":[null,{"extension":[{"url":"http://x/g","valueCode":"z"}]}]},
{"use":"usual","given":["Jim"]},{"_family":{"id":"f"},"given":[null,"Q"],"_given":[{"id":"g0"},null,{"id":"g2"}]}],
"telecom":[{"system":"phone","value":"(03) 5555 6473","rank":1},{"system":"email","rank":2}],
"gender":"male","birthDate":"1974-12-25","_birthDate":{"extension":[{"url":"http://x/birth","valueDateTime":"1974-12-25T14:35:45-05:00"}]},
"deceasedBoolean":false,"multipleBirthInteger":2,"managingOrganization":{"reference":"#o1"},"generalPractitioner":[{"reference":"#o2"},{"reference":"Practitioner/9"}]})";
const char* const kObservation = R"({"resourceType":"Observation","id":"ob","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"29463-7","display":"Body Weight"},
{"system":"http://loinc.org","code":"3141-9"}],"text":"Weight"},"subject":{"reference":"Patient/example"},"effectiveDateTime":"2016-03-28",
"issued":"2016-03-28T10:30:15.123Z","valueQuantity":{"value":185,"unit":"lbs","system":"http://unitsofmeasure.org","code":"[lb_av]"},
"component":[{"code":{"text":"a"},"valueQuantity":{"value":10.0,"code":"kg"}},{"code":{"text":"b"},"valueQuantity":{"value":10000,"code":"g"}},
{"code":{"text":"A "},"valueString":"x"},{"code":{"text":"d"},"valueQuantity":{"value":2,"comparator":"<","code":"g"}},{"code":{"text":"e"},"valueInteger":5},
{"code":{"text":"f"},"valueTime":"10:30:00"},{"code":{"text":"g"},"valueRange":{"low":{"value":1,"code":"wk"},"high":{"value":7,"code":"d"}}}]})";

class Maker {
 public:
  explicit Maker(uint32_t seed) : random_(seed) {}

  std::string Any(int depth) {
    switch (Below(9)) {
      case 8: return Truth(depth);
      case 0: return Text(depth);
      case 1: return Number(depth);
      case 2: return Truth(depth);
      case 3: return Moment(depth);
      case 4: return Quantity(depth);
      case 5: return Nodes(depth);
      default: return Many(depth);
    }
  }

 private:
  unsigned Below(unsigned n) { return random_() % n; }
  std::string Of(std::initializer_list<const char*> list) { return list.begin()[Below(static_cast<unsigned>(list.size()))]; }
  std::string Paren(const std::string& text) { return "(" + text + ")"; }

  std::string Nodes(int depth) {
    std::string path =
        Of({"name", "name.given", "name.family", "identifier", "identifier.value", "telecom", "telecom.rank", "extension", "extension.value", "contained",
            "contained.name", "active", "birthDate", "gender", "deceased", "multipleBirth", "managingOrganization", "generalPractitioner.resolve()",
            "managingOrganization.resolve().name", "status", "code.coding", "code.coding.code", "value", "effective", "issued", "component", "component.value",
            "component.code.text", "component.value.low", "component.value.high", "subject", "id", "extension('http://x/race').extension.value",
            "birthDate.extension('http://x/birth').value", "name.given.extension", "name.given.id", "name.family.id", "active.extension.value", "nothing",
            "identifier.period.start", "%resource.id", "%context.code", "contained.id", "resourceType", "value.value", "value.unit"});
    if (depth > 0 && Below(3) == 0) {
      return Reshaped(path, depth);
    }
    return path;
  }

  std::string Many(int depth) {
    if (depth <= 0) {
      return Paren(Literal() + " | " + Literal());
    }
    switch (Below(4)) {
      case 0: return Paren(Any(depth - 1) + " | " + Any(depth - 1));
      case 1: return Paren(Any(depth - 1)) + ".combine(" + Any(depth - 1) + ")";
      case 2: return Paren(Text(depth - 1)) + Of({".split(',')", ".split('')", ".toChars()", ".split('a')"});
      default: return Reshaped(Paren(Any(depth - 1)), depth);
    }
  }

  std::string Reshaped(const std::string& in, int depth) {
    switch (Below(18)) {
      case 0: return in + ".where(" + Lambda(depth - 1) + ")";
      case 1: return in + ".select(" + Lambda(depth - 1) + ")";
      case 2: return in + Of({".first()", ".last()", ".tail()", ".single()", ".distinct()", ".skip(1)", ".take(2)", ".skip(-1)", ".take(0)", "[0]", "[1]", "[7]"});
      case 3: return in + ".exclude(" + Any(depth - 1) + ")";
      case 4: return in + ".intersect(" + Any(depth - 1) + ")";
      case 5: return in + ".union(" + Any(depth - 1) + ")";
      case 6: return in + ".ofType(" + Type() + ")";
      case 7: return Paren(in + " as " + Type());
      case 8: return in + Of({".sort()", ".sort(-$this)", ".sort($this, id)", ".sort(-value, use)"});
      case 9: return in + ".repeat(" + Of({"extension", "$this", "value", "extension | code", "low | high"}) + ")";
      case 10: return in + ".aggregate(" + Of({"$total + $this", "iif($total.empty(), $this, iif($this < $total, $this, $total))", "$total | $this", "$index"}) + Of({"", ", 0", ", 1.5"}) + ")";
      case 11: return in + Of({".min()", ".max()", ".sum()", ".avg()"});
      case 12: return in + ".iif(" + Truth(depth - 1) + ", " + Any(depth - 1) + Of({")", ", 1)", ", $this)"});
      case 13: return in + Of({".getValue()", ".join(',')", ".join()", ".resolve()", ".extension('http://x/q').value", ".extension(url)", ".children()", ".descendants()"});
      case 14: return in + "." + Of({"value", "extension", "id", "code", "coding", "given", "use", "low", "text", "system"});
      default: return in + ".select(" + Of({"$this", "$index", "toString()", "value", "id | use", "$this + 1", "value.as(Quantity)"}) + ")";
    }
  }

  std::string Lambda(int depth) {
    return Of({"$this = 'Peter'", "$index < 2", "use = 'usual'", "value > 1", "$this is string", "value is Quantity", "rank.exists()", "true", "{}", "code.text = 'a'",
               "$this ~ 'jim'", "$this.length() > 3", "url.endsWith('q')"}) +
           (depth > 0 && Below(3) == 0 ? " " + Of({"and", "or", "xor", "implies"}) + " " + Truth(depth - 1) : "");
  }

  std::string Type() {
    return Of({"string", "code", "Patient", "Quantity", "Resource", "DomainResource", "Element", "BackboneElement", "System.String", "System.Boolean", "System.Integer",
               "boolean", "integer", "FHIR.dateTime", "date", "Extension", "HumanName", "Organization", "decimal", "System.Decimal", "System.Quantity", "Coding", "uri"});
  }

  // Values close to each other, so that comparisons and searches meet.
  std::string Near() {
    auto digits = [&](unsigned least, unsigned most) { return std::to_string(least + Below(most - least + 1)); };
    if (unsigned kind = Below(5); kind < 2) {
      std::string text = "'";
      for (unsigned n = Below(6); n > 0; --n) {
        text += Of({"a", "b", "b", "c", "A", " ", "\u00e9", "1"});
      }
      return text + "'";
    } else if (kind == 2) {
      return Of({"", "", "-"}) + digits(0, 3) + Of({"", "", ".5", ".25", ".50", ".05", ".500", ".0"});
    } else if (kind == 3) {
      return digits(0, 40) + Of({" 'g'", " 'mg'", " 'kg'", " days", " 'd'", " hours", " 'h'", " weeks", " months", " years", " seconds", ".5 'cm'", ".5 'm'"});
    }
    return NearMoment();
  }
  std::string NearMoment() {
    auto two = [&](unsigned least, unsigned most) {
      std::string text = std::to_string(least + Below(most - least + 1));
      return text.size() == 1 ? "0" + text : text;
    };
    std::string date = "@201" + std::to_string(1 + Below(3)), time = two(9, 11);
    unsigned date_parts = Below(4) != 0 ? 2 : Below(2), time_parts = Below(4);
    date += date_parts > 0 ? "-" + two(1, 3) : "";
    date += date_parts > 1 ? "-" + two(26, 28) : "";
    time += time_parts > 0 ? ":" + two(0, 2) : "";
    time += time_parts > 1 ? ":" + two(58, 59) : "";
    time += time_parts > 2 ? Of({".5", ".500", ".123", ".0"}) : "";
    return Below(4) == 0 ? "@T" + time : date_parts < 2 || Below(4) == 0 ? date + Of({"", "T"}) : date + "T" + time + Of({"", "", "Z", "+01:00", "-01:00"});
  }

  std::string Literal() {
    if (Below(2) == 0) {
      return Near();
    }
    switch (Below(6)) {
      case 0: return Of({"''", "'a'", "'abc'", "'A  b '", "'\\u00e9\\u6f22x'", "'12'", "'1.50'", "'-7'", "'true'", "'N'", "'2015-02-07'", "'14:30:01.5'", "'10 \\'mg\\''", "'4 days'",
                         "'a,b,,c'", "'&lt;x&amp;'", "'aGk='", "'ff00'", "'\\\\u00e9\\\\n'", "'1e3'", "'2015-02-07T10:00:00+01:00'", "'20150207'", "'  4   '"});
      case 1: return Of({"0", "1", "2", "-3", "7", "12", "100", "2147483647", "(-2147483648)", "1000000"});
      case 2: return Of({"0.0", "1.0", "1.50", "-0.5", "3.14159", "0.001", "2.5", "-2.5", "99999999999999999999.5", "0.0000000000000000000000000001",
                         "12345678901234567890123456789.25", "123456.789", "170141183460469231731687303715884105727.0"});
      case 3: return Of({"@2012", "@2012-02", "@2012-02-29", "@2015-02-07", "@2012T", "@2012-02T", "@2012-02-29T", "@2015-02-07T13", "@2015-02-07T13:28", "@2015-02-07T13:28:17",
                         "@2015-02-07T13:28:17.239", "@2015-02-07T13:28:17Z", "@2015-02-07T13:28:17.239+02:00", "@2015-02-07T23:59:59-05:00", "@T10", "@T10:30", "@T10:30:00", "@T23:59:59.999",
                         "@0001-01-01", "@9999-12-31", "@1974-12-25T14:35:45-05:00"});
      case 4: return Of({"1 year", "2 months", "3 weeks", "10 days", "1 day", "36 hours", "90 minutes", "61 seconds", "1500 milliseconds", "1.5 's'", "1 'wk'", "7 'd'", "2 'a'", "10 'mg'",
                         "0.01 'g'", "1.0 'kg'", "185 '[lb_av]'", "5 '%'", "3 'furlong'", "0.5 '1'", "12 months", "-1 month", "30 days"});
      default: return Of({"true", "false", "{}"});
    }
  }

  std::string Text(int depth) {
    if (depth <= 0) {
      return Below(2) == 0 ? "'" + Of({"a", "b", "ab", "abc", "bc", "c", "aabb"}) + "'" : Of({"'abc'", "''", "'A b'", "'x\\u00e9y'", "name.given.first()", "gender", "status", "birthDate", "code.text", "'1.50'", "'aXbXc'"});
    }
    std::string in = Paren(Text(depth - 1));
    switch (Below(16)) {
      case 0: return in + Of({".upper()", ".lower()", ".trim()", ".escape('html')", ".unescape('html')", ".escape('json')", ".unescape('json')", ".encode('hex')", ".decode('hex')",
                              ".encode('base64')", ".decode('base64')", ".encode('urlbase64')", ".decode('urlbase64')", ".encode('x')", ".uriEscape()"});
      case 1: return in + ".substring(" + Number(depth - 1) + Of({")", ", 2)", ", 0)", ", -1)", ", {})"});
      case 2: return in + ".replace(" + Text(depth - 1) + ", " + Text(depth - 1) + ")";
      case 3: return Paren(in + Of({" + ", " & "}) + Text(depth - 1));
      case 4: return Paren(Any(depth - 1)) + ".toString()";
      case 5: return in + ".replaceMatches(" + Regex() + ", " + Of({"'-'", "''", "'<$0>'", "'$1$1'", "'\\\\\\\\'", "'$9'", "{}"}) + Of({")", ")", ", 'i')", ", 'm')"});
      case 6: return Paren(Any(depth - 1)) + ".join(" + Of({"", "','", "''"}) + ")";
      default: return Below(2) == 0 ? Literal() : in;
    }
  }

  std::string Regex() {
    return Of({"'a'", "'[a-c]+'", "'b*'", "'(a|ab)(c|bcd)?'", "'^a'", "'c$'", "'\\\\d+'", "'[^a-z]'", "'(?:x|y){2,3}?'", "'\\\\b'", "'.'", "''", "'(a*)*b?'", "'[A-Z]\\\\w'",
               "'\\\\s+'", "'(.)(.)'", "'x?'", "'(a?)(b?)(c?)'", "'(^|b)c'", "'\\u00e9'", "{}", "'[\\\\d-]'", "'[]x]'", "'k|s'"});
  }

  std::string Number(int depth) {
    if (depth <= 0) {
      return Of({"0", "1", "2", "5", "1.5", "-2.50", "0.1", "multipleBirth", "telecom.rank.first()", "3", "10"});
    }
    std::string in = Paren(Number(depth - 1));
    switch (Below(14)) {
      case 0:
      case 1: return Paren(in + Of({" + ", " - ", " * ", " / ", " div ", " mod "}) + Number(depth - 1));
      case 2: return in + Of({".abs()", ".ceiling()", ".floor()", ".truncate()", ".round()", ".round(1)", ".round(3)", ".sqrt()", ".power(2)", ".power(3)", ".power(0)", ".precision()",
                              ".lowBoundary()", ".highBoundary()", ".lowBoundary(3)", ".highBoundary(2)", ".lowBoundary(30)", ".highBoundary(0)"});
      case 3: return "-" + in;
      case 4: return Paren(Any(depth - 1)) + Of({".count()", ".toInteger()", ".toDecimal()", ".length()", ".precision()"});
      case 5: return Paren(Text(depth - 1)) + Of({".indexOf(", ".lastIndexOf("}) + Text(depth - 1) + ")";
      case 6: return Paren(Of({"1", "2", "0.5", "3.7", "10", "0"})) + Of({".exp()", ".ln()", ".log(2)", ".log(10)", ".power(0.5)", ".power(-2)", ".sqrt()"});
      default: return Literal();
    }
  }

  std::string Moment(int depth) {
    if (depth <= 0) {
      return Of({"@2012-02-29", "@2015-02-07T13:28:17Z", "@T10:30", "birthDate", "issued", "effective", "@2012", "identifier.period.start"});
    }
    std::string in = Paren(Moment(depth - 1));
    switch (Below(8)) {
      case 0: return Paren(in + Of({" + ", " - "}) + Quantity(depth - 1));
      case 1: return Paren(Of({"@2012-01-31", "@2012-02-29", "@2011-12-31T23:59:59.5", "@2012-03-31T00:00Z", "@T23:59:59.5", "@2012-10"}) + Of({" + ", " - "}) +
                           Of({"1 month", "1 year", "4 years", "13 months", "1 day", "25 hours", "1.5 seconds", "600 milliseconds", "40 days", "61 minutes", "5 weeks"}));
      case 2: return in + Of({".lowBoundary()", ".highBoundary()", ".lowBoundary(6)", ".highBoundary(8)", ".lowBoundary(17)", ".highBoundary(9)", ".lowBoundary(5)", ".highBoundary(10)"});
      case 3: return Paren(Any(depth - 1)) + Of({".toDate()", ".toDateTime()", ".toTime()"});
      default: return Literal();
    }
  }

  std::string Quantity(int depth) {
    if (depth <= 0) {
      return Of({"1 year", "3 days", "1.5 'mg'", "90 minutes", "value", "component.value.first()", "2 weeks", "36 'h'"});
    }
    std::string in = Paren(Quantity(depth - 1));
    switch (Below(9)) {
      case 0: return Paren(in + Of({" + ", " - ", " * ", " / "}) + Of({"2", "1 'g'", "3 days"}));
      case 1: return Paren(Any(depth - 1)) + ".toQuantity(" + Of({"", "'mg'", "'g'", "'days'", "'1'", "(1 | 2)"}) + ")";
      case 2: return in + Of({".abs()", ".lowBoundary()", ".highBoundary(2)"});
      case 3: return Paren("-" + in);
      default: return Literal();
    }
  }

  std::string Truth(int depth) {
    if (depth <= 0) {
      return Of({"true", "false", "{}", "active", "deceased", "name.exists()", "1 = 1", "value is Quantity"});
    }
    std::string a = Any(depth - 1);
    switch (Below(14)) {
      case 0:
      case 1: return Paren(a + Of({" = ", " != ", " ~ ", " !~ "}) + Any(depth - 1));
      case 2:
      case 3: return Below(2) == 0 ? Paren(NearMoment() + Of({" < ", " <= ", " > ", " >= ", " = ", " ~ "}) + NearMoment()) : Paren(a + Of({" < ", " <= ", " > ", " >= "}) + Any(depth - 1));
      case 4: return Paren(Truth(depth - 1) + Of({" and ", " or ", " xor ", " implies "}) + Truth(depth - 1));
      case 5: return Paren(a + Of({" in ", " contains "}) + Many(depth - 1));
      case 6: return Paren(a) + Of({".exists()", ".empty()", ".not()", ".hasValue()", ".isDistinct()", ".allTrue()", ".anyTrue()", ".allFalse()", ".anyFalse()"});
      case 7: return Paren(a) + Of({".convertsToBoolean()", ".convertsToInteger()", ".convertsToDecimal()", ".convertsToString()", ".convertsToDate()", ".convertsToDateTime()",
                                    ".convertsToTime()", ".convertsToQuantity()", ".convertsToQuantity('g')", ".convertsToQuantity((1 | 2))", ".toBoolean()"});
      case 8: return Paren(a) + Of({".startsWith(", ".endsWith(", ".contains("}) + Text(depth - 1) + ")";
      case 9: return Paren(a) + Of({".subsetOf(", ".supersetOf("}) + Any(depth - 1) + ")";
      case 10: return Paren(Nodes(depth - 1)) + Of({".all(", ".exists("}) + Lambda(depth - 1) + ")";
      case 11: return Paren(a + " is " + Type());
      case 12: return Paren(Text(depth - 1)) + Of({".matches(", ".matchesFull("}) + Regex() + Of({")", ", 'i')"});
      default: return Paren(Quantity(depth - 1)) + ".comparable(" + Quantity(depth - 1) + ")";
    }
  }

  std::mt19937 random_;
};

uint64_t Setting(const char* variable, uint64_t otherwise) {
  const char* value = std::getenv(variable);
  return value != nullptr ? std::strtoull(value, nullptr, 10) : otherwise;
}

TEST(FhirPathRandom, NativeCodeSaysWhatTheInterpreterSays) {
  auto until = std::chrono::steady_clock::now() + std::chrono::seconds(Setting("WEIR_ENGINES_SECONDS", 8));
  auto seed = static_cast<uint32_t>(Setting("WEIR_ENGINES_SEED", 1));
  BothEngines engines;
  std::vector<std::unique_ptr<Input>> inputs;
  for (const char* json : {kPatient, kObservation}) {
    auto input = engines.ReadInput(json);
    ASSERT_TRUE(input.ok()) << input.error().message;
    inputs.push_back(std::move(*input));
  }
  size_t compared = 0, with_items = 0, errors = 0, not_lowered = 0, unread = 0;
  for (uint32_t batch = 0; batch == 0 || std::chrono::steady_clock::now() < until; ++batch, ++seed) {
    Maker maker(seed);
    const Input* input = inputs[seed % inputs.size()].get();
    ir::Module module;
    std::vector<std::string> texts;
    std::vector<lower::Expression> expressions;
    for (int i = 0; i < kPerBatch; ++i) {
      std::string text = maker.Any(1 + i % 4);
      int64_t slots = 0;
      if (ir::Node* node = engines.Translate(text, input, module, &slots)) {
        texts.push_back(text);
        expressions.push_back({node, slots});
      } else {
        ++unread;
      }
    }
    auto compiled = engines.Compile(module, expressions, seed % 4 == 0);
    ASSERT_TRUE(compiled.ok()) << "batch " << seed << ": " << compiled.error().message;
    for (size_t i = 0; i < expressions.size(); ++i) {
      weir_expression_fn native = (*compiled)->at(i);
      if (native == nullptr) {
        ++not_lowered;
        continue;
      }
      std::string expected = engines.Interpret(module, expressions[i], input), got = engines.Execute(native, input);
      EXPECT_EQ(got, expected) << "batch " << seed << ": " << texts[i];
      ++compared;
      errors += expected == "error" ? 1 : 0;
      with_items += expected != "error" && !expected.empty() ? 1 : 0;
    }
    if (HasFailure()) {
      break;
    }
  }
  std::printf("%zu expressions compared, %zu with items, %zu errors, %zu not lowered, %zu not read\n", compared, with_items, errors, not_lowered, unread);
  EXPECT_GT(with_items, compared / 5);  // else the expressions say too little
  EXPECT_GT(errors, 0u);
}

// Division of 128 bits, floating point, copies: whatever LLVM would call a library for must come from the helpers.
TEST(FhirPathRandom, NativeCodeNeedsNothingFromItsProcess) {
  BothEngines engines;
  auto input = engines.ReadInput(kPatient);
  ASSERT_TRUE(input.ok());
  ir::Module module;
  std::vector<lower::Expression> expressions;
  Maker maker(1);
  for (int i = 0; i < kPerBatch; ++i) {
    int64_t slots = 0;
    if (ir::Node* node = engines.Translate(maker.Any(1 + i % 4), input->get(), module, &slots)) {
      expressions.push_back({node, slots});
    }
  }
  std::string folder = ::testing::TempDir();
  for (const char* triple : {"x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"}) {
    lower::LowerOptions how;
    how.triple = triple;
    how.cpu = std::string(triple).starts_with("x86") ? "x86-64-v2" : "generic";
    auto compiled = lower::CompileExpressions(module, expressions, nullptr, how);
    ASSERT_TRUE(compiled.ok()) << triple << ": " << compiled.error().message;
    std::string object = folder + "weir-" + triple + ".o";
    std::ofstream(object, std::ios::binary) << compiled->object;
    std::string link = "ld.lld-19 -shared --no-undefined -o " + folder + "weir-" + triple + ".so " + object;
    EXPECT_EQ(std::system(link.c_str()), 0) << link;  // NOLINT(cert-env33-c): names of our own making
  }
}

}  // namespace
}  // namespace weir::fhirpath_suite
