/*
 * grant -- items of `grants:` before their templates are filled. Private to rules/.
 *
 * A grant is read once into a struct grant_source, whose texts are literal or templates. One without `for_each:` is made
 * into a struct grant_rule at once; one with it for every directory group. Both ways run the same checks, and what is
 * literal in a `for_each:` is checked when the files are read: making without values, see struct grant_making.
 */
#ifndef L2D_RULES_GRANT_H
#define L2D_RULES_GRANT_H

#include "base/vec.h"
#include "rules/evaluate_text.h"
#include "rules/loader.h"

#define GRANT_TEXT_MAX 4096      /* bytes of a text of a grant */
#define GRANT_TEMPLATES_MAX 1000 /* of one item of `grants:` */

/* node NULL: not there. */
struct grant_text {
	const struct document_node *node;
	const char *literal; /* NULL: the template with this index among the item's */
	size_t index;
};
struct grant_texts {
	const struct grant_text *items;
	size_t count;
};

struct level_source {
	struct grant_text workspace, level;
};
struct tag_source {
	const char *key;
	struct grant_text value;
};
struct selector_source {
	const struct document_node *node; /* NULL: not there */
	enum securable_type type;
	struct grant_text plain; /* a text in place of the map */
	struct grant_text name, path, id, creator;
	struct tag_source *tags;
	size_t tag_count;
	bool all;
};
struct permission_source {
	const struct document_node *node;
	struct selector_source selector;
	struct grant_text level;
	bool exclusive;
	struct grant_texts in;
};
struct on_behalf_source {
	const struct document_node *node;
	struct grant_text lifetime, rotate_before, write_to;
};
struct token_source {
	const struct document_node *node;
	bool use;
	struct grant_text max_lifetime;
	struct on_behalf_source on_behalf_of;
};
struct grant_source {
	const struct document_node *node;
	struct why why;
	struct grant_text to[PRINCIPAL_KIND_COUNT_];
	enum principal_kind kind;
	bool each;
	struct level_source *levels;
	size_t level_count;
	struct grant_texts entitlements, roles;
	struct permission_source *permissions;
	size_t permission_count;
	struct token_source tokens;
	struct grant_texts manages_groups, manages_services, uses_services;
};

struct grant_each {
	struct grant_source source;
	struct span pattern; /* without regard to case */
	const char *const *captures;
	size_t capture_count;
	const struct text_template *templates;
	size_t template_count;
};

struct grant_making {
	struct arena *arena;
	const struct settings *settings;
	const char *display_name; /* who gets it if the source has no `to`; NULL: nobody */
	/* By index of the template; NULL: its value is nil. NULL as a whole: not known yet, what depends on it is not checked. */
	const char *const *values;
	bool known;
	struct err *err;
};
/* *ret is written on success; without values it is not for use. Errors: ERR_CONFIG with the place. */
MUST_CHECK enum err_code grant_make(const struct grant_making *making,
		const struct grant_source *source, struct grant_rule *ret);

/* ---- between the files that make grants ---- */

enum grant_value {
	VALUE_TEXT, /* it has one */
	VALUE_NIL,  /* nil, or not there */
	VALUE_LATER /* not known yet */
};
enum grant_value grant_text_value(
		const struct grant_making *making, const struct grant_text *text, const char **ret);
/* The text's node with value in place of what is written: for the checks that take nodes. */
struct document_node grant_node(const struct grant_text *text, const char *value);
/* Refuses a nil where there must be a value. */
MUST_CHECK enum err_code grant_nil(
		const struct grant_making *making, const struct grant_text *text);
typedef enum err_code grant_check_fn(const struct grant_making *making,
		const struct document_node *node, const char *text);
/* The texts that are not nil, each checked; check may be NULL. */
MUST_CHECK enum err_code grant_make_texts(const struct grant_making *making,
		const struct grant_texts *texts, grant_check_fn *check, const char *const **ret,
		size_t *ret_count);
/* A pattern of workspaces. */
grant_check_fn grant_check_workspace;
/* Patterns of `in:`, else preset. */
MUST_CHECK enum err_code grant_make_in(const struct grant_making *making,
		const struct grant_texts *texts, const struct texts *preset,
		const char *const **ret, size_t *ret_count);
MUST_CHECK enum err_code grant_make_permissions(const struct grant_making *making,
		const struct grant_source *source, const struct texts *preset,
		struct grant_rule *ret);
MUST_CHECK enum err_code grant_make_tokens(const struct grant_making *making,
		const struct grant_source *source, const struct texts *preset,
		struct grant_rule *ret);

/* ---- reading ---- */

/* `read` functions: the member is a struct grant_text, struct grant_texts. */
schema_read_fn grant_read_text, grant_read_texts;
/* The same for write_to: places stay, see rules/sink.h. */
schema_read_fn grant_read_sink;
/* As the two, for a given node. */
MUST_CHECK enum err_code grant_take_text(struct loader *loader, const struct document_node *node,
		struct grant_text *ret, struct err *err);
extern const struct schema grant_permission_schema, grant_tokens_schema;
/* The member is the struct grant_source itself; struct token_source. */
schema_read_fn grant_read_permission, grant_read_tokens;

#define GRANT_TEMPLATE_JSON "{\"type\":\"string\",\"pattern\":\"\\\\$\\\\{\"}"
#define GRANT_TEXT_JSON "{\"type\":\"string\",\"minLength\":1}"
#define GRANT_TEXTS_JSON                                                                           \
	"{\"anyOf\":[" GRANT_TEXT_JSON ",{\"type\":\"array\",\"items\":" GRANT_TEXT_JSON "}]}"

#endif
