// How many parts are worked on at once when nobody says.
#pragma once

#include <algorithm>
#include <thread>

namespace tallystick::cli {

// More than there are cores: a part waits for its disk most of the time.
inline unsigned jobs_at_once() { return std::max(8U, 2 * std::thread::hardware_concurrency()); }

}  // namespace tallystick::cli
