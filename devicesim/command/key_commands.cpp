// key ...: what an application does with the part's keys.
#include <ostream>

#include "devicesim/command/subcommand.h"
#include "devicesim/command/text.h"
#include "devicesim/new_file.h"

namespace tallystick::device {
namespace {

using core::Status;

struct KeyOptions {
  std::string file;
  std::uint32_t slot = 0;
  std::string input;
  std::string output;
  bool force = false;
  bool cmac = false;
  std::string aside;
  std::string context;
  std::string wrapped;
};

Status run(Desk& desk, const KeyOptions& options, KeyOperation operation) {
  core::Bytes input;
  core::Bytes aside;
  core::Bytes by;
  KeyRequest request;
  if (!options.input.empty()) {
    auto read = read_input_file(options.input, kMostKeyInput);
    if (!read) return std::move(read).error();
    input = *std::move(read);
  }
  if (!options.aside.empty()) {
    auto read = read_input_file(options.aside, kMostKeyAside);
    if (!read) return std::move(read).error();
    aside = *std::move(read);
  }
  if (!options.context.empty()) {
    auto context = bytes_from_hex("the context", options.context);
    if (!context) return std::move(context).error();
    by = *std::move(context);
    request.path = KeyPath::kDerived;
  }
  if (!options.wrapped.empty()) {
    auto read = read_input_file(options.wrapped, kMostKeyAside);
    if (!read) return std::move(read).error();
    by = *std::move(read);
    request.path = KeyPath::kUnwrapped;
  }
  request.slot = options.slot;
  request.operation = operation;
  request.input = input;
  request.aside = aside;
  request.by = by;
  auto part = Part::open(desk.crypto, options.file);
  if (!part) return std::move(part).error();
  auto used = (*part)->use_key(request);
  if (!used) return std::move(used).error();
  if (options.output.empty()) {
    desk.out << core::to_hex(used->view()) << "\n";
    return {};
  }
  const auto mode = operation == KeyOperation::kDecrypt ? FileMode::kPrivate : FileMode::kPublic;
  return write_new_file(options.output, used->view(), mode,
                        options.force ? Existing::kReplace : Existing::kKeep);
}

Status sign(Desk& desk, const KeyOptions& options) {
  return run(desk, options, KeyOperation::kSign);
}
Status public_key(Desk& desk, const KeyOptions& options) {
  return run(desk, options, KeyOperation::kPublicKey);
}
Status mac(Desk& desk, const KeyOptions& options) {
  return run(desk, options, options.cmac ? KeyOperation::kCmac : KeyOperation::kHmac);
}
Status decrypt(Desk& desk, const KeyOptions& options) {
  return run(desk, options, KeyOperation::kDecrypt);
}

void describe(CLI::App& command, KeyOptions& options) {
  add_file(command, options.file);
  command.add_option("--slot", options.slot, "The key's slot")->required();
  auto* const output =
      command.add_option("--out", options.output, "Write to this new file, not as hex");
  command.add_flag("--force", options.force, "Replace the file if it is there")->needs(output);
  command.add_option("--unwrap", options.wrapped,
                     "Use the key in this file, which the slot's key unwraps");
}

void describe_input(CLI::App& command, KeyOptions& options, const char* what) {
  describe(command, options);
  command.add_option("--in", options.input, what)->required();
}

void describe_secret(CLI::App& command, KeyOptions& options, const char* what) {
  describe_input(command, options, what);
  command
      .add_option("--derive", options.context,
                  "Use the key that is derived for this context, hexadecimal digits")
      ->excludes(command.get_option("--unwrap"));
}

}  // namespace

void add_key_commands(CLI::App& app, Chosen& chosen) {
  auto* const group = app.add_subcommand("key", "Use a key that the part keeps");
  group->require_subcommand(1);
  add_command<KeyOptions>(*group, chosen, "sign",
                          "Sign with a private key: ECDSA as r and s, or Ed25519", sign,
                          [](CLI::App& command, KeyOptions& options) {
                            describe_input(command, options, "The message");
                          });
  add_command<KeyOptions>(*group, chosen, "public", "The public half of a private key that signs",
                          public_key, describe);
  add_command<KeyOptions>(*group, chosen, "mac", "Make a MAC: HMAC-SHA-256", mac,
                          [](CLI::App& command, KeyOptions& options) {
                            describe_secret(command, options, "The message");
                            command.add_flag("--cmac", options.cmac, "AES-CMAC");
                          });
  add_command<KeyOptions>(
      *group, chosen, "decrypt", "Decrypt AES-GCM: nonce of 12 bytes, ciphertext, tag", decrypt,
      [](CLI::App& command, KeyOptions& options) {
        describe_secret(command, options, "The sealed bytes");
        command.add_option("--aad", options.aside, "File of what was authenticated beside");
      });
}

}  // namespace tallystick::device
