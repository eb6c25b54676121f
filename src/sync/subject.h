/*
 * subject -- what the grants of all rules together give to one principal, by its Databricks name.
 * Pure.
 *
 * Rules about one principal are merged: the highest level per workspace, the union of entitlements
 * and roles; each part remembers the rule that it comes from first.
 */
#ifndef L2D_SYNC_SUBJECT_H
#define L2D_SYNC_SUBJECT_H

#include "directory/snapshot.h"
#include "rules/config.h"
#include "store/store.h"

struct wanted_grant {
	unsigned target; /* a workspace; for an account role the account */
	enum grant_kind kind;
	const char *value;
	struct why why;
};

struct subject {
	enum principal_kind kind;
	const char *name; /* as first written */
	const struct wanted_grant *grants;
	size_t count;
	struct why why; /* the first rule that names it; what it gives may be no grant of these: a role of a rule set */
	size_t index; /* for subjects_at */
	bool named;   /* a rule names it; false: one did */
	node_id node; /* whose identity has the name; NODE_NONE: nobody's */
	/* Some target has an object of its name alone; true until somebody looked. */
	bool has_named_object;
};

struct subjects;
/* Errors: ERR_CONFIG (a level ADMIN without an account, a role that fits no target). config is
 * borrowed. */
MUST_CHECK enum err_code subjects_new(
		const struct config *config, struct subjects **ret, struct err *err);
/*
 * Replaces the rules that hold for a directory group (those of the files: NODE_NONE). They are borrowed until the next call
 * for that node. A subject that no rule names any more stays, with named false and without grants.
 */
void subjects_set_node(struct subjects *subjects, node_id node, const struct grant_rule *rules,
		size_t count);
/* The node's identity has the subject's name (NULL: no subject's). Returns the subject if that is new, else NULL. */
const struct subject *subjects_stand_for(
		struct subjects *subjects, node_id node, const struct subject *subject);
void subjects_free(struct subjects *subjects);
const struct subject *subjects_find(const struct subjects *subjects, enum principal_kind kind,
		const char *name); /* NULL: no rule names it */
size_t subjects_count(const struct subjects *subjects);
void subjects_note_object(struct subjects *subjects, size_t index, bool has_named_object);
const struct subject *subjects_at(const struct subjects *subjects, size_t index);

#endif
