/*
 * token_item -- personal access tokens: an inventory for each workspace where somebody asks, and which of them are revoked.
 *
 * One item per workspace stands for all of its tokens; it is made when something needs it: a grant's `max_lifetime`, the
 * sweep of the settings, the removal of a right to use tokens (whose live tokens die with it), or the command line. Tokens
 * are nobody's of ours: what is revoked is what a rule, the sweep or a person names. Tokens of a protected principal, of
 * somebody of whom nobody knows whether he is one, and of the principal that we sign in as go only where a person says so
 * in as many words.
 *
 * token_item.c reads and revokes, token_plan.c says which go, token_book.c when they are looked at, token_owner.c whose they
 * are, token_report.c tells people.
 */
#ifndef L2D_SYNC_ACCESS_TOKEN_ITEM_H
#define L2D_SYNC_ACCESS_TOKEN_ITEM_H

#include "sync/access/item.h"

struct token_row {
	char *id, *comment, *created_by;
	uint64_t owner, creator; /* 0: not said */
	char *foreign_name;      /* of an owner who is not ours; NULL: not known */
	int64_t created_ms, expires_ms, last_used_ms;
	bool refused; /* Databricks did not revoke it when it was last asked to */
};

/* A person wants it revoked. */
struct token_request {
	char *id;
	bool even_guarded; /* whoever owns it */
	uint64_t asked_ns; /* a list that was asked for later says whether it is there */
};

struct token_item {
	struct item item;           /* first */
	uint64_t own_id;            /* whom we sign in as there; 0: not known yet */
	VEC(struct token_row) rows; /* by the time they were made, and by id */
	VEC(struct token_request) requests;
	int64_t next_ms;            /* wall clock: some token is too old from then on; 0: none */
	uint64_t asked_ns, read_ns; /* when the list was asked for last, and when it came */
	struct ids groups; /* marks of keys (token_group_mark): whose members matter for the last plan */
};

extern const struct item_class token_class;

/* The items of this class, NULL for others. */
struct token_item *token_item_of(struct item *item);
/* Finds or makes. */
struct item *tokens_item(struct access *access, unsigned target);
size_t token_count(const struct item *item);
const struct token_request *token_request_of(
		const struct token_item *tokens, const struct token_row *row); /* NULL: none */
/*
 * Whether the tokens there are known; if not, or in the service not as of now, they are asked for, and lists of who may use
 * tokens look again when they are.
 */
enum tokens_known { TOKENS_KNOWN, TOKENS_ASKED, TOKENS_FAILED };
enum tokens_known tokens_ask(struct access *access, unsigned target);

/* ---- token_book.c: what grants say of tokens' lifetimes, and the schedule of the sweep ---- */
struct token_limit {
	node_id node;
	const struct grant_rule *
			grant; /* with tokens->max_lifetime_ms; borrowed until the next set of that node */
};
struct token_book {
	VEC(struct token_limit) limits;
	int64_t next_sweep_ms; /* wall clock; 0: not known */
};
struct token_book *token_book_new(void);
void token_book_free(struct token_book *book); /* NULL is fine */

/* The rules of that node, as access_set_node_rules. */
void tokens_set_rules(
		struct access *access, node_id node, const struct grant_rule *rules, size_t count);
/* Items of the workspaces that the sweep asks about. Before holds are loaded. */
void tokens_prepare(struct access *access);
void tokens_tick(struct access *access);
/* At that wall time at the latest the items are looked at again. */
void tokens_wake_at(struct access *access, int64_t wall_ms, int64_t now_ms);
/* That principal began to leave, or came back: its tokens are looked at again. */
void tokens_owner_changed(struct access *access, const struct object *object);
/* Who is in that group may have changed. */
void tokens_group_changed(struct access *access, const struct object *group);
uint64_t token_group_mark(const char *key);
/* The directory was read whole: who holds which grant may be another answer now. */
void tokens_mark_all(struct access *access);

/* ---- token_plan.c ---- */
void token_plan(struct access *access, struct item *item, struct arena *arena,
		struct item_plan *ret);
/* Why only a person's word takes it; NULL: it may go. */
enum token_guarded { TOKEN_FREE, TOKEN_PROTECTED, TOKEN_NAMELESS, TOKEN_OUR_OWN };
enum token_guarded token_guarded(const struct access *access, const struct token_item *tokens,
		const struct token_row *row);

/* ---- token_owner.c ---- */
/* Whose token it is; NULL: nobody that we know. */
struct object *token_owner(
		const struct access *access, unsigned target, const struct token_row *row);
/* Fills foreign_name of rows whose owner is not ours. */
void token_name_foreign(const struct access *access, struct token_item *tokens);
/* NULL: not known. */
const char *token_owner_known(
		const struct access *access, unsigned target, const struct token_row *row);
/* For people; in arena. */
const char *token_owner_name(const struct access *access, unsigned target,
		const struct token_row *row, struct arena *arena);
bool token_owner_leaves(const struct object *object); /* NULL: false */
/*
 * The principal, or all people of the group, those of its groups included: adds their ids, unsorted. groups: gets the marks
 * of all groups on the way, unsorted; NULL: nobody wants them. false: not all of them are known.
 */
bool token_add_holders(const struct access *access, unsigned target, enum principal_kind kind,
		const char *name, struct ids *ret, struct ids *groups);
/* Who administers the workspace, as far as we know, and so loses nothing: adds their ids, unsorted. */
void token_add_admins(const struct access *access, unsigned target, struct ids *ret);
/*
 * Tokens that still work of owners in the one set and not in the other, both sorted. losing NULL: of all owners but those
 * that keep.
 */
size_t token_count_live(const struct access *access, unsigned target, const struct ids *losing,
		const struct ids *keeping);

#endif
