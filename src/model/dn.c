#include "model/dn.h"
