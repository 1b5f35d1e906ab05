// The record of a job, record.jsonl: one JSON object on a line for each step of each part,
// appended. What is decided is durable before anything follows from it:
//
//   run       a station begins; package_digest says for which package
//   begin     a part has proved who it is and takes its place in the count        durable
//   shares, package, locked, …   steps that were passed
//   done      a part is finished, with its last proof                             durable
//   failed, refused, skipped     it is not; "made" says whether it may hold the package: no,
//                                perhaps, yes                                     durable
//   released  a part whose end nobody knows is given up                           durable
//   end       the station ends, with its figures
//
// A line that a power cut left unfinished is passed over. One station at a time has the record.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tools/station/count.h"

namespace tallystick::station {

using Json = nlohmann::ordered_json;

class Ledger {
 public:
  // Reads what earlier runs wrote into the count. kRefused when the record is of another package,
  // or another station has it.
  static Outcome<Ledger> open(const Job& job, Count& count);
  // The same without having it: for who only looks. A record that is not there is an empty one.
  static Done look(const Job& job, Count& count);

  // Whole lines, in one piece; `durable`: on the disk when it returns.
  Done append(const std::vector<std::string>& lines, bool durable);

 private:
  Ledger(cli::FileHandle file, std::string path) : file_(std::move(file)), path_(std::move(path)) {}
  cli::FileHandle file_;
  std::string path_;
};

// A line of the record, with the time in front.
std::string line_of(Json fields);

}  // namespace tallystick::station
