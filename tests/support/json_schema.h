/*
 * json_schema -- checks a value against a JSON Schema: as much of the standard as our own schemas use.
 */
#ifndef L2D_TESTS_JSON_SCHEMA_H
#define L2D_TESTS_JSON_SCHEMA_H

#include <jansson.h>
#include <stdbool.h>

/* A keyword that this does not know makes it fail, so that none is passed over. */
bool json_schema_accepts(const json_t *schema, const json_t *value);

#endif
