#include "faults.h"

#include <stdarg.h>

#include "base/text.h"
#include "base/vec.h"
#include "fault_presets.h"

#define DELAY_MAX_MS 600000
#define GARBAGE_BYTES ((size_t)10 * 1024 * 1024)

struct rule {
	char *method; /* "*": any */
	char *path;   /* a glob over the path, or over path and query if it has a "?" */
	bool with_query;
	char *host;         /* "account" or the name of a workspace; NULL: any */
	uint64_t skip;      /* matches that pass unharmed first */
	uint64_t times;     /* matches that are hit then; 0: all */
	double probability; /* of a match being looked at at all */
	uint64_t matched;
	struct fault fault;
};

struct script {
	struct rule *items;
	size_t count, room;
};

struct faults {
	pthread_mutex_t lock;
	char *path;
	uint64_t random;
	struct script current;
	struct { /* answers in progress may still point into those read before */
		struct script *items;
		size_t count, room;
	} former;
};

static enum err_code bad_rule(struct err *err, size_t number, const char *fmt, ...)
		PRINTF_LIKE(3, 4);
static enum err_code bad_rule(struct err *err, size_t number, const char *fmt, ...)
{
	char text[200];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return err_set(err, ERR_CONFIG, 0, "rule %zu: %s", number, text);
}

static void fault_release(struct fault *fault)
{
	mem_free(fault->body);
	for (vec_each (&fault->headers, header)) {
		mem_free(header->name);
		mem_free(header->value);
	}
	vec_release(&fault->headers);
}

static void script_release(struct script *script)
{
	for (vec_each (script, rule)) {
		mem_free(rule->method);
		mem_free(rule->path);
		mem_free(rule->host);
		fault_release(&rule->fault);
	}
	vec_release(script);
}

static bool read_match(const char *text, struct rule *rule)
{
	const char *blank = strchr(text, ' ');

	if (!blank || (blank[1] != '/' && blank[1] != '*'))
		return false;
	rule->method = mem_strndup(text, (size_t)(blank - text));
	rule->path = mem_strdup(blank + 1);
	rule->with_query = strchr(rule->path, '?') != NULL;
	return true;
}

static bool read_count(const json_t *value, json_int_t most, uint64_t *ret)
{
	if (!json_is_integer(value) || json_integer_value(value) < 0 ||
			json_integer_value(value) > most)
		return false;
	*ret = (uint64_t)json_integer_value(value);
	return true;
}

static bool read_small(const json_t *value, uint32_t *ret)
{
	uint64_t number;

	if (!read_count(value, DELAY_MAX_MS, &number))
		return false;
	*ret = (uint32_t)number;
	return true;
}

static bool read_body(const json_t *value, struct fault *fault)
{
	mem_free(fault->body);
	if (json_is_string(value)) {
		fault->body = mem_strdup(json_string_value(value));
		fault->content_type = "text/plain";
	} else {
		fault->body = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
		fault->content_type = "application/json";
	}
	return fault->body != NULL;
}

static bool read_headers(json_t *value, struct fault *fault)
{
	const char *name;
	json_t *text;

	if (!json_is_object(value))
		return false;
	json_object_foreach(value, name, text)
	{
		if (!json_is_string(text))
			return false;
		*vec_add(&fault->headers) = (struct answer_header){
				mem_strdup(name), mem_strdup(json_string_value(text))};
	}
	return true;
}

static bool read_cut(const json_t *value, struct fault *fault)
{
	const char *word = json_string_value(value);

	if (!word)
		return false;
	if (strcmp(word, "before") == 0)
		fault->cut = CUT_BEFORE;
	else if (strcmp(word, "after") == 0)
		fault->cut = CUT_AFTER;
	return fault->cut != CUT_NONE;
}

static bool read_stale(json_t *value, struct fault *fault)
{
	const char *key;
	json_t *number;
	uint32_t reads;

	if (!json_is_object(value))
		return false;
	fault->has_stale = true;
	fault->stale = (struct stale_rule){0};
	json_object_foreach(value, key, number)
	{
		if (strcmp(key, "flap") == 0 && json_is_boolean(number))
			fault->stale.flap = json_is_true(number);
		else if (strcmp(key, "reads") == 0 && read_small(number, &reads))
			fault->stale.get_reads = reads;
		else if (strcmp(key, "list_reads") == 0 && read_small(number, &reads))
			fault->stale.list_reads = reads;
		else if (!(strcmp(key, "ms") == 0 && read_small(number, &fault->stale.get_ms)) &&
				!(strcmp(key, "list_ms") == 0 &&
						read_small(number, &fault->stale.list_ms)))
			return false;
	}
	return true;
}

