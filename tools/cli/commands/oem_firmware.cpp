// `oem sign-application` and `oem sign-debug`: what the owner's key signs beside packages, for the
// boot ROM of a part and for its debug port.
#include <algorithm>

#include "core/crypto/hash.h"
#include "core/ts1/application.h"
#include "core/ts1/debug_access.h"
#include "tools/cli/commands/oem_commands.h"
#include "tools/cli/commands/options.h"
#include "tools/cli/file_io.h"
#include "tools/cli/pkcs11/ec_keys.h"

namespace tallystick::cli {
namespace {

constexpr std::size_t kBlock = 64UL * 1024;

struct ApplicationOptions {
  std::string firmware;
  std::uint32_t version = 0;
  std::uint32_t floor = 0;
  std::string name;
  std::string oem_key;
  std::string output;
};

// The file's bytes to `out` from where it stands, and their digest.
Outcome<core::ByteArray<48>> copy_and_digest(const core::Crypto& crypto, InputFile& file,
                                             AtomicFile& out) {
  auto hasher = core::Hasher::create(crypto, core::Hash::kSha384);
  if (!hasher) return from_core(file.path(), hasher.error());
  core::Bytes block(kBlock);
  for (std::uint64_t left = file.size(); left > 0;) {
    const auto count = file.read(block);
    if (!count) return count.error();
    if (*count == 0 || *count > left) return file_failure(file.path(), "it changed meanwhile");
    const auto piece = core::ByteView(block).first(*count);
    if (auto updated = hasher->update(piece); !updated) {
      return from_core(file.path(), updated.error());
    }
    if (auto written = out.write(piece); !written) return std::move(written).error();
    left -= *count;
  }
  core::ByteArray<48> digest{};
  if (auto finished = hasher->finish(digest); !finished) {
    return from_core(file.path(), finished.error());
  }
  return digest;
}

Done sign_application(Environment& env, const ApplicationOptions& options) {
  auto crypto = env.crypto();
  if (!crypto) return std::move(crypto).error();
  auto firmware = InputFile::open(options.firmware);
  if (!firmware) return std::move(firmware).error();
  core::ApplicationHeader header;
  header.version = options.version;
  header.floor = options.floor;
  header.name = options.name;
  header.payload_length = firmware->size();
  // What a boot ROM would refuse is refused before the key is asked for.
  if (const auto checked = core::application_header(header); !checked) {
    return from_core(options.firmware, checked.error());
  }
  auto key = SigningKey::open(env, options.oem_key);
  if (!key) return std::move(key).error();
  auto image = AtomicFile::create(options.output);
  if (!image) return std::move(image).error();
  if (auto placed = image->seek(core::kApplicationPrefix); !placed) return placed;
  const auto digest = copy_and_digest(**crypto, *firmware, *image);
  if (!digest) return digest.error();
  header.payload_digest = *digest;
  const auto raw = core::application_header(header);
  if (!raw) return from_core(options.firmware, raw.error());
  const auto signature = key->sign("application image", *raw);
  if (!signature) return signature.error();
  core::Bytes prefix(*raw);
  prefix.insert(prefix.end(), signature->begin(), signature->end());
  const auto checked = core::check_application_head(
      **crypto, prefix, core::kApplicationPrefix + header.payload_length, key->public_xy());
  if (!checked) return from_core(options.firmware, checked.error());
  if (auto written = image->write_at(0, prefix); !written) return written;
  if (auto done = image->commit(); !done) return done;
  env.out.say("Application version " + std::to_string(options.version) + ", floor " +
              std::to_string(options.floor) + ", is signed: " + options.output);
  return {};
}

struct DebugOptions {
  std::string challenge;
  std::string oem_key;
  std::string output;
};

Done sign_debug(Environment& env, const DebugOptions& options) {
  auto crypto = env.crypto();
  if (!crypto) return std::move(crypto).error();
  const auto bytes = read_file(options.challenge);
  if (!bytes) return bytes.error();
  const auto challenge = core::parse_debug_challenge(*bytes);
  if (!challenge) return from_core(options.challenge, challenge.error());
  auto key = SigningKey::open(env, options.oem_key);
  if (!key) return std::move(key).error();
  const auto signature = key->sign("debug token", core::debug_message(*challenge));
  if (!signature) return signature.error();
  const core::DebugToken token{*challenge, key->public_array(), core::array_of<96>(*signature)};
  if (auto checked = core::verify_debug_token(**crypto, token); !checked) {
    return from_core(options.challenge, checked.error());
  }
  if (auto done = write_file(options.output, core::encode_debug_token(token)); !done) return done;
  env.out.say("A token that erases part " + core::to_hex(challenge->part_id) +
              " and opens its debug port: " + options.output);
  return {};
}

}  // namespace

void add_oem_firmware_commands(Command group, Environment& env) {
  add_command<ApplicationOptions>(
      group, env, "sign-application", "Sign firmware for a part's boot ROM", sign_application,
      [](Command command, ApplicationOptions& options) {
        command.add_option("firmware", options.firmware, "The firmware").required();
        command.add_option("--application-version", options.version, "The application's version")
            .required();
        command.add_option("--floor", options.floor,
                           "The lowest version that a part starts once this one is confirmed");
        command.add_option("--name", options.name, "Name, up to 32 bytes");
        add_oem_key_option(command, options.oem_key).required();
        add_output_option(command, options.output).required();
      });
  add_command<DebugOptions>(
      group, env, "sign-debug", "Sign a part's debug challenge: the token erases that part",
      sign_debug, [](Command command, DebugOptions& options) {
        command.add_option("challenge", options.challenge, "What the part said, .tsdc").required();
        add_oem_key_option(command, options.oem_key).required();
        add_output_option(command, options.output).required();
      });
}

}  // namespace tallystick::cli
