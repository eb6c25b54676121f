/*
 * rules_schema -- whether what the parser takes is what the JSON Schemas for editors take.
 */
#ifndef L2D_TESTS_RULES_SCHEMA_H
#define L2D_TESTS_RULES_SCHEMA_H

/* The test fails unless the schema (config_schema, mapping_schema) takes the YAML text. */
void schema_must_accept(const char *schema, const char *yaml);

#endif
