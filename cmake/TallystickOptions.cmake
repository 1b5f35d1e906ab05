# How every target of the project is compiled and linked.

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif()

# CMake's -O3 makes nothing here faster, since the work is libcrypto's; it compiles longer, and GCC 12
# then warns of overflows in code that its own unrolling made. Flags that a user gave stay.
foreach(language IN ITEMS C CXX)
  if(CMAKE_${language}_FLAGS_RELEASE STREQUAL "-O3 -DNDEBUG")
    set(CMAKE_${language}_FLAGS_RELEASE "-O2 -DNDEBUG")
  endif()
endforeach()

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)

set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

# How many sources are compiled together, where they are (tallystick_together, tests/).
set(CMAKE_UNITY_BUILD_BATCH_SIZE 12)

find_program(TALLYSTICK_CCACHE ccache)
if(TALLYSTICK_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_C_COMPILER_LAUNCHER "${TALLYSTICK_CCACHE}")
  set(CMAKE_CXX_COMPILER_LAUNCHER "${TALLYSTICK_CCACHE}")
endif()

# Executables are linked position-independent too, not only compiled so.
include(CheckPIESupported)
check_pie_supported()

add_link_options(-Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack)
add_compile_options(
  "$<$<NOT:$<CONFIG:Debug>>:-fstack-protector-strong>"
  # Glibc's checks need optimised code; undefining first keeps a distribution's own default quiet.
  "$<$<NOT:$<CONFIG:Debug>>:-U_FORTIFY_SOURCE;-D_FORTIFY_SOURCE=2>")

if(TALLYSTICK_SANITIZE)
  set(sanitize "-fsanitize=${TALLYSTICK_SANITIZE}" -fno-sanitize-recover=all)
  add_compile_options(${sanitize} -fno-omit-frame-pointer -U_FORTIFY_SOURCE)
  add_link_options(${sanitize})
endif()

if(TALLYSTICK_COVERAGE)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    message(FATAL_ERROR "TALLYSTICK_COVERAGE counts what stands in the sources, which clang can")
  endif()
  # The counters of all processes are one mapped file for each program and library, so that those of
  # a process that is killed count as well. Tests run with threads and at once: atomic.
  add_compile_options(
    -fcoverage-mapping -mllvm -runtime-counter-relocation -fprofile-update=atomic
    "-fprofile-instr-generate=${PROJECT_BINARY_DIR}/profiles/%m%c.profraw")
  add_link_options(-fprofile-instr-generate)
endif()
