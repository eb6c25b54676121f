/*
 * fault_presets -- the faults that have a name.
 */
#ifndef SIM_FAULT_PRESETS_H
#define SIM_FAULT_PRESETS_H

#include "faults.h"

/* A header value and a body that are made when they are needed. */
#define FAULT_DATE_IN_5_S "@date+5"
#define FAULT_TEN_MEGABYTES "@10MB"

/* Fills *ret (zeroed before) with the fault of that name; false: there is none. */
MUST_CHECK bool fault_preset(const char *name, struct fault *ret);

#endif
