/*
 * rule_set_row -- the inside of a rule set's item, shared by rule_set_*.c: who has which role on it, as read and as ours.
 *
 * Rule sets name principals, so a group that is renamed reads as another one: of each entry of a group that is ours its id
 * is kept, and the entry follows the group's name.
 *
 * Private to sync/access. Everything belongs to the loop thread.
 */
#ifndef L2D_SYNC_ACCESS_RULE_SET_ROW_H
#define L2D_SYNC_ACCESS_RULE_SET_ROW_H

#include "databricks/rule_set.h"
#include "sync/access/rule_set_item.h"

/* One grant's role on one group or service principal, or of the account. All but node and role borrowed until the next set
 * of that node. */
struct rule_want {
	node_id node;
	enum rule_set_kind of_kind;
	const char *of_name;
	const char *role; /* static */
	const struct grant_rule *grant;
};
struct rule_book {
	VEC(struct rule_want) wants;
};

/* One principal in one role. */
struct rule_row {
	char *key;  /* "roles/group.manager/group/FOLDED NAME" */
	char *role; /* "roles/group.manager" */
	enum principal_kind kind;
	char *name;
	uint64_t id;               /* held ones of groups: the group's; 0: not known */
	bool there;                /* as read or written */
	bool held;                 /* ours */
	uint64_t refused_until_ns; /* Databricks did not take the change; 0: not */
	unsigned refusals;
	char *refusal; /* what it said; NULL */
};
struct rule_set_item {
	struct item item; /* first */
	enum rule_set_kind of_kind;
	unsigned conflicts; /* writes in a row that met another writer's */
	char *etag;         /* of our last write; NULL */
	bool single;        /* a write of several entries was refused: one at a time */
	VEC(struct rule_row) rows;
};

/* ---- rule_set_row.c ---- */
struct rule_set_item *rule_set_of_item(struct item *item);
char *rule_row_key(const char *role, enum principal_kind kind,
		const char *name);                                          /* caller's, mem_free */
struct rule_row *rule_row_find(struct rule_set_item *set, const char *key); /* NULL: none */
struct rule_row *rule_row_make(struct rule_set_item *set, const char *role,
		enum principal_kind kind, const char *name); /* finds, or makes */
void rule_rows_sweep(struct rule_set_item *set); /* those neither there nor ours nor refused go */
void rule_row_hold(struct access *access, struct rule_set_item *set, struct rule_row *row);
void rule_row_drop_hold(struct access *access, struct rule_set_item *set, struct rule_row *row);
/* Entries of groups that were renamed get their new names. Rows may move. */
void rule_rows_follow_names(struct access *access, struct rule_set_item *set);

/* ---- rule_set_find.c: whose rule set, and who is meant ---- */
struct rule_set_found {
	const char *id;      /* that its rule set is named by; in arena; NULL: not known (yet) */
	const char *several; /* in arena; application ids of all that have the name, and id is NULL */
};
/* name: of RULE_SET_ACCOUNT not looked at. */
struct rule_set_found rule_set_find(const struct access *access, enum rule_set_kind kind,
		const char *name, struct arena *arena);
/* "account", "group", "service_principal"; static. */
const char *rule_set_kind_name(enum rule_set_kind kind);
enum rule_set_kind rule_set_kind_of(enum principal_kind kind);        /* no user's */
enum principal_kind rule_set_principal_kind(enum rule_set_kind kind); /* not the account's */

/* ---- rule_set_plan.c ---- */
void rule_set_plan(struct access *access, struct item *item, struct arena *arena,
		struct item_plan *ret);

/* ---- rule_set_work.c ---- */
bool rule_set_read_next(struct item_work *work);
void rule_set_choose(struct item_work *work, const struct item_plan *plan);
bool rule_set_write_next(struct item_work *work);
void rule_set_settle(struct access *access, struct item *item, const struct operation *op);
bool rule_set_again(struct item_work *work);
bool rule_set_failed(struct item_work *work);
bool rule_set_shows(struct item *item, const struct operation *op);

#endif
