/* A FHIR resource as kernels read it: JSON nodes in document order with element names and FHIR types resolved. Plain C
 * layout, like the v2 index: built outside the kernel (runtime/fhir/reader.h), read inside it. */
#ifndef WEIR_FHIR_TAPE_H_
#define WEIR_FHIR_TAPE_H_

#include <stdint.h>

#define WEIR_FHIR_NONE 0xFFFFFFFFu

enum weir_fhir_kind {
  WEIR_FHIR_NULL = 0,
  WEIR_FHIR_BOOLEAN = 1,
  WEIR_FHIR_NUMBER = 2,
  WEIR_FHIR_STRING = 3,
  WEIR_FHIR_ARRAY = 4,
  WEIR_FHIR_OBJECT = 5
};

/* How a type's JSON value becomes a System value. */
enum weir_fhir_class {
  WEIR_FHIR_COMPLEX = 0,
  WEIR_FHIR_PRIMITIVE = 1, /* by the JSON kind: Boolean, Decimal or String */
  WEIR_FHIR_INTEGER = 2,
  WEIR_FHIR_DATE = 3,
  WEIR_FHIR_DATETIME = 4,
  WEIR_FHIR_TIME = 5,
  WEIR_FHIR_QUANTITY = 6
};

struct weir_fhir_name {
  const uint8_t* p;
  uint32_t n;
};

struct weir_fhir_type {
  struct weir_fhir_name name; /* "Patient", "string", "Patient.contact"; "" unknown */
  uint32_t base;              /* what it derives from, or WEIR_FHIR_NONE */
  uint32_t primitive;         /* weir_fhir_class */
};

struct weir_fhir_node {
  const uint8_t* text; /* string: decoded; number: as written; boolean: true or false */
  uint32_t text_size;
  uint32_t member;      /* name: the JSON member; of no member: 0 */
  uint32_t element;     /* name: the element it is (`value` for `valueQuantity`); 0: no element (`resourceType`) */
  uint32_t type;        /* of the value; of a `_name` object: of its primitive */
  uint32_t first, next; /* child and sibling in the document, 0 none */
  uint32_t partner;     /* of a member: `_name` beside `name`; 0 none */
  uint8_t kind;         /* weir_fhir_kind */
  uint8_t alone;        /* 1: a `_name` whose `name` was not sent */
  uint8_t unused[2];
};

struct weir_fhir_tape {
  uint32_t struct_size;
  uint32_t node_count;
  const struct weir_fhir_node* nodes; /* the first is the resource */
  const struct weir_fhir_name* names; /* the first is empty */
  const struct weir_fhir_type* types;
};

#endif /* WEIR_FHIR_TAPE_H_ */
