// Stage: prepared tokens to try operations on, each trial on a copy of its own. Everything goes
// through the module's functions.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/pkcs11/support/vendor.h"

namespace tallystick::test {

inline constexpr const char* kOtherPin = "another PIN";
inline constexpr const char* kWrongPin = "not the PIN";
// Of both PINs, before an operation begins: what gives tries back shows.
inline constexpr int kTriesSpent = 3;

// What a trial runs on.
enum class Prepared : std::uint8_t {
  kEmpty,       // no folder yet
  kToken,       // PINs, some keys and data, three tries of each PIN spent
  kBareFamily,  // the same with a family
  kFamily,      // and with its software and a share
};

class Stage;

// A token in its state of work: a session, the login, the module.
struct Scene {
  Scene(const Stage& its_stage, CK_FUNCTION_LIST* its_functions, CK_SLOT_ID its_slot)
      : stage(its_stage), functions(its_functions), slot(its_slot) {}

  const Stage& stage;
  CK_FUNCTION_LIST* functions;
  CK_SLOT_ID slot;
  std::optional<Session> session;  // none: the operation opens what it needs

  [[nodiscard]] CK_OBJECT_HANDLE object(const std::string& label) const;
  [[nodiscard]] CK_OBJECT_HANDLE family() const;
};

enum class As : std::uint8_t { kNobodyWithoutSession, kNobody, kUser, kSo };

struct Operation {
  const char* name;
  Prepared prepared;
  As as;
  // What is done before the trial begins: lengths asked, blobs made.
  std::function<void(Scene&)> prepare;
  std::function<CK_RV(Scene&)> run;
  // CKR_OK unless the operation's whole point is another answer.
  CK_RV answer = CKR_OK;
  // Whose PIN it compares: 0 the SO's, 1 the user's, -1 none.
  int compares = -1;
  // Whether it changes more than tries.
  bool changes = true;
};

class Stage {
 public:
  Stage();
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;
  ~Stage();

  [[nodiscard]] const Module& module() const { return token_->module(); }
  [[nodiscard]] const World& world() const { return token_->world(); }
  [[nodiscard]] const FamilyToken& token() const { return *token_; }
  [[nodiscard]] const OemDesk& desk() const { return *desk_; }

  // A folder for trials, and $TALLYSTICK_HOME in it.
  [[nodiscard]] std::string folder() const { return scratch_.file("trial"); }
  [[nodiscard]] std::string home() const { return folder() + "/home"; }
  // A second one, for what a power cut leaves.
  [[nodiscard]] std::string other_folder() const { return scratch_.file("after"); }
  // Puts the prepared token there; the module is not initialised.
  void set_up(Prepared as) const;
  // The module reads the tokens of this folder from its next C_Initialize on.
  static void use_home(const std::string& folder);
  // C_Initialize, a session and the login that the operation wants.
  [[nodiscard]] std::unique_ptr<Scene> open(const Operation& operation) const;
  void close(std::unique_ptr<Scene> scene) const;

 private:
  void prepare_objects();
  // Spends tries of both PINs and keeps the token's folder, the module down.
  void keep(Prepared as, CK_SLOT_ID slot);
  [[nodiscard]] std::string prepared(Prepared as) const;

  Scratch scratch_;
  std::unique_ptr<FamilyToken> token_;
  std::unique_ptr<OemDesk> desk_;
};

// All operations of the token that change its state.
const std::vector<Operation>& operations();

}  // namespace tallystick::test
