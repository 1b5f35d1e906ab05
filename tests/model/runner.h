// Runner: makes one call on the module and on the model and compares what both say: the answer, and
// what was read. Whatever comes out is searched for values that should stay inside.
#pragma once

#include "tests/model/model.h"
#include "tests/model/module.h"

namespace tallystick::model {

struct Statistics {
  unsigned long calls = 0;
  unsigned long exact = 0;  // of them those for which the model knew the one answer
  std::map<std::pair<std::string, CK_RV>, unsigned long> pairs;
};

class Runner {
 public:
  Runner(Module& module, Statistics& statistics) : module_(module), statistics_(statistics) {}

  Model model;
  // Values that stay inside besides those that the model knows of.
  std::vector<Bytes> secrets;

  // What differed; empty when nothing did.
  std::string run(const Call& call);
  // The module has just been initialised: its handles are new.
  void begin_process();
  // All that is to be seen in a slot, held against the model.
  std::string check_slot(unsigned slot);
  // CKA_UNIQUE_ID, for objects whose handle may change.
  void learn_identity(CK_SESSION_HANDLE session, Object& object);

  // Of what the caller offers for an answer, in bytes.
  static constexpr std::size_t kRoom = 8192;

 private:
  // Compares and counts.
  std::string answer(const Call& call, const Verdict& verdict, CK_RV rv,
                     const std::string& name = "");
  std::string new_handle(CK_OBJECT_HANDLE handle);
  std::string made(const Call& call, const Session& session, const Plan& plan, CK_RV rv,
                   CK_OBJECT_HANDLE handle);
  std::string no_secret_in(const Bytes& out);

  std::string open_session(const Call& call);
  std::string close_all(const Call& call);
  std::string session_info(const Call& call, const Session& session);
  std::string login(const Call& call, Session& session);
  std::string pins(const Call& call, Session& session);
  // What C_GetTokenInfo says of the tries that are left.
  std::string check_tries(unsigned slot);
  std::string change(const Call& call, Session& session);
  std::string get(const Call& call, Session& session);
  std::string search(const Call& call, Session& session);
  std::string generate_pair(const Call& call, Session& session);
  std::string wrap(const Call& call, Session& session);
  std::string unwrap(const Call& call, Session& session);
  std::string init(const Call& call, Session& session);
  std::string operate(const Call& call, Session& session);
  std::string after_run(const Call& call, const Model::Run& run, const Operation& was,
                        const Bytes& out);
  std::string operation_state(const Call& call, Session& session);
  CK_RV call_init(const Call& call, CK_SESSION_HANDLE session);
  CK_RV call_run(const Call& call, CK_SESSION_HANDLE session, const Operation* active, Bytes& in,
                 CK_BYTE* out, CK_ULONG* size);
  // The input of a call: its own bytes or what another call gave.
  Bytes input(const Call& call) const;

  Module& module_;
  Statistics& statistics_;
  std::set<CK_OBJECT_HANDLE> used_;
  std::set<CK_SESSION_HANDLE> used_sessions_;
};

}  // namespace tallystick::model
