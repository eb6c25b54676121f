#include "directory/tls_context.h"

#include "base/text.h"

#include <pthread.h>
#include <sys/stat.h>

/* GnuTLS ignores libldap's least version, so the versions are named, and looked at once more afterwards. */
#define GNUTLS_PRIORITY "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"
#define SYSTEM_CA_FILE "/etc/ssl/certs/ca-certificates.crt" /* only looked at to see a change */

enum { FILE_CA, FILE_CERT, FILE_KEY, FILE_COUNT };

/* What tells one state of a file from another. */
struct file_state {
	char *path; /* NULL: none */
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec changed;
};
struct context {
	struct file_state files[FILE_COUNT];
	void *tls; /* libldap's */
	struct context *next;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct context *contexts; /* newest first */

/* ---- files ---- */

static void look_at(const struct source_settings *source, struct file_state ret[static FILE_COUNT])
{
	const char *const paths[FILE_COUNT] = {
			source->ca_file, source->cert_file, source->key_file};

	for (size_t i = 0; i < FILE_COUNT; i++) {
		const char *path = i == FILE_CA && !paths[i] ? SYSTEM_CA_FILE : paths[i];
		struct stat st = {0};

		if (path && stat(path, &st) != 0)
			st = (struct stat){0};
		ret[i] = (struct file_state){mem_strdup_or_null(paths[i]), st.st_dev, st.st_ino,
				st.st_size, st.st_ctim};
	}
}

static void forget(struct file_state files[static FILE_COUNT])
{
	for (size_t i = 0; i < FILE_COUNT; i++)
		mem_free(files[i].path);
}

static bool is_same(const struct file_state *a, const struct file_state *b)
{
	return text_equal(a->path, b->path) && a->device == b->device && a->inode == b->inode &&
			a->size == b->size && a->changed.tv_sec == b->changed.tv_sec &&
			a->changed.tv_nsec == b->changed.tv_nsec;
}

static struct context *find(const struct file_state files[static FILE_COUNT])
{
	for (struct context *context = contexts; context; context = context->next) {
		size_t same = 0;

		while (same < FILE_COUNT && is_same(&context->files[same], &files[same]))
			same++;
		if (same == FILE_COUNT)
			return context;
	}
	return NULL;
}

/* ---- contexts ---- */

static void set_text(LDAP *ld, int option, const char *text)
{
	if (text)
		(void)ldap_set_option(ld, option, text);
}

static bool make(LDAP *ld, const struct source_settings *source)
{
	const int least = LDAP_OPT_X_TLS_PROTOCOL_TLS1_2;
	const int client = 0;
	char *package = NULL;

	(void)ldap_set_option(ld, LDAP_OPT_X_TLS_PROTOCOL_MIN, &least);
	(void)ldap_get_option(ld, LDAP_OPT_X_TLS_PACKAGE, (void *)&package);
	if (text_equal(package, "GnuTLS"))
		set_text(ld, LDAP_OPT_X_TLS_CIPHER_SUITE, GNUTLS_PRIORITY);
	ldap_memfree(package);
	set_text(ld, LDAP_OPT_X_TLS_CACERTFILE, source->ca_file);
	set_text(ld, LDAP_OPT_X_TLS_CERTFILE, source->cert_file);
	set_text(ld, LDAP_OPT_X_TLS_KEYFILE, source->key_file);
	/* Without a new context all of the above is stored and not used. This is where the files are read. */
	return ldap_set_option(ld, LDAP_OPT_X_TLS_NEWCTX, &client) == LDAP_OPT_SUCCESS;
}

/* Takes the context that ld has just made for all that come later. */
static void keep(LDAP *ld, struct file_state files[static FILE_COUNT])
{
	struct context *context = mem_zalloc(sizeof(*context));

	(void)ldap_get_option(ld, LDAP_OPT_X_TLS_CTX, (void *)&context->tls);
	memcpy(context->files, files, sizeof(context->files));
	context->next = contexts;
	contexts = context;
}

static bool find_or_make(LDAP *ld, const struct source_settings *source)
{
	struct file_state files[FILE_COUNT];
	struct context *context;

	look_at(source, files);
	context = find(files);
	if (!context && make(ld, source)) {
		keep(ld, files);
		return true;
	}
	forget(files);
	return context && ldap_set_option(ld, LDAP_OPT_X_TLS_CTX, context->tls) == LDAP_OPT_SUCCESS;
}

enum err_code tls_context_set(LDAP *ld, const struct source_settings *source, struct err *err)
{
	const int demand = LDAP_OPT_X_TLS_DEMAND;
	bool fine;

	/* Of the handle as well as of the context: the name is checked by it. */
	(void)ldap_set_option(ld, LDAP_OPT_X_TLS_REQUIRE_CERT, &demand);
	(void)pthread_mutex_lock(&lock);
	fine = find_or_make(ld, source);
	(void)pthread_mutex_unlock(&lock);
	if (fine)
		return ERR_NONE;
	return err_set(err, ERR_CONFIG, 0,
			"source \"%s\": TLS cannot be set up: check that these files exist, are "
			"readable PEM, and that the "
			"key belongs to the certificate: ca \"%s\", cert \"%s\", key \"%s\"",
			source->name, source->ca_file ? source->ca_file : "(the system's)",
			source->cert_file ? source->cert_file : "(none)",
			source->key_file ? source->key_file : "(none)");
}

enum err_code tls_context_check(LDAP *ld, const char *uri, struct err *err)
{
	static const char *const accepted[] = {"TLS1.2", "TLS1.3", "TLSv1.2", "TLSv1.3"};
	char *version = NULL;
	bool fine = false;

	(void)ldap_get_option(ld, LDAP_OPT_X_TLS_VERSION, (void *)&version);
	for (size_t i = 0; ldap_tls_inplace(ld) && i < COUNT_OF(accepted); i++)
		fine = fine || text_equal(version, accepted[i]);
	if (!fine)
		(void)err_set(err, ERR_IO, 0, "\"%s\" speaks %s; TLS 1.2 or newer is needed", uri,
				version ? version : "no TLS");
	ldap_memfree(version);
	return fine ? ERR_NONE : ERR_IO;
}
