# Functions that the rooms' CMakeLists.txt use.

# Adds a folder of the current source directory when it has a CMakeLists.txt.
function(tallystick_add_if_present folder)
  if(EXISTS "${CMAKE_CURRENT_SOURCE_DIR}/${folder}/CMakeLists.txt")
    add_subdirectory("${folder}")
  endif()
endfunction()

# Gives a target the repository root as include root and the project's warnings, as errors.
function(tallystick_warnings target)
  target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}")
  target_compile_options(
    ${target}
    PRIVATE
      -Wall
      -Wextra
      -Wpedantic
      -Werror
      -Wshadow
      -Wconversion
      -Wsign-conversion
      -Wcast-qual
      -Wformat=2
      -Wimplicit-fallthrough
      -Wundef
      -Wvla
      "$<$<COMPILE_LANGUAGE:CXX>:-Wold-style-cast;-Wnon-virtual-dtor;-Woverloaded-virtual>"
      "$<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wduplicated-cond;-Wlogical-op>"
      # GCC 12 sees overlaps in plain std::string concatenation (GCC bug 105651).
      "$<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-restrict>"
      "$<$<COMPILE_LANG_AND_ID:CXX,Clang>:-Wthread-safety>")
  if(TALLYSTICK_SANITIZE)
    # The instrumented code hides initialisation from this one analysis.
    target_compile_options(
      ${target} PRIVATE "$<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-maybe-uninitialized>")
  endif()
endfunction()

# A library that other people's programs load: nothing leaves it but what the map `exports` lists. It
# stays mapped once loaded, because libcrypto keeps handlers of ours until the process ends. The C++
# library is in it: such programs may bring another one, and looking its symbols up takes longer than
# a signature. The unwinder is in it, too, one library less to load. What nothing of ours calls is
# left out, half of the provider: a command that makes one signature pays for each page.
function(tallystick_loadable target exports)
  set_target_properties(${target} PROPERTIES LINK_DEPENDS "${exports}")
  target_link_options(${target} PRIVATE "-Wl,--version-script=${exports}" -Wl,-z,nodelete)
  if(TALLYSTICK_SANITIZE)
    # The sanitizers' own symbols come from the program that loads it.
    target_link_options(${target} PRIVATE -Wl,-z,undefs)
  else()
    target_link_options(${target} PRIVATE -Wl,-z,defs -static-libstdc++ -static-libgcc)
    if(NOT TALLYSTICK_COVERAGE)  # which keeps tables that nothing refers to
      target_link_options(${target} PRIVATE -Wl,--gc-sections)
    endif()
  endif()
endfunction()

# For targets whose files spend their time in the same large headers: their sources are compiled a
# dozen together, in a third of the time. No two of them may give a name to different things, also
# not in unnamed namespaces.
function(tallystick_together target)
  set_target_properties(${target} PROPERTIES UNITY_BUILD "${TALLYSTICK_TOGETHER}")
endfunction()

# tallystick_patience(<variable>): how many seconds a test may take, 300 where nothing is said;
# sanitizers and counters take their time.
function(tallystick_patience variable)
  set(seconds 300)
  if(${variable})
    set(seconds ${${variable}})
  endif()
  if(TALLYSTICK_SANITIZE OR TALLYSTICK_COVERAGE)
    math(EXPR seconds "4 * ${seconds}")
  endif()
  set(${variable} ${seconds} PARENT_SCOPE)
endfunction()

