#include "tests/model/dice.h"

#include <algorithm>

namespace tallystick::model {
namespace {

constexpr CK_FLAGS kReadWrite = CKF_SERIAL_SESSION | CKF_RW_SESSION;

}  // namespace

Bytes Dice::random_bytes(std::size_t size) {
  Bytes out(size);
  for (auto& byte : out) byte = static_cast<std::uint8_t>(random_());
  return out;
}

Bytes Dice::key_bytes(std::size_t size) {
  if (chance(50)) {
    Bytes known(size, kKnownMark);
    if (!known.empty()) known.back() = static_cast<std::uint8_t>(below(3));
    if (size == 1) known[0] = kKnownMark;
    return known;
  }
  Bytes secret = random_bytes(size);
  if (is_known(secret)) secret[0] = 0x55;
  return secret;
}

Bytes Dice::data() {
  constexpr std::size_t kSizes[] = {16, 16, 32, 32, 24, 1, 20, 0, 200, 500};
  Bytes out(one_of(kSizes), kKnownMark);
  if (!out.empty()) out.back() = static_cast<std::uint8_t>(below(3));
  if (out.size() == 1) out[0] = kKnownMark;
  return out;
}

Call Dice::start(Op op) {
  Call call;
  call.id = next_id_++;
  call.op = op;
  return call;
}

Ref Dice::any_session(Model& model) {
  if (model.sessions.empty() || chance(1)) return below(3) == 0 ? 0 : next_id_ + 7;
  // As a rule one where somebody is logged in: most calls want that.
  std::vector<Ref> good;
  std::vector<Ref> all;
  for (const auto& [ref, session] : model.sessions) {
    all.push_back(ref);
    if (model.tokens.at(session.slot).login != Login::kNobody) good.push_back(ref);
  }
  const auto& from = good.empty() || chance(15) ? all : good;
  return from[below(static_cast<unsigned>(from.size()))];
}

Ref Dice::pick(Model& model, Ref session, const Wanted& wanted, unsigned faithful) {
  fitted_ = true;
  if (model.objects.empty() || chance(1)) return below(2) == 0 ? 0 : 2 * next_id_ + 9;
  if (!model.gone.empty() && chance(1)) {
    auto at = model.gone.begin();
    std::advance(at, below(static_cast<unsigned>(model.gone.size())));
    return at->first;
  }
  const auto* const from = model.session(session);
  std::vector<Ref> fitting;
  std::vector<Ref> others;
  for (const auto& [ref, object] : model.objects) {
    const bool here = from != nullptr && object.slot == from->slot && model.visible(object);
    (here && wanted(object) ? fitting : others).push_back(ref);
  }
  fitted_ = !fitting.empty();
  auto& chosen = !fitting.empty() && (others.empty() || chance(faithful)) ? fitting : others;
  if (chosen.empty()) return 0;
  // Younger ones are likelier: calls in a row are to meet the same keys.
  const auto size = static_cast<unsigned>(chosen.size());
  const auto at = chance(50) ? below(size) : size - 1 - below(std::min(size, 6U));
  return chosen[at];
}

Ref Dice::pick_output(Model& model, const std::function<bool(const Output&)>& wanted) {
  std::vector<Ref> fitting;
  for (const auto& [ref, output] : model.outputs) {
    if (wanted(output)) fitting.push_back(ref);
  }
  if (fitting.empty()) return 0;
  return fitting[below(static_cast<unsigned>(fitting.size()))];
}

Call Dice::next(Model& model) {
  if (!begun_) begin(model);
  while (waiting_.empty()) {
    const unsigned dice = below(1000);
    if (dice < 40) {
      sessions(model);
    } else if (dice < 43) {
      pins(model);
    } else if (dice < 140) {
      create(model);
    } else if (dice < 240) {
      generate(model);
    } else if (dice < 330) {
      copy_or_set(model);
    } else if (dice < 385) {
      destroy(model);
    } else if (dice < 480) {
      get(model);
    } else if (dice < 520) {
      search(model);
    } else if (dice < 620) {
      wrap(model);
    } else if (dice < 700) {
      unwrap(model);
    } else if (dice < 760) {
      derive(model);
    } else if (dice < 870) {
      cipher(model);
    } else if (dice < 930) {
      sign(model);
    } else if (dice < 950) {
      digest(model);
    } else {
      vendor(model);
    }
  }
  auto call = waiting_.front();
  waiting_.pop_front();
  return call;
}

// Two sessions, and as a rule somebody who is logged in.
void Dice::begin(Model& model) {
  begun_ = true;
  for (unsigned slot = 0; slot < Model::kTokens; ++slot) {
    auto open = start(Op::kOpenSession);
    open.slot = slot;
    open.number = kReadWrite;
    add(open);
    if (slot == 0 || chance(40)) {
      auto in = start(Op::kLogin);
      in.session = open.id;
      in.number = chance(90) ? CKU_USER : CKU_SO;
      in.bytes =
          in.number == CKU_USER ? model.tokens.at(slot).user_pin : model.tokens.at(slot).so_pin;
      add(in);
    }
  }
}

void Dice::login(Model& model, unsigned slot) {
  std::vector<Ref> here;
  bool read_only = false;
  for (const auto& [ref, session] : model.sessions) {
    if (session.slot != slot) continue;
    here.push_back(ref);
    read_only = read_only || !session.read_write;
  }
  if (here.empty()) return;
  auto in = start(Op::kLogin);
  in.session = here[below(static_cast<unsigned>(here.size()))];
  in.number = chance(read_only ? 95 : 75) ? CKU_USER : CKU_SO;
  if (chance(4)) in.number = chance(50) ? CKU_CONTEXT_SPECIFIC : 7;
  in.bytes = in.number == CKU_SO ? model.tokens.at(slot).so_pin : model.tokens.at(slot).user_pin;
  if (chance(4)) in.bytes.push_back('x');
  if (chance(1)) in.shape = Shape::kNullPointer;
  if (model.tokens.at(slot).login == Login::kNobody && below(150) == 0) {
    // All tries are spent, and one more.
    in.bytes.push_back('x');
    for (unsigned i = 0; i <= Model::kMostTries; ++i) {
      add(in);
      in.id = next_id_++;
    }
    in.bytes.pop_back();
  }
  add(in);
}

void Dice::sessions(Model& model) {
  const unsigned dice = below(100);
  if (dice < 40) {
    auto call = start(Op::kSessionInfo);
    call.session = any_session(model);
    if (chance(4)) call.shape = Shape::kNullPointer;
    add(call);
  } else if (dice < 62) {
    if (model.sessions.size() > 8) return;
    auto call = start(Op::kOpenSession);
    call.slot = chance(3) ? 77 : below(Model::kTokens);
    call.number = chance(3) ? 0 : chance(65) ? kReadWrite : CKF_SERIAL_SESSION;
    if (chance(2)) call.shape = Shape::kNullPointer;
    add(call);
  } else if (dice < 77) {
    auto call = start(Op::kCloseSession);
    call.session = any_session(model);
    if (model.sessions.size() > 3 || chance(10)) add(call);
  } else if (dice < 79) {
    auto call = start(Op::kCloseAllSessions);
    call.slot = chance(10) ? 55 : below(Model::kTokens);
    if (chance(30)) add(call);
  } else if (dice < 82) {
    auto call = start(Op::kLogout);
    call.session = any_session(model);
    add(call);
  } else {
    // Somebody who is logged in already costs nothing; else a PIN is hashed.
    const unsigned slot = below(Model::kTokens);
    const bool nobody = model.tokens.at(slot).login == Login::kNobody;
    if (!nobody || chance(slot == 0 ? 60 : 25)) login(model, slot);
  }
}

void Dice::pins(Model& model) {
  const auto session = any_session(model);
  const auto* const from = model.session(session);
  if (from == nullptr) return;
  const auto& token = model.tokens.at(from->slot);
  const bool so = token.login == Login::kSo;
  auto call = start(chance(so ? 60 : 20) ? Op::kInitPin : Op::kSetPin);
  call.session = session;
  call.bytes = call.op == Op::kInitPin || !so ? token.user_pin : token.so_pin;
  call.more = so ? token.so_pin : token.user_pin;
  if (chance(30)) call.bytes.push_back('y');
  if (chance(40)) call.more.push_back('z');
  if (call.more.size() > 40) call.more.resize(8);
  if (chance(10)) call.more.resize(2);
  if (call.op == Op::kInitPin && chance(10)) call.bytes.resize(3);
  if (chance(10)) call.shape = Shape::kNullPointer;
  // A PIN that is right costs two hashes: now and then is enough.
  if (chance(25) || call.shape != Shape::kPlain) add(call);
}

}  // namespace tallystick::model
