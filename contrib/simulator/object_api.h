/*
 * object_api -- objects over REST: one set of handlers for all types, told apart by their descriptions in
 * object_types.c, and the few things that a type has of its own.
 */
#ifndef SIM_OBJECT_API_H
#define SIM_OBJECT_API_H

#include "object.h"
#include "api.h"

/* Handlers: of is the kind. */
enum object_key { KEY_BY_TYPE, KEY_BY_ID, KEY_BY_NAME };
enum object_edit { EDIT_MERGE, EDIT_REPLACE };
void object_create(struct api_call *call);
void object_list(struct api_call *call);
void object_get(struct api_call *call);    /* variant: enum object_key */
void object_update(struct api_call *call); /* variant: enum object_edit */
void object_delete(struct api_call *call);

/*
 * A new object of the caller's from a create body (borrowed). id NULL: a new one. NULL: the refusal is in the answer.
 */
struct object *object_build(
		struct api_call *call, enum object_kind kind, json_t *body, const char *id);

/* The object that the path, query or body names; else a refusal is written and NULL returned. */
struct object *object_need(struct api_call *call, enum object_kind kind, enum object_key key);
void object_refuse_missing(struct api_call *call, enum object_kind kind, const char *id);

bool object_is_visible(const struct api_call *call, const struct object *object);
/* At least this level, or a refusal: what ("delete") stands in its text. */
bool object_may(struct api_call *call, const struct object *object, enum permission least,
		const char *what);

/* What GET (or a list) shows of it. The caller's. */
json_t *object_render(const struct api_call *call, const struct object *object, bool in_list);
/* Fills a new object's document: ids, creator, and what the service adds. */
void object_complete(struct object *object);

/*
 * Takes run_as out of settings and makes it the object's, if the caller may. false: refused. Absent: the old one
 * stays.
 */
bool object_take_run_as(struct api_call *call, struct object *object, json_t *settings);
/* Gives a query or alert another owner. */
bool object_set_owner(struct api_call *call, struct object *object, const char *name);

/* A page of a list by place: where it begins and ends in order of creation. */
struct page {
	uint64_t after; /* sequence */
	size_t size;    /* SIZE_MAX: no end */
};
bool page_read(struct api_call *call, const struct object_type *type, struct page *ret);

/* --objects: see README.md. Errors: ERR_IO, ERR_CONFIG. */
MUST_CHECK enum err_code objects_seed(struct sim *sim, const char *path, struct err *err);

#endif
