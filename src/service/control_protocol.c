#include "service/control_protocol.h"

#include "base/buf.h"
#include "base/table.h"
#include "base/text.h"

struct call {
	struct engine *engine;
	const json_t *request;
	struct control_reply *reply;
};

/* A field of a request: its name and the type that it must have. */
struct field_spec {
	const char *name;
	json_type type;
	bool required;
};
#define FIELDS_MAX 5

static enum err_code command_status(struct call *call, json_t **ret, struct err *err);
static enum err_code command_holds(struct call *call, json_t **ret, struct err *err);
static enum err_code command_explain(struct call *call, json_t **ret, struct err *err);
static enum err_code command_who_can(struct call *call, json_t **ret, struct err *err);
static enum err_code command_diff(struct call *call, json_t **ret, struct err *err);
static enum err_code command_approve(struct call *call, json_t **ret, struct err *err);
static enum err_code command_reject(struct call *call, json_t **ret, struct err *err);
static enum err_code command_retry(struct call *call, json_t **ret, struct err *err);
static enum err_code command_sync(struct call *call, json_t **ret, struct err *err);
static enum err_code command_reconcile(struct call *call, json_t **ret, struct err *err);
static enum err_code command_revoke_tokens(struct call *call, json_t **ret, struct err *err);
static enum err_code command_revocations(struct call *call, json_t **ret, struct err *err);
static enum err_code command_sweep_tokens(struct call *call, json_t **ret, struct err *err);

/* Each command writes its result, or NULL if it waits; on failure *err. */
static const struct {
	const char *name;
	enum err_code (*run)(struct call *call, json_t **ret, struct err *err);
	struct field_spec fields[FIELDS_MAX];
} known[] = {
		{"status", command_status, {{0}}},
		{"holds", command_holds, {{0}}},
		{"explain", command_explain,
				{{"who", JSON_STRING, true}, {"object", JSON_STRING, false},
						{"workspace", JSON_STRING, false}}},
		{"who_can", command_who_can,
				{{"object", JSON_STRING, true}, {"workspace", JSON_STRING, false},
						{"level", JSON_STRING, false},
						{"expand", JSON_TRUE, false}}},
		{"diff", command_diff, {{"who", JSON_STRING, true}, {"other", JSON_STRING, true}}},
		{"approve", command_approve,
				{{"selector", JSON_STRING, false},
						{"operations", JSON_ARRAY, false},
						{"dry_run", JSON_TRUE, false}}},
		{"reject", command_reject,
				{{"selector", JSON_STRING, false},
						{"operations", JSON_ARRAY, false},
						{"reason", JSON_STRING, false},
						{"dry_run", JSON_TRUE, false}}},
		{"retry", command_retry, {{"who", JSON_STRING, true}}},
		{"sync", command_sync,
				{{"kind", JSON_STRING, true}, {"name", JSON_STRING, true},
						{"timeout_ms", JSON_INTEGER, false}}},
		{"reconcile", command_reconcile, {{0}}},
		{"revoke_tokens", command_revoke_tokens,
				{{"tokens", JSON_ARRAY, true}, {"even_guarded", JSON_TRUE, false}}},
		{"revocations", command_revocations, {{0}}},
		{"sweep_tokens", command_sweep_tokens, {{"workspace", JSON_STRING, false}}},
};

static void table_freep(struct table **table)
{
	table_free(*table);
}

static const char *string_of(const struct call *call, const char *name)
{
	return json_string_value(json_object_get(call->request, name));
}

static bool flag_of(const struct call *call, const char *name)
{
	return json_is_true(json_object_get(call->request, name));
}

/* ---- what a request may look like ---- */

static bool type_fits(const json_t *value, json_type wanted)
{
	if (wanted == JSON_TRUE)
		return json_is_boolean(value);
	return json_typeof(value) == wanted;
}

