/*
 * dn_type -- attribute types in DNs: their forms, and the one short name that stands for all names of an attribute.
 */
#ifndef L2D_MODEL_DN_TYPE_H
#define L2D_MODEL_DN_TYPE_H

#include "base/mem.h"

#define DN_TYPE_MAX 128 /* bytes of an attribute type */

/*
 * Reads a type as written: a name or an OID, in any case. The result is in lower case, in room or static; its length is
 * 0 if written is no type.
 */
struct span dn_type_read(struct span written, char room[static DN_TYPE_MAX]);

#endif
