// Makes a job's folder.
#pragma once

#include "tools/station/job.h"

namespace tallystick::station {

// Where the files are that go into the job.
struct JobSources {
  core::Bytes icm_certificate;  // DER
  std::string package;
  std::string shares;    // a .tsos, or a folder of ID.tsop
  std::string software;  // empty: none
};

// The files are copied under their usual names and verified; the folder appears whole or not at
// all. kFile when there is something of that name.
Outcome<std::shared_ptr<const Job>> make_job(const std::shared_ptr<const core::Crypto>& crypto,
                                             const std::string& folder, JobFile file,
                                             const JobSources& sources);

}  // namespace tallystick::station