static const char *type_word(json_type type)
{
	switch (type) {
	case JSON_STRING:
		return "text";
	case JSON_ARRAY:
		return "a list";
	case JSON_INTEGER:
		return "a whole number";
	case JSON_TRUE:
	case JSON_FALSE:
		return "true or false";
	case JSON_OBJECT:
	case JSON_REAL:
	case JSON_NULL:
		break;
	}
	return "something else";
}

static const struct field_spec *find_field(const struct field_spec *fields, const char *name)
{
	for (size_t i = 0; i < FIELDS_MAX && fields[i].name; i++) {
		if (text_equal(fields[i].name, name))
			return &fields[i];
	}
	return NULL;
}

static enum err_code check_fields(const char *command, const struct field_spec *fields,
		const json_t *request, struct err *err)
{
	/* The iterators of jansson want a pointer to non-const, but change nothing. */
	json_t *object = (json_t *)(uintptr_t)request;
	const char *name;
	json_t *value;

	json_object_foreach(object, name, value)
	{
		const struct field_spec *field = find_field(fields, name);

		if (text_equal(name, "command"))
			continue;
		if (!field)
			return err_set(err, ERR_USAGE, 0, "%s: unknown field \"%.60s\"", command,
					name);
		if (!type_fits(value, field->type))
			return err_set(err, ERR_USAGE, 0, "%s: \"%s\" must be %s", command, name,
					type_word(field->type));
	}
	for (size_t i = 0; i < FIELDS_MAX && fields[i].name; i++) {
		if (fields[i].required && !json_object_get(request, fields[i].name))
			return err_set(err, ERR_USAGE, 0, "%s: field \"%s\" is missing", command,
					fields[i].name);
	}
	return ERR_NONE;
}

static enum err_code dispatch(struct call *call, json_t **ret, struct err *err)
{
	const char *name = string_of(call, "command");

	if (!name)
		return err_set(err, ERR_USAGE, 0, "no \"command\" in the request");
	for (size_t i = 0; i < COUNT_OF(known); i++) {
		if (!text_equal(known[i].name, name))
			continue;
		if (check_fields(name, known[i].fields, call->request, err) != ERR_NONE)
			return err->code;
		return known[i].run(call, ret, err);
	}
	return err_set(err, ERR_USAGE, 0, "unknown command \"%.60s\"", name);
}

/* ---- commands ---- */

static enum err_code command_status(struct call *call, json_t **ret, struct err *err)
{
	(void)err;
	*ret = engine_status(call->engine);
	return ERR_NONE;
}

static enum err_code command_holds(struct call *call, json_t **ret, struct err *err)
{
	(void)err;
	*ret = engine_holds(call->engine);
	return ERR_NONE;
}

/* The reply waits for the answer. */
static enum err_code ask(struct call *call, json_t **ret, struct err *err)
{
	struct engine_question asked = {.object = string_of(call, "object"),
			.workspace = string_of(call, "workspace"),
			.who = string_of(call, "who"),
			.other = string_of(call, "other"),
			.level = string_of(call, "level"),
			.expand = flag_of(call, "expand")};

	if (engine_ask(call->engine, &asked, &call->reply->question, err) != ERR_NONE)
		return err->code;
	call->reply->timeout_ms = CONTROL_QUESTION_MS;
	*ret = NULL;
	return ERR_NONE;
}

static enum err_code command_explain(struct call *call, json_t **ret, struct err *err)
{
	if (!string_of(call, "object") && string_of(call, "workspace"))
		return err_set(err, ERR_USAGE, 0, "explain: \"workspace\" needs an \"object\"");
	return ask(call, ret, err);
}

static enum err_code command_who_can(struct call *call, json_t **ret, struct err *err)
{
	return ask(call, ret, err);
}

static enum err_code command_diff(struct call *call, json_t **ret, struct err *err)
{
	return ask(call, ret, err);
}

static enum err_code command_retry(struct call *call, json_t **ret, struct err *err)
{
	return engine_retry(call->engine, string_of(call, "who"), ret, err);
}