# tallystick_test(<name> SOURCES <file>... [LIBS <target>...] [LABELS <label>...] [TIMEOUT <s>]
#                 [ENV <NAME=value>...] [FIXTURES <fixture>...] [SERIAL])
# A GoogleTest executable whose cases are ctest cases of their own. Tests that use threads carry
# the label `threads`, which the thread sanitizer run selects. SERIAL keeps the cases of one
# executable from running beside each other.
function(tallystick_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "SERIAL" "TIMEOUT" "SOURCES;LIBS;LABELS;ENV;FIXTURES")
  if(NOT arg_SOURCES)
    message(FATAL_ERROR "tallystick_test(${name}) names no SOURCES")
  endif()
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "tallystick_test(${name}) does not know: ${arg_UNPARSED_ARGUMENTS}")
  endif()
  tallystick_patience(arg_TIMEOUT)

  add_executable(${name} ${arg_SOURCES})
  tallystick_warnings(${name})
  target_link_libraries(${name} PRIVATE ${arg_LIBS} GTest::gmock_main)
  # What a build for one label needs.
  foreach(label IN LISTS arg_LABELS)
    if(NOT TARGET tests_${label})
      add_custom_target(tests_${label})
    endif()
    add_dependencies(tests_${label} ${name})
  endforeach()

  # Found when ctest runs, not when linking: a test's failure to start then fails that test and not
  # the build, and a build without running costs nothing.
  gtest_discover_tests(
    ${name}
    TEST_PREFIX "${name}/"
    NO_PRETTY_VALUES
    DISCOVERY_MODE PRE_TEST
    DISCOVERY_TIMEOUT 120
    WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}"
    PROPERTIES TIMEOUT ${arg_TIMEOUT})

  # gtest_discover_tests() takes properties of one value only; those that are lists are set by a
  # file that ctest reads after the discovered tests.
  set(lists "")
  if(arg_LABELS)
    string(APPEND lists "LABELS [==[${arg_LABELS}]==] ")
  endif()
  if(arg_ENV)
    string(APPEND lists "ENVIRONMENT [==[${arg_ENV}]==] ")
  endif()
  if(arg_FIXTURES)
    string(APPEND lists "FIXTURES_REQUIRED [==[${arg_FIXTURES}]==] ")
  endif()
  if(arg_SERIAL)
    string(APPEND lists "RESOURCE_LOCK ${name} ")
  endif()
  if(lists)
    set(file "${CMAKE_CURRENT_BINARY_DIR}/${name}_properties.cmake")
    file(WRITE "${file}"
         "if(${name}_TESTS)\n  set_tests_properties(\${${name}_TESTS} PROPERTIES ${lists})\nendif()\n")
    set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES "${file}")
  endif()
endfunction()

# tallystick_script_test(<name> COMMAND <program> <argument>... [LABELS <label>...]
#                        [TIMEOUT <s>] [ENV <NAME=value>...] [LOADS_MODULE] [MAY_SKIP])
# A test that is a program or script: exit status 0 passes, anything else fails. LOADS_MODULE says
# that somebody else's program loads a shared library of ours; such a program cannot take a library
# built with a sanitizer, so these tests are left out of sanitizer builds. MAY_SKIP lets exit status
# 77 say that somebody else's program is not there.
function(tallystick_script_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "LOADS_MODULE;MAY_SKIP" "TIMEOUT" "COMMAND;LABELS;ENV")
  if(NOT arg_COMMAND)
    message(FATAL_ERROR "tallystick_script_test(${name}) names no COMMAND")
  endif()
  if(arg_LOADS_MODULE AND TALLYSTICK_SANITIZE)
    return()
  endif()
  tallystick_patience(arg_TIMEOUT)
  add_test(
    NAME ${name}
    COMMAND ${arg_COMMAND}
    WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}")
  set_tests_properties(${name} PROPERTIES TIMEOUT ${arg_TIMEOUT})
  if(arg_MAY_SKIP)
    set_tests_properties(${name} PROPERTIES SKIP_RETURN_CODE 77)
  endif()
  if(arg_LABELS)
    set_property(TEST ${name} PROPERTY LABELS ${arg_LABELS})
  endif()
  if(arg_ENV)
    set_property(TEST ${name} PROPERTY ENVIRONMENT ${arg_ENV})
  endif()
endfunction()
