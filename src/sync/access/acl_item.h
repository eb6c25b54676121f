/* acl_item -- the inside of an access control list's item, shared by acl.c, acl_plan.c, acl_read.c, acl_work.c and acl_settle.c. */
#ifndef L2D_SYNC_ACCESS_ACL_ITEM_H
#define L2D_SYNC_ACCESS_ACL_ITEM_H

#include "databricks/permission.h"
#include "sync/access/acl.h"
#include "sync/access/permission_index.h"

#define ACL_SECOND_LOOK_NS (2 * SECOND_NS)
#define ACL_OWNER "IS_OWNER"
#define ACL_MANAGE "CAN_MANAGE"

/* One principal on the object. */
struct acl_row {
	char *key; /* "group/FOLDED NAME" */
	enum principal_kind kind;
	char *name; /* in the service's spelling, if it was there; else the rule's */
	char *direct, *inherited, *from; /* as read or written; NULL: none */
	char *held;                      /* our level; NULL: not ours */
	char *former;                    /* with held: what comes back on removal; NULL: nothing */
	char *gone; /* the level that we took away last: a read that still shows it a moment later lags */
	uint64_t refused_until_ns; /* the workspace did not know the principal; 0: not */
	unsigned refusals;
};

struct acl_item {
	struct item item; /* first */
	char *path, *creator;
	char *listed_name; /* what a selector's name is compared with; the item's own name is for people */
	struct tag *tags; /* owned texts */
	size_t tag_count;
	uint64_t round;           /* of the finder's look that met it last */
	bool described;           /* some look told more of it than the id that a rule names */
	bool unreadable;          /* entries that we cannot write back: nothing can be replaced */
	VEC(struct acl_row) rows; /* by key, ascending */
	bool gone;                /* the object was not found, twice */
	bool verify;              /* an answer did not show what was written */
	unsigned unseen;          /* so many times in a row reads did not show it either */
	bool unsupported;         /* the workspace does not offer the type (now) */
	bool named;               /* a rule selects it by its id */
	unsigned late;            /* so many times in a row a read lagged behind our writes */
	bool owner_retried;       /* in this write */
};

extern const struct item_class acl_class;

struct acl_row *acl_row(struct acl_item *acl, const char *key); /* NULL: none */
struct acl_row *acl_row_make(struct acl_item *acl, const char *key, const char *name);
enum principal_kind acl_kind_of_key(const char *key);
/* Rows with nothing in them go; whether the item still matters. */
void acl_sweep(struct access *access, struct acl_item *acl);
void acl_facts(const struct acl_item *acl, struct securable_facts *ret);

/* ---- acl_plan.c ---- */
void acl_plan(struct access *access, struct item *item, struct arena *arena, struct item_plan *ret);

/* ---- acl_read.c ---- */
bool acl_read_next(struct item_work *work);
bool acl_failed(struct item_work *work);
/* Digest of how a list differs from what is ours and, for a while, from what we took away; 0: it does not. */
uint64_t acl_difference(const struct acl_item *acl, const struct acl *list);
/* So short a time after a write of ours that reads may lag. */
bool acl_is_fresh(const struct acl_item *acl);
void acl_drop_hold(struct access *access, struct acl_item *acl, struct acl_row *row);

/* ---- acl_work.c ---- */
void acl_choose(struct item_work *work, const struct item_plan *plan);
bool acl_write_next(struct item_work *work);
bool acl_again(struct item_work *work);

/* ---- acl_settle.c ---- */
void acl_settle(struct access *access, struct item *item, const struct operation *op);
bool acl_shows(struct item *item, const struct operation *op);

#endif