static enum err_code command_reconcile(struct call *call, json_t **ret, struct err *err)
{
	(void)err;
	engine_reconcile(call->engine);
	*ret = json_object();
	return ERR_NONE;
}

static enum err_code command_sweep_tokens(struct call *call, json_t **ret, struct err *err)
{
	const char *workspace = string_of(call, "workspace");

	(void)err;
	engine_sweep_tokens(call->engine, workspace ? workspace : "*");
	*ret = json_object();
	return ERR_NONE;
}

static enum err_code command_revocations(struct call *call, json_t **ret, struct err *err)
{
	(void)err;
	*ret = engine_revocations(call->engine);
	return ERR_NONE;
}

static enum err_code command_revoke_tokens(struct call *call, json_t **ret, struct err *err)
{
	const json_t *tokens = json_object_get(call->request, "tokens"), *token;
	size_t i, accepted = 0;

	if (json_array_size(tokens) > CONTROL_IDS_MAX)
		return err_set(err, ERR_LIMIT, 0, "over %zu tokens in one request",
				CONTROL_IDS_MAX);
	json_array_foreach(tokens, i, token)
	{
		const char *workspace = json_string_value(json_object_get(token, "workspace"));
		const char *id = json_string_value(json_object_get(token, "id"));

		if (!workspace || !id || !*id)
			return err_set(err, ERR_USAGE, 0,
					"\"tokens\" must hold objects with \"workspace\" and "
					"\"id\"");
		accepted += engine_revoke_token(
				call->engine, workspace, id, flag_of(call, "even_guarded"));
	}
	*ret = json_pack("{s:I}", "accepted", (json_int_t)accepted);
	return ERR_NONE;
}

typedef enum err_code decide_fn(const struct call *call, const char *selector, bool dry,
		json_t **ret, struct err *err);

static enum err_code decide_approve(const struct call *call, const char *selector, bool dry,
		json_t **ret, struct err *err)
{
	return engine_approve(call->engine, selector, dry, ret, err);
}

static enum err_code decide_reject(const struct call *call, const char *selector, bool dry,
		json_t **ret, struct err *err)
{
	const char *reason = string_of(call, "reason");

	/* The engine has no dry form of reject; what would be rejected is what would be approved.
	 */
	if (dry)
		return engine_approve(call->engine, selector, true, ret, err);
	return engine_reject(call->engine, selector, reason ? reason : "", ret, err);
}

/* Words that stand for more than one operation: no list of ids may smuggle them in. */
static bool is_id(const char *text)
{
	for (unsigned i = 0; i < GUARD_CATEGORY_COUNT_; i++) {
		if (text_equal(text, guard_category_name((enum guard_category)i)))
			return false;
	}
	return text && *text && !strchr(text, ',') && !text_equal(text, "all");
}

/* The ids of the request as one selector of the engine, "ID,ID,...". */
static enum err_code join_ids(const json_t *ids, struct buf *ret, struct err *err)
{
	size_t index;
	const json_t *id;

	if (json_array_size(ids) > CONTROL_IDS_MAX)
		return err_set(err, ERR_LIMIT, 0, "over %zu operations in one request",
				CONTROL_IDS_MAX);
	json_array_foreach(ids, index, id)
	{
		if (!is_id(json_string_value(id)))
			return err_set(err, ERR_USAGE, 0,
					"\"operations\" must hold ids of operations");
		buf_printf(ret, "%s%s", index ? "," : "", json_string_value(id));
	}
	return ERR_NONE;
}

static json_t *ids_not_in(const json_t *ids, const json_t *operations)
{
	AUTO(table_freep) struct table *decided = table_new();
	json_t *gone = json_array();
	size_t index;
	json_t *item;

	json_array_foreach(operations, index, item)
	{
		const char *id = json_string_value(json_object_get(item, "id"));

		(void)table_put(decided, span_of(id ? id : ""), item);
	}
	json_array_foreach(ids, index, item)
	{
		if (!table_find(decided, span_of(json_string_value(item))))
			(void)json_array_append(gone, item);
	}
	return gone;
}

