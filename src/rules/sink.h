/*
 * sink -- reading of `write_to:`, see struct sink in rules/access.h. Private to rules/.
 */
#ifndef L2D_RULES_SINK_H
#define L2D_RULES_SINK_H

#include "rules/access.h"
#include "rules/schema.h"

#define SINK_TEXT_MAX 4096

/* Places of a text that are filled when it is used. */
enum sink_place { PLACE_WORKSPACE = 1, PLACE_DISPLAY_NAME = 2, PLACE_APPLICATION_ID = 4 };

/*
 * text: what the node says, or what was made of it. A relative path is relative to folder. allowed: set of places. Errors:
 * ERR_CONFIG with the place.
 */
MUST_CHECK enum err_code sink_parse(struct arena *arena, const char *folder,
		const struct document_node *node, unsigned allowed, struct sink *ret,
		struct err *err);
/* Which places are in it. */
unsigned sink_places(const char *text);
/* Refuses an unknown ${...} in a text that takes places. */
MUST_CHECK enum err_code sink_check_places(
		const struct document_node *node, unsigned allowed, struct err *err);

#define SINK_JSON "{\"type\":\"string\",\"pattern\":\"^(file|command):.\"}"

#endif
