/*
 * record -- what an account or a workspace keeps beside its principals: tokens, secrets, policies, lists, settings. One
 * form for all, a JSON object with an id, so that all are kept, found and saved in the same way.
 *
 * Threads: the caller holds the simulator's lock, for writing if it changes anything but used_ms.
 */
#ifndef SIM_RECORD_H
#define SIM_RECORD_H

#include <jansson.h>
#include <stdatomic.h>
#include <stdio.h>

#include "base/buf.h"
#include "state.h"

enum record_kind {
	RECORD_TOKEN,      /* personal access token; owner: whose; secret: its text */
	RECORD_SECRET,     /* OAuth secret of a service principal: owner */
	RECORD_POLICY,     /* of clusters; owner: who made it */
	RECORD_IP_LIST,    /* IP access list */
	RECORD_CONF,       /* of a workspace: one record, its fields are the keys */
	RECORD_SETTING,    /* id: type */
	RECORD_FEDERATION, /* policy; owner: of this service principal, else of the account */
	RECORD_RULE_SET,   /* id: name */
	RECORD_SECURABLE,  /* of Unity Catalog; id: type and full name */
	RECORD_WORKSPACE,  /* what the account knows about it: tags, status; one record */
	RECORD_KIND_COUNT_
};

struct record {
	enum record_kind kind;
	struct workspace *place; /* NULL: the account */
	struct principal *owner; /* NULL: nobody's. May be deleted */
	char *id;
	char *secret; /* found by record_find_secret; NULL: none */
	atomic_llong used_ms;
	bool revoked; /* out of the lists, but its secret is still recognised as a dead one */
	json_t *fields;
};
struct record_list {
	struct record **items;
	size_t count, room;
};

struct records;
struct records *records_new(void);
void records_free(struct records *records);

/* In order of creation; revoked ones included. Valid until the next change. */
const struct record_list *record_list(
		const struct state *state, const struct workspace *place, enum record_kind kind);
/* Neither finds revoked ones by id; by secret it does. owner NULL: any. */
struct record *record_find(const struct state *state, const struct workspace *place,
		enum record_kind kind, const char *id);
struct record *record_find_secret(
		const struct state *state, enum record_kind kind, const char *secret);

/* What a record is made of. Texts are copied, fields are taken over; NULL: empty. id NULL: one of the kind's form. */
struct record_make {
	enum record_kind kind;
	struct workspace *place;
	struct principal *owner;
	const char *id;
	const char *secret;
	json_t *fields;
};
struct record *record_make(struct state *state, const struct record_make *what);
void record_revoke(struct record *record);
void record_drop(struct state *state, struct record *record); /* frees it */

const char *record_text(const struct record *record, const char *key); /* NULL: not there */
int64_t record_number(const struct record *record, const char *key);   /* 0: not there */

/* "dapi" and random hex digits. Caller's, mem_free. */
char *record_random(const char *prefix, size_t bytes);

/* State files. A line per record; deleted owners' tokens and secrets are left out. */
void records_write(const struct state *state, FILE *file, struct buf *line);
/* In the second pass, when principals are known. False: it refers to what is not there, or is there twice. */
bool record_read(struct state *state, const char *key, const json_t *object);
bool record_is_key(const char *key);

#endif