/* One that is held no more is told, and is no reason to leave out the others. */
static enum err_code decide_list(
		const struct call *call, decide_fn *one_of, json_t **ret, struct err *err)
{
	const json_t *ids = json_object_get(call->request, "operations");
	json_t *result = NULL;
	struct buf selector;
	enum err_code code;

	buf_init(&selector, CONTROL_REQUEST_MAX);
	code = join_ids(ids, &selector, err);
	if (code == ERR_NONE && json_array_size(ids) > 0)
		code = one_of(call, buf_text(&selector), flag_of(call, "dry_run"), &result, err);
	buf_release(&selector);
	if (code != ERR_NONE && code != ERR_NOT_FOUND)
		return code;
	if (!result)
		result = json_pack("{s:[]}", "operations");
	(void)json_object_set_new(
			result, "gone", ids_not_in(ids, json_object_get(result, "operations")));
	*ret = result;
	return ERR_NONE;
}

static enum err_code decide(
		const struct call *call, decide_fn *one_of, json_t **ret, struct err *err)
{
	const char *selector = string_of(call, "selector");
	bool listed = json_object_get(call->request, "operations") != NULL;

	if ((selector != NULL) == listed)
		return err_set(err, ERR_USAGE, 0,
				"either \"selector\" or \"operations\" must be given");
	if (listed)
		return decide_list(call, one_of, ret, err);
	if (one_of(call, selector, flag_of(call, "dry_run"), ret, err) != ERR_NONE)
		return err->code;
	(void)json_object_set_new(*ret, "gone", json_array());
	return ERR_NONE;
}

static enum err_code command_approve(struct call *call, json_t **ret, struct err *err)
{
	return decide(call, decide_approve, ret, err);
}

static enum err_code command_reject(struct call *call, json_t **ret, struct err *err)
{
	return decide(call, decide_reject, ret, err);
}

static bool parse_kind(const char *name, enum principal_kind *ret)
{
	for (unsigned kind = 0; kind < PRINCIPAL_KIND_COUNT_; kind++) {
		if (text_equal(name, principal_kind_name((enum principal_kind)kind))) {
			*ret = (enum principal_kind)kind;
			return true;
		}
	}
	return false;
}

static enum err_code command_sync(struct call *call, json_t **ret, struct err *err)
{
	const json_t *timeout = json_object_get(call->request, "timeout_ms");
	json_int_t timeout_ms = timeout ? json_integer_value(timeout) : CONTROL_TIMEOUT_MS;
	enum principal_kind kind;

	if (!parse_kind(string_of(call, "kind"), &kind))
		return err_set(err, ERR_USAGE, 0,
				"sync: \"kind\" must be user, group or service_principal");
	if (timeout_ms < 0 || timeout_ms > CONTROL_TIMEOUT_MAX_MS)
		return err_set(err, ERR_USAGE, 0, "sync: \"timeout_ms\" must be from 0 to %d",
				CONTROL_TIMEOUT_MAX_MS);
	if (engine_sync(call->engine, kind, string_of(call, "name"), &call->reply->sync, err) !=
			ERR_NONE)
		return err->code;
	call->reply->timeout_ms = (uint64_t)timeout_ms;
	*ret = NULL;
	return ERR_NONE;
}

/* ---- replies ---- */

static json_t *answer_of(json_t *result)
{
	return json_pack("{s:b, s:o}", "ok", 1, "result", result);
}

json_t *control_error(const struct err *err)
{
	return json_pack("{s:b, s:{s:s, s:s}}", "ok", 0, "error", "code", err_code_name(err->code),
			"text", err->text);
}

void control_reply_release(struct control_reply *reply)
{
	json_decref(reply->answer);
	json_decref(reply->sync);
	question_free(reply->question);
	*reply = (struct control_reply){0};
}

