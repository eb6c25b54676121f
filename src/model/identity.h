/*
 * identity -- what a rule made of an entry: a user, group or service principal as Databricks should
 * have it.
 */
#ifndef L2D_MODEL_IDENTITY_H
#define L2D_MODEL_IDENTITY_H

#include "base/mem.h"
#include "model/search.h"

enum principal_kind { PRINCIPAL_USER, PRINCIPAL_GROUP, PRINCIPAL_SERVICE, PRINCIPAL_KIND_COUNT_ };

/* Attributes of a principal that hold one text. Which kind has which: principal_has_field. */
enum field {
	FIELD_USER_NAME,      /* users; immutable in Databricks */
	FIELD_DISPLAY_NAME,   /* all */
	FIELD_GIVEN_NAME,     /* users */
	FIELD_FAMILY_NAME,    /* users */
	FIELD_EXTERNAL_ID,    /* all */
	FIELD_APPLICATION_ID, /* service principals; immutable */
	FIELD_COUNT_
};

/* Where something comes from: shown in plans, audit and log lines. */
struct why {
	const char *file;  /* mapping file as the user named it */
	unsigned line;     /* 1-based */
	const char *entry; /* DN of the entry, or NULL */
};

/* What becomes of a group of ours whose entry is gone. */
enum gone { GONE_DEFAULT, GONE_KEEP, GONE_EMPTY, GONE_DELETE };

struct identity {
	enum principal_kind kind;
	const char *fields[FIELD_COUNT_]; /* NULL: no rule for it, left alone in Databricks */
	/* Value of the rule's `match:` attribute: who takes over a userName of a gone entry must
	 * have the same. NULL: none. */
	const char *match;
	bool active;          /* users and service principals */
	enum nesting nesting; /* groups */
	enum gone gone;       /* groups */
	bool workspace_level; /* groups: made in workspaces (level: workspace), not in the account
			       */
	const char *const *workspaces; /* globs of names, with workspace_level */
	size_t workspace_count;
	bool adopt_powerful; /* groups: `adopt: true`, adopt even one that holds admin roles */
	bool exclusive;      /* groups: members that are not ours are removed as well */
	/* Service principals: secrets and federation policies of the rule (rules/access.h); borrowed of the mapping, NULL:
	 * none. */
	const struct service_rule *service;
	struct why why;
};

/* "user", "group", "service_principal" */
const char *principal_kind_name(enum principal_kind kind);
/* "userName", "displayName", "name.givenName", ... as SCIM calls them */
const char *field_name(enum field field);
bool principal_has_field(enum principal_kind kind, enum field field);
/* The field by which Databricks tells one from another without an id: userName, displayName,
 * applicationId. */
enum field principal_name_field(enum principal_kind kind);

/* A copy in one block of memory, why.entry included: mem_free ends all of it. `workspaces`, `service`
 * and why.file stay borrowed. */
struct identity *identity_clone(const struct identity *identity) __attribute__((returns_nonnull));
/* Whether two want the same of Databricks; `why` and `service` do not count. */
bool identity_equal(const struct identity *a, const struct identity *b);

#endif
