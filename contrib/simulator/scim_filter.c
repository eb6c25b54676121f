#include "scim_filter.h"

#include <strings.h>

#include "base/buf.h"
#include "base/text.h"
#include "base/vec.h"

static const char unsupported[] = "Given filter operator is not supported";
static const char invalid[] = "Invalid filter";

struct scanner {
	const char *at;
	struct filter *filter;
	const char *problem;
};

static void skip_blanks(struct scanner *scan)
{
	while (*scan->at == ' ' || *scan->at == '\t')
		scan->at++;
}

static struct span next_word(struct scanner *scan)
{
	struct span word;

	skip_blanks(scan);
	word = (struct span){scan->at, strcspn(scan->at, " \t")};
	scan->at += word.len;
	return word;
}

static bool word_is(struct span word, const char *text)
{
	return word.len == strlen(text) && strncasecmp(word.ptr, text, word.len) == 0;
}

static bool fail(struct scanner *scan, const char *problem)
{
	scan->problem = problem;
	return false;
}

static bool scan_quoted(struct scanner *scan, struct buf *out)
{
	char quote = *scan->at++;

	while (*scan->at && *scan->at != quote) {
		if (*scan->at == '\\' && scan->at[1])
			scan->at++;
		buf_add_char(out, *scan->at++);
	}
	if (!*scan->at)
		return fail(scan, invalid);
	scan->at++;
	return (*scan->at == '\0' || *scan->at == ' ' || *scan->at == '\t') || fail(scan, invalid);
}

static bool scan_value(struct scanner *scan, char **ret)
{
	AUTO(buf_release) struct buf out;

	buf_init(&out, FILTER_BYTES_MAX);
	skip_blanks(scan);
	if (*scan->at == '"' || *scan->at == '\'') {
		if (!scan_quoted(scan, &out))
			return false;
	} else {
		struct span word = next_word(scan);

		if (word.len == 0)
			return fail(scan, invalid);
		buf_add(&out, word.ptr, word.len);
	}
	*ret = buf_steal(&out);
	return true;
}

static bool scan_operator(struct scanner *scan, enum filter_op *ret)
{
	static const struct {
		const char *word;
		enum filter_op op;
	} operators[] = {
			{"eq", FILTER_EQ}, {"ne", FILTER_NE}, {"co", FILTER_CO}, {"sw", FILTER_SW}};
	struct span word = next_word(scan);

	for (size_t i = 0; i < COUNT_OF(operators); i++) {
		if (word_is(word, operators[i].word)) {
			*ret = operators[i].op;
			return true;
		}
	}
	return fail(scan, unsupported);
}

static bool scan_comparison(struct scanner *scan, size_t *ret)
{
	struct filter_node node = {0};
	struct span name = next_word(scan);

	if (name.len == 0 || name.ptr[0] == '(')
		return fail(scan, invalid);
	if (!scan_operator(scan, &node.op))
		return false;
	node.attr = attr_parse(name);
	if (node.attr == ATTR_NONE || node.attr == ATTR_NAME)
		return fail(scan, "Unknown attribute in filter");
	if (!scan_value(scan, &node.value))
		return false;
	node.folded = text_fold(span_of(node.value));
	*vec_add(scan->filter) = node;
	*ret = scan->filter->count - 1;
	return true;
}

/* Reads "and" or "or" if it comes next; anything else but the end is a problem. */
static bool scan_joint(struct scanner *scan, const char *joint)
{
	const char *before = scan->at;
	struct span word = next_word(scan);

	if (word_is(word, joint))
		return true;
	scan->at = before;
	return false;
}

static bool scan_joined(struct scanner *scan, enum filter_op op, size_t *ret)
{
	size_t left, right;

	if (op == FILTER_OR ? !scan_joined(scan, FILTER_AND, &left) : !scan_comparison(scan, &left))
		return false;
	while (scan_joint(scan, op == FILTER_OR ? "or" : "and")) {
		if (op == FILTER_OR ? !scan_joined(scan, FILTER_AND, &right)
				    : !scan_comparison(scan, &right))
			return false;
		*vec_add(scan->filter) =
				(struct filter_node){.op = op, .left = left, .right = right};
		left = scan->filter->count - 1;
	}
	*ret = left;
	return true;
}

bool filter_parse(const char *text, struct filter *ret, const char **ret_problem)
{
	struct filter filter = {0};
	struct scanner scan = {.at = text, .filter = &filter};
	size_t root;
	bool good;

	if (strlen(text) > FILTER_BYTES_MAX) {
		*ret_problem = invalid;
		return false;
	}
	good = scan_joined(&scan, FILTER_OR, &root);
	skip_blanks(&scan);
	if (good && *scan.at)
		good = fail(&scan, invalid);
	if (!good) {
		*ret_problem = scan.problem;
		filter_release(&filter);
		return false;
	}
	*ret = filter;
	return true;
}

void filter_release(struct filter *filter)
{
	for (vec_each (filter, node)) {
		mem_free(node->value);
		mem_free(node->folded);
	}
	vec_release(filter);
}

static bool is_case_exact(enum attr attr)
{
	return attr == ATTR_ID || attr == ATTR_EXTERNAL_ID || attr == ATTR_MEMBERS ||
			attr == ATTR_GROUPS;
}

static bool compare(enum filter_op op, const char *have, const char *want)
{
	if (op == FILTER_CO)
		return strstr(have, want) != NULL;
	if (op == FILTER_SW)
		return text_starts_with(have, want);
	return strcmp(have, want) == 0;
}

static bool comparison_holds(
		const struct filter_node *node, filter_value_fn *value, const void *object)
{
	const char *have;
	bool found = false;

	for (size_t n = 0; !found && (have = value(object, node->attr, n)) != NULL; n++) {
		if (is_case_exact(node->attr)) {
			found = compare(node->op, have, node->value);
		} else {
			AUTO(mem_freep) char *folded = text_fold(span_of(have));

			found = compare(node->op, folded, node->folded);
		}
	}
	return node->op == FILTER_NE ? !found : found;
}

/* Nodes stand behind what they join, so one pass from the first to the root is an evaluation without recursion. */
bool filter_matches(const struct filter *filter, filter_value_fn *value, const void *object)
{
	bool few[64];
	bool *holds = filter->count <= COUNT_OF(few) ? few : mem_array(filter->count, sizeof(bool));
	bool result;

	for (size_t i = 0; i < filter->count; i++) {
		const struct filter_node *node = &filter->items[i];

		if (node->op == FILTER_AND)
			holds[i] = holds[node->left] && holds[node->right];
		else if (node->op == FILTER_OR)
			holds[i] = holds[node->left] || holds[node->right];
		else
			holds[i] = comparison_holds(node, value, object);
	}
	result = holds[filter->count - 1];
	if (holds != few)
		mem_free(holds);
	return result;
}
