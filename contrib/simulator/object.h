/*
 * object -- what lives in a workspace and may have an ACL: clusters, jobs, folders, and so on; one description per type.
 *
 * Threads: the caller holds the simulator's lock, for writing if it changes anything (folders of users are made when
 * somebody looks, so all handlers hold it for writing).
 */
#ifndef SIM_OBJECT_H
#define SIM_OBJECT_H

#include <jansson.h>

#include "acl.h"

#define OBJECT_NAME_BYTES_MAX 4096
#define TREE_DEPTH_MAX 64

enum object_kind {
	OBJECT_CLUSTER,
	OBJECT_CLUSTER_POLICY,
	OBJECT_INSTANCE_POOL,
	OBJECT_JOB,
	OBJECT_PIPELINE,
	OBJECT_DIRECTORY,
	OBJECT_NOTEBOOK,
	OBJECT_FILE,
	OBJECT_REPO,
	OBJECT_TOKENS,
	OBJECT_PASSWORDS,
	OBJECT_WAREHOUSE,
	OBJECT_QUERY,
	OBJECT_ALERT,
	OBJECT_ALERT_V2,
	OBJECT_LEGACY_DASHBOARD,
	OBJECT_DASHBOARD,
	OBJECT_GENIE_SPACE,
	OBJECT_EXPERIMENT,
	OBJECT_REGISTERED_MODEL,
	OBJECT_SERVING_ENDPOINT,
	OBJECT_VECTOR_SEARCH_ENDPOINT,
	OBJECT_APP,
	OBJECT_DATABASE_INSTANCE,
	OBJECT_DATABASE_PROJECT,
	OBJECT_KNOWLEDGE_ASSISTANT,
	OBJECT_SUPERVISOR_AGENT,
	OBJECT_FEATURE_TABLE,
	OBJECT_KIND_COUNT_
};

enum id_shape {
	ID_CLUSTER,     /* 0714-132501-k3x9q2ab */
	ID_POOL,        /* the same with -pool- */
	ID_NUMBER,      /* sixteen digits */
	ID_JSON_NUMBER, /* the same, a number in JSON */
	ID_HEX16,
	ID_HEX32,
	ID_UUID,
	ID_NAME /* the name is the id */
};

enum paging {
	PAGING_NONE,
	PAGING_TOKEN, /* page_token in the query, next_page_token in the answer */
	PAGING_NEXT,  /* next_page_token in both */
	PAGING_NUMBER /* page and page_size */
};

enum tags {
	TAGS_NONE,
	TAGS_MAP,   /* {"team": "etl"} */
	TAGS_PAIRS, /* [{"key": "team", "value": "etl"}] */
	TAGS_WORDS  /* ["etl"] */
};

enum creating {
	CREATE_ANSWERS_OBJECT,
	CREATE_ANSWERS_ID,
	CREATE_ANSWERS_OPERATION /* a long-running one that is done at once */
};

struct object_type {
	const char *type;        /* in /permissions/{type}/ */
	const char *alias;       /* another word for it; NULL: none */
	const char *answer_type; /* object_type of answers */
	const char *noun;        /* "Job", for texts */
	uint32_t levels;
	enum permission creator; /* what the creator gets; NONE: nothing of its own */
	bool in_folder;          /* rights come from the folder, else from the root of the type */
	bool unique;             /* names are unique in the workspace */
	bool outlives;           /* its ACL answers after the object was deleted */
	const char *tree_type;   /* how workspace/list calls it; NULL: not in the tree */

	enum id_shape shape;
	const char *id_key;
	const char *name_key;    /* "settings.name": a path in the document */
	const char *creator_key; /* NULL: not shown */
	bool by_name;            /* REST calls name it, the ACL goes by id */
	const char *under; /* where a created document goes, "settings"; NULL: it is the document */
	const char *wrap;  /* create and update bodies have it under this; NULL: they are it */
	const char *get_wrap;   /* the answer of GET one has it under this */
	const char *made_wrap;  /* and that of create */
	const char *parent_key; /* field with the folder's path */
	enum creating creating;

	const char *array_key;
	enum paging paging;
	const char *size_parameter;
	int size_default, size_max; /* default 0: all; max 0: any */
	bool size_coerced;          /* too big a page: the biggest, else 400 */

	enum tags tags;
	const char *tags_key; /* a path in the document */

	unsigned missing_status; /* of an id that is not there */
	const char *missing_code;
	const char *missing_before, *missing_after; /* around the id */
};
extern const struct object_type object_types[OBJECT_KIND_COUNT_];

