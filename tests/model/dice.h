// Dice: makes up calls. They are weighted, and keys are chosen with regard to what the model knows
// of them, so that interesting states are reached; one call in ten is wrong on purpose.
#pragma once

#include <deque>
#include <functional>
#include <random>

#include "tests/model/model.h"
#include "tests/model/world.h"

namespace tallystick::model {

// Kinds of objects that calls are made for.
inline bool is_secret(const Object& object) { return object.object_class() == CKO_SECRET_KEY; }
inline bool is_private(const Object& object) { return object.object_class() == CKO_PRIVATE_KEY; }
inline bool is_public(const Object& object) { return object.object_class() == CKO_PUBLIC_KEY; }
inline bool is_ordinary(const Object& object) { return object.managed == Managed::kNo; }

class Dice {
 public:
  Dice(std::uint64_t seed, const Given& given, unsigned first_id)
      : random_(seed), given_(given), next_id_(first_id) {}

  // The next call in the state that the model is in.
  Call next(Model& model);

 private:
  using Wanted = std::function<bool(const Object&)>;

  unsigned below(unsigned n) { return static_cast<unsigned>(random_() % n); }
  bool chance(unsigned percent) { return below(100) < percent; }
  template <typename T, std::size_t kCount>
  T one_of(const T (&all)[kCount]) {
    return all[below(kCount)];
  }
  Bytes random_bytes(std::size_t size);
  // Bytes that everybody knows, one of a few; or a secret of somebody's.
  Bytes key_bytes(std::size_t size);
  Bytes data();

  Call start(Op op);
  void add(Call call) { waiting_.push_back(std::move(call)); }
  Ref any_session(Model& model);
  // An object that the session sees and that is as wanted; now and then any other, or none.
  Ref pick(Model& model, Ref session, const Wanted& wanted, unsigned faithful = 88);
  // Whether the last pick found what was wanted; where not, the call is not worth much.
  bool no_use() { return !fitted_ && chance(90); }
  Ref pick_output(Model& model, const std::function<bool(const Output&)>& wanted);

  void begin(Model& model);
  void sessions(Model& model);
  void login(Model& model, unsigned slot);
  void pins(Model& model);
  void create(Model& model);
  void generate(Model& model);
  void copy_or_set(Model& model);
  void destroy(Model& model);
  void get(Model& model);
  void search(Model& model);
  void wrap(Model& model);
  void unwrap(Model& model);
  void derive(Model& model);
  void cipher(Model& model);
  void sign(Model& model);
  void digest(Model& model);
  void vendor(Model& model);

  // Template entries.
  static Attribute flag(CK_ATTRIBUTE_TYPE type, bool value) { return {type, bytes_of(value)}; }
  static Attribute number(CK_ATTRIBUTE_TYPE type, CK_ULONG value) {
    return {type, bytes_of(value)};
  }
  void place(Template& out, bool secret);
  void uses(Template& out, CK_OBJECT_CLASS object_class);
  void secrecy(Template& out);
  void extras(Template& out, CK_OBJECT_CLASS object_class);
  void spoil(Template& out, unsigned percent = 8);
  Template inner();

  std::mt19937_64 random_;
  const Given& given_;
  unsigned next_id_;
  std::deque<Call> waiting_;
  bool begun_ = false;
  bool fitted_ = true;
};

}  // namespace tallystick::model
