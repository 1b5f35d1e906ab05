// The model: the keys of the provisioning profile (docs/pkcs11.md, key table). They come of their
// own mechanisms, keep their roles, and leave the token only as the table says.
#include <algorithm>

#include "tests/model/maker.h"

namespace tallystick::model {
namespace {

constexpr std::size_t kLabelAt = 1;  // in the parameter of CKM_TS_ASSET_KEY_DERIVE
constexpr std::size_t kNameAt = 9;   // of CKM_TS_ASSET_GENERATE

std::string text_from(const Bytes& bytes, std::size_t at) {
  return bytes.size() < at ? std::string()
                           : std::string(bytes.begin() + static_cast<long>(at), bytes.end());
}

void keep_role(Object& key, bool oem) { key.role_oem = oem; }

// What the model leaves to the token: it is read once and must then stay.
Plan without_history(Plan plan) {
  for (const auto type :
       {CKA_LOCAL, CKA_KEY_GEN_MECHANISM, CKA_ALWAYS_SENSITIVE, CKA_NEVER_EXTRACTABLE}) {
    plan.object.attributes.erase(type);
  }
  return plan;
}

}  // namespace

Plan Model::plan_share(const Call& call, const Session& session) {
  Maker maker(*this, session, kGenerate);
  auto& verdict = maker.verdict();
  verdict.add_if(call.shape == Shape::kNullPointer, CKR_ARGUMENTS_BAD);
  reading_faults(call.attributes, rules, verdict);
  verdict.add_if(call.shape == Shape::kBadParameter, CKR_MECHANISM_PARAM_INVALID);
  verdict.add_if(!tokens.at(session.slot).makes_shares && on(Rule::kSoftwarePermits),
                 CKR_KEY_FUNCTION_NOT_PERMITTED);
  maker.managed(Managed::kShare).of_value(new_value(0));
  maker.decide_number(CKA_CLASS, CKO_SECRET_KEY).decide_number(CKA_KEY_TYPE, CKK_TS_OEM_SHARE);
  maker.decide_flag(CKA_EXTRACTABLE, true).decide_flag(CKA_DERIVE, true);
  keep_role(maker.object(), true);
  return without_history(maker.finish(call.attributes));
}

void Model::vendor_wrap_faults(const Object& wrapping, const Object& key, Verdict& verdict) const {
  if (wrapping.managed != Managed::kFamily) return;  // refused for its type already
  if (key.managed != Managed::kShare) {
    verdict.add(CKR_KEY_NOT_WRAPPABLE);
    verdict.perhaps(CKR_KEY_UNEXTRACTABLE);
    verdict.perhaps(CKR_WRAPPING_KEY_SIZE_RANGE);
    return;
  }
  verdict.add_if(!key.role_oem && on(Rule::kRoleDecides), CKR_KEY_NOT_WRAPPABLE);
  verdict.add_if(!key.flag(CKA_EXTRACTABLE) && on(Rule::kExtractable), CKR_KEY_UNEXTRACTABLE);
}

Plan Model::plan_taken_share(const Call& call, const Session& session, const Object* key) {
  Maker maker(*this, session, kUnwrap);
  auto& verdict = maker.verdict();
  const auto given = outputs.find(call.blob);
  const bool nothing = given == outputs.end() && call.bytes.empty();
  verdict.add_if(call.shape == Shape::kNullPointer || nothing, CKR_ARGUMENTS_BAD);
  reading_faults(call.attributes, rules, verdict);
  use_faults(key, Use::kUnwrap, call, verdict);
  if (key == nullptr || key->managed != Managed::kFamily) {
    // A key of another kind has been refused; a template of no key says nothing more.
    return {verdict, {}};
  }
  verdict.add_if(!tokens.at(session.slot).takes_shares && on(Rule::kSoftwarePermits),
                 CKR_KEY_FUNCTION_NOT_PERMITTED);
  const bool opens = given != outputs.end() && given->second.mechanism == call.mechanism &&
                     call.shape != Shape::kTampered;
  verdict.add_if(!opens, CKR_WRAPPED_KEY_INVALID);
  maker.managed(Managed::kShare).of_value(new_value(0));
  maker.decide_number(CKA_CLASS, CKO_SECRET_KEY).decide_number(CKA_KEY_TYPE, CKK_TS_OEM_SHARE);
  maker.decide_flag(CKA_EXTRACTABLE, false).decide_flag(CKA_DERIVE, true);
  keep_role(maker.object(), false);
  return without_history(maker.finish(call.attributes));
}

Plan Model::plan_vendor_derive(const Call& call, const Session& session, const Object* base) {
  Maker maker(*this, session, kDerive);
  auto& verdict = maker.verdict();
  verdict.add_if(call.shape == Shape::kNullPointer, CKR_ARGUMENTS_BAD);
  reading_faults(call.attributes, rules, verdict);
  use_faults(base, Use::kDerive, call, verdict);
  if (base == nullptr || base->managed == Managed::kNo) return {verdict, {}};
  auto& made = maker.object();
  keep_role(made, base->role_oem);
  maker.decide_number(CKA_CLASS, CKO_SECRET_KEY).of_value(new_value(0));
  if (call.mechanism == CKM_TS_MASTER_KEY_DERIVE) {
    maker.managed(Managed::kMaster).decide_number(CKA_KEY_TYPE, CKK_TS_MASTER_KEY);
    maker.decide_flag(CKA_EXTRACTABLE, false).decide_flag(CKA_DERIVE, true);
    return without_history(maker.finish(call.attributes));
  }
  if (call.mechanism == CKM_TS_ASSET_GENERATE) {
    verdict.add_if(!base->role_oem && on(Rule::kRoleDecides), CKR_KEY_FUNCTION_NOT_PERMITTED);
    maker.managed(Managed::kOther).decide_number(CKA_KEY_TYPE, CKK_AES);
    const auto name = text_from(call.bytes, kNameAt);
    maker.decide(CKA_LABEL, {name.begin(), name.end()});
    maker.decide_flag(CKA_EXTRACTABLE, true);
    return without_history(maker.finish(call.attributes));
  }
  made.label = text_from(call.bytes, kLabelAt);
  maker.managed(Managed::kAsset).decide_flag(CKA_EXTRACTABLE, false);
  const bool oem = base->role_oem;
  if (made.label == "TS1/AUTH") {
    maker.decide_number(CKA_KEY_TYPE, CKK_AES).decide_flag(oem ? CKA_SIGN : CKA_VERIFY, true);
  } else if (made.label == "TS1/PROOF") {
    // Whoever takes shares in could test guesses with it.
    verdict.add_if(!oem && on(Rule::kRoleDecides), CKR_KEY_FUNCTION_NOT_PERMITTED);
    maker.decide_number(CKA_KEY_TYPE, CKK_GENERIC_SECRET).decide_flag(CKA_VERIFY, true);
  } else if (made.label == "TS1/ENCK") {
    maker.decide_number(CKA_KEY_TYPE, CKK_TS_ASSET_KEY);
    maker.decide_flag(oem ? CKA_WRAP : CKA_UNWRAP, true);
  } else {
    maker.decide_number(CKA_KEY_TYPE, CKK_TS_ASSET_KEY);
    maker.decide_flag(oem ? CKA_ENCRYPT : CKA_DECRYPT, true);
  }
  return without_history(maker.finish(call.attributes));
}

}  // namespace tallystick::model
