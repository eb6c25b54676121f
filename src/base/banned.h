/*
 * banned -- calls that no file of this project makes; included in front of every file by the build.
 *
 * strcpy and its kin write without a bound, atoi and sscanf read without an error, strtok,
 * localtime and rand keep hidden state, system starts a shell. Use base/buf.h, base/text.h and
 * base/clock.h.
 */
#ifndef L2D_BASE_BANNED_H
#define L2D_BASE_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* For clang, the C library's fortified headers make macros of these. */
#undef sprintf
#undef vsprintf
#undef strcpy
#undef strcat
#undef strncpy
#undef strncat

#pragma GCC poison strcpy strcat strncpy strncat sprintf vsprintf strtok gets
#pragma GCC poison atoi atol atoll sscanf localtime gmtime ctime asctime tmpnam mktemp

/* Words that other headers use for parameters, so only the call is an error; clang takes no such late attribute. */
#ifndef __clang__
extern int rand(void) __attribute__((error("use base/digest.h")));
extern void srand(unsigned seed) __attribute__((error("use base/digest.h")));
extern int system(const char *command) __attribute__((error("no shell")));
#endif

#endif
