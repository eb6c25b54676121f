/* doctor_internal -- what the doctor*.c files share. Private to them. */
#ifndef L2D_SYNC_DOCTOR_INTERNAL_H
#define L2D_SYNC_DOCTOR_INTERNAL_H

#include "base/table.h"
#include "base/vec.h"
#include "databricks/client.h"
#include "databricks/scim.h"
#include "databricks/service_principal_secret.h"
#include "store/store.h"
#include "sync/doctor.h"

enum finding { FINDING_OK, FINDING_INFO, FINDING_WARNING, FINDING_PROBLEM };

struct doctor;
struct patient;

enum probe_kind {
	PROBE_WRITE,      /* groups over SCIM */
	PROBE_MANAGE,     /* rights of objects: those of tokens stand for all */
	PROBE_TOKENS,     /* token management */
	PROBE_WORKSPACES, /* what only an admin of the account sees */
	PROBE_OURSELVES,  /* our own service principal */
	PROBE_OWN_TOKENS, /* our own personal access tokens */
	PROBE_EXTERNAL,   /* one whom an identity provider brings */
	PROBE_COUNT_
};

struct probe {
	struct task answered;
	struct patient *patient;
	enum probe_kind kind;
	struct call call;
	bool open;
};

/* One target. */
struct patient {
	struct doctor *doctor;
	unsigned target;
	bool is_account, is_home;
	size_t open;
	struct probe probes[PROBE_COUNT_];
	struct scim_list *lists[PRINCIPAL_KIND_COUNT_];
	struct table *names[PRINCIPAL_KIND_COUNT_]; /* folded -> anything */
	size_t counts[PRINCIPAL_KIND_COUNT_], twins[PRINCIPAL_KIND_COUNT_],
			external[PRINCIPAL_KIND_COUNT_];
	char *twin[PRINCIPAL_KIND_COUNT_],
			*outsider[PRINCIPAL_KIND_COUNT_]; /* an example of each */
	char *outside_id[PRINCIPAL_KIND_COUNT_];          /* external id of the outsider */
	bool read_failed;
	struct listing *secrets;
};

struct doctor {
	struct loop *loop;
	const struct config *config;
	const struct settings *settings;
	struct databricks *databricks;
	struct task over; /* time is up, or nothing is open any more */
	json_t *checks;
	size_t open; /* sources and targets that are not done */
	struct patient *patients;
	struct ward *wards;           /* one source each */
	struct table *ours;           /* "TARGET NAME/KIND/ID" of what the store says is ours */
	struct table *account_groups; /* folded names */
	VEC(char *) clash_places;     /* "workspace\nname" of workspace-local groups */
	bool rights_only;             /* the rules make no users and no groups */
	size_t made, ended,
			soon; /* secrets and tokens for others: not delivered, over, over soon */
	char *ended_name;     /* whose, for one */
	int64_t now_ms;
};

void doctor_add(struct doctor *doctor, const char *area, const char *name, const char *check,
		enum finding finding, const char *fmt, ...) PRINTF_LIKE(6, 7);
void doctor_closed(struct doctor *doctor); /* one of what was open is done */

/* ---- doctor_directory.c ---- */
void doctor_directory_start(struct doctor *doctor);
void doctor_directory_free(struct doctor *doctor); /* tells of what did not answer */

/* ---- doctor_budget.c ---- */
void doctor_look_at_limits(struct doctor *doctor);
/* All of the target was read: how much of what an account may have is there, and how long its reading takes. */
void doctor_tell_sizes(struct patient *patient);
/* Whether we were slowed down meanwhile. */
void doctor_tell_throttling(struct patient *patient);

/* ---- doctor_people.c: who is there ---- */
void doctor_people_start(struct patient *patient);
/* The answer about one whom an identity provider brings, or NULL if there is none: whether others provision here. */
void doctor_tell_provisioning(struct patient *patient, const struct call *call_or_null);
void doctor_tell_clashes(struct doctor *doctor); /* once all is read */
void doctor_people_release(struct patient *patient);

/* ---- doctor_rights.c: what we may do ---- */
void doctor_rights_start(struct patient *patient);
void doctor_rights_release(struct patient *patient);
/* A call of that kind, about to be filled and sent; doctor_rights.c takes its answer. */
struct call *doctor_probe(struct patient *patient, enum probe_kind kind);

/* ---- doctor_expiry.c: what ends soon ---- */
void doctor_expiry_start(struct patient *patient);
void doctor_tell_tokens(struct patient *patient, const struct call *call);
void doctor_tell_own_tokens(struct patient *patient, const struct call *call);
/* Our own service principal was looked for: its secrets are next. */
void doctor_find_secrets(struct patient *patient, const struct call *call);
/* What the store says of secrets and tokens that we made for others. */
void doctor_count_holding(struct doctor *doctor, const struct store_holding *holding);
void doctor_tell_holdings(struct doctor *doctor);

/* ---- doctor_target.c ---- */
/* A check of one target. */
#define DOCTOR_TELL(patient, check, finding, ...)                                                  \
	doctor_add((patient)->doctor, "databricks", doctor_name_of(patient), check, finding,       \
			__VA_ARGS__)
const char *doctor_name_of(const struct patient *patient);
void doctor_part_done(struct patient *patient); /* one of what was open there is done */
/* The sign-in is told by itself. true: there is nothing more to say. */
bool doctor_is_refused(const struct patient *patient, const struct err *err);
void doctor_targets_start(struct doctor *doctor);
void doctor_targets_free(struct doctor *doctor);

#endif
