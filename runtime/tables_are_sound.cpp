// SPDX-License-Identifier: Apache-2.0
// Holds no code: that it compiles says that the tables are sound.
#include "kawara/hw/tables_are_sound.h"
