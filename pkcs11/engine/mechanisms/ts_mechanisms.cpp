#include "pkcs11/engine/mechanisms/ts_mechanisms.h"

namespace tallystick::token {

void register_ts_mechanisms(MechanismTable& table) {
  register_ts_family(table);
  register_ts_software(table);
  register_ts_share(table);
  register_ts_keys(table);
  register_ts_seal(table);
  register_ts_package_tag(table);
}

}  // namespace tallystick::token
