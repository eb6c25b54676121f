/*
 * scim_render -- principals as SCIM shows them, at account level or in one workspace.
 */
#ifndef SIM_SCIM_RENDER_H
#define SIM_SCIM_RENDER_H

#include "sim.h"

/* From where one looks. */
struct scope {
	struct sim *sim;
	struct workspace *workspace; /* NULL: the account */
	bool newer;                  /* version 2.1 */
};

/* One principal seen from a scope: what filters and sorting look at. */
struct shown {
	const struct scope *scope;
	const struct principal *who;
};
const char *shown_value(const void *shown, enum attr attr, size_t n); /* a filter_value_fn */

bool scope_sees(const struct scope *scope, const struct principal *who);
const char *kind_collection(enum kind kind); /* "Users" */
bool shown_active(const struct scope *scope, const struct principal *who);

/* The object, with the attributes of the mask; empty ones are left out. in_list: an account list hides members. */
void render_principal(struct buf *out, const struct scope *scope, const struct principal *who,
		uint32_t attributes, bool in_list);
/* The caller of /Me: a service principal in the clothes of a user. */
void render_me(struct buf *out, const struct scope *scope, const struct principal *who,
		uint32_t attributes);

#endif
