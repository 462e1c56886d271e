#include "tests/differential/fhirpath/suite.h"

#include <libxml/parser.h>

#include <memory>

namespace weir::fhirpath_suite {
namespace {

std::string Attribute(xmlNode* node, const char* name) {
  xmlChar* value = xmlGetProp(node, reinterpret_cast<const xmlChar*>(name));
  std::string text = value != nullptr ? reinterpret_cast<const char*>(value) : "";
  xmlFree(value);
  return text;
}

std::string Content(xmlNode* node) {
  xmlChar* value = xmlNodeGetContent(node);
  std::string text = value != nullptr ? reinterpret_cast<const char*>(value) : "";
  xmlFree(value);
  return text;
}

bool Is(xmlNode* node, const char* name) {
  return node->type == XML_ELEMENT_NODE &&
         std::string(reinterpret_cast<const char*>(node->name)) == name;
}

Case ReadCase(xmlNode* node, const std::string& group) {
  Case test;
  test.group = group;
  test.name = Attribute(node, "name");
  test.input = Attribute(node, "inputfile");
  test.strict = Attribute(node, "mode") == "strict";
  test.predicate = Attribute(node, "predicate") == "true";
  test.ordered = Attribute(node, "ordered") != "false";
  test.invalid = Attribute(node, "invalid");
  for (xmlNode* child = node->children; child != nullptr; child = child->next) {
    if (Is(child, "expression")) {
      test.expression = Content(child);
      std::string invalid = Attribute(child, "invalid");
      test.invalid = invalid.empty() ? test.invalid : invalid;
    } else if (Is(child, "output")) {
      test.outputs.push_back({Attribute(child, "type"), Content(child)});
    }
  }
  return test;
}

}  // namespace

Result<std::vector<Case>> ReadSuite(const std::string& xml_file) {
  std::unique_ptr<xmlDoc, void (*)(xmlDoc*)> document(
      xmlReadFile(xml_file.c_str(), nullptr, XML_PARSE_NONET), xmlFreeDoc);
  if (document == nullptr) {
    return Error{"cannot read the suite"};
  }
  std::vector<Case> cases;
  for (xmlNode* group = xmlDocGetRootElement(document.get())->children; group != nullptr;
       group = group->next) {
    if (!Is(group, "group")) {
      continue;
    }
    for (xmlNode* test = group->children; test != nullptr; test = test->next) {
      if (Is(test, "test")) {
        cases.push_back(ReadCase(test, Attribute(group, "name")));
      }
    }
  }
  return cases;
}

}  // namespace weir::fhirpath_suite
