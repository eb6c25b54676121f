/*
 * scim -- SCIM requests (RFC 7644) as Databricks answers them, at account level and in a workspace.
 *
 * scim_handle looks at the request and calls scim_read (GET), scim_create (POST) or scim_change (PUT, PATCH, DELETE).
 * Each fills the answer, refusals included.
 */
#ifndef SIM_SCIM_H
#define SIM_SCIM_H

#include "scim_render.h"

#define LIST_COUNT_MAX 10000
#define FILTER_NODES_MAX_NEWER 200
#define NAME_BYTES_MAX 256

/* tail: what stands behind ".../scim/v2" in the path. Lock held: for writing unless it is a GET. */
void scim_handle(struct request *request, const struct scope *scope, char *const *tail,
		size_t count, struct answer *answer);

void scim_read_list(struct request *request, const struct scope *scope, enum kind kind,
		struct answer *answer);
void scim_read_one(struct request *request, const struct scope *scope, enum kind kind,
		const char *id, struct answer *answer);
void scim_read_me(struct request *request, const struct scope *scope, struct answer *answer);
void scim_create(struct request *request, const struct scope *scope, enum kind kind, json_t *body,
		struct answer *answer);
void scim_put(struct request *request, const struct scope *scope, struct principal *who,
		json_t *body, struct answer *answer);
void scim_patch(struct request *request, const struct scope *scope, struct principal *who,
		json_t *body, struct answer *answer);
void scim_delete(struct request *request, const struct scope *scope, struct principal *who,
		struct answer *answer);

/* The sentence for an id that is not there. */
void scim_answer_missing(enum kind kind, const char *id, struct answer *answer);
uint32_t scim_parse_attributes(const struct request *request);

/* What a POST or PUT body says; texts are borrowed from it, absent and null are the same. */
struct resource {
	const char *user_name, *application_id, *display_name, *external_id;
	const char *given_name, *family_name, *email;
	bool has_active, active;
	json_t *members;
	struct json_texts roles;
	uint32_t entitlements;
};
MUST_CHECK bool resource_read(const json_t *body, enum kind kind, struct resource *ret,
		struct scim_problem *problem);
void resource_release(struct resource *resource);
MUST_CHECK bool entitlements_read(const json_t *value, uint32_t *ret, struct scim_problem *problem);

/*
 * Changes of one object that take effect as a whole or not at all. Begin, change, then end with commit or undo.
 * Membership is changed at once (later operations see it) and taken back by undo.
 */
struct change_edit {
	struct principal *group, *member;
	bool added;
};
struct change {
	struct request *request;
	const struct scope *scope;
	struct principal *who;
	struct scim_problem problem; /* why the last step was refused */
	struct principal *backup;    /* names, roles and seats before; no links */
	struct {
		struct change_edit *items;
		size_t count, room;
	} edits;
};
void change_begin(struct change *change, struct request *request, const struct scope *scope,
		struct principal *who);
void change_commit(struct change *change);
void change_undo(struct change *change);

/* Steps; each returns false with the problem set. An unknown member is dropped in silence. */
MUST_CHECK bool change_add_members(struct change *change, const json_t *value);
MUST_CHECK bool change_set_members(struct change *change, const json_t *value); /* NULL: none */
MUST_CHECK bool change_remove_members(struct change *change, const char *only); /* NULL: all */
MUST_CHECK bool change_display_name(struct change *change, const char *text);   /* NULL: unset */
void change_external_id(struct change *change, const char *text);
MUST_CHECK bool change_active(struct change *change, bool active);
MUST_CHECK bool change_set_roles(struct change *change, const struct json_texts *roles);
MUST_CHECK bool change_remove_role(struct change *change, const char *role);
void change_add_role(struct change *change, const char *role);
struct texts *change_roles(struct change *change);    /* of the account or of the workspace */
uint32_t *change_entitlements(struct change *change); /* scope is a workspace */
/* Whether names and members belong to another level than the one that the request came to. */
bool change_is_foreign(const struct change *change);
bool change_refuse_foreign_group(struct change *change);

#endif