static bool read_drip(const json_t *value, struct fault *fault)
{
	return read_small(json_object_get(value, "bytes"), &fault->drip_bytes) &&
			fault->drip_bytes &&
			read_small(json_object_get(value, "every_ms"), &fault->drip_ms);
}

static bool read_status(const json_t *value, struct fault *fault)
{
	uint64_t status;

	if (!read_count(value, 599, &status) || status < 200)
		return false;
	fault->status = (unsigned)status;
	fault->has_answer = true;
	return true;
}

static bool read_flag(const json_t *value, bool *ret)
{
	*ret = json_is_true(value);
	return json_is_boolean(value);
}

static bool read_truncate(const json_t *value, struct fault *fault)
{
	uint64_t at;

	if (!read_count(value, INT32_MAX, &at))
		return false;
	fault->truncated = true;
	fault->truncate_at = at;
	return true;
}

static bool read_probability(const json_t *value, struct rule *rule)
{
	rule->probability = json_number_value(value);
	return json_is_number(value) && rule->probability >= 0 && rule->probability <= 1;
}

static bool read_key(const char *key, json_t *value, struct rule *rule)
{
	struct fault *fault = &rule->fault;
	const char *text = json_string_value(value);

	if (strcmp(key, "name") == 0 || strcmp(key, "fault") == 0)
		return text != NULL; /* a name is for people; the fault was read before all else */
	if (strcmp(key, "match") == 0)
		return text && read_match(text, rule);
	if (strcmp(key, "host") == 0)
		return text && (rule->host = mem_strdup(text)) != NULL;
	if (strcmp(key, "skip") == 0)
		return read_count(value, INT32_MAX, &rule->skip);
	if (strcmp(key, "times") == 0)
		return read_count(value, INT32_MAX, &rule->times);
	if (strcmp(key, "probability") == 0)
		return read_probability(value, rule);
	if (strcmp(key, "status") == 0)
		return read_status(value, fault);
	if (strcmp(key, "headers") == 0)
		return read_headers(value, fault);
	if (strcmp(key, "body") == 0)
		return read_body(value, fault);
	if (strcmp(key, "after") == 0)
		return read_flag(value, &fault->after);
	if (strcmp(key, "cut") == 0)
		return read_cut(value, fault);
	if (strcmp(key, "truncate") == 0)
		return read_truncate(value, fault);
	if (strcmp(key, "delay_ms") == 0)
		return read_small(value, &fault->delay_ms);
	if (strcmp(key, "drip") == 0)
		return read_drip(value, fault);
	if (strcmp(key, "stale") == 0)
		return read_stale(value, fault);
	if (strcmp(key, "drop_members") == 0)
		return read_flag(value, &fault->drop_members);
	return strcmp(key, "revoke_tokens") == 0 && read_flag(value, &fault->revoke_tokens);
}

static enum err_code read_rule(json_t *object, size_t number, struct rule *rule, struct err *err)
{
	const char *preset = json_string_value(json_object_get(object, "fault"));
	const char *key;
	json_t *value;

	*rule = (struct rule){
			.probability = 1, .times = json_object_get(object, "probability") ? 0 : 1};
	if (!json_is_object(object))
		return bad_rule(err, number, "not an object");
	if (preset && !fault_preset(preset, &rule->fault))
		return bad_rule(err, number, "no fault is called \"%s\"", preset);
	json_object_foreach(object, key, value)
	{
		if (!read_key(key, value, rule))
			return bad_rule(err, number, "\"%s\" is unknown or has an unfit value",
					key);
	}
	if (!rule->path)
		return bad_rule(err, number, "\"match\" is missing: \"METHOD /path\"");
	return ERR_NONE;
}

static enum err_code read_rules(json_t *rules, struct script *script, struct err *err)
{
	size_t i;
	json_t *object;

	if (!json_is_array(rules) || json_array_size(rules) > FAULT_RULES_MAX)
		return err_set(err, ERR_CONFIG, 0, "\"rules\" is not a list of at most %d",
				FAULT_RULES_MAX);
	json_array_foreach(rules, i, object)
	{
		if (read_rule(object, i + 1, vec_add(script), err) != ERR_NONE)
			return err->code;
	}
	return ERR_NONE;
}

static enum err_code read_quirks(json_t *quirks, struct options *options, struct err *err)
{
	const char *name;
	json_t *on;

	json_object_foreach(quirks, name, on)
	{
		if (!json_is_boolean(on) || !options_set_quirk(options, name, json_is_true(on)))
			return err_set(err, ERR_CONFIG, 0,
					"quirk \"%s\" is unknown or neither true nor false", name);
	}
	return ERR_NONE;
}

