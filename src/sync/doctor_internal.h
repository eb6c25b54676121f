/* doctor_internal -- what the doctor*.c files share. Private to them. */
#ifndef L2D_SYNC_DOCTOR_INTERNAL_H
#define L2D_SYNC_DOCTOR_INTERNAL_H

#include "base/table.h"
#include "base/vec.h"
#include "databricks/client.h"
#include "databricks/scim.h"
#include "sync/doctor.h"

enum finding { FINDING_OK, FINDING_INFO, FINDING_WARNING, FINDING_PROBLEM };

struct patient; /* one target */

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
	int64_t now_ms;
};

void doctor_add(struct doctor *doctor, const char *area, const char *name, const char *check,
		enum finding finding, const char *fmt, ...) PRINTF_LIKE(6, 7);
void doctor_closed(struct doctor *doctor); /* one of what was open is done */

/* ---- doctor_directory.c ---- */
void doctor_directory_start(struct doctor *doctor);
void doctor_directory_free(struct doctor *doctor); /* tells of what did not answer */

/* ---- doctor_target.c ---- */
void doctor_targets_start(struct doctor *doctor);
void doctor_targets_free(struct doctor *doctor);

#endif
