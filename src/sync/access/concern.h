/*
 * concern -- which items and operations are about one principal: its entries in access control lists and rule sets, its
 * tokens and secrets. For `sync user NAME` and its kin, and for `explain`.
 */
#ifndef L2D_SYNC_ACCESS_CONCERN_H
#define L2D_SYNC_ACCESS_CONCERN_H

#include "sync/access/item.h"

struct permission_want;

#define CONCERN_NAMES_MAX 4 /* userName, display name and application id; what a person called it */

struct concern {
	enum principal_kind kind;
	const char *object_key;              /* NULL: nobody of that name is known (yet) */
	const char *keys[CONCERN_NAMES_MAX]; /* "group/FOLDED NAME" */
	size_t count;
};

/* Of a principal that is known; texts in arena. */
void concern_of_object(struct engine *engine, const struct object *object, struct arena *arena,
		struct concern *ret);
/* An entry of his is ours or wanted on it, it holds his secrets, or its plan has an operation about him. */
bool concern_has_item(struct access *access, struct item *item, const struct concern *concern);
/* Whether a rule names him: where its objects are to be looked for. */
bool concern_has_want(const struct concern *concern, const struct permission_want *want);
/* Leaves of the plan what is about him: of operations with several members his part. */
void concern_keep(const struct access *access, const struct item *item,
		const struct concern *concern, struct arena *arena, struct item_plan *plan);

/* The one whom a command is about alone (engine_options.only_name); NULL: everybody. */
const struct concern *concern_only(struct access *access);
/* The command is about one principal, and the item has nothing of him: it is neither read nor planned. */
bool concern_skips(struct access *access, struct item *item);

/* ---- in the service: `sync user NAME` ---- */
/* What concerns the object is read and planned again, and objects are looked for that rules name for him. */
void concern_sync(struct access *access, const struct object *object);
struct concern_state {
	bool busy; /* something of it is under way, or objects are being looked for */
	const struct item *stuck; /* one that is quarantined; NULL: none */
};
/* Adds the operations about him, by whether they are held. */
void concern_report(struct access *access, const struct object *object, json_t *held,
		json_t *pending, struct concern_state *state);

#endif
