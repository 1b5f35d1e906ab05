// Maker: how an object comes of a template, for every call that makes one.
#pragma once

#include "tests/model/model.h"

namespace tallystick::model {

class Maker {
 public:
  Maker(const Model& model, const Session& session, Way way)
      : model_(model), session_(session), way_(way) {}

  // What the mechanism or importer decides; a template may only say the same.
  Maker& decide(CK_ATTRIBUTE_TYPE type, const Bytes& value);
  Maker& decide_flag(CK_ATTRIBUTE_TYPE type, bool value) { return decide(type, bytes_of(value)); }
  Maker& decide_number(CK_ATTRIBUTE_TYPE type, CK_ULONG value) {
    return decide(type, bytes_of(value));
  }
  // The keys of the profile obey stricter rules.
  Maker& managed(Managed kind);
  Maker& of_value(int value);
  Verdict& verdict() { return plan_.verdict; }
  Object& object() { return plan_.object; }

  // `generated_by` is the mechanism of a key that is made here of randomness; `parent` what a
  // derived key comes from.
  Plan finish(const Template& attributes, std::optional<CK_MECHANISM_TYPE> generated_by = {},
              const Object* parent = nullptr);

  // A number that a template has; a fault when it has the wrong length or is `required`.
  std::optional<CK_ULONG> number(const Template& attributes, CK_ATTRIBUTE_TYPE type, bool required);

 private:
  void lay(const Template& attributes);
  void lay_one(const Row& row, const Attribute& one);
  void lay_managed(const Row& row, const Bytes& value);
  void defaults();
  void history(std::optional<CK_MECHANISM_TYPE> generated_by, const Object* parent);
  void place();

  const Model& model_;
  const Session& session_;
  Way way_;
  Plan plan_;
  std::set<CK_ATTRIBUTE_TYPE> decided_;
};

// CKA_UNWRAP_TEMPLATE and CKA_DERIVE_TEMPLATE: what the key demands is added to what is asked.
Template with_demands(const Object& key, CK_ATTRIBUTE_TYPE which, const Template& asked,
                      Verdict& verdict);

}  // namespace tallystick::model
