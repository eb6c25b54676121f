/*
 * evaluate -- an entry and its rule make an identity. Pure but for the Lua state that it owns.
 *
 * One evaluator belongs to one thread. Expressions run in a sandbox without standard library, with
 * an instruction and a memory limit per evaluation; a runaway one fails this evaluation, nothing
 * else.
 */
#ifndef L2D_RULES_EVALUATE_H
#define L2D_RULES_EVALUATE_H

#include "model/entry.h"
#include "model/identity.h"
#include "model/membership.h"
#include "rules/mapping.h"

#define EVALUATE_STEPS_MAX 1000000                   /* Lua instructions of one evaluation */
#define EVALUATE_BYTES_MAX ((size_t)8 * 1024 * 1024) /* Lua memory above the idle state */
#define EVALUATE_FIELD_MAX 256                       /* characters of a field; a longer one fails */

enum evaluation_result {
	EVALUATED,     /* identity is filled */
	EVALUATED_OUT, /* `when` is false: not in scope */
	EVALUATED_NIL, /* a user's userName, or the displayName of a group or service principal came out nil */
	EVALUATED_FAILED /* an expression failed: type error, limit, invalid UTF-8, `active` neither true nor false ... */
};
struct evaluation {
	enum evaluation_result result;
	struct identity identity; /* strings in the caller's arena */
	const char *reason;       /* NIL, FAILED: one sentence with file:line; in arena */
	bool read_groups; /* it asked in_group, whatever the result: evaluate again when the entry's groups change */
};

struct evaluator;
struct evaluator *evaluator_new(const struct mapping *mapping); /* borrowed */
void evaluator_free(struct evaluator *evaluator);

/*
 * Evaluates entry under the rule of search (purpose USERS, GROUPS or SERVICE_PRINCIPALS; others are always OUT).
 * externalId is the entry's anchor unless the rule says `external_id: none`. why.entry is the entry's DN.
 *
 * Nil and "" leave a field NULL. `when` follows Lua (nil and false are false), but the texts TRUE and FALSE, as
 * directories write booleans, mean what they say there and in `active`. The first value of an attribute is the smallest
 * one by bytes, and lists are sorted, because the order in which a server gives values is no content.
 */
void evaluate_entry(struct evaluator *evaluator, const struct search *search,
		const struct entry *entry, const struct membership *membership, struct arena *arena,
		struct evaluation *ret);

#endif
