#include "core/base/core_dumps.h"

#include <sys/prctl.h>

namespace tallystick::core {

// Not by RLIMIT_CORE, which a kernel that hands cores to a program does not ask.
void forbid_core_dumps() { (void)prctl(PR_SET_DUMPABLE, 0); }

}  // namespace tallystick::core
