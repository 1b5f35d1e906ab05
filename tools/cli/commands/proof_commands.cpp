// `tallystick proof ...`: what a part holds, proved by the part and checked by anyone or the OEM.
#include <map>

#include <nlohmann/json.hpp>

#include "tools/cli/commands/command.h"
#include "tools/cli/commands/commands.h"
#include "tools/cli/commands/options.h"
#include "tools/cli/file_io.h"
#include "tools/cli/formats/challenge.h"
#include "tools/cli/formats/identity_files.h"
#include "tools/cli/formats/inspect.h"
#include "tools/cli/formats/names.h"
#include "tools/cli/formats/part_file.h"
#include "tools/cli/formats/proof_check.h"
#include "tools/cli/pkcs11/tokens.h"

namespace tallystick::cli {
namespace {

using Json = nlohmann::ordered_json;

struct ProofOptions {
  std::string part;
  std::string challenge;
  std::string output;
};

Done make_proof(Environment& env, const ProofOptions& options) {
  auto crypto = env.crypto();
  if (!crypto) return std::move(crypto).error();
  const auto challenge = parse_challenge(options.challenge);
  if (!challenge) return challenge.error();
  const auto part = open_part(*crypto, options.part);
  if (!part) return part.error();
  const auto proof = (*part)->prove(*challenge);
  if (!proof) return from_core(options.part, proof.error());
  return write_file(options.output, *proof);
}

struct ProofCheckOptions {
  std::vector<std::string> proofs;
  std::string icm_key;
  std::string part_certificate;
  std::string challenge;
  std::string token;
  std::string package;
  std::string manifest;
  std::string life_cycle;
};

std::string certificate_for(const ProofCheckOptions& options, const std::string& proof) {
  if (!options.part_certificate.empty()) return options.part_certificate;
  const std::size_t dot = proof.find_last_of('.');
  return proof.substr(0, dot) + ".cer";
}

Json checked_document(const core::Proof& proof, const std::vector<SlotReport>* contents) {
  Json document = proof_document(proof);
  document["file"] = "proof";
  document["signature"] = "holds";
  if (contents == nullptr) return document;
  document["contents"] = Json::array();
  for (const SlotReport& slot : *contents) {
    document["contents"].push_back(
        {{"slot", slot.slot},
         {"name", slot.name},
         {"result",
          slot.compared ? "equal to the original" : "made inside, covered by the signature"}});
  }
  return document;
}

Outcome<std::optional<ContentsCheck>> contents_check(Environment& env,
                                                     const ProofCheckOptions& options) {
  if (options.package.empty() && options.manifest.empty()) {
    return std::optional<ContentsCheck>();
  }
  if (options.package.empty() || options.manifest.empty()) {
    return usage_failure("proof verify", "the contents need both --package and --assets");
  }
  auto crypto = env.crypto();
  if (!crypto) return std::move(crypto).error();
  auto session = open_token(env, options.token, kWritable);
  if (!session) return std::move(session).error();
  auto check = ContentsCheck::open(*crypto, *std::move(session), options.package, options.manifest);
  if (!check) return std::move(check).error();
  return std::optional<ContentsCheck>(*std::move(check));
}

Done verify_proofs(Environment& env, const ProofCheckOptions& options) {
  auto crypto = env.crypto();
  if (!crypto) return std::move(crypto).error();
  const auto challenge = parse_challenge(options.challenge);
  if (!challenge) return challenge.error();
  const auto files = files_named(options.proofs, ".proof");
  if (!files) return files.error();
  if (files->empty()) return file_failure(options.proofs.front(), "there are no proofs in it");
  if (files->size() > 1 && !options.part_certificate.empty()) {
    return usage_failure("--part-certificate", "it is for one proof",
                         "put each part's certificate beside its proof as ID.cer");
  }
  const auto icm_key = load_p384_public_key(env, options.icm_key);
  if (!icm_key) return icm_key.error();
  auto contents = contents_check(env, options);
  if (!contents) return std::move(contents).error();
  Json parts = Json::array();
  std::size_t compared = 0;
  // A copied proof must not count as another part.
  std::map<core::DeviceId, std::string> seen;
  for (const std::string& file : *files) {
    const auto proof =
        check_signed_proof(**crypto, file, certificate_for(options, file), *icm_key, *challenge);
    if (!proof) return proof.error();
    const auto [first, fresh] = seen.emplace(proof->part_id, file);
    if (!fresh) return refused(file, "it proves the same part as " + first->second);
    if (!options.life_cycle.empty() && life_cycle_text(proof->life_cycle) != options.life_cycle) {
      return refused(file, "the part is " + life_cycle_text(proof->life_cycle) + ", not " +
                               options.life_cycle);
    }
    if (!contents->has_value()) {
      parts.push_back(checked_document(*proof, nullptr));
      continue;
    }
    const auto slots = (*contents)->check(*proof, *challenge);
    if (!slots) return slots.error();
    for (const SlotReport& slot : *slots) compared += slot.compared ? 1 : 0;
    parts.push_back(checked_document(*proof, &*slots));
  }
  if (env.out.json() || files->size() == 1) {
    env.out.data(Json{{"proofs", std::move(parts)}});
  } else {
    Json summary{
        {"parts", seen.size()}, {"proofs", files->size()}, {"signatures_hold", files->size()}};
    if (contents->has_value()) summary["assets_equal_to_the_original"] = compared;
    env.out.data(summary);
  }
  return {};
}

}  // namespace

void add_proof_commands(Command app, Environment& env) {
  Command group = app.add("proof", "Proofs of what a part holds");
  add_command<ProofOptions>(
      group, env, "make", "Let a part prove what it holds", make_proof,
      [](Command command, ProofOptions& options) {
        command.add_option("part", options.part, "The part's file").required();
        command.add_option("--challenge", options.challenge, "32 bytes in hex or file:PATH")
            .required();
        add_output_option(command, options.output).required();
      });
  add_command<ProofCheckOptions>(
      group, env, "verify",
      "Check proofs: the signature, and with --package, --assets and the OEM's token also the\n"
      "contents against the original files",
      verify_proofs, [](Command command, ProofCheckOptions& options) {
        command.add_option("proofs", options.proofs, "Proofs, or a directory of them").required();
        command
            .add_option("--icm-certificate,--icm-key", options.icm_key,
                        "The ICM's certificate or public key")
            .required();
        command.add_option("--part-certificate", options.part_certificate,
                           "The part's certificate (default: ID.cer beside the proof)");
        command.add_option("--challenge", options.challenge, "32 bytes in hex or file:PATH")
            .required();
        command
            .add_option("--life-cycle", options.life_cycle, "The state that the part has to be in")
            .one_of({"provisioning", "provisioned", "locked"});
        add_token_option(command, options.token);
        command.add_option("--package", options.package, "The package that was sent");
        command.add_option("--assets", options.manifest, "The manifest it was made from");
      });
}

}  // namespace tallystick::cli
