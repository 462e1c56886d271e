weir_add_library(weir_check_expr SOURCES declarations.cpp expr.cpp key.cpp v2_path.cpp DEPS weir_ir weir_syntax weir_fhir weir_diag PRIVATE_DEPS fmt)
