// For programs that are ours from beginning to end; a library leaves its host's dumps to the host.
#pragma once

namespace tallystick::core {

// The process writes no core and other processes of the user do not read its memory, until it
// executes another program. Best effort: that it may be dumped stops no work.
void forbid_core_dumps();

}  // namespace tallystick::core
