/*
 * statements -- the SQL of every record: how a batch becomes rows.
 */
#ifndef L2D_STORE_STATEMENTS_H
#define L2D_STORE_STATEMENTS_H

#include "store/batch.h"

#define STATEMENTS_PER_RECORD 2

/*
 * Run one after the other, NULL: none. ?n is the n-th value of the record as batch.c adds them, but
 * for RECORD_ADD_AUDIT, whose sequence and hash the writer adds.
 */
extern const char *const record_sql[RECORD_KIND_COUNT_][STATEMENTS_PER_RECORD];

#endif
