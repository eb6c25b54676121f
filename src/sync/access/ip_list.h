/*
 * ip_list -- IP access lists of workspaces and of the account, as the mapping has them.
 *
 * An item is one list, by its type and label. Lists of a place are planned together: nothing is carried out there if an
 * address that must keep its way in, or our own, would be shut out by all lists together at the end; and in between each write
 * waits until it shuts none of them out. What lets people in goes before what keeps them out: ALLOW lists that are new or
 * grow, then BLOCK lists and what narrows, then removals. The switch that puts lists in force (setting_item.h) goes on behind all
 * of them, and off before. A list of the same type and label that others made is adopted only if it is equal.
 */
#ifndef L2D_SYNC_ACCESS_IP_LIST_H
#define L2D_SYNC_ACCESS_IP_LIST_H

#include "sync/access/item.h"

extern const struct item_class ip_list_class;

void ip_list_start(struct access *access);
/* The item of a stored holding or an open intent; block: its type. */
struct item *ip_list_item(struct access *access, unsigned target, bool block, const char *label);
/* key: of an operation; NULL: it is none of a list. */
struct item *ip_list_item_of_key(struct access *access, unsigned target, const char *key);

/* Whether the lists of that place were read, or no rule and nothing of ours asks for them. */
bool ip_lists_are_known(const struct access *access, unsigned target);
/* Whether all lists that rules want there are there as wanted. */
bool ip_lists_are_done(struct access *access, unsigned target);
/* Why the lists of that place must not become as rules want them; in arena; NULL: they may. */
const char *ip_lists_refusal(struct access *access, unsigned target, struct arena *arena);
/* Whether the lists of that place, as they are, would shut out somebody who must keep his way in. */
bool ip_lists_shut_out(struct access *access, unsigned target);
/* The switch of that place is to go on: its lists are read for it, whether rules name any or not. */
void ip_lists_watch(struct access *access, unsigned target);
/* The lists there look again: the switch changed. */
void ip_lists_mark(struct access *access, unsigned target);

#endif
