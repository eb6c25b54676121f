/*
 * report_internal -- what the report_*.c files share: small values as JSON, and who a name means.
 *
 * Private to sync/. JSON values are new references.
 */
#ifndef L2D_SYNC_REPORT_INTERNAL_H
#define L2D_SYNC_REPORT_INTERNAL_H

#include "sync/engine_state.h"

struct item;

json_t *report_text(const char *text); /* null for NULL; what is no UTF-8 is repaired */
json_t *report_time(int64_t wall_ms);  /* null for 0 */
json_t *report_error(const struct err *err);
const char *report_target(const struct engine *engine, unsigned target);
json_t *report_quarantine(const struct engine *engine, const struct object *object);
struct item;
json_t *report_quarantined_item(const struct engine *engine, const struct item *item);
json_t *report_decision(const struct decision *decision);
/* What is to be done about the object, appended to the two lists. */
void report_operations(struct engine *engine, struct object *object, json_t *held, json_t *pending);
/* Quarantined items are tried again: that of a "TARGET/KEY", NULL: all. Appended to retried; returns how many. */
size_t report_retry_items(struct engine *engine, const char *key, json_t *retried);
struct principal_read;
/* As engine_explain; read: what was read for the question, NULL: nothing was. */
MUST_CHECK enum err_code report_explain_read(const struct engine *engine, const char *who,
		const struct principal_read *read, json_t **ret, struct err *err);
/* Of two answers of report_explain_read. A new reference. */
json_t *report_diff_of(const json_t *a, const json_t *b);
/*
 * kind: PRINCIPAL_KIND_COUNT_ for any. All objects of one principal share a key; several keys are several principals.
 * Errors: ERR_NOT_FOUND, ERR_USAGE (several: the text lists them).
 */
MUST_CHECK enum err_code report_find(const struct engine *engine, enum principal_kind kind,
		const char *who, const char **ret_key, struct err *err);

#endif
