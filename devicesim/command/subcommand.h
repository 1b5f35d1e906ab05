// How a command of tallystick-devicesim is made: options of its own, what describes them to CLI11,
// and what runs when it was chosen.
#pragma once

#include <functional>
#include <iosfwd>
#include <memory>

#include <CLI/CLI.hpp>

#include "devicesim/part.h"

namespace tallystick::device {

// What a command works with.
struct Desk {
  Part::CryptoPtr crypto;
  std::ostream& out;
  std::ostream& err;
};

using Chosen = std::function<core::Status(Desk&)>;

template <typename Options>
void add_command(CLI::App& parent, Chosen& chosen, const char* name, const char* what,
                 core::Status (*run)(Desk&, const Options&),
                 void (*describe)(CLI::App&, Options&)) {
  const auto options = std::make_shared<Options>();
  auto* const command = parent.add_subcommand(name, what);
  describe(*command, *options);
  command->callback([options, run, &chosen] {
    chosen = [options, run](Desk& desk) { return run(desk, *options); };
  });
}

// Each adds its part of the command line; the one that was chosen is put into `chosen`.
void add_part_commands(CLI::App& app, Chosen& chosen);        // create, show, reset, prove
void add_life_cycle_commands(CLI::App& app, Chosen& chosen);  // lock
void add_boot_command(CLI::App& app, Chosen& chosen);
void add_key_commands(CLI::App& app, Chosen& chosen);
void add_debug_commands(CLI::App& app, Chosen& chosen);
void add_serve_command(CLI::App& app, Chosen& chosen);

inline CLI::Option* add_file(CLI::App& command, std::string& file) {
  return command.add_option("file", file, "The part's file")->required();
}

// What a new part is made of.
struct ManufactureOptions {
  std::string fingerprint;
  std::string product;
  std::uint64_t flash_base = 0;
  std::uint64_t flash_size = MemoryMap().flash_size;
  std::uint32_t minimum_software = 0;
  std::string key = "stored";
  double puf_error = 15;  // per cent
};
// Without --icm-fingerprint, which some commands require and some do not; it is returned.
CLI::Option* add_manufacture_options(CLI::App& command, ManufactureOptions& options);
core::Result<Manufacture> manufacture_of(const ManufactureOptions& options);

}  // namespace tallystick::device
