# Everything the project uses from outside. The Debian packages stand in tools/packages.

find_package(OpenSSL 3.0 REQUIRED COMPONENTS Crypto SSL)
find_package(SQLite3 REQUIRED)
find_package(Threads REQUIRED)
find_package(CLI11 REQUIRED)
find_package(nlohmann_json 3.10 REQUIRED)
find_package(tomlplusplus REQUIRED)
find_package(PkgConfig REQUIRED)
# The target is PkgConfig::P11KIT.
pkg_check_modules(P11KIT REQUIRED IMPORTED_TARGET GLOBAL p11-kit-1>=0.24)

# Debian's own interpreter has python3-cryptography and python3-pykcs11; another python3 that stands
# first on PATH need not have them.
find_program(TALLYSTICK_PYTHON python3 PATHS /usr/bin NO_DEFAULT_PATH)
find_program(TALLYSTICK_PYTHON python3)

if(TALLYSTICK_TESTS)
  find_package(GTest REQUIRED)
  include(GoogleTest)
  if(NOT TALLYSTICK_PYTHON)
    message(FATAL_ERROR "The tests need python3, with its cryptography and PyKCS11 modules")
  endif()
  if(TALLYSTICK_BENCH)
    find_package(benchmark QUIET)
  endif()
endif()
