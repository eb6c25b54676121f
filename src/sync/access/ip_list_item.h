/* ip_list_item -- the inside of an IP access list's item, shared by ip_list*.c. */
#ifndef L2D_SYNC_ACCESS_IP_LIST_ITEM_H
#define L2D_SYNC_ACCESS_IP_LIST_ITEM_H

#include "databricks/ip_access_list.h"
#include "rules/access.h"
#include "sync/access/ip_list.h"
#include "sync/access/ip_moves.h"
#include "sync/access/roster.h"

/* What a list says; its ranges are in their one form. */
struct ip_state {
	bool enabled;
	const struct ip_range *ranges;
	size_t count;
	size_t unread;     /* addresses that we cannot read: it equals nothing of ours */
	const char *label; /* that another hand gave a list of ours; NULL: its own */
	bool other_type; /* another hand made a BLOCK list of an ALLOW list, or the other way round */
};

struct ip_list_item {
	struct item item; /* first; its id is that of the list that is there, its name the label */
	bool block;
	const struct ip_list_rule *rule;       /* NULL: none wants it */
	const struct ip_list_rule *other_rule; /* wants it, too: nobody knows what it should be */
	bool watches; /* stands for no list: the lists of this place are to be known to the switch */
	struct arena *arena;    /* of wanted */
	struct ip_state wanted; /* with rule */
	char *held;             /* state as text, as read or written last; NULL: not ours */
	bool stale;    /* another hand changed what is ours, so `held` is not what is there */
	char *seen_id; /* NULL: not there, or not read */
	struct arena *seen_arena;
	struct ip_state seen;
	char *made_id; /* of a create that was answered just now */
};

/* The lists of a place as read, those of others included. */
struct ip_lists {
	const struct ip_access_list *lists;
	size_t count;
	bool *gone; /* a list each: we deleted it since; NULL: none */
};

static inline struct ip_list_item *ip_list_of(struct item *item)
{
	return (struct ip_list_item *)item; /* item is its first member */
}

void ip_list_set_rule(struct access *access, unsigned target, const struct ip_list_rule *rule);
bool ip_list_is_at(const struct item *item, unsigned target);
bool ip_state_same_addresses(const struct ip_state *a, const struct ip_state *b);
bool ip_state_equal(const struct ip_state *a, const struct ip_state *b);
/* "on 192.0.2.0/24 ..."; in arena. */
const char *ip_state_text(const struct ip_state *state, struct arena *arena);
void ip_list_set_seen(
		struct ip_list_item *list, const char *id_or_null, const struct ip_state *state);
void ip_list_hold(struct access *access, struct ip_list_item *list, const char *text);
void ip_list_drop_hold(struct access *access, struct ip_list_item *list);

/* ---- ip_list_place.c ---- */
enum ip_need { IP_NOTHING, IP_CREATE, IP_ADOPT, IP_CHANGE, IP_FOREIGN, IP_REMOVE, IP_FORGET };
enum ip_need ip_list_need(const struct ip_list_item *list);
/* When its write has its turn among the lists of its place: those of a lower phase first. */
unsigned ip_list_phase(const struct ip_list_item *list);
/* Whether there is an enabled ALLOW list there. */
bool ip_lists_allow_some(struct access *access, unsigned target);
/* If the list has to hold more for a while (ip_moves.h): what. */
bool ip_list_bridge(struct access *access, const struct ip_list_item *list, struct arena *arena,
		struct ip_state *ret);
/* Whether nobody who must keep his way in loses it if the list becomes so next; NULL: if it goes. */
bool ip_list_may_become(struct access *access, const struct ip_list_item *list,
		const struct ip_state *then_or_null);

/* ---- ip_list_plan.c ---- */
/* What the list is after that operation; its ranges in arena. */
struct ip_state ip_list_after(
		const struct ip_list_item *list, const struct operation *op, struct arena *arena);
void ip_list_plan(struct access *access, struct item *item, struct arena *arena,
		struct item_plan *ret);

/* ---- ip_list_work.c ---- */
extern const struct roster_class ip_list_roster;
void ip_list_choose(struct item_work *work, const struct item_plan *plan);
bool ip_list_write_next(struct item_work *work);
void ip_list_settle(struct access *access, struct item *item, const struct operation *op);
bool ip_list_shows(struct item *item, const struct operation *op);
bool ip_list_failed(struct item_work *work);

#endif
