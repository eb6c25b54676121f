#include "model/entry.h"
