/* Compiled FHIRPath expressions over a FHIR resource: what an object made by lower::CompileExpressions exports as
 * `weir_expressions_v1`. Ownership and statuses as in weir_kernel.h. */
#ifndef WEIR_EXPRESSION_H_
#define WEIR_EXPRESSION_H_

#include "runtime/abi/weir_kernel.h"

#ifdef __cplusplus
extern "C" {
#endif

struct weir_fhir_tape; /* runtime/fhir/tape.h */

/* Evaluates over the tape (null: no context). WEIR_OK: output->bytes holds the items, each as type name and text, both
 * preceded by their size as u32 little-endian ("System.Decimal", "1.50"). WEIR_REJECTED: FHIRPath calls it an error. */
typedef weir_status (*weir_expression_fn)(const struct weir_fhir_tape*, weir_output*);

typedef struct weir_expressions {
  uint32_t abi_version, count;
  const weir_expression_fn* expressions; /* null where one could not be lowered */
} weir_expressions;

#ifdef __cplusplus
}
#endif
#endif /* WEIR_EXPRESSION_H_ */
