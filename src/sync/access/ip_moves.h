/*
 * ip_moves -- the lists of one place on their way from what they are to what they will be: who is let in at the end, and in
 * which order they may change so that nobody who must keep his way in is without it for a moment. Pure.
 *
 * A move takes one list from now to then; lists that stay, those of others among them, are moves that change nothing. A
 * keeper who is in must stay in with every single move. Where no order does that, one ALLOW list holds all keepers for a
 * while: the bridge. Two ALLOW lists that are both new need it, as the first one alone shuts out whom the second lets in.
 */
#ifndef L2D_SYNC_ACCESS_IP_MOVES_H
#define L2D_SYNC_ACCESS_IP_MOVES_H

#include "sync/access/ip_set.h"

struct ip_move {
	struct ip_list now, then;
	bool is_now, is_then; /* whether there is one */
};
/* An address that must stay able to reach the place. */
struct ip_keeper {
	struct ip_range range;
	const char *address; /* as it was written */
	const char *file;    /* where */
	unsigned line;
	bool own; /* where we come from ourselves */
};
struct ip_moves {
	VEC(struct ip_move) moves;
	VEC(struct ip_keeper) keepers;
};
void ip_moves_release(struct ip_moves *moves);

/* Who would be shut out, and how. */
struct ip_loss {
	const struct ip_keeper *keeper;
	enum ip_verdict verdict;
	const char *by; /* IP_BLOCKED: the label of the list */
};
/* Before the first move, and after the last one. false: nobody is. */
bool ip_moves_loss_now(const struct ip_moves *moves, struct ip_loss *ret);
bool ip_moves_loss_then(const struct ip_moves *moves, struct ip_loss *ret);
/* Who is in now and would be out after that move alone. */
bool ip_moves_loss_by(const struct ip_moves *moves, size_t move, struct ip_loss *ret);

struct ip_bridge {
	bool needed;
	size_t move;                   /* whose list it is */
	const struct ip_range *ranges; /* what it holds meanwhile, in the one form */
	size_t count;
};
/* Whether there is an order, with a bridge if it takes one; in arena. false: *ret_loss says who would be out. */
bool ip_moves_order(const struct ip_moves *moves, struct arena *arena, struct ip_bridge *ret,
		struct ip_loss *ret_loss);
/* Addresses and blocks of all lists at the end. */
size_t ip_moves_count_then(const struct ip_moves *moves);

#endif