void control_handle(struct engine *engine, const json_t *request, struct control_reply *ret)
{
	struct call call = {.engine = engine, .request = request, .reply = ret};
	json_t *result = NULL;
	struct err err = {0};
	enum err_code code;

	*ret = (struct control_reply){0};
	if (json_is_object(request))
		code = dispatch(&call, &result, &err);
	else
		code = err_set(&err, ERR_USAGE, 0, "a request is one JSON object on one line");
	if (code != ERR_NONE)
		ret->answer = control_error(&err);
	else if (result)
		ret->answer = answer_of(result);
	else
		control_reply_look(engine, ret);
}

void control_handle_line(struct engine *engine, struct span line, struct control_reply *ret)
{
	json_error_t where;
	json_auto_t *request = json_loadb(line.ptr, line.len, JSON_REJECT_DUPLICATES, &where);
	struct err err = {0};

	if (request) {
		control_handle(engine, request, ret);
		return;
	}
	(void)err_set(&err, ERR_USAGE, 0, "not a JSON object: %s at byte %d", where.text,
			where.position);
	*ret = (struct control_reply){.answer = control_error(&err)};
}

/* Ends a wait: the answer so far with its state. reason may be NULL. */
static void settle(struct control_reply *reply, const char *state, const char *reason)
{
	json_t *result = STEAL(reply->sync);

	(void)json_object_set_new(result, "state", json_string(state));
	(void)json_object_set_new(result, "reason", reason ? json_string(reason) : json_null());
	reply->answer = answer_of(result);
}

static void look_at_question(struct control_reply *reply)
{
	json_t *result = NULL;
	struct err err = {0};

	if (!question_is_done(reply->question))
		return;
	reply->answer = question_answer(reply->question, &result, &err) == ERR_NONE
			? answer_of(result)
			: control_error(&err);
	question_free(STEAL(reply->question));
}

void control_reply_look(struct engine *engine, struct control_reply *reply)
{
	json_auto_t *now = NULL;
	const char *key = json_string_value(json_object_get(reply->sync, "key"));
	const char *state;
	struct err err;

	if (reply->answer)
		return;
	if (reply->question) {
		look_at_question(reply);
		return;
	}
	/* Nobody knows it any more: it was removed, which settles it as well. */
	if (!key || engine_explain(engine, key, &now, &err) != ERR_NONE) {
		settle(reply, "done", NULL);
		return;
	}
	state = json_string_value(json_object_get(now, "state"));
	if (text_equal(state, "pending"))
		return;
	if (text_equal(state, "quarantined"))
		settle(reply, state,
				json_string_value(json_object_get(
						json_object_get(now, "quarantine"), "reason")));
	else
		settle(reply, text_equal(state, "held") ? state : "done", NULL);
}

void control_reply_expire(struct control_reply *reply)
{
	struct err err = {0};

	if (reply->answer)
		return;
	if (!reply->question) {
		settle(reply, "under_way", NULL);
		return;
	}
	question_free(STEAL(reply->question));
	(void)err_set(&err, ERR_TIMEOUT, 0, "Databricks did not answer in time about that object");
	reply->answer = control_error(&err);
}

/* ---- the asking side ---- */

static enum err_code code_named(const char *name)
{
	for (unsigned code = ERR_NONE + 1; code < ERR_COUNT_; code++) {
		if (text_equal(name, err_code_name((enum err_code)code)))
			return (enum err_code)code;
	}
	return ERR_PROTO;
}

enum err_code control_result(json_t *answer, json_t **ret, struct err *err)
{
	json_t *result = json_object_get(answer, "result");
	const char *code = NULL, *text = NULL;

	if (json_is_true(json_object_get(answer, "ok")) && result) {
		*ret = json_incref(result);
		return ERR_NONE;
	}
	if (json_unpack(answer, "{s:{s:s, s:s}}", "error", "code", &code, "text", &text) != 0)
		return err_set(err, ERR_PROTO, 0,
				"the service's answer is none that this version knows");
	return err_set(err, code_named(code), 0, "%s", text);
}

char *control_path(const char *store_path)
{
	return mem_printf("%s.sock", store_path);
}
