/*
 * dbx-sim -- a Databricks account and its workspaces, simulated on loopback. README.md beside this file.
 */
#include <signal.h>
#include <unistd.h>

#include "base/digest.h"
#include "account_workspace.h"
#include "faults.h"
#include "http.h"
#include "object_api.h"
#include "permissions.h"
#include "base/json_out.h"
#include "rates.h"
#include "oauth.h"
#include "parts.h"
#include "persist.h"
#include "request_log.h"
#include "sim.h"

#define FIRST_LINE_MAX ((size_t)1024 * 1024)

static enum err_code set_tags(struct sim *sim, struct err *err)
{
	for (vec_each (&sim->options.tags, tag)) {
		struct workspace *found = NULL;

		for (vec_each (&sim->state->workspaces, workspace))
			found = strcmp((*workspace)->name, tag->workspace) == 0 ? *workspace
										: found;
		if (!found)
			return err_set(err, ERR_USAGE, 0, "--tag: there is no workspace \"%s\"",
					tag->workspace);
		account_workspace_set_tag(sim->state, found, tag->key, tag->value);
	}
	return ERR_NONE;
}

static enum err_code load_state(struct sim *sim, struct err *err)
{
	const struct options *options = &sim->options;
	struct state *state = sim->state;

	state->wide_ids = options->quirks[QUIRK_WIDE_IDS];
	state->see_indirect = options->quirks[QUIRK_INDIRECT_SEEN];
	if (options->state_file && access(options->state_file, F_OK) == 0) {
		if (persist_load(options->state_file, state, err) != ERR_NONE)
			return err->code;
	} else if (options->seed_file && persist_load(options->seed_file, state, err) != ERR_NONE) {
		return err->code;
	}
	persist_complete(state, options->account_id);
	for (vec_each (&options->workspaces, wanted)) {
		struct workspace *found = NULL;

		for (vec_each (&state->workspaces, workspace))
			found = strcmp((*workspace)->name, wanted->name) == 0 ? *workspace : found;
		if (!found)
			found = state_add_workspace(state, wanted->name, 0);
		found->port_wanted = wanted->port;
	}
	for (vec_each (&state->workspaces, workspace))
		persist_join(state, *workspace);
	return set_tags(sim, err);
}

/* What --objects brings is for a fresh state, as a seed is. */
static enum err_code load_objects(struct sim *sim, bool fresh, struct err *err)
{
	const char *path = fresh ? sim->options.objects_file : NULL;

	if (path && objects_seed(sim, path, err) != ERR_NONE)
		return err->code;
	permissions_settle(sim);
	return ERR_NONE;
}

static enum err_code start(struct sim *sim, struct http **http, struct err *err)
{
	const struct options *options = &sim->options;
	bool fresh = !options->state_file || access(options->state_file, F_OK) != 0;

	if (faults_load(options->faults_file, &sim->options, &sim->faults, err) != ERR_NONE ||
			load_state(sim, err) != ERR_NONE ||
			load_objects(sim, fresh, err) != ERR_NONE)
		return err->code;
	if (options->log_file && request_log_open(options->log_file, &sim->log, err) != ERR_NONE)
		return err->code;
	sim->tokens = tokens_new();
	parts_join(sim);
	sim->rates = rates_new(sim->state->workspaces.count);
	return http_start(sim, http, err);
}

static void add_host(struct buf *out, uint16_t port)
{
	json_add_key(out, "host");
	buf_printf(out, "\"http://127.0.0.1:%u\"", port);
}

/* Everything that a client needs to know, on one line, at once. */
static void print_first_line(const struct sim *sim)
{
	const struct state *state = sim->state;
	AUTO(buf_release) struct buf out;

	buf_init(&out, FIRST_LINE_MAX);
	buf_add_text(&out, "{\"account\":{");
	add_host(&out, sim->account_port);
	json_add_member(&out, "account_id", state->account_id);
	buf_add_char(&out, '}');
	json_add_member(&out, "client_id", state->client_id);
	json_add_member(&out, "client_secret", state->client_secret);
	json_add_key(&out, "workspaces");
	buf_add_char(&out, '{');
	for (vec_each (&state->workspaces, item)) {
		const struct workspace *workspace = *item;

		json_add_comma(&out);
		json_add_text(&out, workspace->name);
		buf_add_text(&out, ":{");
		add_host(&out, workspace->port);
		json_add_key(&out, "id");
		json_add_number(&out, workspace->id);
		json_add_member(&out, "token", workspace->token);
		buf_add_char(&out, '}');
	}
	buf_add_text(&out, "}}");
	(void)puts(buf_text(&out));
	(void)fflush(stdout);
}

static enum err_code save(struct sim *sim, struct err *err)
{
	enum err_code code;

	if (!sim->options.state_file)
		return ERR_NONE;
	(void)pthread_rwlock_rdlock(&sim->lock);
	code = persist_save(sim->options.state_file, sim->state, err);
	(void)pthread_rwlock_unlock(&sim->lock);
	return code;
}

static void complain(const struct err *err)
{
	(void)fprintf(stderr, "dbx-sim: %s\n", err->text);
}

/* Until a signal ends it. */
static void serve(struct sim *sim, const sigset_t *signals)
{
	struct err err;
	int signal;

	while (sigwait(signals, &signal) == 0) {
		enum err_code code = ERR_NONE;

		if (signal == SIGTERM || signal == SIGINT)
			return;
		if (signal == SIGHUP) {
			(void)pthread_rwlock_wrlock(&sim->lock); /* the file has quirks, too */
			code = faults_reload(sim->faults, &sim->options, &err);
			(void)pthread_rwlock_unlock(&sim->lock);
		}
		if (signal == SIGUSR1)
			code = save(sim, &err);
		if (code != ERR_NONE)
			complain(&err);
	}
}

static void sim_release(struct sim *sim)
{
	request_log_close(sim->log);
	faults_free(sim->faults);
	rates_free(sim->rates);
	tokens_free(sim->tokens);
	state_free(sim->state);
	(void)pthread_rwlock_destroy(&sim->lock);
	options_release(&sim->options);
}

static int run(struct sim *sim)
{
	struct http *http = NULL;
	struct err err = {0};
	sigset_t signals;
	enum err_code code;

	(void)sigemptyset(&signals);
	(void)sigaddset(&signals, SIGTERM);
	(void)sigaddset(&signals, SIGINT);
	(void)sigaddset(&signals, SIGHUP);
	(void)sigaddset(&signals, SIGUSR1);
	(void)sigaddset(&signals, SIGPIPE);
	/* Blocked before there are threads, so that only sigwait sees them. */
	(void)pthread_sigmask(SIG_BLOCK, &signals, NULL);
	code = start(sim, &http, &err);
	if (code == ERR_NONE) {
		print_first_line(sim);
		serve(sim, &signals);
		http_stop(http);
		code = save(sim, &err);
	}
	if (code != ERR_NONE)
		complain(&err);
	return code == ERR_NONE ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	struct sim sim = {0};
	struct err err = {0};
	int result;

	if (options_parse(argc, argv, &sim.options, &err) != ERR_NONE) {
		complain(&err);
		return 64;
	}
	if (sim.options.help) {
		options_print_help();
		options_release(&sim.options);
		return EXIT_SUCCESS;
	}
	sim.state = state_new();
	(void)pthread_rwlock_init(&sim.lock, NULL);
	result = run(&sim);
	sim_release(&sim);
	return result;
}
