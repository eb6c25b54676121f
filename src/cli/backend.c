#include "cli/backend.h"

#include "service/control_client.h"
#include "service/control_protocol.h"
#include "sync/discover.h"

struct backend {
	struct control_client *client;
	struct session *session;
};

bool service_is_running(const struct settings *settings)
{
	AUTO(mem_freep) char *path = control_path(settings->store_path);
	struct control_client *client = NULL;
	struct err err;

	if (control_client_new(path, &client, &err) != ERR_NONE)
		return false;
	control_client_free(client);
	return true;
}

enum err_code backend_new(struct config *config, enum engine_mode alone, struct backend **ret,
		struct err *err)
{
	AUTO(mem_freep) char *path = control_path(config_settings(config)->store_path);
	struct engine_options options = {
			.mode = alone, .config = config, .quiet = alone == ENGINE_PLAN};
	struct backend backend = {0};
	enum err_code code = control_client_new(path, &backend.client, err);

	if (code == ERR_NOT_FOUND)
		code = discover_now(config, DISCOVER_MS, err);
	if (code == ERR_NONE && !backend.client)
		code = session_new(&options, &backend.session, err);
	if (code != ERR_NONE)
		return code;
	*ret = mem_alloc(sizeof(**ret));
	**ret = backend;
	return ERR_NONE;
}

bool backend_is_service(const struct backend *backend)
{
	return backend->client != NULL;
}

struct session *backend_session(const struct backend *backend)
{
	return backend->session;
}

static bool is_answered(const void *question)
{
	return question_is_done(question);
}

/* A question goes on while the loop runs; anything else is over when it was handled. */
static enum err_code finish(struct backend *backend, struct control_reply *reply, struct err *err)
{
	if (reply->question) {
		if (session_wait(backend->session, is_answered, reply->question, err) != ERR_NONE)
			return err->code;
		control_reply_look(session_engine(backend->session), reply);
	}
	control_reply_expire(reply);
	return ERR_NONE;
}

enum err_code backend_call(struct backend *backend, json_t *request, uint64_t timeout_ms,
		json_t **ret, struct err *err)
{
	struct control_reply reply = {0};
	enum err_code code;

	if (backend->client)
		return control_client_call(backend->client, request, timeout_ms, ret, err);
	control_handle(session_engine(backend->session), request, &reply);
	json_decref(request);
	code = finish(backend, &reply, err);
	if (code == ERR_NONE)
		code = control_result(reply.answer, ret, err);
	control_reply_release(&reply);
	return code;
}

void backend_free(struct backend *backend)
{
	if (!backend)
		return;
	control_client_free(backend->client);
	session_free(backend->session);
	mem_free(backend);
}

void backend_freep(struct backend **backend)
{
	backend_free(*backend);
}