struct objects {
	struct object **items;
	size_t count, room;
};

struct object {
	enum object_kind kind;
	char *id;              /* in ACL paths; "" for those without */
	char *name;            /* of a thing in the tree: the last segment of the path */
	char *path;            /* in the tree, "/Users/x"; NULL: not there */
	char *tree_id;         /* its number in the tree; NULL: the same as id */
	char *creator;         /* as it was called then; NULL: not known */
	char *run_as;          /* of a job or pipeline, once it was set */
	struct object *parent; /* the folder; NULL: the root of the tree, or not in it */
	struct objects children;
	struct principal *home_of;
	json_t *document; /* what GET answers, without what is computed */
	struct aces acl;
	uint64_t sequence; /* order of creation, from 1: what page tokens count by */
	int64_t created_ms;
	bool deleted; /* only its ACL is left */
	bool purged;  /* a cluster that is long gone */
};

struct object_lag; /* see object_stale.h */
struct object_store {
	struct state *state;
	struct workspace *workspace;
	struct objects lists[OBJECT_KIND_COUNT_]; /* in order of creation */
	struct objects deleted;                   /* those whose ACL outlives them */
	struct table *by_id;                      /* kind and id */
	struct table *by_name;                    /* kind and name; of unique types */
	struct table *by_path;
	struct table *lagging; /* id of a principal -> how often it was not known yet */
	json_t *scopes;        /* secret scopes; see secrets.c */
	struct object *root;   /* of the tree */
	uint64_t sequence;
	struct {
		struct object_lag **items;
		size_t count, room;
	} lagging_objects;
	uint64_t homes_generation; /* of the state when every user had a folder */
};

/* With what every workspace has: the folders / /Users /Shared /Repos, token rights, roots of models. */
struct object_store *object_store_new(struct state *state, struct workspace *workspace);
void object_store_free(struct object_store *store); /* NULL is fine */

/* What a new object is made of. Texts are copied, the document is taken over. */
struct object_make {
	enum object_kind kind;
	const char *id; /* NULL: a new one */
	const char *name;
	const char *creator;
	struct object *parent;
	json_t *document; /* NULL: empty */
};
struct object *object_make(struct object_store *store, const struct object_make *what);
/* A copy for a stale read, in no list; principals and the parent are the same. NULL is fine for free. */
struct object *object_clone(const struct object *object);
void object_free(struct object *object);
/* Out of every list; of a folder everything in it, too. */
void object_remove(struct object_store *store, struct object *object);
void object_change_id(struct object_store *store, struct object *object, const char *id);
void object_rename(struct object_store *store, struct object *object, const char *name);

struct object *object_find(const struct object_store *store, enum object_kind kind, const char *id);
struct object *object_find_name(
		const struct object_store *store, enum object_kind kind, const char *name);
/* Also one that was deleted while its ACL lives on. */
struct object *object_find_for_acl(
		const struct object_store *store, enum object_kind kind, const char *id);
static inline const struct object_type *object_type(const struct object *object)
{
	return &object_types[object->kind];
}
const char *object_tree_id(const struct object *object);

/* A cluster's document {"cluster_id", "state", "policy_id", ...}, borrowed; NULL: no such cluster. And a new array of all. */
json_t *object_cluster(struct state *state, struct workspace *workspace, const char *cluster_id);
json_t *object_clusters(struct state *state, struct workspace *workspace);

/* Gives the creator what the type says; who NULL: nothing. */
void object_grant_creator(struct object *object, struct principal *who);

/* A value at "a.b" in a document; NULL: not there. Setting makes what stands in between; value is taken over. */
json_t *document_get(const json_t *document, const char *path);
const char *document_text(const json_t *document, const char *path);
void document_set(json_t *document, const char *path, json_t *value);

/* The tree (tree.c). Paths lose /Workspace at their front and doubled slashes; mem_free. */
char *tree_normalise(const char *path);
struct object *tree_find(
		struct object_store *store, const char *path); /* makes the home of a user */
struct object *tree_make_folders(struct object_store *store, const char *path,
		const char *creator); /* NULL: a file is in the way */
void tree_make_homes(struct object_store *store);
/* Where things of this principal go if nothing else is said. */
struct object *tree_home(struct object_store *store, const struct principal *who);
/* Sets the path from parent and name, and enters it. */
void tree_enter(struct object_store *store, struct object *object);
void tree_leave(struct object_store *store, struct object *object);

#endif
