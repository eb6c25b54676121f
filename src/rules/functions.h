/*
 * functions -- what expressions can call. All of them are listed in the manual ldap2dbx-mapping(5).
 *
 *   lower(text) upper(text)       Unicode case
 *   trim(text)                    without white space at both ends
 *   join(list, separator)         one text; separator "" if left out
 *   split(text, separator)        list of the pieces
 *   match(text, pattern)          the first group of the pattern, or all it matched; nil if it does
 * not match test(text, pattern)           whether it matches replace(text, pattern, with)  all
 * matches replaced; $1, ${name} in with first(list)                   its first item; of a text the
 * text itself coalesce(a, b, ...)           the first that is neither nil nor "" contains(list,
 * text)          whether the list has the text, without regard to case number(text) as a number;
 * nil if it is none has_bit(value, mask)          whether all bits of mask are set in value; value
 * may be a text in_group(glob)                whether the entry is in a group, directly or not,
 * whose cn matches, without regard to case
 *
 * A nil text or list gives nil (test, contains, has_bit: false). A value of another type fails the
 * evaluation.
 */
#ifndef L2D_RULES_FUNCTIONS_H
#define L2D_RULES_FUNCTIONS_H

#include "base/mem.h"

#include <lua.h>

/* For "did you mean" and for the manual's check. Static. */
const char *const *function_names(size_t *ret_count);
bool function_exists(struct span name);
/* Whether its second argument is a regular expression. */
bool function_takes_pattern(struct span name);

/* Puts all of them into the table on top of Lua's stack. */
void functions_register(lua_State *lua);

#endif