static enum err_code read_file(struct faults *faults, struct options *options,
		struct script *script, struct err *err)
{
	json_error_t error;
	json_t *file = json_load_file(faults->path, 0, &error);
	json_t *rules = json_is_array(file) ? file : json_object_get(file, "rules");

	if (!file)
		return err_set(err, ERR_CONFIG, 0, "%s:%d: %s", faults->path, error.line,
				error.text);
	if (json_is_integer(json_object_get(file, "seed")))
		faults->random = (uint64_t)json_integer_value(json_object_get(file, "seed"));
	if (read_quirks(json_object_get(file, "quirks"), options, err) == ERR_NONE && rules)
		(void)read_rules(rules, script, err);
	json_decref(file);
	return err->code == ERR_NONE ? ERR_NONE : err_context(err, "%s", faults->path);
}

enum err_code faults_load(
		const char *path, struct options *options, struct faults **ret, struct err *err)
{
	struct faults *faults = mem_zalloc(sizeof(*faults));

	(void)pthread_mutex_init(&faults->lock, NULL);
	faults->path = mem_strdup_or_null(path);
	err->code = ERR_NONE;
	if (path && read_file(faults, options, &faults->current, err) != ERR_NONE) {
		faults_free(faults);
		return err->code;
	}
	*ret = faults;
	return ERR_NONE;
}

enum err_code faults_reload(struct faults *faults, struct options *options, struct err *err)
{
	struct script script = {0};

	err->code = ERR_NONE;
	if (!faults->path)
		return ERR_NONE;
	if (read_file(faults, options, &script, err) != ERR_NONE) {
		script_release(&script);
		return err->code;
	}
	(void)pthread_mutex_lock(&faults->lock);
	*vec_add(&faults->former) = faults->current;
	faults->current = script;
	(void)pthread_mutex_unlock(&faults->lock);
	return ERR_NONE;
}

void faults_free(struct faults *faults)
{
	if (!faults)
		return;
	script_release(&faults->current);
	for (vec_each (&faults->former, script))
		script_release(script);
	vec_release(&faults->former);
	(void)pthread_mutex_destroy(&faults->lock);
	mem_free(faults->path);
	mem_free(faults);
}

/* SplitMix64 (Steele, Lea, Flood): the same seed gives the same faults. */
static double next_random(struct faults *faults)
{
	uint64_t z = faults->random += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	z ^= z >> 31;
	return (double)(z >> 11) / (double)(UINT64_C(1) << 53);
}

static bool rule_matches(const struct rule *rule, const struct request *request)
{
	const char *host = request->host ? request->host->name : "account";
	AUTO(mem_freep) char *path = NULL;

	if (strcmp(rule->method, "*") != 0 && strcmp(rule->method, request->method) != 0)
		return false;
	if (rule->host && strcmp(rule->host, host) != 0)
		return false;
	path = rule->with_query ? mem_strdup(request->target)
				: mem_strndup(request->target, strcspn(request->target, "?"));
	return text_matches_glob(rule->path, path);
}

static bool rule_fires(struct faults *faults, struct rule *rule)
{
	if (rule->probability < 1 && next_random(faults) >= rule->probability)
		return false;
	rule->matched++;
	return rule->matched > rule->skip &&
			(rule->times == 0 || rule->matched <= rule->skip + rule->times);
}

const struct fault *faults_pick(struct faults *faults, const struct request *request)
{
	const struct fault *fault = NULL;

	(void)pthread_mutex_lock(&faults->lock);
	for (vec_each (&faults->current, rule)) {
		if (rule_matches(rule, request) && rule_fires(faults, rule)) {
			fault = &rule->fault;
			break;
		}
	}
	(void)pthread_mutex_unlock(&faults->lock);
	return fault;
}

static void add_fault_header(struct answer *answer, const struct answer_header *header)
{
	char date[64];
	time_t when = time(NULL) + 5;
	struct tm parts;

	if (strcmp(header->value, FAULT_DATE_IN_5_S) != 0) {
		answer_add_header(answer, header->name, header->value);
		return;
	}
	if (gmtime_r(&when, &parts) &&
			strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", &parts))
		answer_add_header(answer, header->name, date);
}

void fault_answer(const struct fault *fault, struct answer *answer)
{
	const char *body = fault->body ? fault->body : "";

	answer_reset(answer);
	answer->status = fault->status;
	answer->content_type = *body ? fault->content_type : NULL;
	for (vec_each (&fault->headers, header))
		add_fault_header(answer, header);
	if (strcmp(body, FAULT_TEN_MEGABYTES) != 0) {
		buf_add_text(&answer->body, body);
		return;
	}
	while (answer->body.len < GARBAGE_BYTES)
		buf_add_text(&answer->body, "garbage ");
}
