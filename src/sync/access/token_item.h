/*
 * token_item -- personal access tokens: an inventory for each workspace where somebody asks, and which of them are revoked.
 *
 * One item per workspace stands for all of its tokens; it is made when something needs it: a grant's `max_lifetime`, the
 * sweep of the settings, the removal of a right to use tokens (whose live tokens die with it), or the command line. Tokens
 * are nobody's of ours: what is revoked is what a rule, the sweep or a person names, and never a token of a protected
 * principal, nor one of the principal that we sign in as.
 */
#ifndef L2D_SYNC_ACCESS_TOKEN_ITEM_H
#define L2D_SYNC_ACCESS_TOKEN_ITEM_H

#include "sync/access/item.h"

struct token_row {
	char *id, *comment, *created_by;
	uint64_t owner, creator; /* 0: not said */
	char *foreign_name;      /* of an owner who is not ours; NULL: not known */
	int64_t created_ms, expires_ms, last_used_ms;
};

struct token_item {
	struct item item; /* first */
	uint64_t own_id;  /* whom we sign in as there; 0: not known yet */
	VEC(struct token_row) rows;
	VEC(char *) requested; /* ids that a person wants revoked */
	int64_t next_ms;       /* wall clock: some token is too old from then on; 0: none */
};

extern const struct item_class token_class;

/* What grants say of tokens' lifetimes, and the schedule of the sweep. */
struct token_book;
struct token_book *token_book_new(void);
void token_book_free(struct token_book *book); /* NULL is fine */

/* ---- what access tells ---- */
/* The rules of that node, as access_set_node_rules. */
void tokens_set_rules(
		struct access *access, node_id node, const struct grant_rule *rules, size_t count);
/* Items of the workspaces that the sweep or the rules of the files ask about. Before holds are loaded. */
void tokens_prepare(struct access *access);
void tokens_tick(struct access *access);
/* That principal began to leave, or came back: its tokens are looked at again. */
void tokens_owner_changed(struct access *access, const struct object *object);
/* The directory was read whole: who holds which grant may be another answer now. */
void tokens_mark_all(struct access *access);

/* Finds or makes. */
struct item *tokens_item(struct access *access, unsigned target);
/* Whether the tokens there are known; if not they are asked for, and lists of who may use tokens look again when they are. */
enum tokens_known { TOKENS_KNOWN, TOKENS_ASKED, TOKENS_FAILED };
enum tokens_known tokens_ask(struct access *access, unsigned target);

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
/* The principal, or all people of the group, those of its groups included: adds their ids, unsorted. */
void token_add_holders(const struct access *access, unsigned target, enum principal_kind kind,
		const char *name, struct ids *ret);
/* Tokens that still work of owners in the one set and not in the other, both sorted. */
size_t token_count_live(const struct access *access, unsigned target, const struct ids *losing,
		const struct ids *keeping);

#endif
