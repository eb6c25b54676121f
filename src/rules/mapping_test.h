/*
 * mapping_test -- between the files that run `tests:`. Private to rules/.
 */
#ifndef L2D_RULES_MAPPING_TEST_H
#define L2D_RULES_MAPPING_TEST_H

#include "base/buf.h"
#include "rules/loader.h"

/* A test with `group:`: what differs from `gives:` into differences; nothing if it passes. */
void mapping_judge_grants(const struct mapping *mapping, struct evaluator *evaluator,
		const struct test *test, struct arena *arena, struct buf *differences);

#endif
