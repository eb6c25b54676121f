/*
 * given -- what service principals are given by rules: the part that secrets, tokens on their behalf and federation policies
 * share.
 *
 * An item stands for all that one service principal was given of a kind at a target, a row for one such thing, found by the
 * id that Databricks knows it by. Holdings say which rows are ours. A service principal that is yet to be made has an item
 * too, without an id, so that a plan shows what it is going to have; nothing is read or written for it, and when the
 * principal is there its item is made anew.
 *
 * Private to sync/access/. Everything belongs to the loop thread.
 */
#ifndef L2D_SYNC_ACCESS_GIVEN_H
#define L2D_SYNC_ACCESS_GIVEN_H

#include "databricks/listing.h"
#include "rules/access.h"
#include "sync/access/item.h"

/* The head of each kind's own row. */
struct given_row {
	char *id;
	bool there, held;
};

/* Which kind of thing; one constant each. */
struct given_kind {
	const struct item_class *class;
	const char *prefix; /* of the keys of its items: "secret" */
	size_t item_size, row_size;
	void (*release_row)(
			struct given_row *row); /* what the kind allocated in it; NULL: nothing */
	/* Of what has a list of its own for each service principal; else NULL. The list was read whole. */
	void (*take)(struct item_work *work, const void *records, size_t count);
};

/* The head of each kind's own item. */
struct given_item {
	struct item item; /* first; id: of the service principal, NULL: it is not made yet */
	const struct given_kind *kind;
	char *owner; /* key of a principal that is not made yet; else NULL */
	VEC(struct given_row *) rows;
	struct listing *listing; /* under way */
};

struct given_item *given_of(struct item *item);

/* ---- rows ---- */
struct given_row *given_find(const struct given_item *set, const char *id); /* NULL: none */
struct given_row *given_make(struct given_item *set, const char *id);       /* finds or makes */
void given_sweep(struct given_item *set); /* those that are neither there nor ours */
size_t given_count_held(const struct item *item);
void given_drop(struct access *access, struct given_item *set, struct given_row *row);
/* The row of that id was removed: for settle. */
void given_removed(struct access *access, struct item *item, const char *id);

/* ---- reading ---- */
/*
 * begin, then `there` is set for each row that was read, then end: what is not there is not ours any more. true: inside the
 * window after a write, in which what we hold is the truth.
 */
bool given_begin_reading(struct given_item *set);
void given_end_reading(struct access *access, struct given_item *set);
/* What a listing calls when it is done; context: the work. */
void given_listed(void *context, const void *records, size_t count, const struct err *err_or_null);
/* With the service principal all is gone. */
void given_forget_all(struct item_work *work);

/* ---- items ---- */
/* Finds or makes that of a service principal with that SCIM id, which a stored holding or an open intent names. */
struct item *given_item(struct access *access, const struct given_kind *kind, unsigned target,
		const char *id, const char *name);
/* That of the principal, if it is wanted or there already; marked. */
void given_item_changed(struct access *access, const struct given_kind *kind, unsigned target,
		const struct object *object, bool wanted);
/* What its places are filled with, as far as it is known. */
struct sink_values given_values(const struct item *item, const struct object *owner);
/* The principal of the item; NULL: not known (any more). */
const struct object *given_owner(const struct access *access, const struct item *item);
/* What the rule of that service principal, ours or to be made, says beside it; NULL: nothing, or it leaves. */
const struct service_rule *given_rule(const struct access *access, const struct object *object);
/* The same of what belongs to the account: that of each service principal that has, or should have, something of the kind. */
void given_account_changed(struct access *access, const struct given_kind *kind,
		const struct object *object,
		bool (*asks)(const struct access *access, const struct object *object));
/* Whether the principal is there and ours, so that it can be given something. */
bool given_owner_is_ready(const struct access *access, const struct item *item);

void given_cancel(struct item *item);
void given_release(struct item *item); /* cancels; for item_class.release */

#endif
